from django.apps import AppConfig


class BoardsConfig(AppConfig):
    name = "apps.boards"
    label = "boards"
    default_auto_field = "django.db.models.BigAutoField"

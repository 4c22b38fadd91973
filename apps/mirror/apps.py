from django.apps import AppConfig


class MirrorConfig(AppConfig):
    name = "apps.mirror"
    label = "mirror"
    default_auto_field = "django.db.models.BigAutoField"

from django.apps import AppConfig


class OdooConfig(AppConfig):
    name = "apps.odoo"
    label = "odoo"
    default_auto_field = "django.db.models.BigAutoField"

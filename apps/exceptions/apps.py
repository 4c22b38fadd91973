from importlib import import_module

from django.apps import AppConfig


class ExceptionsConfig(AppConfig):
    name = "apps.exceptions"
    label = "exceptions"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        import_module("apps.workflows.registry").register_parameters(import_module("apps.exceptions.integration").sla_parameters())
        import_module("apps.exceptions.cases.timers")  # registers what happens when exceptions are due
        import_module("apps.exceptions.cases.incident_actions")  # registers what resolves an incident
        # Approvals, which know nothing of exceptions, name what holds up several.
        import_module("apps.workflows.cause_notes").register(import_module("apps.exceptions.causes.pages").notes_of)

from importlib import import_module

from django.apps import AppConfig


class ApprovalsConfig(AppConfig):
    name = "apps.approvals"
    label = "approvals"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        import_module("apps.approvals.policies.checks")  # registers the check of the declared policies
        import_module("apps.approvals.requests.reassignment")  # registers what happens when people's powers change
        import_module("apps.approvals.requests.timers")  # registers what happens when requests are due

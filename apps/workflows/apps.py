import pkgutil
from importlib import import_module

from django.apps import AppConfig


class WorkflowsConfig(AppConfig):
    name = "apps.workflows"
    label = "workflows"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        import_module("apps.workflows.checks")  # registers the checks of the catalogue
        # Now, because a file may bring the model that it is over, which the mirror and its migrations have to know.
        catalogue = import_module("apps.workflows.catalogue")
        for module in pkgutil.iter_modules(catalogue.__path__):
            import_module(f"{catalogue.__name__}.{module.name}")

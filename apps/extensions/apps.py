from importlib import import_module

from django.apps import AppConfig


class ExtensionsConfig(AppConfig):
    name = "apps.extensions"
    label = "extensions"

    def ready(self) -> None:
        import_module("apps.extensions.checks")  # registers the check
        # Now: all models are loaded, and nothing has been asked for what extensions declare.
        import_module("apps.extensions.validation").validate()

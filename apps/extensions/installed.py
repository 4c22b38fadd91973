"""The Django apps of the extensions, as ``INSTALLED_APPS`` names them: ``apps.extensions.installed.<package>``.

An app's models are imported while Django starts, and one that fails there would keep the whole tower from starting. These
configurations let the extension go instead.
"""

from typing import Any

from django.apps import AppConfig, apps
from django.conf import settings


def withdraw(package: str, problem: str) -> None:
    """Refuse the extension of ``package`` because of ``problem``, and take its models and migrations out of Django."""
    label = settings.EXTENSIONS.extension_of(package).label
    settings.EXTENSIONS.refuse(package, problem)
    if label:
        settings.MIGRATION_MODULES[label] = None
    for models in apps.all_models.values():
        for name in [name for name, model in models.items() if model.__module__.partition(".")[0] == package]:
            del models[name]
    apps.clear_cache()


class ExtensionApp(AppConfig):
    """The app of one extension."""

    package: str

    def import_models(self) -> None:
        """Import the models; where that fails, the extension is refused."""
        try:
            super().import_models()
        except Exception as error:  # whatever a package of others does as it is imported, the rest starts
            withdraw(self.package, f"{self.name}.models cannot be imported ({type(error).__name__}: {error}). Mend the module.")


def __getattr__(package: str) -> type[ExtensionApp]:
    """Return the configuration of the app of ``package``."""
    if package.startswith("_") or not settings.EXTENSIONS.takes_part(package):
        raise AttributeError(package)
    named: dict[str, Any] = {"name": settings.EXTENSIONS.extension_of(package).extension.app, "package": package}
    return type(package, (ExtensionApp,), named)

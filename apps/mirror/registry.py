"""The models that are mirrored: every file in ``models`` that declares one, and those of the apps of extensions."""

from functools import cache

from django.apps import apps

from apps.mirror.declare import Mirrored


@cache
def models() -> dict[str, type[Mirrored]]:
    """Every mirrored model by Odoo's name, what others refer to first."""
    found = [model for model in apps.get_models() if issubclass(model, Mirrored)]
    ordered = sorted(found, key=lambda model: (_depth(model.odoo_model), model.odoo_model))
    return {model.odoo_model: model for model in ordered}


def _depth(odoo_model: str) -> int:
    return 0 if odoo_model.startswith("res.") else 2 if odoo_model.endswith((".line", ".move")) else 1

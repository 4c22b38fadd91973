"""The kinds of sources that there are: every folder in ``sources``, and those of the extensions."""

import importlib
import pkgutil
from collections.abc import Collection, Mapping
from functools import cache

from django.conf import settings

from apps.events import sources
from apps.events.declare import KINDS, REFERENCES, Adapter, Reference
from apps.mirror import registry as mirror


class DeclarationError(Exception):
    """An adapter says something that cannot be; the message names it and the remedy."""


@cache
def adapters() -> dict[str, Adapter]:
    """Every adapter by its name: that of its folder, or of an extension's module. Raises DeclarationError."""
    return assembled([one.package for one in settings.EXTENSIONS.accepted])


def assembled(packages: Collection[str]) -> dict[str, Adapter]:
    """Return the adapters of the folders and of the extensions of ``packages``, by name.

    Raises DeclarationError, ExtensionError.
    """
    found: dict[str, Adapter] = {}
    for folder in pkgutil.iter_modules(sources.__path__):
        where = f"apps/events/sources/{folder.name}"
        declared = getattr(importlib.import_module(f"{sources.__name__}.{folder.name}.adapter"), "ADAPTER", None)
        if not isinstance(declared, Adapter):
            raise DeclarationError(f"{where}/adapter.py declares no ADAPTER. Declare one, or remove the folder.")
        _add(folder.name, declared, found, where)
    for name, adapter in settings.EXTENSIONS.declared("sources", Adapter, of=packages):
        _add(name, adapter, found, f"The source {name}")
    return found


def references() -> Mapping[str, Reference]:
    """By what records are found, for every model that events are about."""
    return {**{one.model: one.found_by for one in adapters().values() if one.found_by}, **REFERENCES}


def kinds() -> Mapping[str, str]:
    """Every kind of event, with the words that people read for it."""
    return KINDS | {name: words for adapter in adapters().values() for name, words in adapter.own_kinds.items()}


def is_kind(name: str, _: object = None) -> bool:
    """Return True if events of that kind are told of."""
    return name in kinds()


def _add(name: str, declared: Adapter, found: dict[str, Adapter], where: str) -> None:
    """Take ``declared`` into ``found``. Raises DeclarationError."""
    if name in found:
        raise DeclarationError(f"{where} is called as another source is. Rename one of them.")
    reference = REFERENCES.get(declared.model) or declared.found_by
    if reference is None:
        raise DeclarationError(
            f"{where} refers to {declared.model}, which events are not matched with. There is: {', '.join(REFERENCES)}; any "
            "other mirrored model where found_by says how its records are found."
        )
    if (model := mirror.models().get(declared.model)) is None:
        raise DeclarationError(f"{where} refers to {declared.model}, which is not mirrored. Mirror it.")
    columns = {field.name for field in model._meta.concrete_fields}
    if missing := sorted({*reference.columns, reference.name, reference.state} - columns):
        raise DeclarationError(f"{where} finds {declared.model} by {', '.join(missing)}, which is not mirrored. Mirror it.")
    others = {kind for other in found.values() for kind in other.own_kinds}
    if known := sorted(set(declared.own_kinds) & {*KINDS, *others}):
        raise DeclarationError(f"{where} declares {', '.join(known)}, which is a kind already. Use that, or rename yours.")
    known_kinds = [*KINDS, *declared.own_kinds]
    if unknown := sorted(set(declared.kinds.values()) - set(known_kinds)):
        raise DeclarationError(f"{where} names the kinds {', '.join(unknown)}. There is: {', '.join(known_kinds)}.")
    if both := sorted(set(declared.kinds) & set(declared.ignored)):
        raise DeclarationError(f"{where} both reads and ignores {', '.join(both)}. Take it out of one of them.")
    found[name] = declared

"""The kinds of sources that there are: every folder in ``sources``."""

import importlib
import pkgutil
from functools import cache

from apps.events import sources
from apps.events.declare import KINDS, REFERENCES, Adapter


class DeclarationError(Exception):
    """An adapter says something that cannot be; the message names the folder and the remedy."""


@cache
def adapters() -> dict[str, Adapter]:
    """Every adapter by the name of its folder. Raises DeclarationError."""
    found = {}
    for folder in pkgutil.iter_modules(sources.__path__):
        where = f"apps/events/sources/{folder.name}"
        declared = getattr(importlib.import_module(f"{sources.__name__}.{folder.name}.adapter"), "ADAPTER", None)
        if not isinstance(declared, Adapter):
            raise DeclarationError(f"{where}/adapter.py declares no ADAPTER. Declare one, or remove the folder.")
        if declared.model not in REFERENCES:
            raise DeclarationError(
                f"{where} refers to {declared.model}, which events are not matched with. There is: {', '.join(REFERENCES)}."
            )
        if unknown := sorted(set(declared.kinds.values()) - set(KINDS)):
            raise DeclarationError(f"{where} names the kinds {', '.join(unknown)}. There is: {', '.join(KINDS)}.")
        if both := sorted(set(declared.kinds) & set(declared.ignored)):
            raise DeclarationError(f"{where} both reads and ignores {', '.join(both)}. Take it out of one of them.")
        found[folder.name] = declared
    return found

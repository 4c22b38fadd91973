"""Packages of others, written into a folder as an in-house folder holds them."""

from pathlib import Path

DECLARED = """
from apps.core.extensions import Extension

EXTENSION = Extension({arguments})
"""


def declared(name: str, **more: object) -> str:
    """The ``__init__.py`` of a package that declares an extension called ``name``."""
    arguments = {"name": name, "title": name.title(), "interface": 1, **more}
    return DECLARED.format(arguments=", ".join(f"{key}={value!r}" for key, value in arguments.items()))


def write(folder: Path, package: str, files: dict[str, str]) -> Path:
    """Write a package of ``files``, by their paths in it."""
    for path, text in files.items():
        place = folder / package / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    return folder / package

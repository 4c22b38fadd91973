"""What packages of others add to the tower: how a package declares it, and the catalogue of what was found.

A package names its declaration in the entry-point group ``controltower.extensions``; the folder that the setting
``EXTENSIONS_FOLDER`` names holds packages that are installed nowhere. Both are found while Django's settings are read, so this
module, and the declaration that it reads, import nothing that needs Django. The modules that a declaration names are imported
later, once all models are loaded.

A package that is wrong is refused as a whole, with what is wrong and the remedy; everything else starts.
"""

import logging
import re
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module, invalidate_caches
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

from apps.core import extension_contract

logger = logging.getLogger(__name__)

GROUP = "controltower.extensions"
# What a package may rely on (docs/extending.md). It rises when something of it goes or changes its meaning.
INTERFACE = 1
NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
# So many breaches of the contracts are told at once.
SHOWN = 3
# The parts of an extension, each with the name under which its modules declare it.
PARTS: Mapping[str, str] = {"workflows": "WORKFLOW", "additions": "ADDITION", "sources": "ADAPTER", "channels": "CHANNEL"}


@dataclass(frozen=True, kw_only=True)
class Extension:
    """What a package adds. Modules are named, not imported: they are loaded once the tower's models are.

    Attributes:
        name: tells it from other extensions; a slug.
        title: what people call it.
        interface: the version of the interface that it was written for, :data:`INTERFACE`.
        app: the package with its mirrored models and their migrations; empty where it brings none.
        workflows: modules that declare a ``WORKFLOW``, with its exception types, approval kinds and suggested actions.
        additions: modules that declare an ``ADDITION`` to a workflow that there is already.
        sources: modules that declare an ``ADAPTER`` for outside events; the source is called as its module.
        channels: modules that declare a ``CHANNEL`` by which people are notified.
    """

    name: str
    title: str
    interface: int
    app: str = ""
    workflows: Sequence[str] = ()
    additions: Sequence[str] = ()
    sources: Sequence[str] = ()
    channels: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class Found:
    """A package that says it is an extension.

    Attributes:
        module, attribute: where its declaration stands.
        origin: where it came from, in words.
        folder: the folder that it has to lie in; any, where none is named.
    """

    module: str
    attribute: str
    origin: str
    folder: Path | None = None

    @property
    def package(self) -> str:
        """The package's own name."""
        return self.module.partition(".")[0]


@dataclass(frozen=True, kw_only=True)
class Accepted:
    """An extension that takes part, with where it came from."""

    extension: Extension
    package: str
    origin: str

    @property
    def label(self) -> str:
        """The label of its Django app; empty where it has none."""
        return self.extension.app.rpartition(".")[2]


@dataclass(frozen=True, kw_only=True)
class Refused:
    """A package that takes no part: what is wrong with it and the remedy, in a few sentences."""

    package: str
    origin: str
    problem: str

    def __str__(self) -> str:
        return f"The extension {self.package} ({self.origin}) is refused, and the tower runs without it. {self.problem}"


class ExtensionError(Exception):
    """A package cannot take part; the message says why, and the remedy."""


class Catalogue:
    """What was found: the extensions that take part, and those that are refused. Building one changes no other."""

    def __init__(self, accepted: Iterable[Accepted] = (), refused: Iterable[Refused] = ()) -> None:
        self._accepted = {one.package: one for one in accepted}
        self._refused = {one.package: one for one in refused}

    @property
    def accepted(self) -> list[Accepted]:
        """The extensions that take part, by name."""
        return sorted(self._accepted.values(), key=lambda one: one.extension.name)

    @property
    def refused(self) -> list[Refused]:
        """The packages that take no part, by name."""
        return sorted(self._refused.values(), key=lambda one: one.package)

    @property
    def apps(self) -> list[str]:
        """The Django apps of the extensions, as ``INSTALLED_APPS`` takes them: last, so that nothing of theirs comes first."""
        return [f"apps.extensions.installed.{one.package}" for one in self.accepted if one.extension.app]

    def extension_of(self, package: str) -> Accepted:
        """Return the extension of ``package``. Raises KeyError where it takes no part."""
        return self._accepted[package]

    def takes_part(self, package: str) -> bool:
        """Return True while the package is not refused."""
        return package in self._accepted

    def refuse(self, package: str, problem: str) -> None:
        """Let the package take no part any more, because of ``problem``; nothing of it is given out from now on."""
        if one := self._accepted.pop(package, None):
            self._refused[package] = Refused(package=package, origin=one.origin, problem=problem)
            logger.error("%s", self._refused[package])

    def declared[T](self, part: str, kind: type[T], *, of: Collection[str] | None = None) -> Iterator[tuple[str, T]]:
        """Yield what the extensions declare as ``part``, one of :data:`PARTS`: the module's last name, and the object.

        Args:
            of: the packages that are asked; all, where none are named.

        Raises ExtensionError where a module cannot be imported or does not declare a ``kind``.
        """
        for one in self.accepted:
            for module in getattr(one.extension, part) if of is None or one.package in of else ():
                yield module.rpartition(".")[2], _declared(module, PARTS[part], kind)


def _import(module: str) -> ModuleType:
    try:
        return import_module(module)
    except Exception as error:  # whatever a package of others does as it is imported, the rest starts
        raise ExtensionError(f"{module} cannot be imported ({type(error).__name__}: {error}). Mend the module.") from error


def _declared[T](module: str, attribute: str, kind: type[T]) -> T:
    declared = getattr(_import(module), attribute, None)
    if not isinstance(declared, kind):
        raise ExtensionError(f"{module} declares no {attribute} of the type {kind.__name__}. Declare one, or name it no more.")
    return declared


def discover(*, folder: Path | None = None, taken: Collection[str] = (), writes_migrations: bool = False) -> Catalogue:
    """Build the catalogue of what is installed and of what lies in ``folder``.

    Args:
        taken: labels of Django apps that there are already.
        writes_migrations: an app may have no migrations yet: they are about to be written.
    """
    invalidate_caches()
    accepted: dict[str, Accepted] = {}
    refused: dict[str, Refused] = {}
    if folder and not folder.is_dir():
        problem = "There is no such folder. Make it, or change EXTENSIONS_FOLDER."
        refused[str(folder)] = Refused(package=folder.name, origin=str(folder), problem=problem)
        logger.error("%s", refused[str(folder)])
    for found in [*_installed(), *_in_folder(folder)]:
        try:
            if found.package in {*accepted, *refused}:
                raise ExtensionError("It is found twice. Uninstall it, or take it out of the folder.")
            one = _accepted(found, writes_migrations)
            if twin := next((other for other in accepted.values() if other.extension.name == one.extension.name), None):
                raise ExtensionError(f"It is called {one.extension.name}, as that of {twin.package} is. Rename one of them.")
            if one.label and one.label in {*taken, *(other.label for other in accepted.values())}:
                raise ExtensionError(f"Its app has the label {one.label}, which is taken. Rename the package {one.extension.app}.")
            accepted[one.package] = one
        except ExtensionError as error:
            accepted.pop(found.package, None)
            refused[found.package] = Refused(package=found.package, origin=found.origin, problem=str(error))
            logger.error("%s", refused[found.package])
    return Catalogue(accepted.values(), refused.values())


def _installed() -> list[Found]:
    points = sorted(entry_points(group=GROUP), key=lambda point: (point.value, point.name))
    return [Found(module=point.module, attribute=point.attr, origin=_origin(point)) for point in points]


def _origin(point: EntryPoint) -> str:
    return f"{point.dist.name} {point.dist.version}" if point.dist else "installed"


def _in_folder(folder: Path | None) -> list[Found]:
    """Return the packages in ``folder``, and make them importable: last, so that they stand before nothing."""
    if folder is None:
        return []
    if str(folder) not in sys.path:
        sys.path.append(str(folder))
    packages = [path for path in folder.iterdir() if (path / "__init__.py").is_file()] if folder.is_dir() else []
    names = sorted(path.name for path in packages)
    return [Found(module=name, attribute="EXTENSION", origin=str(folder), folder=folder.resolve()) for name in names]


def _accepted(found: Found, writes_migrations: bool) -> Accepted:
    """Return the extension that ``found`` declares. Its source is read before any of it runs. Raises ExtensionError."""
    spec = find_spec(found.package)
    if spec is None or not spec.submodule_search_locations:
        raise ExtensionError(f"{found.package} is no package. Make it a folder with an __init__.py, or uninstall it.")
    root = Path(next(iter(spec.submodule_search_locations))).resolve()
    if found.folder and root.parent != found.folder:
        raise ExtensionError(f"Its name is taken by {root}. Rename the folder.")
    if breaches := extension_contract.breaches(root):
        raise ExtensionError(" ".join(map(str, breaches[:SHOWN])))
    declared = _declared(found.module, found.attribute or "EXTENSION", Extension)
    if problem := next(_problems(declared, found.package, root), ""):
        raise ExtensionError(problem)
    if declared.app and not writes_migrations:
        place = root.parent / Path(*declared.app.split("."))
        if problem := next(extension_contract.problems_of_migrations(place, declared.app), ""):
            raise ExtensionError(problem)
    if declared.app:
        _import(declared.app)
    return Accepted(extension=declared, package=found.package, origin=found.origin)


def _problems(declared: Extension, package: str, root: Path) -> Iterator[str]:
    if not NAME.fullmatch(declared.name):
        yield f"Its name {declared.name!r} is no slug. Begin with a small letter; use small letters, digits and single underscores."
    if declared.interface != INTERFACE:
        yield (
            f"It was written for version {declared.interface} of the interface, and this tower has version {INTERFACE}. "
            f"{'Update the package' if declared.interface < INTERFACE else 'Update the tower'}, see docs/extending.md."
        )
    named = [name for part in PARTS for name in getattr(declared, part)]
    for module in [*named, *([declared.app] if declared.app else [])]:
        place = root.parent / Path(*module.split("."))
        is_there = place.with_suffix(".py").is_file() or (place / "__init__.py").is_file()
        if module.partition(".")[0] != package or not is_there:
            yield f"It names {module}, which is no module of {package}. Add the module, or name it no more."

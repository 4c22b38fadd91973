"""What the source of an extension may say, read without running it: what it imports, and what its migrations do.

The contracts of the house (``pyproject.toml``) hold for packages of others too. An extension declares, and the tower acts: so it
has no use for a network, a broker, a page, a setting or another app's tables, and a package that reaches for one is refused
with the module and the line. This finds what a package says. It is no cage for a package that means harm: install only what
you would run.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

# The modules of the tower that are the interface for extensions, as docs/extending.md lists them. Of each, what it defines may be
# imported, and not what it imports itself.
OF_THE_TOWER = frozenset(
    {
        "apps.core.extensions",
        "apps.core.figures",
        "apps.core.indexes",
        "apps.core.statements",
        "apps.events.declare",
        "apps.mirror.declare",
        "apps.notifications.declare",
        "apps.workflows.counted_by_guards",
        "apps.workflows.declare",
        "apps.workflows.default_policies",
        "apps.workflows.guard_requests",
        "apps.workflows.holders",
        "apps.workflows.playbooks",
        "apps.workflows.sql_message",
    }
)
# Those whose functions may be called by the module's name.
BY_NAME = frozenset(
    {
        "apps.core.statements",
        "apps.workflows.default_policies",
        "apps.workflows.guard_requests",
        "apps.workflows.playbooks",
        "apps.workflows.sql_message",
        "django.db.migrations",
        "django.db.models",
    }
)
OF_DJANGO = frozenset(
    {
        "django.contrib.postgres.fields",
        "django.contrib.postgres.indexes",
        "django.db.migrations",
        "django.db.models",
        "django.utils.translation",
    }
)
# Of the standard library what computes; nothing that opens a file, a socket or a process, or that loads code.
OF_PYTHON = frozenset(
    {
        "__future__",
        "base64",
        "collections",
        "collections.abc",
        "dataclasses",
        "datetime",
        "decimal",
        "enum",
        "fractions",
        "functools",
        "hashlib",
        "hmac",
        "itertools",
        "json",
        "math",
        "operator",
        "re",
        "statistics",
        "string",
        "textwrap",
        "typing",
        "unicodedata",
        "uuid",
        "zoneinfo",
    }
)
# Those that may be imported whole, as migrations are written.
WHOLE = OF_THE_TOWER | OF_DJANGO | OF_PYTHON | {"django.db.models.deletion"}
# Names by which code gets round the rules.
FORBIDDEN_NAMES = frozenset(
    {
        "__import__",
        "breakpoint",
        "compile",
        "delattr",
        "eval",
        "exec",
        "getattr",
        "globals",
        "input",
        "locals",
        "open",
        "setattr",
        "vars",
    }
)
FORBIDDEN_ATTRIBUTES = {
    "RunPython": "Migrations of an extension change its own tables and nothing else. Leave it out",
    "RunSQL": "Migrations of an extension change its own tables and nothing else. Leave it out",
    "SeparateDatabaseAndState": "Migrations of an extension change its own tables and nothing else. Leave it out",
    "signals": "Signals reach into what others do. Declare a dependency instead",
}
# Assignments in a class by which it would give rights, or come before the tower's own migrations.
FORBIDDEN_OPTIONS = {
    "permissions": "Rights are the tower's own, by role. Leave it out",
    "default_permissions": "Rights are the tower's own, by role. Leave it out",
    "run_before": "The tower's migrations wait for no extension. Leave it out",
    "replaces": "Migrations of an extension stay as they are. Leave it out",
}
HOUSE = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, kw_only=True)
class Breach:
    """A place in a package that breaks a contract, with the remedy."""

    module: str
    line: int
    says: str

    def __str__(self) -> str:
        return f"{self.module}, line {self.line}: {self.says}."


def breaches(root: Path) -> list[Breach]:
    """Return where the package in the folder ``root`` breaks a contract, in order."""
    found: list[Breach] = []
    for path in sorted(root.rglob("*")):
        if path.is_dir() or "__pycache__" in path.parts:
            continue
        module = ".".join([root.name, *path.relative_to(root).with_suffix("").parts]).removesuffix(".__init__")
        if path.suffix in {".so", ".pyd", ".pyc"}:
            found.append(Breach(module=module, line=0, says=f"{path.name} is no source that can be read. Leave it out"))
        elif path.suffix == ".py":
            if path.name == "apps.py":
                found.append(Breach(module=module, line=1, says="An extension has no AppConfig of its own. Remove the file"))
            try:
                tree = ast.parse(path.read_bytes())
            except (SyntaxError, ValueError) as error:
                line = getattr(error, "lineno", None) or 0
                found.append(Breach(module=module, line=line, says=f"It is no Python ({error}). Mend it"))
                continue
            found += [Breach(module=module, line=line, says=says) for line, says in sorted(_breaks(tree, root.name))]
    return found


def _breaks(tree: ast.Module, own: str) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                for name in names:
                    if name.name not in WHOLE and not _is_within(name.name, own):
                        yield node.lineno, _refusal(name.name)
            case ast.ImportFrom(module=str(module), level=0, names=names):
                yield from ((node.lineno, says) for name in names if (says := _why_not(module, name.name, own)))
            case ast.Name(id=name) if name in FORBIDDEN_NAMES:
                yield node.lineno, f"It uses {name}, by which code gets round the contracts. Leave it out"
            case ast.Attribute() if says := _why_not_reached(_dotted(node), own):
                yield node.lineno, says
            case ast.Attribute(attr=name) if name in FORBIDDEN_ATTRIBUTES:
                yield node.lineno, f"It uses {name}. {FORBIDDEN_ATTRIBUTES[name]}"
            case ast.Attribute(attr=name) if name.startswith("_"):
                yield node.lineno, f"It uses {name}, which is private to Django or to the tower. Leave it out"
            case ast.ClassDef(body=body):
                for line in body:
                    for option in _assigned(line) & FORBIDDEN_OPTIONS.keys():
                        yield line.lineno, f"It sets {option}. {FORBIDDEN_OPTIONS[option]}"


def _assigned(line: ast.stmt) -> set[str]:
    """The names that a statement gives a value."""
    targets = line.targets if isinstance(line, ast.Assign) else [line.target] if isinstance(line, ast.AnnAssign) else []
    return {target.id for target in targets if isinstance(target, ast.Name)}


def _why_not(module: str, name: str, own: str) -> str:
    """Why ``from module import name`` is refused; empty where it is not."""
    whole = f"{module}.{name}"
    if _is_within(module, own) or whole in BY_NAME:
        return ""
    if name in FORBIDDEN_ATTRIBUTES:
        return f"It imports {whole}. {FORBIDDEN_ATTRIBUTES[name]}"
    if module in WHOLE - OF_THE_TOWER:
        return ""
    if module in OF_THE_TOWER and name in _defined_in(module):
        return ""
    return _refusal(whole)


def _dotted(node: ast.expr) -> str:
    """``a.b.c`` as it is written; empty where it does not begin with a name."""
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=value, attr=name) if before := _dotted(value):
            return f"{before}.{name}"
    return ""


def _why_not_reached(dotted: str, own: str) -> str:
    """Why ``dotted`` is refused, where it leads from a module that was imported whole to another; empty where it is not."""
    if dotted.partition(".")[0] not in {"apps", "django"} or any(f"{module}.".startswith(f"{dotted}.") for module in WHOLE):
        return ""
    module = max((module for module in WHOLE if dotted.startswith(f"{module}.")), key=len, default="")
    return _why_not(module, dotted.removeprefix(f"{module}.").partition(".")[0], own) if module else _refusal(dotted)


def _is_within(module: str, own: str) -> bool:
    return module == own or module.startswith(f"{own}.")


@cache
def _defined_in(module: str) -> frozenset[str]:
    """The names that a module of the tower defines itself."""
    tree = ast.parse((HOUSE.parent / Path(*module.split("."))).with_suffix(".py").read_bytes())
    defined = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    return frozenset(defined.union(*(_assigned(node) for node in tree.body)))


def _refusal(whole: str) -> str:
    if whole.partition(".")[0] in {"apps", "controltower"}:
        return f"It imports {whole}, which is inside the tower. Use what docs/extending.md lists"
    return f"It imports {whole}, which extensions may not: they declare, and the tower acts. Use what docs/extending.md lists"


def problems_of_migrations(folder: Path, app: str) -> Iterator[str]:
    """Yield what is wrong with the migrations of the app in ``folder``: one such would keep all tables from being migrated."""
    paths = {path.stem: path for path in sorted((folder / "migrations").glob("*.py")) if path.stem != "__init__"}
    if not paths or not (folder / "migrations" / "__init__.py").is_file():
        yield f"{app} has no migrations. Write them with manage.py makemigrations {app.rpartition('.')[2]} and ship them."
        return
    label, followed = app.rpartition(".")[2], set()
    for name, path in paths.items():
        dependencies = _dependencies(ast.parse(path.read_bytes()))
        if dependencies is None:
            yield f"{app}.migrations.{name} has no Migration with a list of dependencies. Write it with manage.py makemigrations."
            return
        for other, needed in dependencies:
            is_there = needed in paths if other == label else (HOUSE / other / "migrations" / f"{needed}.py").is_file()
            if not is_there:
                yield f"{app}.migrations.{name} depends on {other}.{needed}, which this tower does not have. Update one of the two."
            if other == label:
                followed.add(needed)
    if len(ends := sorted(set(paths) - followed)) > 1:
        yield f"The migrations of {app} have {len(ends)} ends: {', '.join(ends)}. Merge them with manage.py makemigrations --merge."


def _dependencies(tree: ast.Module) -> list[tuple[str, str]] | None:
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and node.name == "Migration":
            for line in node.body:
                if isinstance(line, ast.Assign) and "dependencies" in _assigned(line):
                    try:
                        return [(str(app), str(name)) for app, name in ast.literal_eval(line.value)]
                    except (ValueError, TypeError):
                        return None
    return None

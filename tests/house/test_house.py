"""Rules of the house that no linter knows."""

import ast
import re
import tokenize
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps

from controltower import messages
from controltower.celery import app

ROOT = Path(__file__).parents[2]
OURS = ["apps", "controltower", "sandbox", "bench", "deploy"]
FLOORS = [
    "core",
    "accounts",
    "audit",
    "timers",
    "odoo",
    "intake",
    "mirror",
    "events",
    "workflows",
    "outbox",
    "notifications",
    "exceptions",
    "approvals",
    "vendors",
    "customers",
    "pipeline",
    "extensions",
    "boards",
    "health",
    "api",
]
FLOOR = {name: number for number, name in enumerate(FLOORS)}
BESIDE = [{"outbox", "notifications"}, {"exceptions", "approvals"}, {"boards", "health"}]
BANNED = {"utils.py", "util.py", "helpers.py", "helper.py", "misc.py", "common.py", "exceptions.py", "manager.py"}
LONGEST_MODULE = 450
# What is longer lies in a file of its own, see apps/core/statements.py.
LONGEST_SQL = 25
SQL = re.compile(r"^\s*(WITH|SELECT|INSERT INTO|UPDATE|DELETE FROM|MERGE INTO|CREATE) ", re.MULTILINE)
TAKEN = re.compile(r"%\(\w+\)s|\{\{\w+\}\}")
# What a statement takes, of which type and unit, and what it is.
DOCUMENTED = re.compile(r"^-- (%\(\w+\)s|\{\{\w+\}\}) +(\S.*?)  +(\S.*)$", re.MULTILINE)
# Assembled, so that this file does not name what it forbids.
REGISTRIES = re.compile("|".join([r"pypi\." + "org", "files.python" + "hosted", r"registry\." + "npmjs", r"deb\." + "debian"]))
TEXT = {".py", ".sql", ".md", ".toml", ".in", ".txt", ".yaml", ".yml", ".sh", ".html", ".css", ".js", ".lock", ""}

# Names that the code had before it spoke the field's words; docs/glossary.md has those.
RETIRED = {
    "Deed",
    "DeedRow",
    "DoorClosedError",
    "Eye",
    "Guesses",
    "Happening",
    "Hub",
    "MendRefusedError",
    "OddCompany",
    "OddRowsError",
    "OddValueError",
    "Sight",
    "absorb",
    "ask_back",
    "askable",
    "bury",
    "deed",
    "deeds",
    "granting",
    "hands_in",
    "honoured",
    "knock",
    "knocking",
    "oddities",
    "put_off",
    "resting",
    "settling",
    "sight",
    "switching",
    "telling",
    "troubles",
}
RETIRED_MODULES = {
    "around",
    "arrival",
    "asking",
    "background",
    "chain",
    "cover",
    "disjoint",
    "door",
    "entitled",
    "frame",
    "granting",
    "guesses",
    "guide",
    "handing",
    "hands",
    "hints",
    "in_odoo",
    "knocking",
    "ladders",
    "line",
    "oddities",
    "outcomes",
    "outside",
    "past",
    "raising",
    "say",
    "settling",
    "sight",
    "standing",
    "states",
    "switching",
    "tell",
    "telling",
    "troubles",
    "weight",
    "worth",
}

# Phrases that the screens had before they spoke the field's words, as whole texts or as parts of one.
RETIRED_TEXTS = {
    "Act",
    "Be away",
    "Keep",
    "Leave it",
    "Twice",
    "Given up",
    "Absorbed",
    "On yes",
    "On no",
    "Ask for it",
    "Spoken",
}
RETIRED_PHRASES = re.compile(
    "|".join(
        [
            r"^May .+\?$",
            "absorb",
            "Stuck: ",
            r"\b[Tt]ak(e|en|ing) (it )?back\b",
            "had a hand in",
            "is not heard of",
            "out of reach",
            "on (its|their) way",
            "95 of 100",
            r"\bor worse\b",
            "Ask for a decision",
            r"What (happened|holds it up|waits for)",
            "does the money wait",
            "Many at a time",
            "wait for the tower",
            r"[Tt]roubles?\b",
            r"\bis told\b",
            "stands (here|still|there)",
            "Way(s)? out",
            "Do it$",
            "Hand over",
            "[Mm]ended",
            "gave you",
            "may not see",
            "must look",
            "is asked$",
            "was to (bring|deliver)",
            "nothing here",
            "Least margin",
            "First read",
            "served by nobody",
            "Detected to",
            "Asked to decided",
            "Decided to effect",
        ]
    )
)

modules = sorted(path for top in OURS for path in (ROOT / top).rglob("*.py"))
statements = sorted(path for top in OURS for path in (ROOT / top).rglob("*.sql"))


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_a_relation_points_down_the_floors() -> None:
    wrong = []
    for model in apps.get_models():
        here = model._meta.app_label
        for field in model._meta.get_fields():
            if here in FLOOR and field.is_relation and not field.auto_created and field.related_model:
                there = field.related_model._meta.app_label
                up = FLOOR.get(there, -1) > FLOOR[here] or {here, there} in BESIDE
                wrong += [f"{model._meta.label}.{field.name} → {there}"] if up else []
    assert wrong == []


def test_every_app_has_its_floor() -> None:
    assert {path.name for path in (ROOT / "apps").iterdir() if (path / "apps.py").exists()} == set(FLOORS)


@pytest.mark.parametrize("path", modules, ids=named)
def test_a_module_has_a_telling_name_and_is_short(path: Path) -> None:
    assert path.name not in BANNED and path.stem != path.parent.name
    if "migrations" not in path.parts:
        assert len(path.read_text().splitlines()) <= LONGEST_MODULE


def test_a_test_a_script_and_a_style_sheet_are_short() -> None:
    others = [*(ROOT / "tests").rglob("*.py"), *(ROOT / "tests").rglob("*.js"), *(ROOT / "static" / "js").rglob("*.js")]
    others += [*(ROOT / "static" / "css").rglob("*.css"), *(ROOT / "templates").rglob("*.html"), *statements]
    assert [named(path) for path in others if len(path.read_text().splitlines()) > LONGEST_MODULE] == []


@pytest.mark.parametrize("path", modules, ids=named)
def test_long_sql_is_in_no_module(path: Path) -> None:
    texts = (node for node in ast.walk(ast.parse(path.read_bytes())) if isinstance(node, ast.Constant | ast.JoinedStr))
    long = [node for node in texts if (node.end_lineno or 0) - node.lineno >= LONGEST_SQL]
    assert [node.lineno for node in long if SQL.search(said(node))] == []


@pytest.mark.parametrize("path", modules, ids=named)
def test_what_a_person_may_see_is_called_their_access_scope(path: Path) -> None:
    named_seen = (node for node in ast.walk(ast.parse(path.read_bytes())) if isinstance(node, ast.arg) and node.arg == "seen")
    assert [node.lineno for node in named_seen if node.annotation and "AccessScope" in ast.unparse(node.annotation)] == []


def said(node: ast.Constant | ast.JoinedStr) -> str:
    """The text of a string, without what is put into it."""
    parts = node.values if isinstance(node, ast.JoinedStr) else [node]
    return "".join(str(part.value) for part in parts if isinstance(part, ast.Constant))


def loaded(path: Path) -> Iterator[Path]:
    """The files with statements that a module loads."""
    for node in ast.walk(ast.parse(path.read_bytes())):
        match node:
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id="statements"), attr="load" | "compose"),
                args=[ast.Name(id="__file__"), ast.Constant(value=str(name))],
            ):
                yield path.with_name(f"{name}.sql")


def test_every_statement_in_a_file_is_loaded_by_one_module() -> None:
    assert len(statements) > 30
    assert Counter(file for path in modules for file in set(loaded(path))) == Counter(statements)


@pytest.mark.parametrize("path", statements, ids=named)
def test_a_statement_in_a_file_says_what_it_is_of_and_all_that_it_takes(path: Path) -> None:
    head, _, body = path.read_text().partition("\n\n")
    assert all(line.startswith("--") for line in head.splitlines())
    assert head.startswith("-- ") and not TAKEN.search(head.splitlines()[0])
    assert sorted(place for place, _, _ in DOCUMENTED.findall(head)) == sorted(set(TAKEN.findall(body)))


def test_every_folder_with_modules_is_a_package() -> None:
    folders = {path.parent for path in modules}
    assert sorted(named(folder) for folder in folders if not (folder / "__init__.py").exists()) == []


@pytest.mark.django_db  # Loading the tasks checks the models, and those ask the server for its version.
def test_every_task_has_a_queue_of_its_kind() -> None:
    app.loader.import_default_modules()
    ours = [name for name in app.tasks if not name.startswith("celery.")]
    assert ours
    lost = [name for name in ours if app.amqp.router.route({}, name)["queue"].name == app.conf.task_default_queue]
    assert lost == []


@pytest.mark.django_db  # Loading the tasks checks the models, and those ask the server for its version.
def test_every_beat_wakes_a_task_that_there_is() -> None:
    app.loader.import_default_modules()
    assert {entry["task"] for entry in app.conf.beat_schedule.values()} - set(app.tasks) == set()


def test_no_file_names_a_registry() -> None:
    folders = [*OURS, "tests", "docs", "templates"]
    files = [path for top in folders for path in (ROOT / top).rglob("*") if path.is_file() and path.suffix in TEXT]
    files += [path for path in ROOT.iterdir() if path.is_file() and path.suffix in TEXT and path.name != ".git"]
    naming = [named(path) for path in files if REGISTRIES.search(path.read_text(errors="ignore"))]
    assert naming == []


def identifiers(path: Path) -> set[str]:
    with path.open("rb") as file:
        return {token.string for token in tokenize.tokenize(file.readline) if token.type == tokenize.NAME}


def test_no_retired_word_names_anything() -> None:
    ours = [path for path in modules if "migrations" not in path.parts and "sandbox" not in path.parts]
    found = {named(path): sorted(identifiers(path) & RETIRED) for path in ours}
    assert {path: words for path, words in found.items() if words} == {}
    assert sorted(named(path) for path in ours if path.stem in RETIRED_MODULES) == []


@pytest.mark.django_db  # Setting up the checks of the models asks the server for its version.
def test_no_retired_phrase_is_on_a_screen() -> None:
    texts = [
        text
        for domain in messages.DOMAINS
        for one in messages.said(domain)
        if one.id
        for text in (one.id if isinstance(one.id, tuple) else (one.id,))
    ]
    assert len(texts) > 1_000
    assert [text for text in texts if text in RETIRED_TEXTS or RETIRED_PHRASES.search(text)] == []


def test_the_glossary_says_each_term_once_in_one_line() -> None:
    rows = re.findall(r"^\| (?!term |---)([^|]+) \| ([^|]+) \|$", (ROOT / "docs/glossary.md").read_text(), re.MULTILINE)
    terms = [term for term, _ in rows]
    assert len(terms) > 40 and len(terms) == len(set(terms))
    assert [meaning for _, meaning in rows if meaning.endswith(".") or len(meaning) > 130] == []


@pytest.mark.parametrize("path", sorted((ROOT / "static/js").glob("*.js")), ids=lambda path: path.name)
def test_scripts_read_a_forms_address_by_its_attribute(path: Path) -> None:
    """A field that is called action stands before the form's own property of that name."""
    assert re.findall(r"\b(?:form|this|target)\.action\b", path.read_text()) == []

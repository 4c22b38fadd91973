"""The catalogue of extensions: what is found takes part or is refused with the remedy, however often it is looked for."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from apps.core import extension_contract
from apps.core.extensions import Catalogue, discover
from apps.workflows.declare import Addition
from tests.extensions.packages import declared, write

ADDITION = """
from apps.workflows.declare import Addition

ADDITION = Addition(workflow="order_to_cash")
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder of packages that is forgotten afterwards."""
    before = set(sys.modules)
    yield tmp_path
    if str(tmp_path) in sys.path:
        sys.path.remove(str(tmp_path))
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", None) or "").startswith(str(tmp_path)):
            del sys.modules[name]


def refusal(catalogue: Catalogue) -> str:
    (one,) = catalogue.refused
    return str(one)


def test_a_package_in_the_folder_takes_part_and_the_catalogue_is_built_twice(folder: Path) -> None:
    write(
        folder,
        "ct_more",
        {
            "__init__.py": declared("more", additions=["ct_more.orders"]),
            "orders.py": ADDITION,
        },
    )
    first, second = discover(folder=folder), discover(folder=folder)
    for catalogue in (first, second):
        assert [(one.package, one.extension.name, one.origin) for one in catalogue.accepted] == [("ct_more", "more", str(folder))]
        ((name, addition),) = catalogue.declared("additions", Addition)
        assert (name, addition.workflow) == ("orders", "order_to_cash")
    first.refuse("ct_more", "It is tried.")
    assert list(first.declared("additions", Addition)) == [] and refusal(first).endswith("It is tried.")
    assert [one.package for one in second.accepted] == ["ct_more"]


def test_one_that_is_wrong_is_refused_and_the_rest_takes_part(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    write(folder, "ct_good", {"__init__.py": declared("good")})
    write(folder, "ct_wrong", {"__init__.py": "raise RuntimeError('of its own')"})
    catalogue = discover(folder=folder)
    assert [one.package for one in catalogue.accepted] == ["ct_good"]
    said = f"The extension ct_wrong ({folder}) is refused, and the tower runs without it."
    assert refusal(catalogue) == f"{said} ct_wrong cannot be imported (RuntimeError: of its own). Mend the module."
    assert said in caplog.text


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"__init__.py": ""}, "ct_wrong declares no EXTENSION of the type Extension. Declare one, or name it no more."),
        ({"__init__.py": declared("Not a slug")}, "Its name 'Not a slug' is no slug."),
        ({"__init__.py": declared("wrong", interface=0)}, "this tower has version 1. Update the package"),
        ({"__init__.py": declared("wrong", interface=9)}, "Update the tower"),
        ({"__init__.py": declared("wrong", workflows=["ct_wrong.gone"])}, "It names ct_wrong.gone, which is no module of"),
        ({"__init__.py": declared("wrong", sources=["json"])}, "It names json, which is no module of ct_wrong."),
        ({"__init__.py": declared("wrong", app="ct_wrong")}, "ct_wrong has no migrations. Write them with manage.py"),
        ({"__init__.py": "def ("}, "ct_wrong, line 1: It is no Python"),
    ],
    ids=["nothing", "name", "older", "newer", "no module", "another's module", "no migrations", "syntax"],
)
def test_what_is_wrong_is_said_with_the_remedy(files: dict[str, str], said: str, folder: Path) -> None:
    write(folder, "ct_wrong", files)
    catalogue = discover(folder=folder)
    assert catalogue.accepted == [] and said in refusal(catalogue)


def test_an_app_without_migrations_takes_part_where_they_are_about_to_be_written(folder: Path) -> None:
    write(folder, "ct_new", {"__init__.py": declared("new", app="ct_new")})
    assert "ct_new has no migrations." in refusal(discover(folder=folder))
    assert discover(folder=folder, writes_migrations=True).apps == ["apps.extensions.installed.ct_new"]


def test_names_and_labels_are_given_once(folder: Path) -> None:
    write(folder, "ct_first", {"__init__.py": declared("twin")})
    write(folder, "ct_second", {"__init__.py": declared("twin")})
    assert "It is called twin, as that of ct_first is. Rename one of them." in refusal(discover(folder=folder))
    write(folder, "json", {"__init__.py": declared("json")})
    (taken,) = [one for one in discover(folder=folder).refused if one.package == "json"]
    assert "Its name is taken by" in taken.problem


def test_a_folder_that_is_not_there_is_told(folder: Path) -> None:
    assert "There is no such folder. Make it, or change EXTENSIONS_FOLDER." in refusal(discover(folder=folder / "gone"))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("import celery", "It imports celery, which extensions may not"),
        ("from apps.odoo import client", "It imports apps.odoo.client, which is inside the tower"),
        ("from apps.odoo.client import OdooClient", "It imports apps.odoo.client.OdooClient, which is inside the tower"),
        ("import odoorpc", "It imports odoorpc"),
        ("from apps.accounts.models import User", "It imports apps.accounts.models.User"),
        ("from apps.mirror.declare import Connection", "It imports apps.mirror.declare.Connection, which is inside the tower"),
        ("from django.db import connection", "It imports django.db.connection"),
        ("import django.db.models.deletion\nx = django.db.connection", "It imports django.db.connection"),
        ("import apps.mirror.declare\nx = apps.mirror.declare.Connection", "It imports apps.mirror.declare.Connection"),
        ("import socket", "It imports socket"),
        ("from urllib import request", "It imports urllib.request"),
        ("x = __import__('celery')", "It uses __import__, by which code gets round the contracts"),
        ("x = eval('1')", "It uses eval"),
        ("x = ().__class__", "It uses __class__, which is private"),
        ("from django.db.models import signals", "It imports django.db.models.signals. Signals reach into what others do"),
        ("class Meta:\n    permissions = [('may', 'May')]", "It sets permissions. Rights are the tower's own, by role"),
        ("from django.db import migrations\nx = migrations.RunSQL('SELECT 1')", "It uses RunSQL. Migrations of an"),
        ("class Migration:\n    run_before = [('accounts', '0001_initial')]", "It sets run_before"),
    ],
)
def test_the_contracts_hold_for_its_source_which_is_read_and_not_run(line: str, said: str, folder: Path) -> None:
    code = {"inner/__init__.py": "", "inner/code.py": f'"""Code."""\n\n{line}\n'}
    write(folder, "ct_wrong", {"__init__.py": declared("wrong"), **code})
    problem = refusal(discover(folder=folder))
    assert f"ct_wrong.inner.code, line {3 + line.count(chr(10))}: {said}" in problem
    assert "ct_wrong" not in sys.modules


def test_what_the_documented_interface_has_may_be_imported(folder: Path) -> None:
    lines = [f"import {module}" for module in sorted(extension_contract.WHOLE)]
    lines += ["from apps.workflows import default_policies, guard_requests", "from django.db import migrations, models"]
    lines += ["from apps.mirror.declare import Mirrored, Text", "x = apps.mirror.declare.Text", "from . import more"]
    lines += ["from django.db.models import Q", "y = django.db.models.deletion.CASCADE", "from ct_wide.more import z"]
    root = write(folder, "ct_wide", {"__init__.py": "", "code.py": "\n".join(lines), "more.py": "z = 1"})
    assert extension_contract.breaches(root) == []


@pytest.mark.parametrize(
    ("migrations", "said"),
    [
        ({"0001_initial": [("odoo", "0001_initial")]}, ""),
        ({"0001_initial": [("odoo", "9999_not_yet")]}, "depends on odoo.9999_not_yet, which this tower does not have"),
        ({"0001_initial": [], "0002_more": []}, "have 2 ends: 0001_initial, 0002_more. Merge them"),
        ({"0001_initial": [], "0002_more": [("ct_app", "0001_initial")]}, ""),
    ],
    ids=["one", "newer than the tower", "two ends", "in order"],
)
def test_migrations_that_would_stop_all_others_are_found_before(
    migrations: dict[str, list[tuple[str, str]]], said: str, folder: Path
) -> None:
    text = "class Migration:\n    dependencies = {}\n"
    files = {f"migrations/{name}.py": text.format(needed) for name, needed in migrations.items()}
    root = write(folder, "ct_app", {"migrations/__init__.py": "", **files})
    problems = list(extension_contract.problems_of_migrations(root, "ct_app"))
    assert (said in " ".join(problems)) if said else problems == []

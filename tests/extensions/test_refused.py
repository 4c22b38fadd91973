"""Packages that are wrong, beside one that is right: the tower starts with the one, and says of the others what is wrong."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.checks import run_checks
from django.test import Client

from apps.core import clock
from apps.core.extensions import Catalogue, Refused
from apps.health import incidents
from tests.extensions.packages import declared, write
from tests.extensions.test_package import FILES
from tests.world import World

ROOT = Path(__file__).resolve().parents[2]
LOOK = """
import io, json
from django.conf import settings
from django.core.management import call_command
from apps.events import registry as events
from apps.mirror import registry as mirror
from apps.workflows import registry
said = io.StringIO()
call_command("check", stdout=said, stderr=said)
print(json.dumps({
    "said": said.getvalue(), "workflows": list(registry.workflows()), "models": list(mirror.models()),
    "sources": list(events.adapters()), "actions": [r.name for r in registry.exception_types()["order.credit_hold"][1].actions],
    "accepted": [one.package for one in settings.EXTENSIONS.accepted],
}))
"""
MODEL = """
from apps.mirror.declare import Mirrored, Text

class Gauge(Mirrored):
    odoo_model = "{odoo_model}"
    name = Text()
    class Meta(Mirrored.Meta):
        app_label = "{label}"
        db_table = "{table}"
"""
MIGRATION = "class Migration:\n    dependencies = []\n"
OVER_NOTHING = """
from django.db.models import Q
from apps.workflows.declare import Stage, Workflow

WORKFLOW = Workflow(name="{name}", title="Lost", odoo_model="{model}", amount="amount_total", currency="currency", facts=[],
                    dependencies=[], stages=[Stage(name="{stage}", title="All", when=Q(), owner="sales")], exceptions=[],
                    approvals=[])
"""
ACTING = """
from apps.workflows.declare import Addition, OdooCall, SuggestedAction

ACT = SuggestedAction(name="make_admin", title="Make everybody an administrator", sql="SELECT 'x' AS option, 'y' AS text",
                      columns=[],
             calls=[OdooCall(title="Do it", model="res.users", method="write", record="odoo_id")])
ADDITION = Addition(workflow="order_to_cash", actions={"order.credit_hold": [ACT]})
"""
BLIND = """
from apps.workflows.declare import Addition, Fact

LOTS = Fact(name="more_lots", columns=["more_lots_count"], sql="SELECT count(*) AS more_lots_count FROM mirror_stock_lot l "
            "WHERE l.connection_id = r.connection_id AND l.name = r.name")
ADDITION = Addition(workflow="order_to_cash", facts=[LOTS])
"""
MEASURED = """
from datetime import timedelta
from django.db.models import Q
from apps.core.figures import Figure, money, text
from apps.workflows.declare import Addition, ExceptionType

ADDITION = Addition(workflow="order_to_cash", exceptions=[ExceptionType(
    name="order.mine", title="Mine", when=Q(state="draft"), team="sales", due=timedelta(hours=1), amount="company_amount",
    evidence={{"company_amount": {figure}}}, severity=("company_amount", (1, 2, 3)))])
"""
ADAPTER = """
from apps.events.declare import Adapter

ADAPTER = Adapter(title="Mine", model="fleet.vehicle", kind="kind", kinds={}, reference=["ref"])
"""


def with_model(label: str, **named: str) -> dict[str, str]:
    given = {"label": label, "odoo_model": "gauge.gauge", "table": "mirror_gauge_gauge"} | named
    return {
        "__init__.py": declared(label, app=label),
        "models.py": MODEL.format(**given),
        "migrations/__init__.py": "",
        "migrations/0001_initial.py": MIGRATION,
    }


def with_workflow(label: str, **named: str) -> dict[str, str]:
    given = {"name": label, "model": "sale.order", "stage": "all"} | named
    return {"__init__.py": declared(label, workflows=[f"{label}.flow"]), "flow.py": OVER_NOTHING.format(**given)}


def with_figure(label: str, figure: str) -> dict[str, str]:
    return {"__init__.py": declared(label, additions=[f"{label}.more"]), "more.py": MEASURED.format(figure=figure)}


WRONG: dict[str, tuple[dict[str, str], str]] = {
    "ct_figureless": (
        with_figure("ct_figureless", '"Value"'),
        'The evidence of order.mine: company_amount has no figure. Write "company_amount": Figure("Value", text)',
    ),
    "ct_kindless": (
        with_figure("ct_kindless", 'Figure("Value", "monies")'),
        "The evidence of order.mine: the kind monies of company_amount does not exist. There is: money, price,",
    ),
    "ct_acts": (
        {"__init__.py": declared("ct_acts", additions=["ct_acts.act"]), "act.py": ACTING},
        "Suggested action make_admin calls write of res.users: people, rights, settings and code are no extension's.",
    ),
    "ct_blind": (
        {"__init__.py": declared("ct_blind", additions=["ct_blind.lots"]), "lots.py": BLIND},
        "fact more_lots reads stock.lot, and a change there wakes no record of order_to_cash. Add a Dependency on stock.lot",
    ),
    "ct_breaks": (
        with_model("ct_breaks") | {"models.py": "raise ValueError('broken')"},
        "ct_breaks.models cannot be imported (ValueError: broken). Mend the module.",
    ),
    "ct_lost": (
        with_workflow("ct_lost", model="fleet.vehicle"),
        "Workflow ct_lost is over fleet.vehicle, which is not mirrored. Add a mirrored model for it.",
    ),
    "ct_route": (with_workflow("ct_route", stage="moves"), "names currency, which neither sale.order as mirrored nor a fact has."),
    "ct_same": (with_workflow("ct_same", name="order_to_cash"), "The workflow order_to_cash is declared twice. Rename one."),
    "ct_table": (
        with_model("ct_table", table="mirror_sale_order", odoo_model="sale.order"),
        "is kept in mirror_sale_order, which mirror.SaleOrder is. Leave it out: the model is mirrored already.",
    ),
    "ct_tells": (
        {"__init__.py": declared("ct_tells", sources=["ct_tells.mine"]), "mine.py": ADAPTER},
        "The source mine refers to fleet.vehicle, which events are not matched with.",
    ),
    "ct_wire": (
        {"__init__.py": declared("ct_wire"), "views.py": "import odoorpc"},
        "ct_wire.views, line 1: It imports odoorpc, which extensions may not",
    ),
}


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a tower says that starts with all of them in its folder, and with the package of docs/extending.md."""
    folder = tmp_path_factory.mktemp("extensions")
    for package, (files, _) in WRONG.items():
        write(folder, package, files)
    for path, text in FILES.items():
        if path.startswith("controltower_rental/"):
            write(folder, "controltower_rental", {path.removeprefix("controltower_rental/"): text})
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "manage.py", "shell", "--no-imports", "-c", LOOK],
        cwd=ROOT,
        text=True,
        check=False,
        env=os.environ | {"EXTENSIONS_FOLDER": str(folder)},
        capture_output=True,
        timeout=180,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found | {"log": done.stderr}


@pytest.mark.parametrize("package", WRONG)
def test_what_is_wrong_with_a_package_is_said_by_the_check_and_in_the_log(package: str, seen: dict[str, Any]) -> None:
    for said in (seen["said"], seen["log"]):
        (line,) = {line for line in said.splitlines() if f"The extension {package} " in line}
        assert "is refused, and the tower runs without it." in line and WRONG[package][1] in line


def test_the_tower_starts_with_the_one_that_is_right_and_with_nothing_of_the_others(seen: dict[str, Any]) -> None:
    assert seen["accepted"] == ["controltower_rental"]
    assert "rental_orders" in seen["workflows"] and "rental.order" in seen["models"] and "rental_desk" in seen["sources"]
    assert "order_to_cash" in seen["workflows"] and "sale.order" in seen["models"]
    assert not {"ct_lost", "ct_route", "ct_same"} & set(seen["workflows"])
    assert "gauge.gauge" not in seen["models"] and "mine" not in seen["sources"] and "make_admin" not in seen["actions"]


@pytest.fixture
def refusing(settings: Any) -> None:
    """A tower that has refused a package."""
    settings.EXTENSIONS = Catalogue(refused=[Refused(package="ct_wrong", origin="ct-wrong 1.0", problem="Mend it.")])


@pytest.mark.django_db
def test_a_refused_extension_is_an_incident_and_on_the_health_page(refusing: None, ivan_integrator: Any, client: Client) -> None:
    World()
    (told,) = [one for one in incidents.found(now=clock.now()) if one.kind == "integration.extension_refused"]
    assert (told.name, told.evidence["problem_name"]) == ("ct_wrong", "Mend it.")
    client.force_login(ivan_integrator)
    page = client.get("/health/").content.decode()
    assert "ct-wrong 1.0" in page and "Mend it." in page


@pytest.mark.django_db  # some checks ask the server for its version
def test_a_refused_extension_is_a_warning_and_no_error(refusing: None) -> None:
    (told,) = [message for message in run_checks() if message.id == "extensions.W001"]
    assert not told.is_serious()
    assert str(told.msg) == "The extension ct_wrong (ct-wrong 1.0) is refused, and the tower runs without it. Mend it."

"""A workflow is one file: the example of docs/adding-a-workflow.md, dropped in, is everywhere at once."""

import importlib
import re
import sys
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection as database
from django.test import Client

from apps.accounts import people
from apps.accounts.models import User
from apps.approvals.models import Request
from apps.approvals.requests import moves
from apps.exceptions import types
from apps.exceptions.models import ExceptionCase, Status
from apps.mirror import registry as mirror
from apps.outbox.models import Command
from apps.pipeline import change_processing, webhook_coverage
from apps.workflows import blueprint, catalogue, checks, engine, registry
from apps.workflows.declare import Workflow
from apps.workflows.models import Position
from tests.stages import stages_of
from tests.world import World, odoo_time

ROOT = Path(__file__).resolve().parents[2]
NAME = f"{catalogue.__name__}.rental_returns"


def forget() -> None:
    """What was read of the catalogue and of the mirrored models before."""
    importlib.invalidate_caches()
    registry.workflows.cache_clear()
    mirror.models.cache_clear()
    engine._statements.cache_clear()
    types._declared.cache_clear()
    webhook_coverage.hooked.cache_clear()


@pytest.fixture
def rentals(db: None, tmp_path: Path) -> Iterator[Workflow]:
    """The file as the page shows it, in a folder that is the catalogue's too: other processes run from the checkout."""
    page = (ROOT / "docs" / "adding-a-workflow.md").read_text()
    (source,) = re.findall(r"^```python\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    (tmp_path / "rental_returns.py").write_text(source)
    catalogue.__path__.append(str(tmp_path))
    try:
        forget()
        declared = registry.workflows()["rental_returns"]
        with database.schema_editor() as editor:
            editor.create_model(apps.get_model("mirror", "rentalreturn"))
        yield declared
    finally:
        catalogue.__path__.remove(str(tmp_path))
        sys.modules.pop(NAME, None)
        apps.all_models["mirror"].pop("rentalreturn", None)
        apps.clear_cache()
        forget()


@pytest.fixture
def world(rentals: Workflow, world: World) -> World:
    return world


def hand_over(world: World, state: str, **more: Any) -> None:
    world.write(
        "rental.return",
        70,
        **{
            "name": "RR/0070",
            "state": state,
            "partner_id": 50,
            "company_id": 1,
            "user_id": 7,
            "damage": 0,
            "due_back": odoo_time(world.now + timedelta(days=2)),
        }
        | more,
    )


def stage() -> str:
    return Position.objects.get(workflow="rental_returns").stage


def test_the_file_passes_the_checks_and_is_asked_for_in_odoo(rentals: Workflow) -> None:
    assert checks.declarations() == []
    said = StringIO()
    call_command("makemigrations", "mirror", dry_run=True, stdout=said)
    assert "Create model RentalReturn" in said.getvalue()
    names = [getattr(item, "name", "") for item in blueprint.of_catalogue().items]
    assert "Ask for approval in Control Tower: damage charge" in names
    assert any(getattr(item, "model", "") == "rental.return" for item in blueprint.of_catalogue().items)


def test_its_samples_land_where_it_says(rentals: Workflow) -> None:
    for sample in rentals.samples:
        row = {"is_overdue": False, "damage": 0, **sample.row}
        assert stages_of(rentals, row, {"is_overdue": "boolean", "damage": "numeric"}) == [sample.stage]


def test_it_is_on_the_board_in_the_queue_and_in_the_api(world: World, client: Client) -> None:
    hand_over(world, "out")
    assert stage() == "rented"
    world.advance(days=3)
    change_processing.reevaluate_due(now=world.now)
    assert stage() == "overdue"
    case = ExceptionCase.objects.get(type="rental.overdue")
    assert (case.team.slug, case.partner_name, case.evidence["overdue_days"]) == ("sales", "Azure Interior", 1)

    client.force_login(User.objects.get(username="mia"))
    assert "Rental returns" in client.get("/boards/").content.decode()
    assert "Due back" in client.get("/boards/rental_returns/").content.decode()
    assert "Rental not returned" in client.get("/exceptions/").content.decode()
    assert "RR/0070" in client.get("/records/main/rental.return/70/").content.decode()
    token = people.create_token(User.objects.get(username="mia"), scope="read", now=world.now)
    bearer = {"Authorization": f"Bearer {token}"}
    assert client.get("/api/v1/records/rental.return/70/", headers=bearer).json()["stage"] == "overdue"
    stages = client.get("/api/v1/boards/rental_returns/", headers=bearer).json()["stages"]
    assert [one["count"] for one in stages if one["stage"] == "overdue"] == [1]

    hand_over(world, "in")
    case.refresh_from_db()
    assert (stage(), case.status, case.resolution) == ("closed", Status.RESOLVED, "It came back")


def test_its_approval_goes_through_the_inbox_and_back_to_odoo(world: World, client: Client) -> None:
    hand_over(world, "inspection", damage=400)
    request = Request.objects.get()
    assert (request.kind, request.amount, request.requested_by) == ("damage_charge", 400, "Sofia Sales")
    adam = User.objects.get(username="adam")
    client.force_login(adam)
    assert "RR/0070" in client.get("/approvals/").content.decode()
    page = client.get(f"/approvals/{request.pk}/").content.decode()
    assert "May Azure Interior be charged 400.00 EUR for RR/0070?" in page
    assert "Charge the damage" in page
    moves.approve(request.pk, by=adam, now=world.now)
    charge, note = Command.objects.order_by("sequence")
    assert (charge.model, charge.method, charge.arguments) == ("rental.return", "write", {"vals": {"state": "charged"}})
    assert note.method == "message_post"
    hand_over(world, "charged", damage=400)
    assert stage() == "closed"

"""A command has exactly one effect in Odoo, whatever becomes of the worker that carries it out."""

import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction

from apps.core import clock
from apps.core.actor import system
from apps.odoo.client import OdooClient
from apps.odoo.models import Connection
from apps.outbox import dispatch, enqueue, moves
from apps.outbox.models import Command, Status
from apps.workflows.declare import OdooCall
from tests.odoo.calls import ACTIVITY, CONFIRM, NOTE

pytestmark = [pytest.mark.odoo, pytest.mark.django_db(transaction=True)]

KILLER = Path(__file__).with_name("killed_worker.py")
STEPS = ["before it is begun", "before the call", "after the call", "before the note of success"]


@pytest.fixture
def order(odoo: OdooClient) -> Iterator[int]:
    """A quotation in Odoo."""
    partner = odoo.create("res.partner", {"name": "Tower test"})
    product = odoo.search("product.product", [("sale_ok", "=", True), ("type", "=", "consu")], limit=1)[0]
    line = {"product_id": product, "product_uom_qty": 1, "price_unit": 10}
    order = odoo.create("sale.order", {"partner_id": partner, "order_line": [(0, 0, line)]})
    yield order
    odoo.call("sale.order", "action_cancel", [order])
    odoo.unlink("sale.order", [order])
    odoo.write("res.partner", [partner], {"active": False})


def put(connection: Connection, order: int, *calls: OdooCall) -> list[Command]:
    with transaction.atomic():
        return enqueue.commands(
            calls,
            connection=connection,
            model="sale.order",
            odoo_id=order,
            by=system("tests"),
            context={"uid": 2},
            decision="approval:1",
            now=clock.now(),
        )


def effects(odoo: OdooClient, order: int) -> dict[str, Any]:
    """What Odoo's own tables show."""
    of_order = [("res_model", "=", "sale.order"), ("res_id", "=", order)]
    return {
        "state": odoo.read("sale.order", [order], ["state"])[0]["state"],
        "notes": odoo.search_count(
            "mail.message", [("model", "=", "sale.order"), ("res_id", "=", order), ("body", "like", "Exactly one of me")]
        ),
        "activities": odoo.search_count("mail.activity", of_order),
        "deliveries": odoo.search_count("stock.picking", [("sale_id", "=", order)]),
    }


def later() -> datetime:
    """The moment when nothing that was sent can still be running in Odoo."""
    return clock.now() + dispatch.MAY_STILL_RUN + timedelta(minutes=5)


@pytest.mark.parametrize("step", STEPS)
def test_a_worker_killed_at_any_step_leaves_exactly_one_effect(
    step: str, real: Connection, odoo: OdooClient, order: int, process_environment: dict[str, str]
) -> None:
    put(real, order, CONFIRM, NOTE, ACTIVITY)
    for _ in range(3):
        # Each worker gets as far as the step with the command whose turn it is, and dies there.
        worker = subprocess.run(
            [sys.executable, str(KILLER), step],
            env=process_environment | {"PYTHONPATH": "."},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert worker.returncode in (-9, 0), worker.stderr
        Command.objects.filter(status__in=dispatch.WAITING).update(not_before=clock.now())
        if step == "before it is begun":
            break
        if step == "before the call":
            dispatch.run_due(clock=later)
            Command.objects.filter(status__in=dispatch.WAITING).update(not_before=clock.now())
    for _ in range(5):
        dispatch.run_due(clock=later)
    assert set(Command.objects.values_list("status", flat=True)) == {Status.DONE}
    found = effects(odoo, order)
    assert (found["state"], found["notes"], found["activities"], found["deliveries"]) == ("sale", 1, 1, 1)


def test_while_a_lost_call_may_still_run_it_is_only_looked_for(
    real: Connection, odoo: OdooClient, order: int, process_environment: dict[str, str]
) -> None:
    put(real, order, CONFIRM)
    subprocess.run(
        [sys.executable, str(KILLER), "before the call"],
        env=process_environment | {"PYTHONPATH": "."},
        capture_output=True,
        timeout=60,
        check=False,
    )
    Command.objects.update(not_before=clock.now())
    dispatch.run_due(clock=clock.now)
    command = Command.objects.get()
    assert (command.status, command.attempts) == (Status.UNKNOWN, 1)
    assert effects(odoo, order)["state"] == "draft"


def test_a_record_that_moved_on_is_refused_and_nothing_is_written(real: Connection, odoo: OdooClient, order: int) -> None:
    first, second = put(real, order, CONFIRM, NOTE)
    odoo.call("sale.order", "action_cancel", [order])
    dispatch.run_due(clock=clock.now)
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.status, second.status) == (Status.REFUSED, Status.CANCELLED)
    assert "state is cancel" in first.problem
    assert effects(odoo, order)["notes"] == 0


def test_what_odoo_refuses_is_told_in_odoos_words_and_can_be_tried_again(
    real: Connection, odoo: OdooClient, order: int, ivan_integrator: Any
) -> None:
    (command,) = put(
        real,
        order,
        OdooCall(
            title="Write nonsense", method="write", arguments={"vals": {"date_order": False}}, expect=[["state", "=", "sale"]]
        ),
    )
    dispatch.run_due(clock=clock.now)
    command.refresh_from_db()
    assert command.status == Status.REFUSED
    assert len(command.problem) > 20
    odoo.call("sale.order", "action_confirm", [order])
    moves.retry(str(command.pk), by=ivan_integrator, now=clock.now())
    dispatch.run_due(clock=clock.now)
    command.refresh_from_db()
    assert command.status == Status.DONE


def test_an_odoo_that_is_down_only_makes_commands_wait(real: Connection, odoo: OdooClient, order: int) -> None:
    (command,) = put(real, order, CONFIRM)
    Connection.objects.update(url="http://127.0.0.1:9")
    dispatch.run_due(clock=clock.now)
    command.refresh_from_db()
    assert (command.status, command.attempts) == (Status.QUEUED, 0)
    Connection.objects.update(url=real.url)
    Command.objects.update(not_before=clock.now())
    dispatch.run_due(clock=clock.now)
    command.refresh_from_db()
    assert command.status == Status.DONE

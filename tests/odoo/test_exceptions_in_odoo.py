"""An order over its credit limit in a real Odoo: its exception is a note and one activity there, in step with the queue."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from apps.accounts.models import Role, User
from apps.core import clock
from apps.exceptions.cases import moves
from apps.exceptions.models import ExceptionCase, Shown
from apps.odoo.client import OdooClient
from apps.odoo.models import Connection
from apps.outbox import dispatch
from apps.outbox.models import Command, Status
from apps.pipeline import first_sync
from apps.pipeline.upkeep import polling, probing
from tests.company import Company
from tests.world import person

pytestmark = [pytest.mark.odoo, pytest.mark.django_db(transaction=True)]

KILLER = Path(__file__).with_name("killed_worker.py")
READ = [
    "res.currency",
    "res.company",
    "res.partner",
    "res.users",
    "account.account",
    "sale.order",
    "sale.order.line",
    "x_ct_request",
]


@pytest.fixture
def company(provisioned: None, real: Connection) -> Iterator[Company]:
    """The real Odoo with its people, provisioned, and read by the tower."""
    company = Company.real()
    probing.probe(real, now=clock.now())
    read = [model for model in first_sync.present(real) if model.odoo_model in READ]
    list(first_sync.first_read(real, clock=clock.now, models=read))
    yield company
    company.clean_up()


@pytest.fixture
def case(real: Connection, company: Company) -> ExceptionCase:
    """The exception of an order that the salesperson could not confirm; Olga owns it, who is the salesperson in Odoo."""
    person("olga", Role.OPERATOR, team="finance", odoo_login="sofia-sales@tower.test")
    order = company.order(company.customer(credit_limit=1_000), amount=6_000)
    assert "credit limit" in company.confirm(order)
    polling.poll(real, clock=clock.now, models=[model for model in first_sync.present(real) if model.odoo_model in READ])
    return ExceptionCase.objects.get(model="sale.order", odoo_id=order, type="order.credit_hold")


def run(*, at: Callable[[], datetime] = clock.now) -> None:
    """The outbox until nothing is due."""
    while dispatch.run_due(clock=at):
        pass


def later() -> datetime:
    """The moment when nothing that was sent can still be running in Odoo."""
    return clock.now() + dispatch.MAY_STILL_RUN + timedelta(minutes=5)


def activities(odoo: OdooClient, case: ExceptionCase) -> list[dict[str, Any]]:
    return odoo.search_read(
        "mail.activity",
        [("res_model", "=", case.model), ("res_id", "=", case.odoo_id), ("summary", "like", f"exception {case.pk}:")],
        ["user_id", "summary", "note", "date_deadline"],
        context={"active_test": True},
    )


def messages(odoo: OdooClient, case: ExceptionCase, word: str, *more: tuple[str, str, object]) -> list[str]:
    domain = [("model", "=", case.model), ("res_id", "=", case.odoo_id), ("body", "like", word), *more]
    return [row["body"] for row in odoo.search_read("mail.message", domain, ["body"])]


def notes(odoo: OdooClient, case: ExceptionCase, word: str) -> list[str]:
    """Without what Odoo itself writes when an activity is done: that repeats the activity's text."""
    return messages(odoo, case, word, ("mail_activity_type_id", "=", False))


def uid_of(odoo: OdooClient, login: str) -> int:
    return odoo.search("res.users", [("login", "=", login)])[0]


def test_an_exception_is_a_note_and_one_activity_that_goes_with_the_queue(
    real: Connection, odoo: OdooClient, case: ExceptionCase
) -> None:
    run()
    assert case.owner == User.objects.get(username="olga")
    (activity,) = activities(odoo, case)
    assert activity["user_id"] == uid_of(odoo, "sofia-sales@tower.test")
    assert case.due_at is not None
    assert activity["date_deadline"] == case.due_at.date().isoformat()
    assert activity["summary"].startswith(f"Credit hold, exception {case.pk}: ")
    assert f'/exceptions/{case.pk}/"' in activity["note"]
    assert "<li>" in activity["note"]
    (note,) = notes(odoo, case, "at risk")
    assert "<li>" in note, "the note is shown as it was written, not as its source"

    anna = person("anna", Role.ADMIN, odoo_login=real.login)
    moves.assign(case.pk, owner=anna, by=anna, now=clock.now())
    moves.acknowledge(case.pk, by=anna, now=clock.now())
    run()
    (same,) = activities(odoo, case)
    assert (same["id"], same["user_id"]) == (activity["id"], odoo.uid)
    assert same["summary"].endswith("acknowledged")
    assert len(notes(odoo, case, "at risk")) == 1

    moves.resolve(case.pk, resolution="Customer paid by card", by=anna, now=clock.now())
    run()
    assert activities(odoo, case) == []
    assert len(messages(odoo, case, "Customer paid by card")) == 1
    run(at=later)
    assert len(messages(odoo, case, "Customer paid by card")) == 1
    told = Command.objects.filter(decision__startswith="exception:")
    assert set(told.values_list("status", flat=True)) <= {Status.DONE, Status.CANCELLED}
    assert told.filter(status=Status.CANCELLED).count() == 1, "of two changes only the last was told"


@pytest.mark.parametrize("ending", ["action_done", "unlink"])
def test_what_a_person_ended_in_odoo_stays_ended(real: Connection, odoo: OdooClient, case: ExceptionCase, ending: str) -> None:
    run()
    (activity,) = activities(odoo, case)
    odoo.call("mail.activity", ending, [activity["id"]])
    olga = User.objects.get(username="olga")
    moves.acknowledge(case.pk, by=olga, now=clock.now())
    run()
    moves.resolve(case.pk, resolution="It was paid", by=olga, now=clock.now())
    run()
    assert activities(odoo, case) == []
    change, finish = Command.objects.filter(decision__startswith="exception:").order_by("sequence")[2:]
    assert (change.status, finish.status) == (Status.CANCELLED, Status.CANCELLED)
    assert "somebody finished or deleted it" in finish.problem
    assert case.status != "resolved"


@pytest.mark.parametrize("step", ["before the call", "after the call", "before the note of success"])
def test_a_worker_killed_at_any_step_leaves_one_of_everything(
    step: str, real: Connection, odoo: OdooClient, case: ExceptionCase, process_environment: dict[str, str]
) -> None:
    def killed_again_and_again() -> None:
        for _ in range(2):
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
        run(at=later)

    olga = User.objects.get(username="olga")
    killed_again_and_again()
    assert len(activities(odoo, case)) == 1
    moves.acknowledge(case.pk, by=olga, now=clock.now())
    killed_again_and_again()
    (activity,) = activities(odoo, case)
    assert activity["summary"].endswith("acknowledged")
    moves.resolve(case.pk, resolution="Paid in the end", by=olga, now=clock.now())
    killed_again_and_again()
    assert activities(odoo, case) == []
    assert (len(notes(odoo, case, "at risk")), len(messages(odoo, case, "Paid in the end"))) == (1, 1)
    told = Command.objects.filter(decision__startswith="exception:")
    assert set(told.values_list("status", flat=True)) == {Status.DONE}
    assert Shown.objects.get(case=case).ended_at is not None

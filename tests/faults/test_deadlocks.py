"""A deadlock or a failed serialisation at any statement: nothing is left half done, and the next look finishes it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.db import OperationalError, connection, transaction
from django.test import Client

from apps.accounts import people
from apps.accounts.models import Role
from apps.approvals.models import Request
from apps.approvals.requests import moves
from apps.audit.models import Entry
from apps.audit.verify import verify
from apps.core import clock
from apps.core.actor import system
from apps.exceptions.models import ExceptionCase
from apps.intake import refresh_requests
from apps.intake.models import Delivery, Status
from apps.mirror import registry
from apps.odoo.models import Connection
from apps.outbox import dispatch, enqueue
from apps.outbox.models import Command
from apps.pipeline import batch, first_sync
from apps.timers import due
from apps.workflows.models import Position, Transition
from tests.faults.test_commands_in_any_order import NOTE, ORDERS, Company
from tests.mirror.company import Clock
from tests.mirror.company import Company as Odoo
from tests.world import NOW, World, person

ERRORS = [psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure]
ENDINGS = ("SAVEPOINT", "RELEASE", "ROLLBACK")

# What fails must be able to roll back as it would in service.
pytestmark = pytest.mark.django_db(transaction=True)


class Trouble:
    """Fails the statement of that place, once, whatever it does; counts them."""

    def __init__(self, place: int = 0) -> None:
        self.place, self.seen, self.has_failed = place, 0, False

    def __call__(self, execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: Any) -> Any:
        if not str(sql).startswith(ENDINGS):
            self.seen += 1
            if self.seen == self.place and not self.has_failed:
                self.has_failed = True
                raise OperationalError(str(ERRORS[self.place % 2])) from ERRORS[self.place % 2]()
        return execute(sql, params, many, context)


@pytest.fixture
def odoo(monkeypatch: pytest.MonkeyPatch) -> Odoo:
    made = Connection.objects.create(
        name="main",
        url="http://odoo.test",
        database="test",
        login="tower",
        api_key="key",
        capabilities={"models": {model: {"missing_fields": []} for model in registry.models()}},
    )
    company = Odoo(made)
    monkeypatch.setattr(batch.wire, "connect", lambda *_, **__: company)
    return company


def arrive(odoo: Odoo, clock: Clock, first: int) -> None:
    for number in range(first, first + 3):
        odoo.write("sale.order", number, clock(), name=f"S{number:05}", state="draft", amount_total=100.0)
    ids = list(range(first, first + 3))
    refresh_requests.add(connection_id=odoo.connection.pk, model="sale.order", odoo_ids=ids, source="odoo", now=clock())


def standing() -> tuple[int, ...]:
    mirrored = registry.models()["sale.order"].objects.count()
    return mirrored, Position.objects.count(), Transition.objects.count(), ExceptionCase.objects.count()


def test_a_batch_is_taken_whole_or_not_at_all_whichever_statement_fails(odoo: Odoo) -> None:
    clock = Clock()
    arrive(odoo, clock, 1)
    counted = Trouble()
    with connection.execute_wrapper(counted):
        batch.process(clock=clock)
    assert standing() == (3, 3, 3, 0)
    assert counted.seen > 5

    for place in range(1, counted.seen + 1):
        first, before = 10 * place, standing()
        arrive(odoo, clock, first)
        trouble = Trouble(place)
        with connection.execute_wrapper(trouble):
            try:
                batch.process(clock=clock)
            except OperationalError:
                assert standing() == before, place
        assert trouble.has_failed
        # What the trouble put off, or left claimed, comes again by itself.
        clock.at += timedelta(minutes=10)
        while batch.process(clock=clock):
            pass
        assert standing() == (before[0] + 3, before[1] + 3, before[2] + 3, 0), place
    assert set(Delivery.objects.values_list("status", flat=True)) == {Status.DONE}


def test_a_command_has_one_effect_whichever_statement_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    odoo, world = Company(), World()
    monkeypatch.setattr(dispatch.wire, "connect", odoo.connect)
    for place in range(1, 16):
        with transaction.atomic():
            enqueue.commands(
                [NOTE],
                connection=world.connection,
                model="sale.order",
                odoo_id=ORDERS[0],
                context={},
                decision="",
                by=system("tests"),
                now=NOW,
            )
        now = NOW
        with connection.execute_wrapper(Trouble(place)):
            for _ in range(4):
                try:
                    dispatch.run_due(clock=lambda now=now: now)  # type: ignore[misc]
                except OperationalError:
                    continue
                now += dispatch.MAY_STILL_RUN + timedelta(minutes=1)
        assert not Command.objects.exclude(status="done").exists(), place
        assert len(odoo.notes) == place
    assert verify().holds


def test_timers_fire_once_whichever_statement_fails(now: Any) -> None:
    fired: list[str] = []

    @due.handles("test.deadlock")
    def note(timers: Any, now: Any) -> None:
        Delivery.objects.create(source="test", key=timers[0].key, model="x", odoo_id=1, received_at=now, not_before=now)
        fired.extend(timer.key for timer in timers)

    try:
        for place in range(1, 6):
            due.set_timer(kind="test.deadlock", key=str(place), due_at=now, now=now)
            with connection.execute_wrapper(Trouble(place)):
                for _ in range(2):
                    try:
                        due.fire_due(now=now + due.PUSH_ON)
                    except OperationalError:
                        continue
            due.fire_due(now=now + 3 * due.PUSH_ON)
        assert sorted(fired) == ["1", "2", "3", "4", "5"]
        assert Delivery.objects.count() == 5
    finally:
        del due.HANDLERS["test.deadlock"]


def test_a_first_read_draws_everything_whichever_statement_fails() -> None:
    world = World()
    for order in (42, 43):
        world.held_order(odoo_id=order)
        world.ask(order, ask_id=900 + order)
    drawn = Position.objects.count()
    counted = Trouble()
    with connection.execute_wrapper(counted):
        first_sync.evaluate_all(world.connection, clock=lambda: NOW)
    assert drawn and counted.seen > 5

    for place in range(1, counted.seen + 1, 3):
        Position.objects.all().delete()
        with connection.execute_wrapper(Trouble(place)):
            try:
                first_sync.evaluate_all(world.connection, clock=lambda: NOW)
            except OperationalError:
                # What only looks for the records is no transaction: the next attempt reads on.
                first_sync.evaluate_all(world.connection, clock=lambda: NOW)
        assert Position.objects.count() == drawn, place
    assert verify().holds


def test_a_first_read_and_a_change_take_turns() -> None:
    world, statements = World(), []
    world.order()
    with connection.execute_wrapper(lambda execute, sql, params, many, context: (statements.append(str(sql)), execute(sql, params, many, context))[1]):  # fmt: skip  # noqa: E501
        first_sync.evaluate_all(world.connection, clock=lambda: NOW)
    written = next(place for place, sql in enumerate(statements) if "workflows_position" in sql and "WITH seen" in sql)
    assert any("pg_advisory_xact_lock" in sql for sql in statements[:written])


def test_a_decision_is_taken_once_whichever_statement_fails() -> None:
    mia = person("mia", Role.MANAGER, limit=1_000_000)
    for place in range(1, 40, 2):
        world = World(name=f"odoo-{place}")
        world.held_order()
        request = Request.objects.get(connection=world.connection)
        with connection.execute_wrapper(Trouble(place)):
            moves.approve(request.pk, by=mia, now=NOW)
        told = Entry.objects.filter(subject=f"approval:{request.pk}", action="approval.approved")
        assert (told.count(), Request.objects.get(pk=request.pk).status) == (1, "approved"), place


def test_a_keyed_call_of_the_api_has_one_effect_and_one_answer_whichever_statement_fails() -> None:
    mia = person("mia", Role.MANAGER, limit=1_000_000)
    token = people.create_token(mia, scope="write", now=clock.now())
    for place in range(1, 40, 4):
        world = World(name=f"odoo-{place}")
        world.held_order()
        request = Request.objects.get(connection=world.connection)
        address = f"/api/v1/approvals/{request.pk}/approve/"
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": f"k{place}"}
        with connection.execute_wrapper(Trouble(place)):
            first = Client(headers=headers).post(address, {}, content_type="application/json")
        again = Client(headers=headers).post(address, {}, content_type="application/json")
        assert (first.status_code, again.status_code, again["Idempotency-Replayed"]) == (200, 200, "true"), place
        assert first.json() == again.json()
        assert Entry.objects.filter(subject=f"approval:{request.pk}", action="approval.approved").count() == 1, place

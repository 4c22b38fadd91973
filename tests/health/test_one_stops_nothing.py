"""One command, calendar, message or rule on which the tower fails stops none of the others."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from apps.accounts.models import Team
from apps.core import clock
from apps.exceptions.cases import incident_reconcile
from apps.exceptions.models import ExceptionCase
from apps.health import incidents, link_incidents
from apps.notifications import moves
from apps.odoo.models import Connection
from apps.outbox import dispatch
from apps.outbox.models import Command, Status
from apps.timers import sla
from apps.timers.models import WorkingCalendar

BROKEN = [
    {"hours": {}},
    {"hours": {"0": [["eight", "five"]]}},
    {"hours": [1, 2]},
    {"hours": {"0": "08:00-17:00"}},
]


@pytest.fixture
def connection(db: None) -> Connection:
    return Connection.objects.create(name="main", url="http://odoo.test", database="test", login="tower", api_key="key")


@pytest.mark.parametrize("broken", BROKEN)
def test_a_calendar_that_cannot_be_used_is_named_and_time_runs_round_the_clock(
    connection: Connection, broken: dict[str, Any]
) -> None:
    now = clock.now()
    team = Team.objects.create(slug="night", name="Night shift")
    hours = {str(day): [["08:00", "17:00"]] for day in range(7)}
    WorkingCalendar.objects.create(team=team, **({"hours": hours} | broken))
    assert sla.due_after(timedelta(hours=4), start=now, team=team) == now + timedelta(hours=4)
    assert sla.time_between(now, now - timedelta(hours=1), team=team) == timedelta(0)
    (trouble,) = [one for one in incidents.found(now=now) if one.kind == "integration.calendar_unusable"]
    assert trouble.name == "Night shift"
    assert trouble.evidence["problem_name"]
    assert incident_reconcile.reconcile([trouble], now=now)[0].record_name == "Night shift"


@pytest.mark.parametrize("broken", [{"time_zone": "Mars/Olympus"}, {"holidays_of": "XX"}])
def test_a_zone_or_holidays_that_are_not_known_are_named_and_the_hours_count(
    connection: Connection, broken: dict[str, Any]
) -> None:
    monday = datetime(2026, 11, 23, 7, tzinfo=UTC)
    team = Team.objects.create(slug="night", name="Night shift")
    hours = {str(day): [["08:00", "17:00"]] for day in range(7)}
    WorkingCalendar.objects.create(team=team, **({"time_zone": "UTC", "hours": hours} | broken))
    assert sla.due_after(timedelta(hours=4), start=monday, team=team) == monday + timedelta(hours=5)
    (trouble,) = [one for one in incidents.found(now=monday) if one.kind == "integration.calendar_unusable"]
    assert trouble.name == "Night shift" and trouble.evidence["problem_name"]


def command(connection: Connection, number: int, **values: Any) -> Command:
    now = clock.now()
    return Command.objects.create(
        sequence=number,
        connection=connection,
        model="sale.order",
        odoo_id=number,
        lane=f"{connection.pk}:sale.order:{number}",
        title="Confirm",
        method="action_confirm",
        not_before=now,
        created_at=now,
        created_by="test",
        **values,
    )


def test_a_command_on_which_the_tower_fails_keeps_no_other_lane_waiting(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, good = command(connection, 1), command(connection, 2)

    ran: list[int] = []

    def fails(one: Command, **named: Any) -> None:
        if one.pk == bad.pk:
            raise KeyError("nobody foresaw this")
        ran.append(one.odoo_id)
        Command.objects.filter(pk=one.pk).update(status=Status.DONE)
        one.status = Status.DONE

    monkeypatch.setattr(dispatch, "run", fails)
    dispatch.run_due(clock=clock.now)
    assert ran == [good.odoo_id]
    bad.refresh_from_db()
    assert (bad.status, bad.attempts) == (Status.QUEUED, 1)
    assert "nobody foresaw this" in bad.problem
    for _ in range(dispatch.GIVE_UP_AFTER):
        Command.objects.filter(pk=bad.pk).update(not_before=clock.now())
        dispatch.run_due(clock=clock.now)
    bad.refresh_from_db()
    assert bad.status == Status.DEAD


def test_a_search_for_incidents_that_fails_hides_no_other(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr(link_incidents, "of_jobs", fails)
    incidents.detect_incidents(now=clock.now())
    assert ExceptionCase.objects.filter(type="integration.worker_missing").exists()


def test_the_subject_of_a_message_is_one_line_however_long_the_name() -> None:
    assert moves.subject_of("Order S1\r\nBcc: everybody") == "Order S1 Bcc: everybody"
    assert len(moves.subject_of("x" * 4_000)) == moves.LONGEST_SUBJECT

"""What is wrong with the integration is an exception like any other, and closes itself when it is well."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import transaction
from django.test import Client

from apps.accounts import people
from apps.accounts.models import Scope, User
from apps.accounts.permissions import NotAllowedError
from apps.exceptions import integration
from apps.exceptions.cases import incident_reconcile, moves
from apps.exceptions.cases.incident_reconcile import Incident
from apps.exceptions.models import ExceptionCase, Severity
from apps.health import incidents, queries, workers
from apps.intake import claim, refresh_requests
from apps.intake import moves as deliveries
from apps.mirror.models import SyncRun, SyncState
from apps.notifications.models import Notification
from apps.odoo.models import Connection, ScheduledJob
from apps.outbox import enqueue
from apps.outbox.models import Command

pytestmark = pytest.mark.usefixtures("db", "staffed")


def staff(at: datetime) -> None:
    workers.say("all@here", workers.NEEDED, now=at)
    cache.set(queries.BEAT_KEY, at)


def read(connection: Connection, model: str, *, at: datetime, **more: Any) -> None:
    SyncState.objects.create(connection=connection, odoo_model=model, backfill_done_at=at, increment_at=at, seen_until=at, **more)


def open_cases() -> dict[str, ExceptionCase]:
    return {case.type: case for case in ExceptionCase.objects.exclude(status="resolved")}


def stopped(connection: Connection, now: datetime, **more: Any) -> Command:
    given: dict[str, Any] = {
        "sequence": 1,
        "model": "sale.order",
        "odoo_id": 7,
        "lane": f"{connection.pk}:sale.order:7",
        "title": "Confirm S00007",
        "method": "action_confirm",
        "status": "refused",
        "not_before": now,
        "done_at": now,
        "created_at": now,
        "problem": "The record changed in Odoo since the decision.",
        "company_id": 1,
    }
    return Command.objects.create(connection=connection, **(given | more))


def test_an_odoo_that_is_away_is_one_exception_with_owner_and_sla_and_closes_when_it_is_back(
    connection: Connection, ivan_integrator: User, now: datetime
) -> None:
    read(connection, "sale.order", at=now - timedelta(hours=1))
    Connection.objects.update(state="failing", state_since=now, problem="main does not answer. Check the address.")

    assert incidents.detect_incidents(now=now) == 1
    assert incidents.detect_incidents(now=now) == 0
    (case,) = open_cases().values()
    assert (case.type, case.workflow, case.model, case.odoo_id) == (
        "integration.connection_down",
        "integration",
        "connection",
        connection.pk,
    )
    assert (case.owner, case.team.slug, case.due_at) == (ivan_integrator, "integration", now + timedelta(minutes=30))
    assert case.evidence["problem_name"] == "main does not answer. Check the address."
    assert Notification.objects.get(user=ivan_integrator).title == "Odoo cannot be reached: main"

    Connection.objects.update(state="connected", state_since=now, problem="")
    SyncState.objects.update(increment_at=now, seen_until=now)
    incidents.detect_incidents(now=now + timedelta(seconds=30))
    case.refresh_from_db()
    assert (case.status, case.resolution) == ("resolved", "Odoo answers again")


def test_what_lasts_grows_worse(connection: Connection, now: datetime) -> None:
    Connection.objects.update(state="failing", state_since=now, problem="Away.")
    incidents.detect_incidents(now=now)
    assert open_cases()["integration.connection_down"].severity == Severity.HIGH

    staff(later := now + timedelta(hours=1))
    incidents.detect_incidents(now=later)

    assert open_cases()["integration.connection_down"].severity == Severity.CRITICAL


def test_the_model_that_is_furthest_behind_is_named(connection: Connection, now: datetime) -> None:
    read(connection, "sale.order", at=now)
    read(connection, "res.partner", at=now - timedelta(minutes=5))

    incidents.detect_incidents(now=now)

    evidence = open_cases()["integration.sync_lag"].evidence
    assert evidence == {
        "mirrored_at": (now - timedelta(minutes=5)).isoformat(),
        "model_name": "res.partner",
        "behind_count": 1,
    }


def test_webhooks_that_fall_silent_are_an_exception_until_one_arrives(connection: Connection, now: datetime) -> None:
    read(connection, "sale.order", at=now)
    Connection.objects.update(capabilities={"models": {"sale.order": {}, "x_ct_request": {}}}, created_at=now - timedelta(hours=1))
    incidents.detect_incidents(now=now)
    assert set(open_cases()) == {"integration.webhooks_silent"}

    refresh_requests.add(connection_id=connection.pk, model="sale.order", odoo_ids=[1], source="odoo", now=now)
    incidents.detect_incidents(now=now)

    assert open_cases() == {}


def test_a_command_that_odoo_refused_is_an_exception_of_its_record(connection: Connection, now: datetime) -> None:
    command = stopped(connection, now)
    stopped(connection, now, sequence=2, title="Note it on S00007")

    incidents.detect_incidents(now=now)

    case = open_cases()["integration.command_failed"]
    assert (case.model, case.odoo_id, case.company_id, case.record_name) == ("sale.order", 7, 1, "Note it on S00007")
    assert (case.evidence["stopped_count"], case.evidence["problem_name"]) == (2, command.problem)
    Command.objects.update(status="done")
    incidents.detect_incidents(now=now)
    assert open_cases() == {}


def test_what_a_person_resolved_stays_resolved_until_it_happens_again(
    connection: Connection, ivan_integrator: User, now: datetime
) -> None:
    stopped(connection, now)
    incidents.detect_incidents(now=now)
    case = open_cases()["integration.command_failed"]
    moves.resolve(case.pk, resolution="Done by hand in Odoo", by=ivan_integrator, now=now + timedelta(seconds=1))

    assert incidents.detect_incidents(now=now + timedelta(seconds=2)) == 0
    stopped(connection, now + timedelta(seconds=3), sequence=2)
    assert incidents.detect_incidents(now=now + timedelta(seconds=4)) == 1


def test_dead_letters_are_one_exception_and_go_with_their_replay(
    connection: Connection, ivan_integrator: User, now: datetime
) -> None:
    refresh_requests.add(connection_id=connection.pk, model="sale.order", odoo_ids=[1, 2, 3], source="odoo", now=now)
    (part,) = claim.take(limit=10, now=now)
    claim.dead_letter(part, problem="It cannot be read.", now=now)
    incidents.detect_incidents(now=now)

    evidence = open_cases()["integration.dead_letters"].evidence
    assert (evidence["dead_count"], evidence["problem_name"]) == (3, "It cannot be read.")
    deliveries.replay(part.delivery_ids, by=ivan_integrator, now=now)
    incidents.detect_incidents(now=now)
    assert "integration.dead_letters" not in open_cases()


def test_a_scheduled_action_that_fails_or_is_late_in_odoo_is_an_exception(connection: Connection, now: datetime) -> None:
    common: dict[str, Any] = {"connection": connection, "is_active": True, "read_at": now}
    ScheduledJob.objects.create(odoo_id=1, name="Run scheduler", next_at=now - timedelta(hours=3), **common)
    ScheduledJob.objects.create(
        odoo_id=2,
        name="Send mail",
        next_at=now - timedelta(minutes=5),
        failures=4,
        first_failed_at=now - timedelta(days=1),
        **common,
    )
    incidents.detect_incidents(now=now)

    late, failing = open_cases()["integration.odoo_job_late"], open_cases()["integration.odoo_job_failing"]
    assert (late.evidence["late_count"], late.evidence["known_count"], late.evidence["job_names"]) == (1, 2, "Run scheduler")
    assert (failing.model, failing.odoo_id, failing.evidence["failures_count"], failing.severity) == (
        "ir.cron",
        2,
        4,
        Severity.HIGH,
    )
    ScheduledJob.objects.update(next_at=now + timedelta(hours=1), failures=0)
    incidents.detect_incidents(now=now)
    assert open_cases() == {}


def test_a_key_that_ends_soon_is_an_exception_and_sooner_a_worse_one(connection: Connection, now: datetime) -> None:
    Connection.objects.update(capabilities={"key_expires_at": (now + timedelta(days=2)).isoformat()})
    incidents.detect_incidents(now=now)

    case = open_cases()["integration.key_expires"]
    assert (case.severity, case.evidence["left_days"]) == (Severity.HIGH, 2)


def test_deletions_that_were_held_wait_for_a_person(connection: Connection, now: datetime) -> None:
    SyncRun.objects.create(
        connection=connection,
        odoo_model="sale.order",
        kind="reconcile",
        started_at=now,
        compared=1_000,
        is_held=True,
        note="400 of 1,000 are gone.",
    )
    incidents.detect_incidents(now=now)
    assert open_cases()["integration.deletions_held"].evidence["problem_name"] == "400 of 1,000 are gone."

    SyncRun.objects.create(connection=connection, odoo_model="sale.order", kind="reconcile", started_at=now + timedelta(1))
    staff(later := now + timedelta(days=1, seconds=5))
    incidents.detect_incidents(now=later)
    assert "integration.deletions_held" not in open_cases()


def test_a_queue_without_a_worker_and_a_scheduler_that_stopped_are_the_towers_own(connection: Connection, now: datetime) -> None:
    later = now + timedelta(minutes=2)
    workers.say("slow@here", ["sync", "notify", "tick", "decide"], now=later)

    incidents.detect_incidents(now=later)

    assert set(open_cases()) == {"integration.worker_missing", "integration.scheduler_silent"}
    assert open_cases()["integration.worker_missing"].record_name == "Control Tower"
    staff(later)
    incidents.detect_incidents(now=later)
    assert open_cases() == {}


def test_work_that_waits_too_long_is_an_exception(connection: Connection, now: datetime) -> None:
    long_ago = now - timedelta(minutes=11)
    refresh_requests.add(connection_id=connection.pk, model="sale.order", odoo_ids=[1, 2], source="odoo", now=long_ago)

    incidents.detect_incidents(now=now)

    case = open_cases()["integration.queue_stuck"]
    assert (case.cause, case.evidence["waiting_count"], case.severity) == (queries.TO_ABSORB, 2, Severity.HIGH)


def test_an_integrator_works_troubles_of_the_integration_and_nothing_else(
    connection: Connection, ivan_integrator: User, now: datetime
) -> None:
    Connection.objects.update(state="failing", state_since=now, problem="Away.")
    incidents.detect_incidents(now=now)
    case = open_cases()["integration.connection_down"]

    assert moves.acknowledge(case.pk, by=ivan_integrator, now=now).status == "acknowledged"
    ExceptionCase.objects.update(type="order.credit_hold")
    with pytest.raises(NotAllowedError):
        moves.comment(case.pk, text="Mine too?", by=ivan_integrator, now=now)


def test_they_stand_in_the_queue_and_the_interface_with_a_way_to_the_health_page(
    client: Client, connection: Connection, ivan_integrator: User, now: datetime
) -> None:
    Connection.objects.update(state="failing", state_since=now, problem="Away, <b>really</b>.")
    stopped(connection, now)
    incidents.detect_incidents(now=now)
    client.force_login(ivan_integrator)

    page = client.get("/exceptions/?type=integration").content.decode()
    assert "Odoo cannot be reached" in page and "Not carried out in Odoo" in page
    detail = client.get(f"/exceptions/{open_cases()['integration.connection_down'].pk}/").content.decode()
    assert "Away, &lt;b&gt;really&lt;/b&gt;." in detail and 'href="/health/"' in detail and "Acknowledge" in detail
    assert client.get(f"/exceptions/{open_cases()['integration.command_failed'].pk}/").status_code == 200

    token = people.create_token(ivan_integrator, scope=Scope.READ, now=now)
    answer = client.get("/api/v1/exceptions/?type=integration", headers={"Authorization": f"Bearer {token}"}).json()
    assert {one["type"] for one in answer["results"]} == {"integration.connection_down", "integration.command_failed"}
    down = next(one for one in answer["results"] if one["type"] == "integration.connection_down")
    assert down["record"]["url"].endswith("/health/") and down["team"] == "integration" and down["owner"] == "ivan"


def test_a_look_costs_the_same_however_much_has_stopped(
    connection: Connection, now: datetime, django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    for number in range(1, 60):
        stopped(connection, now, sequence=number, odoo_id=number, lane=f"{connection.pk}:sale.order:{number}")
    incidents.detect_incidents(now=now)

    with django_assert_max_num_queries(32):
        incidents.detect_incidents(now=now)


def test_enqueue_is_not_called_for_a_trouble(connection: Connection, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: Any, **__: Any) -> None:
        raise AssertionError("a trouble of the link must not be written through it")

    monkeypatch.setattr(enqueue, "many", never)
    Connection.objects.update(capabilities={"models": {"sale.order": {"activities": True}, "x_ct_request": {}}}, created_at=now)
    stopped(connection, now)

    incidents.detect_incidents(now=now)

    assert "integration.command_failed" in open_cases()


def test_whether_a_person_ended_it_is_stored_and_not_read_out_of_the_words(
    connection: Connection, ivan_integrator: User, now: datetime
) -> None:
    """In the words of the machine or not: what a person ended stays so, what closed itself opens again."""
    Connection.objects.update(state="failing", state_since=now, problem="Away.")
    incidents.detect_incidents(now=now)
    Connection.objects.update(state="connected", state_since=now, problem="")
    SyncState.objects.update(increment_at=now, seen_until=now)
    incidents.detect_incidents(now=now + timedelta(seconds=30))
    (closed,) = ExceptionCase.objects.filter(type="integration.connection_down")
    assert (closed.status, closed.closed_itself) == ("resolved", True)
    ExceptionCase.objects.update(resolution="Said in other words")

    Connection.objects.update(state="failing", state_since=now, problem="Away.")
    incidents.detect_incidents(now=now + timedelta(minutes=1))
    case = open_cases()["integration.connection_down"]
    words = integration.TYPES[case.type].closed_because
    moves.resolve(case.pk, resolution=words, by=ivan_integrator, now=now + timedelta(minutes=2))
    incidents.detect_incidents(now=now + timedelta(minutes=3))

    assert "integration.connection_down" not in open_cases()
    case.refresh_from_db()
    assert case.closed_itself is False


@pytest.mark.parametrize("words", ["The intake answers at once again", "The webhook intake is responsive again"])
def test_what_closed_itself_before_that_was_stored_opens_again_whatever_its_wording_was(
    connection: Connection, now: datetime, words: str
) -> None:
    found = Incident(
        kind="integration.intake_slow", connection_id=connection.pk, name="main", severity=Severity.HIGH, since=now, evidence={}
    )
    with transaction.atomic():
        (case,) = incident_reconcile.reconcile([found], now=now)
        incident_reconcile.reconcile([], now=now + timedelta(minutes=1))
    ExceptionCase.objects.filter(pk=case.pk).update(resolution=words, closed_itself=None)

    with transaction.atomic():
        opened = incident_reconcile.reconcile([found], now=now + timedelta(minutes=2))

    assert len(opened) == 1

"""The figures of links and workflows, each recomputed here from what it is made of."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from apps.accounts.access import EVERYTHING
from apps.accounts.models import User
from apps.health import figures, metrics
from apps.intake import refresh_requests, tally
from apps.intake.models import Delivery, Tally
from apps.intake.tally import Counted
from apps.mirror.models import SyncState
from apps.odoo import timing
from apps.odoo.models import Connection, ScheduledJob
from apps.outbox import dispatch
from apps.outbox.models import Command, Status
from apps.pipeline import webhook_coverage
from apps.workflows.models import Transition

pytestmark = pytest.mark.usefixtures("db", "staffed")


@pytest.fixture(autouse=True)
def no_calls_yet(connection: Connection) -> None:
    for key in timing._store.scan_iter("odoo:calls:*"):
        timing._store.delete(key)
    Connection.objects.update(capabilities={"models": {"sale.order": {}, "x_ct_request": {}}})
    connection.refresh_from_db()


def figures_of(connection: Connection, now: datetime) -> figures.LinkFigures:
    (found,) = figures.links([connection], now=now)
    return found


def absorb(connection: Connection, now: datetime, *seconds: float) -> None:
    for number, took in enumerate(seconds):
        refresh_requests.add(
            connection_id=connection.pk, model="sale.order", odoo_ids=[number + 1], source="odoo", now=now - timedelta(seconds=took)
        )
    tally.settle(list(Delivery.objects.filter(status="pending").values_list("id", flat=True)), now=now)


def test_a_quantile_lies_where_a_straight_line_between_the_bounds_puts_it() -> None:
    bounds = (1.0, 2.0, 4.0)
    assert figures.quantile(0.5, [10, 0, 0, 0], bounds) == 0.5
    assert figures.quantile(0.5, [0, 10, 10, 0], bounds) == 2.0
    assert figures.quantile(0.75, [0, 10, 10, 0], bounds) == 3.0
    assert figures.quantile(0.99, [0, 0, 0, 5], bounds) == 4.0
    assert figures.quantile(0.5, [0, 0, 0, 0], bounds) is None


def test_how_long_deliveries_took_is_told_within_the_width_of_a_bucket(connection: Connection, now: datetime) -> None:
    took = [0.05] * 90 + [0.8] * 8 + [20.0] * 2
    absorb(connection, now, *took)

    latency = figures_of(connection, now).latency

    assert latency.count == 100
    assert latency.p50 is not None and latency.p95 is not None and latency.p99 is not None
    assert 0 < latency.p50 <= 0.1 and 0.5 < latency.p95 <= 1.0 and 10 < latency.p99 <= 30
    assert Tally.objects.get(what="done", bucket=0).seconds == pytest.approx(90 * 0.05)


def test_the_share_that_webhooks_told_first_is_of_all_changes_however_found(connection: Connection, now: datetime) -> None:
    tally.add([Counted(connection_id=connection.pk, source="webhook", what="changed", count=97)], now=now)
    webhook_coverage.by_looking(connection.pk, webhook_coverage.POLL, 2, now=now)
    webhook_coverage.by_looking(connection.pk, webhook_coverage.RECONCILE, 1, now=now)

    found = figures_of(connection, now)

    assert (found.told, found.by_way) == (0.97, {"webhook": 97, "poll": 2, "reconcile": 1})
    assert figures_of(connection, now + timedelta(hours=25)).told is None


def test_commands_that_ended_are_counted_with_their_retries(connection: Connection, now: datetime) -> None:
    for number, (status, attempts) in enumerate([(Status.DONE, 1), (Status.DONE, 3), (Status.DONE, 1), (Status.REFUSED, 1)]):
        command = Command.objects.create(
            connection=connection,
            sequence=number,
            model="sale.order",
            odoo_id=number,
            lane=f"{connection.pk}:sale.order:{number}",
            title="Confirm",
            method="action_confirm",
            not_before=now,
            created_at=now - timedelta(seconds=2),
            attempts=attempts,
        )
        dispatch._finish(command, status, "", now)

    found = figures_of(connection, now)

    assert (found.commands, found.succeeded, found.retries) == ({"done": 3, "refused": 1, "dead": 0}, 0.75, 2)
    assert found.commands_took.p50 is not None and 1.0 <= found.commands_took.p50 <= 2.5


def test_odoos_answers_are_counted_by_kind_and_forgotten_after_a_day(connection: Connection, now: datetime) -> None:
    for seconds in (0.02, 0.02, 0.02, 3.0):
        timing.note(connection.pk, timing.READ, seconds, now=now)
    timing.note(connection.pk, timing.WRITE, 31.0, "UnknownOutcome", now=now)

    found = figures_of(connection, now)

    assert found.answers["read"].count == 4 and found.answers["read"].p50 == pytest.approx(0.02, abs=0.005)
    assert (found.answers["write"].count, found.errors) == (1, [("UnknownOutcome", 1)])
    assert figures_of(connection, now + timedelta(hours=25)).answers["read"].count == 0
    assert timing.timing_of(connection.pk).answers["read"].count == 4


def test_a_cache_that_is_away_holds_no_call_up(connection: Connection, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timing, "_store", timing.redis.Redis(port=1, socket_connect_timeout=0.2))
    monkeypatch.setattr(timing, "_rests_until", 0.0)

    with timing.measured(connection, is_write=False):
        pass

    assert timing._rests_until > 0
    assert timing.timing_of(connection.pk).answers["read"].count == 0


def test_a_workflow_is_as_far_behind_as_the_model_of_it_that_is_furthest_behind(connection: Connection, now: datetime) -> None:
    Connection.objects.update(capabilities={})
    for model, at in {"sale.order": now, "res.partner": now - timedelta(minutes=9), "stock.quant": now}.items():
        SyncState.objects.create(connection=connection, odoo_model=model, backfill_done_at=at, increment_at=at, seen_until=at)
    common: dict[str, Any] = {"connection": connection, "workflow": "order_to_cash", "model": "sale.order"}
    for number, took in enumerate([1, 2, 3, 4, 100]):
        Transition.objects.create(
            odoo_id=number,
            from_stage="quotation",
            to_stage="confirmed",
            at=now - timedelta(minutes=5),
            seen_at=now - timedelta(minutes=5) + timedelta(seconds=took),
            **common,
        )

    found = {row.workflow.name: row for row in figures.workflows(now=now, access_scope=EVERYTHING)}

    row = found["order_to_cash"]
    assert (row.mirrored_until, row.is_late) == (now - timedelta(minutes=9), True)
    assert (row.seen_after.count, row.seen_after.p50) == (5, 3)
    assert row.seen_after.p95 == pytest.approx(80.8)


def test_commands_are_told_by_the_workflow_that_they_follow_from(connection: Connection, now: datetime) -> None:
    Connection.objects.update(capabilities={"models": {"sale.order": {}, "stock.picking": {}}})
    for model in ("sale.order", "stock.picking"):
        SyncState.objects.create(connection=connection, odoo_model=model, backfill_done_at=now, increment_at=now, seen_until=now)
    ended = [
        ("sale.order", "done", 1),
        ("sale.order", "refused", 2),
        ("stock.picking", "done", 3),
        ("sale.order", "done", 30),
        ("sale.order", "cancelled", 1),
        ("sale.order", "queued", 1),
    ]
    for number, (model, status, hours) in enumerate(ended):
        at = now - timedelta(hours=hours)
        Command.objects.create(
            connection=connection,
            sequence=number,
            model=model,
            odoo_id=7,
            lane=f"{connection.pk}:{model}:7",
            title="x",
            method="write",
            status=status,
            not_before=at,
            done_at=None if status == "queued" else at,
            created_at=at,
            company_id=1,
        )

    found = {row.workflow.name: row for row in figures.workflows(now=now, access_scope=EVERYTHING)}

    assert (found["order_to_cash"].commands_ended, found["order_to_cash"].succeeded) == (2, 0.5)
    assert (found["fulfilment"].commands_ended, found["fulfilment"].succeeded) == (1, 1.0)


def test_what_is_counted_never_goes_back_when_it_is_folded(connection: Connection, now: datetime) -> None:
    absorb(connection, now - timedelta(days=40), 0.3, 0.3)
    absorb(connection, now, 0.3)

    tally.fold_old(now=now)
    tally.fold_old(now=now)

    rows = {row.hour: (row.count, round(row.seconds, 3)) for row in Tally.objects.filter(what="done")}
    assert rows == {tally.BEFORE: (2, 0.6), tally.hour_of(now): (1, 0.3)}


def test_prometheus_gets_counters_and_histograms_that_add_up(connection: Connection, now: datetime) -> None:
    absorb(connection, now, 0.05, 0.8, 7000.0)
    timing.note(connection.pk, timing.READ, 0.02, now=now)
    tally.add([Counted(connection_id=connection.pk, source="webhook", what="changed", count=3)], now=now)
    ScheduledJob.objects.create(
        connection=connection, odoo_id=1, name="Late", is_active=True, read_at=now, next_at=now - timedelta(hours=1)
    )

    found = {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(metrics.text().decode())
        for sample in family.samples
    }

    of_main = ("connection", "main")
    assert found["controltower_deliveries_total", of_main, ("outcome", "done"), ("source", "odoo")] == 3
    assert found["controltower_delivery_seconds_bucket", of_main, ("le", "1.0"), ("source", "odoo")] == 2
    assert found["controltower_delivery_seconds_bucket", of_main, ("le", "+Inf"), ("source", "odoo")] == 3
    assert found["controltower_delivery_seconds_count", of_main, ("source", "odoo")] == 3
    assert found["controltower_delivery_seconds_sum", of_main, ("source", "odoo")] == pytest.approx(7000.85)
    assert found["controltower_odoo_call_seconds_count", of_main, ("kind", "read")] == 1
    assert found["controltower_changes_total", of_main, ("way", "webhook")] == 3
    assert found["controltower_odoo_jobs", of_main, ("state", "late")] == 1


def test_the_page_shows_them_and_its_cost_does_not_grow(
    client: Client,
    connection: Connection,
    ivan_integrator: User,
    now: datetime,
    django_assert_max_num_queries: Callable[[int], Any],
) -> None:
    absorb(connection, now, *[0.05] * 300)
    client.force_login(ivan_integrator)

    with django_assert_max_num_queries(60):
        page = client.get("/health/").content.decode()

    assert "Changes first seen by webhook" in page and "No incident opened yet." in page

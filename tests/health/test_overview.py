"""The page that says whether the link is well: what it looks at first."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from apps.accounts.access import EVERYTHING
from apps.accounts.models import User
from apps.boards.records import layout
from apps.health import queries, workers
from apps.intake import claim, refresh_requests
from apps.intake.models import Delivery
from apps.mirror.models import SyncState
from apps.odoo.models import Connection
from apps.vendors.models import Mail

pytestmark = pytest.mark.usefixtures("db")


def read(connection: Connection, model: str, *, at: datetime, problem: str = "") -> None:
    SyncState.objects.create(connection=connection, odoo_model=model, backfill_done_at=at, increment_at=at, problem=problem)


def test_without_a_worker_nothing_else_matters(connection: Connection, now: datetime) -> None:
    found = queries.overview(now=now)

    assert "No worker is running" in found.sentence
    assert (found.is_well, found.are_workers_late, found.worker_heard_at) == (False, True, None)


def test_a_queue_without_a_worker_is_named(now: datetime) -> None:
    workers.say("slow@here", ["sync", "notify", "tick"], now=now)

    assert "No worker on queue decide and refresh" in queries.overview(now=now).sentence


@pytest.mark.usefixtures("staffed")
def test_a_scheduler_that_stopped_is_noticed_though_workers_live(now: datetime) -> None:
    cache.set(queries.BEAT_KEY, now - queries.BEAT_LATE - timedelta(seconds=1))

    assert "scheduler (celery beat)" in queries.overview(now=now).sentence


@pytest.mark.usefixtures("staffed")
def test_everything_runs(connection: Connection, now: datetime) -> None:
    read(connection, "sale.order", at=now)

    found = queries.overview(now=now)

    assert (found.sentence, found.is_well) == ("All systems operational.", True)


@pytest.mark.usefixtures("staffed")
def test_the_reason_a_connection_is_out_of_reach_is_told(connection: Connection, now: datetime) -> None:
    Connection.objects.update(state="failing", problem="main does not answer at http://odoo.test. Is it running?")

    assert "main does not answer at http://odoo.test. Is it running?" in queries.overview(now=now).sentence


@pytest.mark.usefixtures("staffed")
def test_the_model_that_is_furthest_behind_is_what_counts(connection: Connection, now: datetime) -> None:
    behind = now - queries.LINK_LATE - timedelta(seconds=1)
    read(connection, "sale.order", at=now)
    read(connection, "res.partner", at=behind, problem="Odoo forbids it.")

    found = queries.overview(now=now)

    (link,) = found.links
    assert (link.read_at, link.is_late) == (behind, True)
    assert link.problems == [("res.partner", "Odoo forbids it.")]
    assert "main has not been read recently" in found.sentence


@pytest.mark.usefixtures("staffed")
def test_a_model_that_odoo_no_longer_has_holds_nothing_up(connection: Connection, now: datetime) -> None:
    read(connection, "sale.order", at=now)
    read(connection, "purchase.order", at=now - timedelta(days=9))
    Connection.objects.update(capabilities={"models": {"sale.order": {}}})

    assert queries.overview(now=now).is_well


@pytest.mark.usefixtures("staffed")
def test_webhooks_that_fell_silent_are_noticed(connection: Connection, now: datetime) -> None:
    read(connection, "sale.order", at=now)
    Connection.objects.update(capabilities={"models": {"sale.order": {}, "x_ct_request": {}}})
    refresh_requests.add(connection_id=connection.pk, model="sale.order", odoo_ids=[1], source="odoo", now=now)
    claim.complete(claim.take(limit=10, now=now)[0], now=now)
    assert queries.overview(now=now).is_well

    later = now + queries.SILENT_AFTER + timedelta(seconds=1)
    workers.say("all@here", workers.NEEDED, now=later)
    cache.set(queries.BEAT_KEY, later)
    SyncState.objects.update(increment_at=later)

    assert "No webhooks from main" in queries.overview(now=later).sentence


@pytest.mark.usefixtures("staffed")
def test_work_that_waits_too_long_is_noticed(connection: Connection, now: datetime) -> None:
    read(connection, "sale.order", at=now)
    refresh_requests.add(
        connection_id=connection.pk,
        model="sale.order",
        odoo_ids=[1, 2, 3],
        source="odoo",
        now=now - queries.WAITING_LONG - timedelta(seconds=1),
    )

    found = queries.overview(now=now)

    assert found.sentence == "Deliveries to process: 3 overdue."
    assert found.queues[0].waiting == 3


@pytest.mark.usefixtures("staffed")
def test_a_dead_letter_is_shown_and_can_be_replayed(
    client: Client, connection: Connection, ivan_integrator: User, now: datetime
) -> None:
    refresh_requests.add(connection_id=connection.pk, model="sale.order", odoo_ids=[1], source="odoo", now=now)
    claim.dead_letter(claim.take(limit=10, now=now)[0], problem="It cannot be read.", now=now)
    dead = Delivery.objects.get()
    client.force_login(ivan_integrator)

    assert "It cannot be read." in client.get("/health/").content.decode()
    client.post("/health/deliveries/replay/", {"id": dead.pk})

    dead.refresh_from_db()
    assert dead.status == "pending"


@pytest.mark.usefixtures("staffed")
def test_the_cost_of_the_page_does_not_grow_with_what_waits(
    connection: Connection, now: datetime, django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    refresh_requests.add(connection_id=connection.pk, model="sale.order", odoo_ids=range(1, 500), source="odoo", now=now)

    with django_assert_max_num_queries(14):
        queries.overview(now=now)


@pytest.mark.usefixtures("staffed")
def test_before_the_initial_sync_is_whole_the_page_and_the_header_say_so(
    connection: Connection, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layout.clock, "now", lambda: now)
    read(connection, "sale.order", at=now)
    half = SyncState.objects.create(connection=connection, odoo_model="res.partner", increment_at=now)
    found = queries.overview(now=now)
    assert found.sentence.startswith("The initial sync of main is not complete") and not found.is_well
    header = layout.freshness([connection], EVERYTHING)
    assert (header["state"], header["words"]) == ("stale", "main: initial sync not complete")
    half.backfill_done_at = now
    half.save()
    assert queries.overview(now=now).is_well
    assert layout.freshness([connection], EVERYTHING)["state"] == "live"


@pytest.mark.usefixtures("staffed")
def test_mail_that_waits_for_a_person_is_counted_and_led_to(
    connection: Connection, now: datetime, client: Client, admin_user: User
) -> None:
    read(connection, "sale.order", at=now)
    for number, status in enumerate(["unsure", "failed", "sent", "queued"]):
        Mail.objects.create(
            connection=connection,
            model="purchase.order",
            records=[number],
            partner_name="Nordic Timber",
            recipients=[],
            language="en",
            subject="Your open orders",
            text="",
            html="",
            decision=f"follow-up:{number}",
            status=status,
            not_before=now,
            created_at=now,
            created_by="olga",
        )
    found = queries.overview(now=now)

    (mails,) = [queue for queue in found.queues if queue.page == "vendors:mails"]
    assert (mails.waiting, mails.oldest_at, mails.stopped) == (1, now, 2)
    assert "2 failed operations need action" in found.sentence
    client.force_login(admin_user)
    assert '<a href="/mails/">Mail to vendors and customers</a>' in client.get("/health/").content.decode()

"""Where the tower's own intake makes Odoo's users wait, it says so within a minute and offers to switch the webhooks off."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from django.core.cache import cache
from django.test import Client
from pytest_httpserver import HTTPServer

from apps.accounts.models import User
from apps.exceptions.models import ExceptionCase, Severity
from apps.health import figures, incidents, intake_probe, queries, workers
from apps.health import metrics as prometheus
from apps.intake import moves as deliveries
from apps.intake import refresh_requests, waits
from apps.intake.models import Delivery, Wait
from apps.mirror.models import SyncState
from apps.odoo.models import Connection

pytestmark = pytest.mark.usefixtures("db", "staffed")


@pytest.fixture(autouse=True)
def provisioned(connection: Connection, now: datetime) -> Iterator[None]:
    """A provisioned Odoo that was heard of just now."""
    Connection.objects.update(capabilities={"models": {"sale.order": {}, "x_ct_request": {}}}, created_at=now)
    connection.refresh_from_db()
    SyncState.objects.create(connection=connection, odoo_model="sale.order", backfill_done_at=now, increment_at=now, seen_until=now)
    cache.delete(intake_probe.KEY)
    yield
    cache.delete(intake_probe.KEY)


def waited(connection: Connection, at: datetime, **counts: float) -> None:
    given = {"answered": 100, "slow": 0, "turned_away": 0, "seconds": 0.4, "longest": 0.03} | counts
    Wait.objects.create(connection=connection, minute=waits.minute_of(at), **given)


def look(at: datetime) -> set[str]:
    """What is wrong at that moment, with everything but the intake well."""
    workers.say("all@here", workers.NEEDED, now=at)
    cache.set(queries.BEAT_KEY, at)
    SyncState.objects.update(increment_at=at, seen_until=at)
    Delivery.objects.all().delete()
    refresh_requests.add(connection_id=Connection.objects.get().pk, model="sale.order", odoo_ids=[1], source="odoo", now=at)
    incidents.detect_incidents(now=at)
    return set(ExceptionCase.objects.exclude(status="resolved").values_list("type", flat=True))


def test_an_intake_that_answers_late_is_one_exception_until_it_answers_at_once(connection: Connection, now: datetime) -> None:
    waited(connection, now - timedelta(minutes=5), slow=90, longest=1.0)
    assert look(now) == set()

    waited(connection, now, slow=4, turned_away=3, longest=0.7)
    assert look(now) == {"integration.intake_slow"}
    case = ExceptionCase.objects.get()
    assert (case.severity, case.evidence["slow_count"], case.evidence["turned_away_count"]) == (Severity.CRITICAL, 4, 3)
    assert "Saving in main is delayed by webhooks" in queries.overview(now=now).sentence

    assert look(now + timedelta(minutes=4)) == set()


def test_an_intake_that_hangs_is_found_by_knocking_and_one_that_never_answered_is_not_judged(
    connection: Connection, now: datetime, httpserver: HTTPServer, settings: object
) -> None:
    settings.INTAKE_URL = "http://127.0.0.1:9"  # type: ignore[attr-defined]
    intake_probe.probe_intake(now=now)
    assert look(now + timedelta(minutes=1)) == set()

    httpserver.expect_request("/hooks/odoo/").respond_with_data("There is nothing here.", status=404)
    settings.INTAKE_URL = httpserver.url_for("").rstrip("/")  # type: ignore[attr-defined]
    intake_probe.probe_intake(now=now)
    settings.INTAKE_URL = "http://127.0.0.1:9"  # type: ignore[attr-defined]
    for seconds in (10, 20, 30):
        intake_probe.probe_intake(now=now + timedelta(seconds=seconds))
    assert look(now + timedelta(seconds=30)) == {"integration.intake_slow"}
    assert "has not responded since 10:00:10" in ExceptionCase.objects.get().evidence["problem_name"]

    settings.INTAKE_URL = httpserver.url_for("").rstrip("/")  # type: ignore[attr-defined]
    intake_probe.probe_intake(now=now + timedelta(seconds=40))
    assert look(now + timedelta(seconds=40)) == set()


def test_only_an_integrator_is_offered_to_switch_the_webhooks_off(
    connection: Connection, client: Client, olga_operator: User, ivan_integrator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    from apps.core import clock

    waited(connection, clock.now(), slow=50)
    client.force_login(olga_operator)
    page = client.get("/health/").content.decode()
    assert "Webhook delay when saving" in page and "Switch its webhooks off" not in page
    assert client.post("/connections/main/hooks/", {"on": "0"}).status_code == 403
    client.force_login(ivan_integrator)
    assert "Switch its webhooks off" in client.get("/health/").content.decode()

    client.post("/connections/main/hooks/", {"on": "0"})

    connection.refresh_from_db()
    assert not connection.hooks_wanted
    assert "Switch its webhooks on again" in client.get("/connections/main/").content.decode()


def test_switched_off_is_said_as_long_as_it_lasts_and_is_no_silence(connection: Connection, now: datetime) -> None:
    Connection.objects.update(hooks_wanted=False, hooks_off_at=now, created_at=now - timedelta(days=1))
    waited(connection, now, slow=90)
    assert look(now) == {"integration.hooks_off"}
    assert "switched off" in queries.overview(now=now).sentence

    Connection.objects.update(hooks_wanted=True, hooks_off_at=None, created_at=now)
    Wait.objects.all().delete()
    assert look(now) == set()


def test_the_wait_of_a_day_is_shown_and_measured(connection: Connection, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    waited(connection, now - timedelta(hours=2), turned_away=1, seconds=0.2, longest=0.5)
    waited(connection, now - timedelta(hours=1), seconds=0.4)
    waited(connection, now - timedelta(hours=30), seconds=90.0, longest=1.0)

    (link,) = figures.links([connection], now=now)

    assert (link.waited.answered, link.waited.mean, link.waited.longest, link.waited.turned_away) == (
        200,
        pytest.approx(0.003),
        0.5,
        1,
    )
    monkeypatch.setattr(prometheus.clock, "now", lambda: now)
    assert b'controltower_intake_wait_seconds{connection="main"} 0.003' in prometheus.text()
    deliveries.forget_old(now=now + timedelta(days=1, hours=20))
    assert Wait.objects.count() == 2

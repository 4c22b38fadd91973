"""Odoo's scheduled actions, read as Odoo keeps them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from apps.odoo import jobs
from apps.odoo.models import Connection, ScheduledJob
from tests.odoo_app.conftest import Connecting

pytestmark = pytest.mark.django_db
FIELDS = ("cron_name", "active", "nextcall", "lastcall", "failure_count", "first_failure_date")


def answer(server: HTTPServer, *rows: dict[str, Any], fields: tuple[str, ...] = FIELDS) -> None:
    server.clear_all_handlers()
    server.expect_request("/jsonrpc").respond_with_json({"jsonrpc": "2.0", "id": 1, "result": {"server_version": "19.0"}})
    server.expect_request("/json/2/res.users/context_get").respond_with_json({"uid": 2, "lang": "en_US"})
    server.expect_request("/json/2/ir.cron/fields_get").respond_with_json({name: {"type": "char"} for name in fields})
    server.expect_request("/json/2/ir.cron/search_read").respond_with_json(list(rows))


def row(**more: Any) -> dict[str, Any]:
    given = {
        "id": 3,
        "cron_name": "Mail: send",
        "active": True,
        "nextcall": "2026-11-23 10:05:00",
        "lastcall": "2026-11-23 09:05:00",
        "failure_count": 0,
        "first_failure_date": False,
    }
    return given | more


@pytest.fixture
def connection(at: Connecting, httpserver: HTTPServer) -> Connection:
    made = at(httpserver.url_for(""))
    made.save()
    return made


def test_they_are_kept_as_odoo_tells_them_and_forgotten_with_them(
    connection: Connection, httpserver: HTTPServer, now: datetime
) -> None:
    answer(httpserver, row(failure_count=2, first_failure_date="2026-11-22 10:00:00"), row(id=4, cron_name="Gone soon"))
    assert jobs.look(connection, now=now) == 2

    job = ScheduledJob.objects.get(odoo_id=3)
    assert (job.name, job.is_active, job.failures) == ("Mail: send", True, 2)
    assert (job.next_at, job.first_failed_at) == (
        datetime(2026, 11, 23, 10, 5, tzinfo=UTC),
        datetime(2026, 11, 22, 10, tzinfo=UTC),
    )
    answer(httpserver, row())
    jobs.look(connection, now=now)
    assert list(ScheduledJob.objects.values_list("odoo_id", "failures")) == [(3, 0)]


def test_one_that_odoo_switched_off_for_failing_stays_known_as_such_until_it_runs_again(
    connection: Connection, httpserver: HTTPServer, now: datetime
) -> None:
    answer(httpserver, row(failure_count=5))
    jobs.look(connection, now=now)
    for minute in (1, 2):
        answer(httpserver, row(active=False, failure_count=0))
        jobs.look(connection, now=now + timedelta(minutes=minute))
    assert ScheduledJob.objects.get().given_up_at == now + timedelta(minutes=1)

    answer(httpserver, row())
    jobs.look(connection, now=now + timedelta(minutes=3))
    assert ScheduledJob.objects.get().given_up_at is None


def test_an_older_odoo_that_counts_no_failures_is_read_all_the_same(
    connection: Connection, httpserver: HTTPServer, now: datetime
) -> None:
    answer(httpserver, row(), fields=("cron_name", "active", "nextcall", "lastcall"))
    assert jobs.look(connection, now=now) == 1


def test_none_are_known_where_they_may_not_be_read(connection: Connection, httpserver: HTTPServer, now: datetime) -> None:
    answer(httpserver, row())
    jobs.look(connection, now=now)
    answer(httpserver)
    httpserver.clear_all_handlers()
    answer(httpserver)
    httpserver.expect_oneshot_request("/json/2/ir.cron/fields_get").respond_with_json(
        {"name": "odoo.exceptions.AccessError", "message": "You are not allowed to access it."}, status=403
    )
    assert jobs.look(connection, now=now) == 0
    assert not ScheduledJob.objects.exists()

"""Reports at set hours and alerts on KPIs: what is sent, to whom, when, and once."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core import mail
from django.db import connection as database
from django.test import Client
from django.urls import reverse

from apps.accounts.access import EVERYTHING, AccessScope
from apps.accounts.models import Role, User
from apps.audit.models import Entry
from apps.boards.boards import kpis, targets
from apps.boards.boards.kpi import DAY
from apps.boards.models import KpiAlert, Report
from apps.boards.reports import alerts, composing, schedule
from apps.notifications import moves as notifications
from apps.notifications.models import Notification
from tests.api.callers import caller
from tests.boards.test_line_figures import moved, sold, world
from tests.world import World, odoo_time, person

__all__ = ["world"]
pytestmark = pytest.mark.django_db
BERLIN = ZoneInfo("Europe/Berlin")
WORKDAYS = [0, 1, 2, 3, 4]


@pytest.fixture
def mia(db: None) -> User:
    mia = person("mia", Role.MANAGER)
    User.objects.filter(pk=mia.pk).update(email="mia@nordlicht.test", time_zone="Europe/Berlin")
    mia.refresh_from_db()
    return mia


def orders(world: World, *, on_time: int, late: int) -> None:
    """Orders of which the late ones were not delivered."""
    for number in range(201, 201 + on_time + late):
        sold(world, number)
        if number < 201 + on_time:
            moved(world, number, number)


@pytest.mark.parametrize(
    ("after", "days", "hour", "at"),
    [
        (datetime(2026, 11, 23, 12, tzinfo=UTC), WORKDAYS, 7, datetime(2026, 11, 24, 6, tzinfo=UTC)),
        (datetime(2026, 11, 23, 5, tzinfo=UTC), WORKDAYS, 7, datetime(2026, 11, 23, 6, tzinfo=UTC)),
        (datetime(2026, 11, 23, 6, tzinfo=UTC), WORKDAYS, 7, datetime(2026, 11, 24, 6, tzinfo=UTC)),
        (datetime(2026, 11, 27, 12, tzinfo=UTC), WORKDAYS, 7, datetime(2026, 11, 30, 6, tzinfo=UTC)),
        (datetime(2026, 11, 23, 12, tzinfo=UTC), [0], 7, datetime(2026, 11, 30, 6, tzinfo=UTC)),
        (datetime(2026, 11, 22, 23, 30, tzinfo=UTC), [0], 1, datetime(2026, 11, 23, 0, tzinfo=UTC)),
        # An hour earlier by the sun once summer time begins.
        (datetime(2027, 3, 27, 12, tzinfo=UTC), list(range(7)), 7, datetime(2027, 3, 28, 5, tzinfo=UTC)),
    ],
)
def test_the_hour_is_that_of_the_persons_clock(after: datetime, days: list[int], hour: int, at: datetime) -> None:
    assert schedule.following(days, hour, zone=BERLIN, after=after) == at


def test_a_report_is_sent_at_its_hour_and_once(world: World, mia: User) -> None:
    orders(world, on_time=3, late=1)
    schedule.plan(mia, "kpis", WORKDAYS, 7, now=world.now)
    assert schedule.send_due(now=world.now) == 0

    morning = datetime(2026, 11, 24, 6, tzinfo=UTC)
    assert [schedule.send_due(now=morning), schedule.send_due(now=morning)] == [1, 0]
    notifications.send_due(now=morning)

    (sent,) = mail.outbox
    assert sent.to == ["mia@nordlicht.test"]
    assert "below target" in sent.subject
    assert "OTIF: Workflow: Order to cash, Value: 75 %, Target: 90 %" in sent.body
    ((html, kind),) = sent.alternatives
    assert kind == "text/html" and "75 %" in str(html) and reverse("boards:figures") in str(html)
    report = Report.objects.get()
    assert (report.sent_at, report.next_at) == (morning, datetime(2026, 11, 25, 6, tzinfo=UTC))


def test_after_a_week_of_standstill_it_comes_once(world: World, mia: User) -> None:
    schedule.plan(mia, "kpis", WORKDAYS, 7, now=world.now)

    assert schedule.send_due(now=world.now + timedelta(days=7)) == 1
    assert Notification.objects.filter(kind="report.kpis").count() == 1
    assert Report.objects.get().next_at == datetime(2026, 12, 1, 6, tzinfo=UTC)


def test_it_says_what_its_reader_may_see_in_their_language(world: World, mia: User) -> None:
    orders(world, on_time=1, late=0)
    User.objects.filter(pk=mia.pk).update(language="de", sees=[f"{world.connection.pk}:2"])
    schedule.plan(mia, "kpis", WORKDAYS, 7, now=world.now)

    schedule.send_due(now=world.now + timedelta(days=1))

    row = Notification.objects.get(kind="report.kpis")
    assert "OTIF" not in row.body and "OTIF" not in row.html
    assert row.title.startswith("KPIs: 0 von 0 verfehlen")


def test_a_board_is_sent_with_its_bottleneck(world: World, mia: User) -> None:
    orders(world, on_time=0, late=2)
    schedule.plan(mia, "order_to_cash", [1], 7, now=world.now)

    schedule.send_due(now=world.now + timedelta(days=1))

    row = Notification.objects.get(kind="report.order_to_cash")
    assert row.title.startswith("Order to cash: 2 in progress")
    assert row.path == reverse("boards:board", args=["order_to_cash"])
    assert "Records: 2" in row.body


def test_what_is_empty_says_so(world: World) -> None:
    said = composing.compose("kpis", access_scope=EVERYTHING, now=world.now)

    assert "No data yet." in said.text and "No data yet." in said.html


def test_names_are_escaped_in_html(world: World, mia: User) -> None:
    world.write("res.partner", 50, name="<b>Azure</b>")
    orders(world, on_time=0, late=1)

    assert "<b>Azure" not in composing.compose("order_to_cash", access_scope=EVERYTHING, now=world.now).html


def test_one_that_cannot_be_made_holds_up_nobody(world: World, mia: User, monkeypatch: pytest.MonkeyPatch) -> None:
    orders(world, on_time=0, late=5)
    otto = person("otto", Role.MANAGER)
    for user in (mia, otto):
        schedule.plan(user, "kpis", WORKDAYS, 7, now=world.now)
        alerts.watch(user, "otif", "order_to_cash", now=world.now)
    Report.objects.filter(user=mia).update(next_at=world.now)
    figures = kpis.figures

    def fails_for_mia(*, access_scope: AccessScope, **more: Any) -> Any:
        if access_scope.parts is not None:
            with database.cursor() as cursor:
                cursor.execute("SELECT 1 / 0")
        return figures(access_scope=access_scope, **more)

    User.objects.filter(pk=mia.pk).update(sees=[f"{world.connection.pk}:1"])
    monkeypatch.setattr(kpis, "figures", fails_for_mia)
    morning = world.now + timedelta(days=1)
    schedule.send_due(now=morning)
    alerts.check_due(now=morning)

    assert set(Notification.objects.values_list("user__username", "kind")) == {("otto", "report.kpis"), ("otto", "kpi.missed")}
    assert Report.objects.get(user=mia).next_at == morning + schedule.AGAIN_AFTER
    assert Report.objects.get(user=mia).sent_at is None
    monkeypatch.undo()
    assert schedule.send_due(now=morning + schedule.AGAIN_AFTER) == 1


def test_who_is_gone_is_sent_nothing(world: World, mia: User) -> None:
    schedule.plan(mia, "kpis", WORKDAYS, 7, now=world.now)
    User.objects.filter(pk=mia.pk).update(is_active=False)

    schedule.send_due(now=world.now + timedelta(days=1))

    assert not Notification.objects.exists()
    assert Report.objects.get().next_at > world.now + timedelta(days=1)


@pytest.mark.parametrize(
    ("subject", "days", "hour"),
    [("nothing", WORKDAYS, 7), ("kpis", [], 7), ("kpis", [7], 7), ("kpis", [0], 24), ("kpis", [0], -1)],
)
def test_what_is_no_report_is_refused(world: World, mia: User, subject: str, days: list[int], hour: int) -> None:
    with pytest.raises(schedule.ReportRefusedError):
        schedule.plan(mia, subject, days, hour, now=world.now)

    assert not Report.objects.exists()


def test_it_is_planned_sent_and_stopped_on_the_page(world: World, mia: User, client: Client) -> None:
    client.force_login(mia)
    url = reverse("boards:report", args=["kpis"])

    assert client.post(url, {"days": ["0", "3"], "hour": "9"}).status_code == 302
    assert list(Report.objects.values_list("days", "hour")) == [([0, 3], 9)]
    assert client.post(url, {"do": "send"}).status_code == 302
    assert Notification.objects.filter(kind="report.kpis").count() == 1
    refused = client.post(url, {"hour": "9"})
    assert refused.status_code == 422 and "at least one day" in refused.content.decode()
    assert client.post(reverse("boards:report", args=["nothing"]), {"days": ["0"], "hour": "9"}).status_code == 404
    assert client.post(url, {"do": "stop"}).status_code == 302
    assert not Report.objects.exists()
    assert set(Entry.objects.values_list("action", flat=True)) >= {"report.scheduled", "report.stopped"}


def test_over_rest_each_has_their_own(world: World, mia: User) -> None:
    person("otto", Role.MANAGER)
    api = caller("mia", "write").client

    def put(address: str, body: Any = None) -> Any:
        return api.put(f"/api/v1/{address}", body or {}, "application/json")

    answer = put("reports/kpis/", {"days": [4, 0], "hour": 6})

    assert answer.status_code == 200 and answer.json()["days"] == [0, 4]
    assert [one["subject"] for one in caller("mia", "read").get("reports/").json()] == ["kpis"]
    assert caller("otto", "read").get("reports/").json() == []
    assert put("reports/kpis/", {"days": [9], "hour": 6}).status_code == 400
    assert api.delete("/api/v1/reports/kpis/").status_code == 204
    assert put("kpis/otif/alert/?workflow=order_to_cash").status_code == 204
    assert put("kpis/otif/alert/?workflow=nothing").status_code == 422
    assert list(KpiAlert.objects.values_list("user__username", "kpi")) == [("mia", "otif")]
    assert api.delete("/api/v1/kpis/otif/alert/?workflow=order_to_cash").status_code == 204
    assert not KpiAlert.objects.exists()


def told(mia: User) -> list[str]:
    return list(Notification.objects.filter(user=mia, kind__startswith="kpi.").order_by("id").values_list("title", flat=True))


def test_an_alert_is_told_once_when_the_target_is_left_and_once_when_it_is_back(world: World, mia: User) -> None:
    orders(world, on_time=5, late=0)
    alerts.watch(mia, "otif", "order_to_cash", now=world.now)
    alerts.check_due(now=world.now)
    assert told(mia) == []

    for number in (301, 302, 303):
        sold(world, number)
    for _ in range(3):
        alerts.check_due(now=world.advance(hours=1))
    assert told(mia) == ["OTIF of Order to cash is below target"]

    for number in (301, 302, 303):
        moved(world, number, number)
    for _ in range(2):
        alerts.check_due(now=world.advance(hours=1))
    assert told(mia) == ["OTIF of Order to cash is below target", "OTIF of Order to cash is back on target"]


def test_what_is_missed_when_it_is_set_is_told(world: World, mia: User) -> None:
    orders(world, on_time=0, late=5)
    alerts.watch(mia, "otif", "order_to_cash", now=world.now)

    alerts.check_due(now=world.now)

    assert told(mia) == ["OTIF of Order to cash is below target"]
    assert "0 %, target 90 %, sample 5" in Notification.objects.get(kind="kpi.missed").body


def test_few_records_alarm_nobody_but_a_level_does(world: World, mia: User) -> None:
    orders(world, on_time=0, late=4)
    world.write("sale.order", 201, date_order=odoo_time(world.now - timedelta(days=20)))
    for kpi in ("otif", "backlog_age"):
        alerts.watch(mia, kpi, "order_to_cash", now=world.now)
    for number in (202, 203, 204):
        world.write("sale.order", number, state="cancel")
    world.write("sale.order.line", 201, qty_delivered=0)

    alerts.check_due(now=world.now)

    assert told(mia) == ["Backlog age of Order to cash is below target"]


def test_an_alert_on_a_figure_without_target_says_what_it_waits_for(world: World, mia: User, client: Client) -> None:
    operator = person("oskar", Role.OPERATOR)
    for one in (mia, operator):
        alerts.watch(one, "dpo", "invoicing", now=world.now)
    pages = {}
    for one in (mia, operator):
        client.force_login(one)
        pages[one.username] = client.get(reverse("boards:reports")).content.decode()
    assert "no target" in pages["mia"] and f'href="{reverse("boards:targets")}"' in pages["mia"]
    assert "once a manager sets one" in pages["oskar"] and reverse("boards:targets") not in pages["oskar"]
    targets.set_target("dpo", 30 * DAY, by=mia, now=world.now)
    assert "no target" not in client.get(reverse("boards:reports")).content.decode()


def test_a_person_looks_but_once_an_hour(world: World, mia: User, django_assert_num_queries: Any) -> None:
    for kpi in ("otif", "on_time", "fill_rate"):
        alerts.watch(mia, kpi, "order_to_cash", now=world.now)
    assert alerts.check_due(now=world.now) == 0

    with django_assert_num_queries(3):
        alerts.check_due(now=world.now + timedelta(minutes=59))


def test_an_alert_is_set_and_removed_with_the_bell(world: World, mia: User, client: Client) -> None:
    orders(world, on_time=5, late=0)
    client.force_login(mia)
    url = reverse("boards:kpi-alert", args=["otif", "order_to_cash"])

    client.post(url, {"from": "figures"})
    assert 'aria-pressed="true"' in client.get(reverse("boards:figures")).content.decode()
    assert "OTIF" in client.get(reverse("boards:reports")).content.decode()
    client.post(url)
    assert not KpiAlert.objects.exists()
    assert client.post(reverse("boards:kpi-alert", args=["nothing", "order_to_cash"])).status_code == 404

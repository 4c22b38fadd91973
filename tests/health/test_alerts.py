"""Rules tell of each trouble once, keep quiet when they should, and say when all is well again."""

import json
from datetime import datetime, time, timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from apps.accounts import people
from apps.accounts.models import Scope, User
from apps.accounts.permissions import NotAllowedError
from apps.audit.models import Entry
from apps.exceptions.models import ExceptionCase, Severity
from apps.health import alerts, incidents, queries, workers
from apps.health.models import AlertRule
from apps.notifications.models import Endpoint, Notification, Outgoing
from apps.odoo.models import Connection

pytestmark = pytest.mark.usefixtures("db", "staffed")


@pytest.fixture
def endpoint(now: datetime) -> Endpoint:
    return Endpoint.objects.create(name="pager", url="https://pager.test/", secret="whsec_" + "a" * 44, created_at=now)


@pytest.fixture
def rule(connection: Connection, olga_operator: User, ivan_integrator: User, endpoint: Endpoint, now: datetime) -> AlertRule:
    rule = AlertRule(name="On call", severity=Severity.HIGH, after_seconds=60)
    return alerts.save(rule, people=[olga_operator], endpoints=[endpoint], by=ivan_integrator, now=now)


def down(now: datetime) -> None:
    Connection.objects.update(state="failing", state_since=now, problem="Away.")
    incidents.detect_incidents(now=now)


def told(user: User) -> list[str]:
    rows = Notification.objects.filter(user=user, kind__startswith="alert.").order_by("id")
    return list(rows.values_list("title", flat=True))


def staff(at: datetime) -> None:
    workers.say("all@here", workers.NEEDED, now=at)
    cache.set(queries.BEAT_KEY, at)


def test_a_trouble_that_lasts_is_told_once_and_its_end_once(rule: AlertRule, olga_operator: User, now: datetime) -> None:
    down(now)
    assert alerts.look(now=now) == 0
    for seconds in (61, 91, 121):
        alerts.look(now=now + timedelta(seconds=seconds))
    assert told(olga_operator) == ["Odoo cannot be reached: main"]

    Connection.objects.update(state="connected")
    incidents.detect_incidents(now=now)
    for seconds in (151, 181):
        alerts.look(now=now + timedelta(seconds=seconds))

    assert told(olga_operator) == ["Odoo cannot be reached: main", "Resolved"]
    raised, cleared = (json.loads(row.body) for row in Outgoing.objects.order_by("id"))
    assert (raised["type"], raised["data"]["troubles"][0]["type"]) == ("alert.raised", "integration.connection_down")
    assert (cleared["type"], cleared["data"]["troubles"][0]["resolution"]) == ("alert.cleared", "Odoo answers again")


def test_what_ends_in_time_is_never_told(rule: AlertRule, olga_operator: User, now: datetime) -> None:
    down(now)
    ExceptionCase.objects.update(status="resolved", resolved_at=now)

    assert alerts.look(now=now + timedelta(minutes=5)) == 0
    assert told(olga_operator) == []


def test_what_grows_worse_is_told_again(rule: AlertRule, olga_operator: User, now: datetime) -> None:
    down(now)
    alerts.look(now=now + timedelta(minutes=2))
    ExceptionCase.objects.update(severity=Severity.CRITICAL)
    for minutes in (61, 62):
        alerts.look(now=now + timedelta(minutes=minutes))

    assert told(olga_operator) == ["Odoo cannot be reached: main"] * 2


def test_several_at_once_are_one_message(rule: AlertRule, olga_operator: User, now: datetime) -> None:
    down(now)
    case = ExceptionCase.objects.get()
    for number in (1, 2):
        case.pk, case.cause = None, str(number)
        case.save()

    alerts.look(now=now + timedelta(minutes=2))

    assert told(olga_operator) == ["3 integration incidents"]


def test_while_some_of_it_lasts_nothing_is_said_to_be_well(rule: AlertRule, olga_operator: User, now: datetime) -> None:
    down(now)
    case = ExceptionCase.objects.get()
    first = case.pk
    case.pk, case.cause = None, "other"
    case.save()
    alerts.look(now=now + timedelta(minutes=2))

    ExceptionCase.objects.filter(pk=first).update(status="resolved", resolved_at=now)
    alerts.look(now=now + timedelta(minutes=3))

    assert told(olga_operator) == ["2 integration incidents"]


def test_in_quiet_hours_only_what_is_critical_is_told_and_the_rest_after_them(
    rule: AlertRule, olga_operator: User, now: datetime
) -> None:
    # 10:00 UTC is 11:00 in Berlin.
    AlertRule.objects.update(quiet_from=time(22), quiet_until=time(11, 30), time_zone="Europe/Berlin")
    down(now)
    alerts.look(now=now + timedelta(minutes=5))
    assert told(olga_operator) == []

    staff(later := now + timedelta(minutes=31))
    alerts.look(now=later)
    assert told(olga_operator) == ["Odoo cannot be reached: main"]
    AlertRule.objects.update(quiet_until=time(23), quiet_from=time(9))
    ExceptionCase.objects.update(severity=Severity.CRITICAL)
    alerts.look(now=later + timedelta(minutes=1))
    assert len(told(olga_operator)) == 2
    ExceptionCase.objects.update(status="resolved", resolved_at=later)
    assert alerts.look(now=later + timedelta(minutes=2)) == 0


@pytest.mark.parametrize(
    ("change", "is_told"),
    [
        ({}, True),
        ({"is_active": False}, False),
        ({"types": ["integration.sync_lag"]}, False),
        ({"types": ["integration.connection_down"]}, True),
        ({"severity": Severity.CRITICAL}, False),
    ],
)
def test_a_rule_tells_of_what_it_names(
    rule: AlertRule, olga_operator: User, now: datetime, change: dict[str, Any], is_told: bool
) -> None:
    AlertRule.objects.update(**change)
    down(now)

    alerts.look(now=now + timedelta(minutes=2))

    assert bool(told(olga_operator)) == is_told


def test_who_may_not_see_the_connection_is_not_told(rule: AlertRule, olga_operator: User, now: datetime) -> None:
    User.objects.filter(pk=olga_operator.pk).update(sees=["999"])
    down(now)
    alerts.look(now=now + timedelta(minutes=2))
    assert told(olga_operator) == []


def test_rules_are_integrators_work_and_stand_on_the_trail(
    rule: AlertRule, olga_operator: User, ivan_integrator: User, now: datetime
) -> None:
    with pytest.raises(NotAllowedError):
        alerts.remove(rule, by=olga_operator, now=now)
    alerts.remove(rule, by=ivan_integrator, now=now)

    added, removed = Entry.objects.filter(action__startswith="alert_rule.").order_by("sequence")
    assert (added.action, added.data["people"], removed.action) == ("alert_rule.added", ["olga"], "alert_rule.removed")


def test_on_the_page_a_rule_is_entered_changed_and_removed(
    client: Client, rule: AlertRule, olga_operator: User, ivan_integrator: User
) -> None:
    client.force_login(ivan_integrator)
    given = {
        "name": "Nights",
        "severity": "4",
        "after_seconds": "0",
        "time_zone": "Europe/Berlin",
        "is_active": "on",
        "people": [olga_operator.pk],
        "types": ["integration.dead_letters"],
    }

    refused = client.post("/health/alerts/new/", given | {"people": [], "time_zone": "Mars/Base", "quiet_from": "22:00"})
    assert refused.status_code == 422
    for problem in ("Choose a recipient", "There is no such time zone", "both a beginning and an end"):
        assert problem in refused.content.decode()
    assert client.post("/health/alerts/new/", given).status_code == 302
    nights = AlertRule.objects.get(name="Nights")
    assert (nights.severity, nights.types, list(nights.people.all())) == (4, ["integration.dead_letters"], [olga_operator])
    client.post(f"/health/alerts/{nights.pk}/", given | {"severity": "2"})
    assert "medium and above" in client.get("/health/alerts/").content.decode()
    client.post(f"/health/alerts/{nights.pk}/", {"remove": "1"})
    assert not AlertRule.objects.filter(name="Nights").exists()
    client.force_login(olga_operator)
    assert client.get("/health/alerts/").status_code == 200
    assert client.get("/health/alerts/new/").status_code == 403


def test_on_the_page_another_system_is_added_with_its_secret_shown_once(
    client: Client, ivan_integrator: User, settings: Any
) -> None:
    settings.WEBHOOK_ALLOWED = ["127.0.0.1"]
    client.force_login(ivan_integrator)

    inside = client.post("/health/alerts/endpoints/new/", {"name": "meta", "url": "https://169.254.169.254/"})
    assert inside.status_code == 422 and "link-local" in inside.content.decode()
    shown = client.post("/health/alerts/endpoints/new/", {"name": "pager", "url": "http://127.0.0.1:9999/x", "is_active": "on"})
    made = Endpoint.objects.get()
    assert made.secret in shown.content.decode()
    page = f"/health/alerts/endpoints/{made.pk}/"
    assert made.secret not in client.get(page).content.decode()
    client.post(page, {"try": "1"})
    assert Outgoing.objects.get().endpoint == made
    client.post(page, {"switch": "1"})
    assert not Endpoint.objects.get().is_active
    client.post(page, {"remove": "1"})
    assert not Endpoint.objects.exists()


def test_over_the_api_rules_and_endpoints_are_kept(
    client: Client, connection: Connection, olga_operator: User, ivan_integrator: User, settings: Any, now: datetime
) -> None:
    settings.WEBHOOK_ALLOWED = ["127.0.0.1"]
    headers = {"Authorization": f"Bearer {people.create_token(ivan_integrator, scope=Scope.WRITE, now=now)}"}

    def call(method: str, address: str, body: Any = None) -> Any:
        return getattr(client, method)(f"/api/v1/{address}", body, content_type="application/json", headers=headers)

    refused = call("post", "alert-endpoints/", {"name": "meta", "url": "https://[64:ff9b::7f00:1]/"})
    assert (refused.status_code, list(refused.json()["errors"])) == (400, ["url"])
    made = call("post", "alert-endpoints/", {"name": "pager", "url": "http://127.0.0.1:9999/x"}).json()
    assert made["secret"].startswith("whsec_") and "secret" not in call("get", f"alert-endpoints/{made['id']}/").json()
    assert call("post", f"alert-endpoints/{made['id']}/rotate/").json()["secret"] != made["secret"]
    given = {"name": "On call", "severity": "high", "people": ["olga"], "endpoints": ["pager"], "connection": "main"}
    assert call("post", "alert-rules/", given | {"people": [], "endpoints": []}).status_code == 400
    rule = call("post", "alert-rules/", given).json()
    assert (rule["severity"], rule["people"], rule["endpoints"], rule["types"]) == ("high", ["olga"], ["pager"], [])
    changed = call("put", f"alert-rules/{rule['id']}/", given | {"severity": "low"})
    assert (changed.status_code, changed.json()["severity"]) == (200, "low")
    assert call("delete", f"alert-rules/{rule['id']}/").status_code == 204
    assert call("get", "alert-rules/").json() == []
    other = {"Authorization": f"Bearer {people.create_token(olga_operator, scope=Scope.WRITE, now=now)}"}
    assert client.get("/api/v1/alert-rules/", headers=other).status_code == 403

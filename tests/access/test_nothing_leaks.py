"""Whatever a person asks, nothing of a company that they may not see is in the answer."""

import re
from datetime import datetime
from typing import Any

import pytest
from django.test import Client

from apps.accounts import people
from apps.accounts.models import User
from apps.approvals.models import Assignment, Request
from apps.audit.models import Entry
from apps.core import clock
from apps.exceptions.models import ExceptionCase
from apps.notifications.models import Notification
from tests.access import addresses
from tests.access.conftest import LIMITED, MARK, hide
from tests.world import World

LISTS = [
    "/",
    "/boards/",
    "/exceptions/",
    "/exceptions/?group=none",
    "/exceptions/?status=any",
    f"/exceptions/?q={MARK}",
    "/approvals/",
    "/approvals/history/",
    "/proposals/",
    "/vendor-links/",
    "/customer-messages/",
    "/follow-ups/",
    "/mails/",
    "/notifications/",
    "/connections/",
    "/connections/main/",
    "/health/",
    "/fresh/",
    "/boards/order_to_cash/",
    "/boards/invoicing/",
    "/boards/procure_to_pay/",
    "/api/v1/exceptions/",
    "/api/v1/cause-groups/",
    "/api/v1/approvals/",
    "/api/v1/proposals/",
    "/api/v1/vendor-links/",
    "/api/v1/customer-drafts/",
    "/api/v1/follow-up-drafts/",
    "/api/v1/mails/",
    "/api/v1/kpis/",
    "/api/v1/boards/order_to_cash/",
    "/api/v1/boards/invoicing/",
    "/api/v1/boards/procure_to_pay/",
    "/api/v1/commands/",
    "/api/v1/deliveries/",
    "/api/v1/connections/",
    "/api/v1/audit/",
    "/api/v1/records/sale.order/",
    f"/search/?q={MARK}",
    f"/api/v1/search/?q={MARK}",
    "/eventlog/ocel/",
    "/eventlog/xes/?workflow=order_to_cash",
]

FIGURES = ["/wall/", "/boards/order_to_cash/flow/?format=csv", "/boards/order_to_cash/compare/?by=company"] + [
    f"/boards/order_to_cash/{part}/" for part in ("flow", "outlook", "moves", "compare", "quotation")
]


def browser(name: str) -> Client:
    """Signed in and with a token at once, whichever an address asks for; it does what it is told not to, too."""
    user = User.objects.get(username=name)
    token = people.create_token(user, scope="admin", now=clock.now())
    client = Client(headers={"Authorization": f"Bearer {token}"}, raise_request_exception=False)
    client.force_login(user)
    return client


def shows_mark(answer: Any) -> bool:
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    text = (body + str(dict(answer.headers)).encode()).decode().casefold()
    # Addresses that one types oneself come back in the answer.
    asked = answer.request["PATH_INFO"] + "?" + answer.request["QUERY_STRING"]
    for own in (asked, asked.partition("?")[0], answer.request["QUERY_STRING"], f'value="{MARK}"', f"q={MARK}"):
        text = text.replace(own.casefold(), "") if own.strip("/?") else text
    return MARK.casefold() in text


@pytest.mark.parametrize("name", LIMITED)
def test_no_address_answers_with_anything_of_another_company(hidden: World, name: str) -> None:
    client, leaks = browser(name), []
    for address in addresses.all_of_them():
        answer = client.get(address)
        assert answer.status_code < 500, f"{address}: {answer.content[:300]!r}"
        if shows_mark(answer):
            leaks.append(f"{answer.status_code} {address}")
    assert leaks == []


def test_whoever_sees_everything_is_shown_it_on_those_addresses(hidden: World) -> None:
    client = browser("anna")
    shown = {address for address in addresses.all_of_them() if shows_mark(client.get(address))}
    for address in LISTS:
        # Those that answer nothing without being asked something are asked it below.
        if "search/" in address or "xes/" in address:
            assert shows_mark(client.get(address.replace(MARK, MARK[:-1]))), address
        elif "kpis" not in address and "boards/" not in address and address not in ("/", "/notifications/", "/connections/main/"):
            assert address.partition("?")[0] in shown, address


@pytest.mark.parametrize("name", ["olga", "mia"])
def test_what_is_hidden_answers_like_what_is_not_there(hidden: World, name: str) -> None:
    client, found = browser(name), addresses.values()
    for pattern in [
        "/exceptions/{case_id}/",
        "/approvals/{request_id}/",
        "/api/v1/exceptions/{case_id}/",
        "/api/v1/approvals/{request_id}/",
    ]:
        for key in ("case_id", "request_id"):
            for number in found[key] if "{" + key in pattern else []:
                assert client.get(pattern.format(**{key: number})).status_code == 404
    for model in found["model"]:
        for number in found["odoo_id"]:
            if number >= 2_000:
                assert client.get(f"/records/main/{model}/{number}/").status_code == 404
                assert client.get(f"/api/v1/records/{model}/{number}/").status_code == 404
    assert client.get(f"/connections/{hidden.connection.name}/").status_code == 404


@pytest.mark.parametrize("name", LIMITED)
def test_no_address_changes_or_tells_anything_of_another_company(hidden: World, name: str) -> None:
    client, leaks = browser(name), []
    before = state()
    body = {
        "reason": "Why not",
        "decision": "approve",
        "owner": name,
        "to": "max",
        "resolution": "Done",
        "text": "Hello",
        "until": "2030-01-01T00:00:00Z",
        "hours": "1",
        "id": "1",
    }
    for address in addresses.all_of_them():
        answer = client.post(address, body, "application/json") if "/api/" in address else client.post(address, body)
        assert answer.status_code < 500, f"{address}: {answer.content[:300]!r}"
        if shows_mark(answer):
            leaks.append(f"{answer.status_code} {address}")
    assert leaks == []
    assert state() == before


def state() -> list[Any]:
    """Where everything hidden stands."""
    of_mark = {"record_name__contains": MARK}
    return [
        list(ExceptionCase.objects.filter(**of_mark).order_by("pk").values("pk", "status", "owner", "version")),
        list(Request.objects.filter(**of_mark).order_by("pk").values("pk", "status")),
        list(Assignment.objects.filter(step__request__record_name__contains=MARK).order_by("pk").values("pk", "user", "decision")),
    ]


def test_an_approval_of_a_hidden_record_cannot_be_asked_for(hidden: World) -> None:
    client = browser("olga")
    body = {"kind": "credit_override", "model": "sale.order", "odoo_id": 2_001}
    there = client.post("/api/v1/approvals/", body | {"connection": "main"}, "application/json")
    not_there = client.post("/api/v1/approvals/", body | {"connection": "main", "odoo_id": 987_654}, "application/json")
    assert (there.status_code, there.json()["detail"].replace("2001", "987654")) == (
        not_there.status_code,
        not_there.json()["detail"],
    )
    assert client.post("/api/v1/approvals/", body | {"connection": MARK.lower()}, "application/json").status_code == 400


def plain(answer: Any) -> str:
    """The answer without what differs from one asking to the next."""
    text = (b"".join(answer.streaming_content) if answer.streaming else answer.content).decode()
    text = re.sub(r'(name="csrfmiddlewaretoken" value|name="token" value|data-version|content)="[^"]*"', "", text)
    return re.sub(r"/static/\S+", "", text)


@pytest.mark.parametrize("name", LIMITED)
def test_no_figure_anywhere_moves_when_another_company_works(main: World, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    frozen = clock.now()
    monkeypatch.setattr(clock, "now", lambda: frozen)
    client = browser(name)
    before = {address: plain(client.get(address)) for address in [*LISTS, *FIGURES]}
    hide(main)
    after = {address: plain(client.get(address)) for address in before}
    for address in before:
        assert after[address] == before[address], address


def test_nobody_is_told_of_or_asked_about_what_they_may_not_see(hidden: World) -> None:
    limited = User.objects.filter(username__in=LIMITED)
    told = Notification.objects.filter(title__contains=MARK) | Notification.objects.filter(body__contains=MARK)
    assert told.filter(user__username__in=["anna", "max"]).exists()
    assert not told.filter(user__in=limited).exists()
    asked = Assignment.objects.filter(step__request__record_name__contains=MARK)
    assert asked.exists() and not asked.filter(user__in=limited).exists()
    assert not ExceptionCase.objects.filter(record_name__contains=MARK, owner__in=limited).exists()
    assert ExceptionCase.objects.filter(record_name__contains="Sichtbar", owner__username="olga").exists()


def test_what_was_once_seen_is_hidden_with_the_right_to_see_it(hidden: World) -> None:
    max_ = User.objects.get(username="max")
    client = browser("max")
    assert shows_mark(client.get("/notifications/"))
    User.objects.filter(pk=max_.pk).update(sees=[f"{hidden.connection.pk + 1000}"])
    assert not shows_mark(client.get("/notifications/"))
    assert not shows_mark(client.get("/exceptions/"))


def test_the_trail_says_what_it_is_about(hidden: World) -> None:
    kinds = ("exception.", "approval.", "command.", "connection.")
    untold = {entry.action for entry in Entry.objects.filter(connection_id=None) if entry.action.startswith(kinds)}
    assert untold == set()


def test_a_decision_cannot_be_handed_to_who_may_not_see_it(hidden: World, now: datetime) -> None:
    request = Request.objects.filter(record_name__contains=MARK, steps__assignments__user__username="max").first()
    if request is None:
        request = Request.objects.filter(record_name__contains=MARK).first()
    assert request is not None
    who = Assignment.objects.filter(step__request=request, is_active=True).select_related("user").first()
    assert who is not None
    answer = browser(who.user.username).post(
        f"/api/v1/approvals/{request.pk}/delegate/", {"to": "mia", "reason": "Away"}, "application/json"
    )
    assert (answer.status_code, "no access" in answer.json()["detail"]) == (403, True)


def test_an_exception_cannot_be_given_to_who_may_not_see_it(hidden: World) -> None:
    case = ExceptionCase.objects.filter(record_name__contains=MARK).first()
    assert case is not None
    answer = browser("anna").post(f"/api/v1/exceptions/{case.pk}/assign/", {"owner": "olga"}, "application/json")
    assert answer.status_code == 403
    case.refresh_from_db()
    assert case.owner is None or case.owner.username != "olga"

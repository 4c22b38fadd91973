"""Who may call, what each scope allows, and how every fault is told."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import ApiToken, User
from apps.approvals.models import Request
from apps.core import clock
from apps.exceptions.models import ExceptionCase
from apps.outbox.models import Command
from tests.api.callers import caller
from tests.world import World


def is_problem(answer: Any, status: int) -> dict[str, Any]:
    """The problem document of ``answer``, which has that status."""
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"].startswith("application/problem+json")
    document: dict[str, Any] = answer.json()
    assert {"type", "title", "status", "detail"} <= set(document)
    assert document["status"] == status and document["detail"]
    return document


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ct_wrong", "Basic b2xnYTpvbGdh", "Bearer \xff"])
def test_without_a_token_that_holds_nobody_gets_in(header: str, world: World) -> None:
    answer = Client().get("/api/v1/exceptions/", headers={"Authorization": header} if header else {})
    is_problem(answer, 401)
    assert answer["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("change", [{"revoked_at": clock.now()}, {"expires_at": clock.now() - timedelta(seconds=1)}])
def test_a_token_that_ended_opens_nothing(change: dict[str, Any], world: World) -> None:
    olga = caller("olga")
    assert olga.get("exceptions/").status_code == 200
    ApiToken.objects.update(**change)
    is_problem(olga.get("exceptions/"), 401)


def test_a_token_ends_with_its_person(world: World) -> None:
    olga = caller("olga")
    User.objects.filter(username="olga").update(is_active=False)
    is_problem(olga.get("exceptions/"), 401)


def test_being_signed_in_to_the_pages_opens_no_api(world: World) -> None:
    browser = Client()
    browser.force_login(User.objects.get(username="olga"))
    is_problem(browser.get("/api/v1/exceptions/"), 401)


def test_reading_needs_read_moving_needs_write_policies_need_admin(world: World) -> None:
    world.held_order()
    case = ExceptionCase.objects.get()
    is_problem(caller("olga", "read").post(f"exceptions/{case.pk}/acknowledge/"), 403)
    assert caller("olga", "write").post(f"exceptions/{case.pk}/acknowledge/").status_code == 200
    is_problem(caller("mia", "write").post("policies/", {"kind": "credit_override", "rules": {}}), 403)
    is_problem(caller("mia", "admin").post("policies/", {"kind": "credit_override", "rules": {}}), 422)


def test_a_scope_gives_nobody_more_than_their_role(world: World) -> None:
    world.held_order()
    asked = Request.objects.get()
    told = is_problem(caller("olga", "admin").post(f"approvals/{asked.pk}/approve/"), 403)
    assert told["detail"] == "Olga is Operator and may not decide approvals. Ask an approver."
    is_problem(caller("olga", "admin").get("audit/"), 403)
    is_problem(caller("olga", "admin").post("policies/", {"kind": "credit_override", "rules": {}}), 403)
    assert caller("aida", "read").get("audit/").status_code == 200


def test_what_is_not_there_is_a_404(world: World) -> None:
    anna = caller("anna", "admin")
    for address in ["exceptions/999/", "approvals/999/", "records/sale.order/999/", "records/no.such/", "boards/none/"]:
        is_problem(anna.get(address), 404)
    for address in ["exceptions/999/acknowledge/", "approvals/999/approve/"]:
        is_problem(anna.post(address), 404)
    is_problem(anna.post("commands/018f0000-0000-7000-8000-000000000000/retry/"), 404)
    is_problem(anna.post("deliveries/999/replay/"), 404)
    is_problem(anna.get("nothing/of/the/kind/"), 404)


def test_what_cannot_be_read_is_told(world: World) -> None:
    anna = caller("anna", "admin")
    is_problem(anna.client.post("/api/v1/approvals/", "{not json", "application/json"), 400)
    is_problem(anna.client.post("/api/v1/approvals/", "a=b", "text/plain"), 415)
    is_problem(anna.client.post("/api/v1/approvals/", "[1]", "application/json"), 400)
    is_problem(anna.client.delete("/api/v1/exceptions/"), 405)
    is_problem(anna.post("approvals/", {}), 400)
    is_problem(anna.client.get("/api/v1/exceptions/?cursor=broken"), 404)


@pytest.mark.parametrize("text", ["\\u0000", "a\\u0000b", "\\ud800"])
def test_text_that_no_database_holds_is_a_400_wherever_it_stands(text: str, world: World) -> None:
    world.held_order()
    anna, request = caller("anna", "admin"), Request.objects.get().pk
    for body in (f'{{"to": "{text}"}}', f'{{"to": "olga", "more": ["{text}"]}}', f'{{"{text}": 1}}'):
        is_problem(anna.client.post(f"/api/v1/approvals/{request}/delegate/", body, "application/json"), 400)
    is_problem(anna.client.post("/api/v1/approvals/", f'{{"record": {{"model": "{text}"}}}}', "application/json"), 400)


@pytest.mark.parametrize(
    "query",
    [{"status": "wrong"}, {"nothing": "1"}, {"odoo_id": "x"}, {"odoo_id": "9" * 30}, {"type": "\x00"}, {"severity": "9"}],
)
def test_a_filter_that_cannot_be_is_a_400(query: dict[str, str], world: World) -> None:
    is_problem(caller("anna", "read").get("exceptions/", **query), 400)


def test_a_connection_that_no_database_holds_is_a_400_where_approvals_are_asked_for(world: World) -> None:
    about = {"model": "sale.order", "odoo_id": "42"}
    is_problem(caller("anna", "read").get("approvals/available/", **about, connection="ma\x00in"), 400)


def test_a_second_decision_is_a_conflict_that_tells_of_the_first(world: World) -> None:
    world.held_order()
    asked = Request.objects.get()
    assert caller("adam").post(f"approvals/{asked.pk}/approve/").json()["status"] == "approved"
    told = is_problem(caller("mia").post(f"approvals/{asked.pk}/reject/", {"reason": "No"}), 409)
    assert "Adam" in told["detail"]


def test_a_rejection_without_a_reason_is_not_taken(world: World) -> None:
    world.held_order()
    is_problem(caller("adam").post(f"approvals/{Request.objects.get().pk}/reject/"), 422)


def test_a_decision_is_handed_on(world: World) -> None:
    world.held_order()
    asked = Request.objects.get()
    answer = caller("adam").post(f"approvals/{asked.pk}/delegate/", {"to": "mia", "reason": "Away"})
    assert answer.status_code == 200, answer.content
    assert "mia" in answer.json()["approvers"]


def test_an_exception_is_worked_from_outside(world: World) -> None:
    world.held_order()
    number = ExceptionCase.objects.get().pk
    olga = caller("olga")
    assert olga.post(f"exceptions/{number}/assign/", {"owner": "mia"}).json()["owner"] == "mia"
    assert olga.post(f"exceptions/{number}/comment/", {"text": "Called them"}).status_code == 200
    until = (clock.now() + timedelta(hours=2)).isoformat()
    assert olga.post(f"exceptions/{number}/snooze/", {"until": until}).json()["status"] == "snoozed"
    is_problem(olga.post(f"exceptions/{number}/snooze/", {"until": "2001-01-01T00:00:00Z"}), 409)
    is_problem(olga.post(f"exceptions/{number}/assign/", {"owner": "nobody"}), 400)
    assert olga.post(f"exceptions/{number}/resolve/", {"resolution": "Paid"}).json()["status"] == "resolved"
    is_problem(olga.post(f"exceptions/{number}/acknowledge/"), 409)


def test_an_approval_is_asked_for_from_outside(world: World) -> None:
    world.order(amount=6_200)
    body = {"kind": "credit_override", "model": "sale.order", "odoo_id": 42, "reason": "Good customer"}
    answer = caller("olga").post("approvals/", body)
    assert answer.status_code == 201, answer.content
    assert (answer.json()["status"], answer.json()["record"]["odoo_id"]) == ("pending", 42)
    is_problem(caller("olga").post("approvals/", body | {"odoo_id": 4_242}), 422)
    is_problem(caller("olga").post("approvals/", body | {"kind": "none"}), 422)


def test_only_what_stopped_is_retried(world: World) -> None:
    world.held_order()
    asked = Request.objects.get()
    caller("adam").post(f"approvals/{asked.pk}/reject/", {"reason": "No"})
    command = Command.objects.order_by("sequence").first()
    assert command is not None
    is_problem(caller("ivan").post(f"commands/{command.pk}/retry/"), 409)
    Command.objects.filter(pk=command.pk).update(status="dead")
    is_problem(caller("olga").post(f"commands/{command.pk}/retry/"), 403)
    assert caller("ivan").post(f"commands/{command.pk}/retry/").json()["status"] == "queued"


def test_who_calls_too_often_is_told_to_wait(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from rest_framework.throttling import UserRateThrottle

    monkeypatch.setattr(UserRateThrottle, "THROTTLE_RATES", {"user": "2/min"})
    olga = caller("olga")
    assert [olga.get("kpis/").status_code for _ in range(2)] == [200, 200]
    answer = olga.get("kpis/")
    is_problem(answer, 429)
    assert int(answer["Retry-After"]) > 0

"""The routes and shapes that scripts outside rely on."""

from collections.abc import Callable
from typing import Any

import pytest

from apps.accounts.models import ApiToken
from apps.approvals.models import Request
from apps.exceptions.models import ExceptionCase
from apps.outbox.models import Command, Status
from tests.api.shapes import APPROVAL, EXCEPTION, STAGE
from tests.world import World

Call = Callable[..., Any]


def test_a_record_says_where_it_stands_and_what_holds_it_up(world: World, call: Call) -> None:
    world.held_order()
    found = call("olga", "records/sale.order/42/").json()
    assert {
        "model",
        "odoo_id",
        "name",
        "url",
        "workflow",
        "stage",
        "stage_since",
        "due_at",
        "amount",
        "currency",
        "blockers",
        "links",
        "transitions",
    } <= set(found)
    assert (found["stage"], found["amount"], found["currency"]) == ("credit_review", "6200.00", "EUR")
    # It came into both stages at one moment; each is later than the one before.
    assert found["stage_since"] == "2026-11-23T12:00:00.000001Z"
    (blocker,) = found["blockers"]
    assert set(blocker) == {"kind", "since", "record", "text"}
    assert [move["to_stage"] for move in found["transitions"]] == ["quotation", "credit_review"]
    listed = call("olga", "records/sale.order/?stage=credit_review").json()
    assert set(listed) == {"next", "previous", "results"}
    assert [record["odoo_id"] for record in listed["results"]] == [42]


def test_an_exception_has_its_shape_and_can_be_worked(world: World, call: Call) -> None:
    world.held_order()
    (found,) = call("olga", "exceptions/?status=open&severity=medium&type=order.credit_hold").json()["results"]
    assert set(found) >= EXCEPTION
    address = f"exceptions/{found['id']}"
    assert call("olga", f"{address}/assign/", {"owner": "mia"}).json()["owner"] == "mia"
    assert call("olga", f"{address}/acknowledge/", {}).json()["status"] == "acknowledged"
    assert call("olga", f"{address}/comment/", {"text": "Called them"}).status_code == 200
    assert call("olga", f"{address}/snooze/", {"until": "2099-01-01T00:00:00Z"}).json()["status"] == "snoozed"
    assert call("olga", f"{address}/resolve/", {"resolution": "Paid"}).json()["status"] == "resolved"
    late = call("olga", f"{address}/resolve/", {"resolution": "Again"})
    assert (late.status_code, late["Content-Type"]) == (409, "application/problem+json")
    assert "Paid" in late.json()["detail"]
    assert call("aida", f"{address}/comment/", {"text": "hm"}).status_code == 403


def test_an_approval_is_decided_once_whoever_repeats_it(world: World, call: Call) -> None:
    world.held_order()
    (asked,) = call("adam", "approvals/?status=pending&kind=credit_override").json()["results"]
    assert set(asked) >= APPROVAL
    assert asked["approvers"] == ["adam"]
    address = f"approvals/{asked['id']}/approve/"
    assert call("olga", address, {"reason": "x"}).status_code == 403
    first = call("adam", address, {"reason": "Fine"}, Idempotency_Key="k1")
    commands = Command.objects.count()
    again = call("adam", address, {"reason": "Fine"}, Idempotency_Key="k1")
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert again["Idempotency-Replayed"] == "true"
    other = call("adam", address, {"reason": "Other"}, Idempotency_Key="k1")
    assert other.status_code == 422
    anew = call("adam", address, {"reason": "Fine"}, Idempotency_Key="k2")
    assert anew.status_code == 409
    assert "approved by Adam" in anew.json()["detail"]
    assert Command.objects.count() == commands


def test_an_approval_can_be_asked_for_rejected_and_delegated(world: World, call: Call) -> None:
    world.order(amount=100)
    asked = call("olga", "approvals/", {"kind": "credit_override", "model": "sale.order", "odoo_id": 42, "reason": "Soon"})
    assert asked.status_code == 201
    number = asked.json()["id"]
    assert call("adam", f"approvals/{number}/delegate/", {"to": "mia"}).json()["approvers"] == ["mia"]
    assert call("mia", f"approvals/{number}/reject/", {"reason": ""}).status_code == 422
    assert call("mia", f"approvals/{number}/reject/", {"reason": "No"}).json()["status"] == "rejected"
    assert call("olga", "approvals/", {"kind": "none", "model": "sale.order", "odoo_id": 42}).status_code == 422


def test_a_policy_gets_a_new_version_and_nonsense_is_refused_in_words(world: World, call: Call) -> None:
    rules = {"steps": [{"name": "Credit", "fallback": "reject", "levels": [{"ask": {"role": "manager"}, "within_minutes": 60}]}]}
    made = call("mia", "policies/", {"kind": "credit_override", "rules": rules})
    assert (made.status_code, made.json()["version"]) == (201, 2)
    rules["steps"][0]["fallback"] = "shrug"
    refused = call("mia", "policies/", {"kind": "credit_override", "rules": rules})
    assert refused.status_code == 422
    assert "fallback must be one of" in refused.json()["detail"]
    assert call("mia", "policies/", {"kind": "credit_override", "rules": rules}, scope="write").status_code == 403
    assert call("olga", "policies/?is_active=true").json()["results"][0]["version"] == 2


def test_a_board_has_its_stages_in_the_order_of_the_flow(world: World, call: Call) -> None:
    world.held_order()
    board = call("mia", "boards/order_to_cash/").json()
    assert [stage["stage"] for stage in board["stages"]][:2] == ["quotation", "credit_review"]
    assert all(set(stage) >= STAGE for stage in board["stages"])
    assert board["stages"][1]["count"] == 1
    assert call("mia", "boards/none/").status_code == 404
    assert call("mia", "kpis/").json()["exceptions_open"] == 1


def test_commands_deliveries_connections_and_the_trail_can_be_read(world: World, call: Call) -> None:
    world.held_order()
    command = Command.objects.get()
    assert call("ivan", "commands/?status=queued").json()["results"][0]["id"] == str(command.id)
    assert call("ivan", f"commands/{command.id}/retry/", {}).status_code == 409
    Command.objects.update(status=Status.REFUSED)
    assert call("ivan", f"commands/{command.id}/retry/", {}).json()["status"] == "queued"
    assert call("ivan", "deliveries/").status_code == 200
    assert call("ivan", "deliveries/999/replay/", {}).status_code == 404
    (connection,) = call("ivan", "connections/").json()["results"]
    assert "api_key" not in connection and "hook_secret" not in connection
    assert call("aida", "audit/?action=exception.opened").json()["results"][0]["action"] == "exception.opened"
    assert call("olga", "audit/").status_code == 403


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("exceptions/?colour=red", 400),
        ("exceptions/?status=great", 400),
        ("exceptions/?odoo_id=x", 400),
        ("exceptions/99999/", 404),
        ("records/no.such/", 404),
        ("records/sale.order/7/", 404),
        ("nothing/", 404),
        ("exceptions/?cursor=nonsense", 404),
    ],
)
def test_what_cannot_be_is_a_problem_document(world: World, call: Call, path: str, status: int) -> None:
    answer = call("olga", path)
    assert answer.status_code == status
    if path != "nothing/":
        assert answer["Content-Type"] == "application/problem+json"
        assert {"type", "title", "status", "detail", "instance"} <= set(answer.json())


def test_without_a_good_token_nothing_is_shown(world: World, call: Call) -> None:
    nobody = call("", "exceptions/")
    assert (nobody.status_code, nobody["WWW-Authenticate"]) == (401, "Bearer")
    assert call("", "exceptions/", Authorization="Bearer ct_wrong").status_code == 401
    assert call("olga", "exceptions/", scope="read").status_code == 200
    assert call("olga", "exceptions/1/acknowledge/", {}, scope="read").status_code == 403
    ApiToken.objects.update(revoked_at="2026-01-01T00:00Z")
    assert call("olga", "exceptions/", scope="read").status_code == 401


def test_a_body_that_is_no_json_is_a_400(world: World, call: Call) -> None:
    world.held_order()
    number = ExceptionCase.objects.get().id
    assert call("olga", f"exceptions/{number}/comment/", raw="{not json").status_code == 400
    assert call("olga", f"exceptions/{number}/comment/", raw="[]").status_code == 400
    assert call("olga", f"exceptions/{number}/comment/", {"text": ""}).json()["errors"]["text"]


def test_pages_follow_one_another_without_gap_or_repeat(world: World, call: Call) -> None:
    for number in range(7):
        world.order(300 + number, amount=10)
    seen, address = [], "records/sale.order/?page_size=3"
    while address:
        page = call("olga", address).json()
        seen += [row["odoo_id"] for row in page["results"]]
        address = page["next"]
    assert sorted(seen) == list(range(300, 307))


def test_a_page_costs_the_same_queries_however_long_it_is(world: World, call: Call, django_assert_max_num_queries: Any) -> None:
    for number in range(12):
        world.order(300 + number)
        world.ask(300 + number, ask_id=900 + number)
    call("olga", "exceptions/")
    for path in ["exceptions/", "approvals/", "records/sale.order/", "commands/"]:
        with django_assert_max_num_queries(8):
            assert len(call("olga", path).json()["results"]) == 12
    assert Request.objects.count() == 12

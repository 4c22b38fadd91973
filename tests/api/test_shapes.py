"""What scripts outside the project rely on: names, shapes, times and money."""

import re
from typing import Any

import pytest

from apps.accounts.models import User
from apps.approvals.models import Request
from apps.approvals.requests import moves
from apps.intake.models import Delivery
from apps.outbox.models import Command
from apps.workflows import registry
from tests.api.callers import caller
from tests.api.shapes import APPROVAL, EXCEPTION, RECORD, STAGE
from tests.world import World

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
LISTS = [
    "records/sale.order/",
    "exceptions/",
    "approvals/",
    "policies/",
    "commands/",
    "deliveries/",
    "events/",
    "connections/",
    "audit/",
]


def decided(world: World) -> Request:
    world.held_order()
    request = Request.objects.get()
    moves.approve(request.pk, by=User.objects.get(username="adam"), now=world.now)
    return request


@pytest.mark.parametrize("address", LISTS)
def test_every_list_is_next_previous_results(address: str, world: World) -> None:
    decided(world)
    answer = caller("anna", "read").get(address)
    assert answer.status_code == 200, answer.content
    assert set(answer.json()) == {"next", "previous", "results"}


def test_a_record_tells_where_it_stands_and_what_holds_it(world: World) -> None:
    world.held_order()
    listed = caller("olga", "read").get("records/sale.order/").json()["results"][0]
    one = caller("olga", "read").get("records/sale.order/42/", connection="main").json()
    for record in (listed, one):
        assert {*RECORD, "workflow", "stage", "stage_since", "due_at", "amount", "currency", "blockers"} <= set(record)
        assert (record["model"], record["odoo_id"], record["name"]) == ("sale.order", 42, "S00042")
        assert (record["workflow"], record["stage"], record["amount"]) == ("order_to_cash", "credit_review", "6200.00")
        assert record["url"].startswith("http://odoo.test/")
        assert TIME.fullmatch(record["stage_since"]) and TIME.fullmatch(record["due_at"])
        assert {"kind", "since", "record", "text"} <= set(record["blockers"][0])
        assert set(record["blockers"][0]["record"]) == RECORD
    assert {"links", "transitions"} <= set(one)
    assert one["transitions"][-1]["to_stage"] == "credit_review"


def test_an_exception_tells_what_and_whose_it_is(world: World) -> None:
    world.held_order()
    found = caller("olga", "read").get("exceptions/").json()["results"][0]
    assert set(found) >= EXCEPTION
    assert (found["type"], found["status"], found["team"]) == ("order.credit_hold", "open", "finance")
    assert set(found["record"]) == RECORD
    assert re.fullmatch(r"\d+\.\d\d", found["amount"])
    assert TIME.fullmatch(found["opened_at"])
    assert found["evidence"]["overdue_days"] == 0
    figures = {one["name"]: (one["label"], one["value"], one["unit"]) for one in found["figures"]}
    assert figures["exposure"] == ("Exposure with this order", found["evidence"]["exposure"], "EUR")
    assert figures["overdue_days"] == ("Days overdue, oldest", 0, "d")
    assert figures["salesperson"] == ("Account owner", "Sofia Sales", None)
    assert figures.keys() == {name for name, value in found["evidence"].items() if value not in (None, "")}
    assert caller("olga", "read").get(f"exceptions/{found['id']}/").json() == found


def test_an_approval_tells_what_is_asked_of_whom(world: World) -> None:
    world.held_order()
    found = caller("adam", "read").get("approvals/").json()["results"][0]
    assert set(found) >= APPROVAL
    assert (found["kind"], found["status"], found["requested_by"]) == ("credit_override", "pending", "Sofia Sales")
    assert "adam" in found["approvers"]
    assert set(found["record"]) == RECORD and TIME.fullmatch(found["due_at"])
    figures = {one["name"]: one for one in found["figures"]}
    excess = {"name": "excess", "label": "Over the limit by", "value": found["context"]["excess"], "unit": "EUR"}
    assert (figures["excess"], figures["credit_asked_by"]["unit"]) == (excess, None)
    assert caller("adam", "read").get(f"approvals/{found['id']}/").json() == found


def test_a_board_tells_of_each_stage(world: World) -> None:
    world.held_order()
    board = caller("olga", "read").get("boards/order_to_cash/").json()
    assert board["workflow"] == "order_to_cash"
    declared = registry.workflows()["order_to_cash"].stages
    assert [stage["stage"] for stage in board["stages"]] == [stage.name for stage in declared]
    for stage in board["stages"]:
        assert set(stage) >= STAGE
    review = next(stage for stage in board["stages"] if stage["stage"] == "credit_review")
    assert (review["count"], review["amount"]) == (1, "6200.00")


def test_the_figures_come_in_one_answer(world: World) -> None:
    decided(world)
    answer = caller("olga", "read").get("kpis/")
    assert answer.status_code == 200
    assert TIME.fullmatch(answer.json()["at"])


def test_no_secret_of_a_connection_is_shown(world: World) -> None:
    found = caller("ivan", "read").get("connections/").json()["results"][0]
    assert found["name"] == "main"
    assert not {"api_key", "key", "secret"} & set(found)


@pytest.mark.parametrize(
    ("address", "query", "count"),
    [
        ("exceptions/", {"status": "open"}, 1),
        ("exceptions/", {"status": "resolved"}, 0),
        ("exceptions/", {"type": "order.credit_hold", "workflow": "order_to_cash", "team": "finance"}, 1),
        ("exceptions/", {"owner": "anna"}, 0),
        ("exceptions/", {"severity": "low"}, 0),
        ("approvals/", {"status": "pending", "kind": "credit_override"}, 1),
        ("approvals/", {"status": "approved"}, 0),
        ("approvals/", {"approver": "adam"}, 1),
        ("records/sale.order/", {"stage": "credit_review"}, 1),
        ("records/sale.order/", {"stage": "quotation", "connection": "main"}, 0),
        ("commands/", {"status": "dead"}, 0),
        ("deliveries/", {"status": "dead"}, 0),
        ("audit/", {"subject": "nothing:1"}, 0),
    ],
)
def test_a_filter_narrows(address: str, query: dict[str, Any], count: int, world: World) -> None:
    world.held_order()
    answer = caller("anna", "read").get(address, **query)
    assert (answer.status_code, len(answer.json()["results"])) == (200, count)


def test_pages_hold_everything_once_also_where_times_are_equal(world: World) -> None:
    for number in range(1, 8):
        world.order(number)
    anna, seen = caller("anna", "read"), []
    address = "/api/v1/records/sale.order/?page_size=3"
    while address:
        page = anna.client.get(address).json()
        seen += [row["odoo_id"] for row in page["results"]]
        address = page["next"]
    assert sorted(seen) == list(range(1, 8))


@pytest.mark.parametrize("address", ["records/sale.order/", "exceptions/", "approvals/", "commands/", "deliveries/", "audit/"])
def test_a_longer_page_costs_no_more_queries(address: str, world: World, django_assert_max_num_queries: Any) -> None:
    for number in range(1, 9):
        world.order(number)
        world.ask(number, ask_id=900 + number)
        Delivery.objects.create(
            source="odoo",
            connection=world.connection,
            key=str(number),
            model="sale.order",
            odoo_id=number,
            received_at=world.now,
            not_before=world.now,
        )
    for request in Request.objects.all()[:4]:
        moves.reject(request.pk, by=User.objects.get(username="adam"), reason="No", now=world.now)
    assert Command.objects.count() > 2
    anna = caller("anna", "read")
    anna.get(address)
    with django_assert_max_num_queries(50) as short:
        assert len(anna.get(address, page_size=2).json()["results"]) == 2
    with django_assert_max_num_queries(len(short)):
        assert len(anna.get(address, page_size=100).json()["results"]) > 2


def test_the_document_is_openapi_and_made_without_a_warning(tmp_path: Any, world: World) -> None:
    from django.core.management import call_command

    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(tmp_path / "schema.yml"))
    assert (tmp_path / "schema.yml").read_text().startswith("openapi: 3.1")
    assert caller("olga", "read").get("schema/").status_code == 200

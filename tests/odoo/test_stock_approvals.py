"""Counts and returns that need an approval: from what people do in a real Odoo to what the decision does there."""

from collections.abc import Callable, Iterator
from typing import Any

import odoorpc
import pytest

from apps.accounts.models import Role, User
from apps.approvals import moves
from apps.approvals.models import Request
from apps.core import clock
from apps.odoo import provision
from apps.odoo.client import OdooClient
from apps.odoo.models import Connection
from apps.outbox import dispatch
from apps.outbox.models import Command
from apps.workflows import blueprint
from tests.odoo.seen import Seen, Worker
from tests.odoo.test_returns import receive, return_of, sold
from tests.world import person

# Committed, as the tower's processes commit it: what Odoo is told is carried out outside any transaction.
pytestmark = [pytest.mark.odoo, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def seen(odoo: OdooClient, real: Connection) -> Iterator[Seen]:
    """The tower beside an Odoo that it has set up."""
    real.version, real.uid = odoo.version(), odoo.uid
    real.save()
    provision.apply(real, blueprint.of_catalogue())
    yield Seen(odoo, real)
    provision.remove(real)


@pytest.fixture
def mia(db: None) -> User:
    for team in ("warehouse", "service"):
        person(f"{team}-approver", Role.APPROVER, limit=1, team=team)
    return person("mia", Role.MANAGER, limit=250_000, team="warehouse")


@pytest.fixture
def hired(odoo: OdooClient) -> Iterator[Callable[..., Worker]]:
    """Hires people for the length of the test."""
    people: list[Worker] = []

    def hire(*groups: str) -> Worker:
        people.append(Worker(odoo, *groups))
        return people[-1]

    yield hire
    for one in people:
        one.leave()


def carried_out(seen: Seen) -> None:
    """All that Odoo is to be told has been told, and is seen there."""
    for _ in range(12):
        Command.objects.filter(status__in=dispatch.WAITING).update(not_before=clock.now())
        dispatch.run_due(clock=clock.now)
    stuck = Command.objects.exclude(status="done").values_list("title", "status", "problem")
    assert list(stuck) == []
    seen.look()


def refusal(worker: Worker, model: str, method: str, record: int, **named: Any) -> str:
    """Odoo's words when it refuses; empty where it does not."""
    try:
        worker.do(model, method, [record], **named)
    except odoorpc.error.RPCError as error:
        return str(error)
    return ""


def counted(picker: Worker, odoo: OdooClient, product: int, quantity: float) -> int:
    shelf = odoo.search_read("stock.warehouse", [], ["lot_stock_id"], limit=1, order="id")[0]["lot_stock_id"]
    values = {"product_id": product, "location_id": shelf, "inventory_quantity": quantity}
    return int(picker.do("stock.quant", "create", values, context={"inventory_mode": True}))


def test_a_count_beyond_the_limit_is_applied_on_a_yes_and_cleared_on_a_no(
    seen: Seen, odoo: OdooClient, hired: Callable[..., Worker], mia: User
) -> None:
    picker = hired("stock.group_stock_user")
    desk = odoo.create("product.product", {"name": "Tower test desk", "is_storable": True, "standard_price": 40.0})
    quant = counted(picker, odoo, desk, 5)
    assert seen.stage("inventory_control", quant) == "counted"
    assert refusal(picker, "stock.quant", "action_apply_inventory", quant) == ""
    assert seen.stage("inventory_control", quant) == "applied"

    # Somebody who is quicker than the tower is refused by Odoo itself.
    assert counted(picker, odoo, desk, 25) == quant
    assert "from 250 on a count needs an approval" in refusal(picker, "stock.quant", "action_apply_inventory", quant)
    assert seen.stage("inventory_control", quant) == "awaiting_approval"
    request = Request.objects.get(odoo_id=quant)
    assert (request.amount, request.requested_by) == (800, picker.login)
    carried_out(seen)
    # A held count may be counted again; only what it is held for is not the picker's.
    assert counted(picker, odoo, desk, 25) == quant
    assert "needs an approval" in refusal(picker, "stock.quant", "action_apply_inventory", quant)
    assert Request.objects.get(odoo_id=quant) == request

    moves.approve(request.pk, by=mia, reason="Found behind the door", now=clock.now())
    carried_out(seen)
    shown = odoo.read("stock.quant", [quant], ["quantity", "inventory_quantity_set", "x_ct_hold", "x_ct_released_value"])[0]
    assert (shown["quantity"], shown["inventory_quantity_set"], shown["x_ct_hold"], shown["x_ct_released_value"]) == (
        25, False, False, 0
    )  # fmt: skip
    assert seen.stage("inventory_control", quant) == "applied"
    notes = odoo.search_read("mail.message", [("model", "=", "product.product"), ("res_id", "=", desk)], ["body"])
    assert sum("Found behind the door" in note["body"] for note in notes) == 1

    counted(picker, odoo, desk, 2)
    assert seen.stage("inventory_control", quant) == "awaiting_approval"
    carried_out(seen)
    moves.reject(Request.objects.get(odoo_id=quant, status="pending").pk, by=mia, reason="Count again", now=clock.now())
    carried_out(seen)
    shown = odoo.read("stock.quant", [quant], ["quantity", "inventory_quantity_set", "x_ct_hold"])[0]
    assert (shown["quantity"], shown["inventory_quantity_set"], shown["x_ct_hold"]) == (25, False, False)
    assert seen.stage("inventory_control", quant) == "rejected"

    counted(picker, odoo, desk, 24)
    assert seen.stage("inventory_control", quant) == "counted"
    assert refusal(picker, "stock.quant", "action_apply_inventory", quant) == ""
    assert seen.stage("inventory_control", quant) == "applied"


def test_what_was_never_counted_is_not_set_beyond_the_limit(
    seen: Seen, odoo: OdooClient, hired: Callable[..., Worker]
) -> None:
    keeper = hired("stock.group_stock_manager")
    desk = odoo.create("product.product", {"name": "Tower test desk", "is_storable": True, "standard_price": 40.0})
    shelf = odoo.search_read("stock.warehouse", [], ["lot_stock_id"], limit=1, order="id")[0]["lot_stock_id"]
    values = {"product_id": desk, "location_id": shelf, "inventory_quantity_auto_apply": 20}
    with pytest.raises(odoorpc.error.RPCError, match="Enter it under Physical Inventory first"):
        keeper.do("stock.quant", "create", values, context={"inventory_mode": True})
    keeper.do("stock.quant", "create", values | {"inventory_quantity_auto_apply": 6}, context={"inventory_mode": True})
    assert odoo.read("product.product", [desk], ["qty_available"])[0]["qty_available"] == 6


def test_a_large_return_is_received_on_a_yes_and_cancelled_on_a_no(
    seen: Seen, odoo: OdooClient, hired: Callable[..., Worker], mia: User
) -> None:
    picker = hired("stock.group_stock_user")
    accountant = hired("account.group_account_invoice", "sales_team.group_sale_salesman_all_leads")
    # Six at 40 each are below the count limit: their own count goes through.
    desks = sold(odoo, picker, accountant, 6)
    back = return_of(picker, desks.delivery, 5)
    quick = refusal(picker, "stock.picking", "button_validate", back, context={"skip_backorder": True})
    assert "from 500 on a return needs an authorisation" in quick
    assert seen.stage("returns", back) == "awaiting_authorisation"
    request = Request.objects.get(odoo_id=back, kind="return_authorisation")
    assert (request.amount, request.partner_name) == (500, "Tower test customer")
    carried_out(seen)
    assert odoo.read("stock.picking", [back], ["x_ct_hold"])[0]["x_ct_hold"] == "return_authorisation"

    moves.approve(request.pk, by=mia, reason="Wrong colour", now=clock.now())
    carried_out(seen)
    assert seen.stage("returns", back) == "awaiting_goods"
    receive(picker, back)
    assert seen.stage("returns", back) == "to_credit"
    assert odoo.read("stock.picking", [back], ["state"])[0]["state"] == "done"

    second = sold(odoo, picker, accountant, 6)
    other = return_of(picker, second.delivery, 6)
    assert seen.stage("returns", other) == "awaiting_authorisation"
    carried_out(seen)
    asked = Request.objects.get(odoo_id=other, kind="return_authorisation")
    moves.reject(asked.pk, by=mia, reason="Used for a year", now=clock.now())
    carried_out(seen)
    assert odoo.read("stock.picking", [other], ["state"])[0]["state"] == "cancel"
    assert seen.stage("returns", other) == "refused"
    notes = odoo.search_read("mail.message", [("model", "=", "stock.picking"), ("res_id", "=", other)], ["body"])
    assert sum("Used for a year" in note["body"] for note in notes) == 1

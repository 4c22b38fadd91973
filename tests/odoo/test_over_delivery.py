"""What leaves a real Odoo beyond what was ordered, against the customer's credit limit."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import pytest

from apps.accounts.models import User
from apps.odoo.client import OdooClient
from tests.odoo.seen import Seen, Worker, refusal
from tests.odoo.test_after_done import in_stock
from tests.odoo.test_guards import SELLER, asked, customer, decide, desk, line_changed, line_of, pending, quoted, state
from tests.odoo.test_returns import bill
from tests.odoo.test_ways_round_bills import tax

__all__ = ["desk"]
pytestmark = [pytest.mark.odoo, pytest.mark.django_db(transaction=True)]
ACCOUNTANT = ("account.group_account_invoice", "sales_team.group_sale_salesman_all_leads")
# Odoo makes a line of the order for what is added, which not every picker may.
ADDS = ("stock.group_stock_user", "sales_team.group_sale_salesman_all_leads")
WITHOUT_REST = {"skip_backorder": True, "skip_sms": True}


class Delivery:
    """A customer's confirmed order of desks that are billed as delivered, and who picks them, with a picker's rights alone."""

    def __init__(
        self,
        odoo: OdooClient,
        hired: Callable[..., Worker],
        desk: int,
        *,
        limit: float,
        ordered: float = 8,
        picks: tuple[str, ...] = ("stock.group_stock_user",),
        who: Mapping[str, Any] = MappingProxyType({}),
        **line: Any,
    ) -> None:
        self.odoo, self.desk = odoo, desk
        self.seller, self.picker = hired(*SELLER), hired(*picks)
        odoo.write("product.product", [desk], {"invoice_policy": "delivery"})
        in_stock(hired("stock.group_stock_manager"), odoo, desk, 200)
        self.customer = customer(odoo, limit, **who)
        self.order = quoted(self.seller, self.customer, desk, ordered, **line)
        assert refusal(self.seller, "sale.order", "action_confirm", self.order) == ""

    def ship(self, quantity: float, *, backorder: bool = False) -> str:
        """The picker ships so many: Odoo's words when it refuses, empty where it does not."""
        waiting = [("sale_id", "=", self.order), ("state", "not in", ["done", "cancel"])]
        (transfer,) = self.odoo.search("stock.picking", waiting)
        moves = self.odoo.search("stock.move", [("picking_id", "=", transfer), ("product_id", "=", self.desk)])
        self.picker.do("stock.move", "write", moves, {"quantity": quantity, "picked": True})
        context = WITHOUT_REST if backorder else {**WITHOUT_REST, "picking_ids_not_to_backorder": [transfer]}
        return refusal(self.picker, "stock.picking", "button_validate", transfer, context=context)

    def add(self, product: int, quantity: float, **more: Any) -> int:
        """The picker puts goods on the transfer that the order has none of: the move."""
        waiting = [("sale_id", "=", self.order), ("state", "not in", ["done", "cancel"])]
        (transfer,) = self.odoo.search_read("stock.picking", waiting, ["location_id", "location_dest_id"])
        places = {name: transfer[name] for name in ("location_id", "location_dest_id")}
        move = {"product_id": product, "product_uom_qty": quantity, "picking_id": transfer["id"], **places, **more}
        made = int(self.picker.do("stock.move", "create", move))
        self.picker.do("stock.move", "write", [made], {"quantity": quantity, "picked": True})
        return made

    @property
    def shipped(self) -> float:
        line = line_of(self.odoo, self.order)
        return float(self.odoo.read("sale.order.line", [line], ["qty_delivered"])[0]["qty_delivered"])


def test_no_more_is_delivered_than_the_credit_limit_lets_be_owed(
    guarded: Seen, odoo: OdooClient, hired: Callable[..., Worker], mia: User, desk: int
) -> None:
    desks = Delivery(odoo, hired, desk, limit=1_000)
    said = desks.ship(80)
    assert "would take Tower test customer to 8000.00 USD, above its credit limit of 1000.00 USD" in said
    assert "An approval has been asked for." in said
    assert desks.shipped == 0
    (ask,) = asked(odoo, desks.order)
    assert (ask["x_state"], ask["x_amount"]) == ("open", 8_000)
    guarded.look()
    request = pending(desks.order, "credit_override")
    assert (request.amount, request.context["exposure"], "odoo_counted" in request.context) == (8_000, "8000.00", False)

    decide(guarded, desks.order, "credit_override", mia, yes=True)
    # What was released is this much; it is for the picker to ship.
    assert "to 8100.00 USD" in desks.ship(81)
    assert desks.ship(80) == ""
    assert desks.shipped == 80
    # What is done counts in what the order is worth: it is not made dearer either.
    assert "to 8080.00 USD" in line_changed(desks.seller, odoo, desks.order, {"price_unit": 101})


def test_what_was_rejected_stays_refused_and_what_was_ordered_is_delivered(
    guarded: Seen, odoo: OdooClient, hired: Callable[..., Worker], mia: User, desk: int
) -> None:
    desks = Delivery(odoo, hired, desk, limit=1_000)
    assert "to 8000.00 USD" in desks.ship(80)
    decide(guarded, desks.order, "credit_override", mia, yes=False)
    assert "The approval was rejected" in desks.ship(80)
    assert asked(odoo, desks.order)[0]["x_state"] == "rejected"
    # In parts, and up to the limit: more than was ordered, which the customer may owe.
    assert desks.ship(3, backorder=True) == ""
    assert desks.ship(7) == ""
    assert desks.shipped == 10


def test_what_is_billed_already_is_counted_once(
    guarded: Seen, odoo: OdooClient, hired: Callable[..., Worker], mia: User, desk: int
) -> None:
    desks = Delivery(odoo, hired, desk, limit=1_000)
    assert desks.ship(4, backorder=True) == ""
    bill(hired(*ACCOUNTANT), desks.order)
    guarded.look()
    assert "to 1400.00 USD" in desks.ship(10)
    guarded.look()
    request = pending(desks.order, "credit_override")
    assert (request.amount, request.context["exposure"], "odoo_counted" in request.context) == (1_400, "1400.00", False)
    assert desks.ship(6) == ""


def test_a_transfer_that_is_done_is_not_raised_beyond_the_limit(
    guarded: Seen, odoo: OdooClient, hired: Callable[..., Worker], desk: int
) -> None:
    desks = Delivery(odoo, hired, desk, limit=1_000)
    assert desks.ship(8) == ""
    (move,) = odoo.search("stock.move", [("sale_line_id.order_id", "=", desks.order)])
    (transfer,) = odoo.search("stock.picking", [("sale_id", "=", desks.order)])
    hired("stock.group_stock_manager").do("stock.picking", "action_toggle_is_locked", [transfer])
    assert "to 1100.00 USD" in refusal(desks.picker, "stock.move", "write", move, vals={"quantity": 11})
    assert desks.shipped == 8


def test_dozens_with_tax_are_delivered_as_ordered_and_not_beyond(
    guarded: Seen, odoo: OdooClient, hired: Callable[..., Worker], desk: int
) -> None:
    named = [("module", "=", "uom"), ("name", "=", "product_uom_dozen")]
    dozen = odoo.search_read("ir.model.data", named, ["res_id"])[0]["res_id"]
    values = {"name": "Tower test 19", "amount": 19, "type_tax_use": "sale", "price_include_override": "tax_excluded"}
    known = odoo.search("account.tax", [("name", "=", values["name"])])
    tax = known[0] if known else odoo.create("account.tax", values)
    more = {"product_uom_id": dozen, "price_unit": 123.45, "tax_ids": [(6, 0, [tax])]}
    desks = Delivery(odoo, hired, desk, limit=300, ordered=2, **more)
    assert "to 367.26 USD" in desks.ship(30)
    guarded.look()
    request = pending(desks.order, "credit_override")
    assert (str(request.context["exposure"]), "odoo_counted" in request.context) == ("367.26", False)
    assert desks.ship(24) == ""
    assert desks.shipped == 2


def test_customers_without_a_limit_get_what_leaves(
    guarded: Seen, odoo: OdooClient, hired: Callable[..., Worker], desk: int
) -> None:
    desks = Delivery(odoo, hired, desk, limit=0)
    assert desks.ship(80) == ""
    assert asked(odoo, desks.order) == []


def stocked(odoo: OdooClient, hired: Callable[..., Worker], **more: Any) -> int:
    """A chair at 50, billed as delivered, of which there is enough."""
    values = {"name": "Tower test chair", "type": "consu", "is_storable": True, "list_price": 50.0, "taxes_id": [(5,)]}
    chair = odoo.create("product.product", values | {"invoice_policy": "delivery"} | more)
    in_stock(hired("stock.group_stock_manager"), odoo, chair, 200)
    return chair


def test_goods_that_the_order_has_none_of_are_owed_as_they_leave(
    guarded: Seen, odoo: OdooClient, hired: Callable[..., Worker], mia: User, desk: int
) -> None:
    desks, chair = Delivery(odoo, hired, desk, limit=1_000, picks=ADDS), stocked(odoo, hired)
    added = desks.add(chair, 40)
    assert "to 2800.00 USD" in desks.ship(8)
    guarded.look()
    request = pending(desks.order, "credit_override")
    assert (request.amount, request.context["exposure"], "odoo_counted" in request.context) == (2_800, "2800.00", False)
    # Within the limit they leave, and count with what is ordered next.
    desks.picker.do("stock.move", "write", [added], {"quantity": 3})
    assert desks.ship(8) == ""
    lines = odoo.search_read("sale.order.line", [("order_id", "=", desks.order)], ["product_uom_qty", "qty_delivered"], order="id")
    assert [(line["product_uom_qty"], line["qty_delivered"]) for line in lines] == [(8, 8), (0, 3)]
    following = quoted(desks.seller, desks.customer, desk, 1)
    assert "to 1050.00 USD" in refusal(desks.seller, "sale.order", "action_confirm", following)
    guarded.look()
    request = pending(following, "credit_override")
    assert (request.context["exposure"], "odoo_counted" in request.context) == ("1050.00", False)


def test_goods_that_the_order_has_none_of_are_owed_with_the_taxes_of_the_others_until_they_are_billed(
    guarded: Seen, odoo: OdooClient, hired: Callable[..., Worker], desk: int
) -> None:
    for how, owed in (("tax_excluded", "1301.86"), ("tax_included", "1094.00")):
        taxes = {"tax_ids": [(6, 0, [tax(odoo, 19, how, "sale")])]}
        desks, chair = Delivery(odoo, hired, desk, limit=1_093.99, picks=ADDS, **taxes), stocked(odoo, hired, list_price=73.5)
        desks.add(chair, 4)
        assert f"to {owed} USD" in desks.ship(8), how
        guarded.look()
        request = pending(desks.order, "credit_override")
        assert (request.context["exposure"], "odoo_counted" in request.context) == (owed, False)
    odoo.write("res.partner", [desks.customer], {"credit_limit": 1_094})
    assert desks.ship(8) == ""
    for _ in ("to invoice", "billed"):
        following = quoted(desks.seller, desks.customer, desk, 1)
        assert "to 1194.00 USD" in refusal(desks.seller, "sale.order", "action_confirm", following)
        guarded.look()
        request = pending(following, "credit_override")
        assert (request.context["exposure"], bool(request.context.get("odoo_counted"))) == ("1194.00", False)
        if not odoo.read("sale.order", [desks.order], ["invoice_ids"])[0]["invoice_ids"]:
            bill(hired(*ACCOUNTANT), desks.order)


def test_an_order_confirmed_again_counts_what_was_delivered_beyond_it(
    guarded: Seen, odoo: OdooClient, hired: Callable[..., Worker], mia: User, desk: int
) -> None:
    desks = Delivery(odoo, hired, desk, limit=1_500)
    assert desks.ship(14) == ""
    odoo.call("sale.order", "action_cancel", [desks.order])
    odoo.write("res.partner", [desks.customer], {"credit_limit": 1_000})
    desks.seller.do("sale.order", "action_draft", [desks.order])
    assert "to 1400.00 USD" in refusal(desks.seller, "sale.order", "action_confirm", desks.order)
    guarded.look()
    request = pending(desks.order, "credit_override")
    assert (request.amount, request.context["exposure"], "odoo_counted" in request.context) == (1_400, "1400.00", False)
    decide(guarded, desks.order, "credit_override", mia, yes=True)
    assert state(odoo, desks.order) == "sale"


def test_the_picker_who_asked_is_told_what_was_decided(
    guarded: Seen, odoo: OdooClient, hired: Callable[..., Worker], mia: User, desk: int
) -> None:
    for yes in (True, False):
        desks = Delivery(odoo, hired, desk, limit=1_000)
        assert "to 8000.00 USD" in desks.ship(80)
        decide(guarded, desks.order, "credit_override", mia, yes=yes)
        told = [("res_model", "=", "sale.order"), ("res_id", "=", desks.order)]
        (activity,) = odoo.search_read("mail.activity", told, ["user_id", "summary"])
        assert activity["user_id"] == desks.picker.uid, activity
        assert desks.picker.do("mail.activity", "search_count", [("id", "=", activity["id"])]) == 1

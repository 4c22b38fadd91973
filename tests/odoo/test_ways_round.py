"""Ways round a limit in a real Odoo that its guards close, and decisions that other records once stood in the way of."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from apps.accounts.models import User
from apps.core import clock
from apps.odoo.client import OdooClient
from tests.odoo.seen import Seen, Worker, carried_out, refusal
from tests.odoo.test_after_done import in_stock, shelf
from tests.odoo.test_guards import (
    BUYER,
    SELLER,
    changed,
    company,
    customer,
    decide,
    desk,
    line_changed,
    other_currency,
    pending,
    quoted,
    state,
)
from tests.odoo.test_returns import drafted, receive, return_of, sold

__all__ = ["desk"]
pytestmark = [pytest.mark.odoo, pytest.mark.django_db(transaction=True)]
COUNTING = {"inventory_mode": True}
ACCOUNTANT = ("account.group_account_invoice", "sales_team.group_sale_salesman_all_leads", "purchase.group_purchase_user")


def bought(buyer: Worker, vendor: int, *lines: dict[str, Any]) -> int:
    made = [(0, 0, {"tax_ids": [(5, 0, 0)], **line}) for line in lines]
    return int(buyer.do("purchase.order", "create", {"partner_id": vendor, "order_line": made}))


def test_goods_beside_a_rebate_of_the_same_sum_are_not_added_to_a_confirmed_purchase(
    guarded: Seen, odoo: OdooClient, hired: Callable[..., Worker], desk: int
) -> None:
    buyer = hired(*BUYER)
    vendor = odoo.create("res.partner", {"name": "Tower test vendor"})
    order = bought(buyer, vendor, {"product_id": desk, "product_qty": 4, "price_unit": 100})
    assert refusal(buyer, "purchase.order", "button_confirm", order) == ""
    line = {"product_id": desk, "product_qty": 1, "price_unit": 12_000, "tax_ids": [(5, 0, 0)]}
    both = {"order_line": [(0, 0, line), (0, 0, line | {"price_unit": -12_000})]}
    assert "needs an approval" in changed(buyer, "purchase.order", order, both)
    assert odoo.search_count("purchase.order.line", [("order_id", "=", order)]) == 1


def test_each_lot_at_one_place_is_a_count_of_its_own(
    guarded: Seen, odoo: OdooClient, hired: Callable[..., Worker], mia: User
) -> None:
    picker = hired("stock.group_stock_manager")
    values = {"name": "Tower test paint", "type": "consu", "is_storable": True, "tracking": "lot", "standard_price": 40.0}
    paint = odoo.create("product.product", values)
    lots = [odoo.create("stock.lot", {"name": f"Tower test lot {number}", "product_id": paint}) for number in (1, 2)]
    count = {"product_id": paint, "location_id": shelf(odoo)}
    small, large = (
        picker.do("stock.quant", "create", {**count, "lot_id": lot, "inventory_quantity": quantity}, context=COUNTING)
        for lot, quantity in zip(lots, (2, 20), strict=True)
    )
    # What is released of the one is not released of the other.
    odoo.write("stock.quant", [small], {"x_ct_released_value": 800.0})
    assert "needs an approval" in refusal(picker, "stock.quant", "action_apply_inventory", large)
    guarded.look()
    assert pending(large, "inventory_adjustment").amount == 800
    decide(guarded, large, "inventory_adjustment", mia, yes=True)
    assert [row["quantity"] for row in odoo.read("stock.quant", [small, large], ["quantity"])] == [0, 20]


def test_a_caller_does_not_say_of_a_count_that_it_was_done_before(
    guarded: Seen, odoo: OdooClient, hired: Callable[..., Worker], desk: int
) -> None:
    picker = hired("stock.group_stock_manager")
    values = {"product_id": desk, "location_id": shelf(odoo), "inventory_quantity": 20}
    quant = picker.do("stock.quant", "create", values, context=COUNTING)
    for context in ({"x_ct_change": True}, {"x_ct_change": True, "old_values": {}}):
        assert "approval" in refusal(picker, "stock.quant", "action_apply_inventory", quant, context=context)


def test_a_rejected_order_is_held_whatever_context_it_is_confirmed_with(
    guarded: Seen, odoo: OdooClient, hired: Callable[..., Worker], desk: int
) -> None:
    seller = hired(*SELLER)
    order = quoted(seller, customer(odoo, 0), desk, 1)
    odoo.write("sale.order", [order], {"x_ct_hold": "credit_override", "x_ct_hold_reason": "No.", "x_ct_rejected": True})
    assert "No." in refusal(seller, "sale.order", "action_confirm", order, context={"x_ct_change": True})


def test_a_customer_who_returns_to_the_vendor_needs_an_authorisation(
    guarded: Seen, odoo: OdooClient, hired: Callable[..., Worker]
) -> None:
    picker = hired("stock.group_stock_user")
    routes = odoo.search("stock.route", [("name", "ilike", "dropship")])
    vendor = odoo.create("res.partner", {"name": "Tower test vendor"})
    product = odoo.create(
        "product.product",
        {
            "name": "Tower test sofa",
            "type": "consu",
            "is_storable": True,
            "route_ids": [(6, 0, routes)],
            "standard_price": 50.0,
            "seller_ids": [(0, 0, {"partner_id": vendor, "price": 50.0})],
            "taxes_id": [(5,)],
        },
    )
    order = quoted(hired(*SELLER), customer(odoo, 0), product, 10)
    odoo.call("sale.order", "action_confirm", [order])
    (line,) = odoo.search_read("purchase.order.line", [("product_id", "=", product)], ["order_id"])
    odoo.call("purchase.order", "button_confirm", [line["order_id"]])
    (delivery,) = odoo.search("stock.picking", [("sale_id", "=", order)])
    receive(picker, delivery)
    back = return_of(picker, delivery, 10)
    row = odoo.read("stock.picking", [back], ["picking_type_code", "location_id", "location_dest_id", "return_id"])[0]
    assert "is worth 1000.00" in refusal(picker, "stock.picking", "button_validate", back, context={"skip_backorder": True}), row
    assert guarded.stage("returns", back) == "awaiting_authorisation"


def test_what_came_back_is_credited_at_the_price_that_was_billed(
    guarded: Seen, odoo: OdooClient, hired: Callable[..., Worker]
) -> None:
    picker, accountant = hired("stock.group_stock_user"), hired(*ACCOUNTANT)
    desks = sold(odoo, picker, accountant, 4)
    receive(picker, return_of(picker, desks.delivery, 1))
    credit = drafted(accountant, desks.order)
    (line,) = odoo.search("account.move.line", [("move_id", "=", credit), ("display_type", "=", "product")])
    accountant.do("account.move", "write", [credit], {"invoice_line_ids": [(1, line, {"price_unit": 900})]})
    assert "credited 800.00" in refusal(accountant, "account.move", "action_post", credit)
    guarded.look()
    assert pending(credit, "return_authorisation").amount == 800
    accountant.do("account.move", "write", [credit], {"invoice_line_ids": [(1, line, {"price_unit": 100})]})
    guarded.look()
    odoo.write("account.move", [credit], {"x_ct_hold": False})
    assert refusal(accountant, "account.move", "action_post", credit) == ""


def test_a_line_that_calls_itself_a_down_payment_hides_no_discount(
    guarded: Seen, odoo: OdooClient, hired: Callable[..., Worker], desk: int
) -> None:
    seller = hired(*SELLER)
    order = quoted(seller, customer(odoo, 0), desk, 10, discount=60, is_downpayment=True)
    assert "60.0 % off" in refusal(seller, "sale.order", "action_confirm", order)
    guarded.look()
    assert pending(order, "pricing_exception").amount == 400


def test_an_order_quoted_at_an_older_rate_is_confirmed_by_one_yes(
    guarded: Seen, odoo: OdooClient, hired: Callable[..., Worker], mia: User, desk: int
) -> None:
    seller = hired(*SELLER)
    currency = other_currency(odoo)
    today = clock.now().date()
    rates = [
        odoo.create("res.currency.rate", {"currency_id": currency, "name": str(day), "rate": rate, "company_id": False})
        for day, rate in ((today - timedelta(days=40), 2.0), (today - timedelta(days=2), 1.6))
    ]
    try:
        pricelist = odoo.create("product.pricelist", {"name": "Tower test", "currency_id": currency})
        line = {"product_id": desk, "product_uom_qty": 10, "price_unit": 200.0, "discount": 60, "tax_ids": [(5, 0, 0)]}
        order = seller.do(
            "sale.order",
            "create",
            {
                "partner_id": customer(odoo, 0),
                "pricelist_id": pricelist,
                "order_line": [(0, 0, line)],
                "date_order": f"{today - timedelta(days=20)} 10:00:00",
            },
        )
        assert "60.0 % off" in refusal(seller, "sale.order", "action_confirm", order)
        decide(guarded, order, "pricing_exception", mia, yes=True)
        assert state(odoo, order) == "sale"
    finally:
        odoo.call("res.currency.rate", "unlink", rates)


def test_a_price_that_was_refused_stays_refused_though_credit_is_given(
    guarded: Seen, odoo: OdooClient, hired: Callable[..., Worker], mia: User, desk: int
) -> None:
    seller = hired(*SELLER)
    order = quoted(seller, customer(odoo, 100), desk, 10, discount=60)
    said = refusal(seller, "sale.order", "action_confirm", order)
    assert "60.0 % off" in said
    assert "above its credit limit" in said
    # The price is decided about once credit is given.
    decide(guarded, order, "credit_override", mia, yes=True)
    decide(guarded, order, "pricing_exception", mia, yes=False)
    held = odoo.read("sale.order", [order], ["state", "x_ct_hold", "x_ct_hold_reason", "x_ct_rejected"])[0]
    assert (held["state"], held["x_ct_hold"], held["x_ct_rejected"]) == ("draft", "pricing_exception", True)
    assert "Because" in refusal(seller, "sale.order", "action_confirm", order)


def test_a_bill_in_another_currency_than_ordered_is_compared_all_the_same(
    guarded: Seen, odoo: OdooClient, hired: Callable[..., Worker], desk: int
) -> None:
    accountant = hired(*ACCOUNTANT)
    vendor = odoo.create("res.partner", {"name": "Tower test vendor"})
    order = bought(accountant, vendor, {"product_id": desk, "product_qty": 10, "price_unit": 100})
    accountant.do("purchase.order", "button_confirm", [order])
    (line,) = odoo.search("purchase.order.line", [("order_id", "=", order)])
    billed = {"product_id": desk, "quantity": 10, "price_unit": 900, "purchase_line_id": line, "tax_ids": [(5, 0, 0)]}
    values = {
        "move_type": "in_invoice",
        "partner_id": vendor,
        "invoice_date": str(clock.now().date()),
        "currency_id": other_currency(odoo),
        "invoice_line_ids": [(0, 0, billed)],
    }
    made = accountant.do("account.move", "create", values)
    assert "needs a decision" in refusal(accountant, "account.move", "action_post", made)
    guarded.look()
    assert pending(made, "invoice_mismatch")
    accountant.do("account.move", "button_cancel", [made])


def test_a_line_that_corrects_another_bill_pays_for_no_breach(
    guarded: Seen, odoo: OdooClient, hired: Callable[..., Worker], desk: int
) -> None:
    accountant = hired(*ACCOUNTANT)
    vendor = odoo.create("res.partner", {"name": "Tower test vendor"})
    one = {"product_id": desk, "product_qty": 10, "price_unit": 10}
    order = bought(accountant, vendor, one, one)
    accountant.do("purchase.order", "button_confirm", [order])
    lines = odoo.search("purchase.order.line", [("order_id", "=", order)], order="id")

    def billed(*made: tuple[int, float, float]) -> int:
        values = {
            "move_type": "in_invoice",
            "partner_id": vendor,
            "invoice_date": str(clock.now().date()),
            "invoice_line_ids": [
                (
                    0,
                    0,
                    {
                        "product_id": desk,
                        "quantity": quantity,
                        "price_unit": price,
                        "purchase_line_id": line,
                        "tax_ids": [(5, 0, 0)],
                    },
                )
                for line, quantity, price in made
            ],
        }
        return int(accountant.do("account.move", "create", values))

    first = billed((lines[0], 40, 10))
    odoo.write("account.move", [first], {"x_ct_released_difference": 9_999.0})
    assert refusal(accountant, "account.move", "action_post", first) == ""
    second = billed((lines[1], 1, 210), (lines[0], -15, 10))
    assert "needs a decision" in refusal(accountant, "account.move", "action_post", second)
    accountant.do("account.move", "button_cancel", [second])


def test_a_move_that_calls_itself_a_count_is_none(guarded: Seen, odoo: OdooClient, hired: Callable[..., Worker], desk: int) -> None:
    manager = hired("stock.group_stock_manager")
    in_stock(manager, odoo, desk, 50)
    odoo.write("product.product", [desk], {"standard_price": 40.0})
    stock = odoo.search_read("stock.warehouse", [], ["lot_stock_id", "int_type_id"], limit=1, order="id")[0]
    loss = odoo.search("stock.location", [("usage", "=", "inventory"), ("company_id", "=", company(odoo))], limit=1)[0]
    places = {"location_id": stock["lot_stock_id"], "location_dest_id": loss}
    move = {"product_id": desk, "product_uom_qty": 10, **places}
    values = {"picking_type_id": stock["int_type_id"], "move_ids": [(0, 0, move)], **places}
    transfer = manager.do("stock.picking", "create", [values])[0]
    manager.do("stock.picking", "action_confirm", [transfer])
    moves = odoo.search("stock.move", [("picking_id", "=", transfer)])
    manager.do("stock.move", "write", moves, {"is_inventory": True, "quantity": 10, "picked": True})
    assert "changes the stock by 400.00 USD" in refusal(manager, "stock.picking", "button_validate", transfer)


def test_a_cost_that_the_seller_writes_raises_no_margin(
    guarded: Seen, odoo: OdooClient, hired: Callable[..., Worker], desk: int
) -> None:
    seller = hired(*SELLER)
    dozen = odoo.search("uom.uom", [("name", "=", "Dozens")])[0]
    for line, cost, short in (
        ({"price_unit": 30.0}, 1.0, 130),
        ({"price_unit": 360.0, "product_uom_id": dozen}, 12.0, 1_560),
        ({"price_unit": 100.0}, 1.0, 0),
        ({"price_unit": 100.0}, 95.0, 50),
    ):
        order = quoted(seller, customer(odoo, 0), desk, 10, **line)
        assert line_changed(seller, odoo, order, {"purchase_price": cost}) == ""
        said = refusal(seller, "sale.order", "action_confirm", order)
        assert bool(said) == bool(short), line
        if short:
            guarded.look()
            request = pending(order, "pricing_exception")
            assert float(request.context["conceded"]) == short
            assert "odoo_counted" not in request.context


def test_what_comes_from_a_customer_is_a_return_whatever_the_transfer_says(
    guarded: Seen, odoo: OdooClient, hired: Callable[..., Worker], desk: int
) -> None:
    manager = hired("stock.group_stock_manager")
    stock = odoo.search_read("stock.warehouse", [], ["lot_stock_id", "in_type_id"], limit=1, order="id")[0]
    vendors, customers = (odoo.search("stock.location", [("usage", "=", usage)], limit=1)[0] for usage in ("supplier", "customer"))
    for quantity, comes_from in ((30, vendors), (4, customers), (30, customers)):
        places = {"location_id": vendors, "location_dest_id": stock["lot_stock_id"]}
        move = {"product_id": desk, "product_uom_qty": quantity, **places, "location_id": comes_from}
        values = {"picking_type_id": stock["in_type_id"], "move_ids": [(0, 0, move)], **places}
        receipt = manager.do("stock.picking", "create", [values])[0]
        manager.do("stock.picking", "action_confirm", [receipt])
        moves = odoo.search("stock.move", [("picking_id", "=", receipt)])
        manager.do("stock.move", "write", moves, {"quantity": quantity, "picked": True})
        said = refusal(manager, "stock.picking", "button_validate", receipt)
        assert ("on a transfer that says so" in said) == (quantity * 100 >= 500 and comes_from == customers), said


@pytest.mark.parametrize("written", [{"amount_untaxed": 1.0, "amount_total": 1.0}, {"amount_total": 1.0, "currency_rate": 100.0}])
def test_a_total_that_is_written_on_an_order_is_computed_anew(
    guarded: Seen, odoo: OdooClient, hired: Callable[..., Worker], mia: User, desk: int, written: dict[str, float]
) -> None:
    seller = hired(*SELLER)
    order = quoted(seller, customer(odoo, 1_000), desk, 80)
    seller.do("sale.order", "write", [order], written)
    assert "An approval has been asked for" in refusal(seller, "sale.order", "action_confirm", order)
    assert state(odoo, order) == "draft"
    guarded.look()
    request = pending(order, "credit_override")
    assert (request.amount, request.context["exposure"]) == (8_000, "8000.00")
    assert "8000.00" in str(request.context["odoo_counted"])
    if "currency_rate" in written:
        return  # At that rate the tower takes the order to be sold below cost, and asks about its price as well.
    # The note that it is held changes nothing, and the yes is for what was counted.
    carried_out(guarded)
    assert pending(order, "credit_override").amount == 8_000
    decide(guarded, order, "credit_override", mia, yes=True)
    row = odoo.read("sale.order", [order], ["state", "amount_total", "x_ct_released_amount"])[0]
    assert (row["state"], row["amount_total"], row["x_ct_released_amount"]) == ("sale", 8_000, 8_000)
    assert "to 8100.00 USD" in line_changed(seller, odoo, order, {"product_uom_qty": 81})


def test_a_margin_that_is_written_on_an_order_is_computed_anew(
    guarded: Seen, odoo: OdooClient, hired: Callable[..., Worker], mia: User, desk: int
) -> None:
    seller = hired(*SELLER)
    order = quoted(seller, customer(odoo, 0), desk, 10, price_unit=30)
    (line,) = odoo.search("sale.order.line", [("order_id", "=", order)])
    seller.do("sale.order.line", "write", [line], {"margin": 300})
    seller.do("sale.order", "write", [order], {"margin": 300, "amount_total": 1, "amount_untaxed": 1})
    assert "The margin of" in refusal(seller, "sale.order", "action_confirm", order)
    guarded.look()
    request = pending(order, "pricing_exception")
    assert (request.amount, float(request.context["asked_concession"])) == (300, 130)
    assert request.context["odoo_counted"]
    decide(guarded, order, "pricing_exception", mia, yes=True)
    assert (state(odoo, order), odoo.read("sale.order", [order], ["margin"])[0]["margin"]) == ("sale", -100)


@pytest.mark.parametrize("written", ["currency_rate", "amount_total", "price_total"])
def test_figures_that_are_written_on_a_purchase_are_computed_anew(
    guarded: Seen, odoo: OdooClient, hired: Callable[..., Worker], mia: User, desk: int, written: str
) -> None:
    buyer, vendor = hired(*BUYER), odoo.create("res.partner", {"name": "Tower test vendor"})
    order = bought(buyer, vendor, {"product_id": desk, "product_qty": 400, "price_unit": 100})
    lines = odoo.search("purchase.order.line", [("order_id", "=", order)])
    if written == "price_total":
        buyer.do("purchase.order.line", "write", lines, {"price_total": 1.0, "price_subtotal": 1.0})
        buyer.do("purchase.order", "write", [order], {"amount_total": 1.0})
    else:
        buyer.do("purchase.order", "write", [order], {written: 1_000.0 if written == "currency_rate" else 1.0})
    assert "is worth 40000.00 USD" in refusal(buyer, "purchase.order", "button_confirm", order)
    guarded.look()
    request = pending(order, "procurement_threshold")
    # Of its lines the tower counts the same, unless they are written as well.
    named = request.context.get("odoo_counted", "")
    assert (request.amount, "40000.00" in str(named)) == (40_000, written != "amount_total")
    decide(guarded, order, "procurement_threshold", mia, yes=True)
    row = odoo.read("purchase.order", [order], ["state", "amount_total", "x_ct_released_amount"])[0]
    assert (row["state"], row["amount_total"], row["x_ct_released_amount"]) == ("purchase", 40_000, 40_000)

"""Exception types that no other proof here opens: each opened and closed by what people and time do to a real Odoo."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from apps.accounts.models import Role
from apps.core import clock
from apps.events.models import OutsideEvent
from apps.exceptions import moves, remedies
from apps.exceptions.models import ExceptionCase
from apps.exceptions.models import Status as Standing
from apps.outbox import dispatch
from apps.outbox.models import Command, Status
from apps.pipeline import absorb, upkeep
from apps.workflows import weight
from tests.odoo.shop import Shop
from tests.world import person

pytestmark = [pytest.mark.odoo, pytest.mark.django_db(transaction=True)]


def stands(shop: Shop, model: str, record: int, *, days: float) -> set[str]:
    """What is open about the record so many days from now, as the tower then finds it."""

    def at() -> datetime:
        return clock.now() + timedelta(days=days)

    upkeep.poll(shop.connection, clock=at)
    absorb.look_again(now=at())
    found = ExceptionCase.objects.filter(model=model, odoo_id=record).exclude(status=Standing.RESOLVED)
    return set(found.values_list("type", flat=True))


def in_stock(shop: Shop, product: int, quantity: float) -> int:
    """So many are counted on the shelf; the shelf."""
    shelf: int = shop.odoo.search_read("stock.warehouse", [], ["lot_stock_id"], limit=1, order="id")[0]["lot_stock_id"]
    values = {"product_id": product, "location_id": shelf, "inventory_quantity": quantity}
    quant = shop.odoo.call("stock.quant", "create", values, context={"inventory_mode": True})
    shop.odoo.call("stock.quant", "action_apply_inventory", [quant] if isinstance(quant, int) else quant)
    return shelf


def billed(shop: Shop, quantity: float) -> int:
    """A draft invoice for an order that was confirmed; the product is billed as ordered."""
    product = shop.storable(invoice_policy="order", taxes_id=[(5,)])
    order = shop.sell(quantity, product=product)
    context = {"active_model": "sale.order", "active_ids": [order], "active_id": order}
    wizard = shop.odoo.create("sale.advance.payment.inv", {"advance_payment_method": "delivered"})
    shop.odoo.call("sale.advance.payment.inv", "create_invoices", [wizard], context=context)
    return int(shop.odoo.read("sale.order", [order], ["invoice_ids"])[0]["invoice_ids"][0])


def test_an_invoice_at_another_price_is_named_until_it_is_corrected(shop: Shop) -> None:
    invoice = billed(shop, 5)
    (line,) = shop.odoo.search("account.move.line", [("move_id", "=", invoice), ("display_type", "=", "product")])
    shop.odoo.write("account.move.line", [line], {"price_unit": 130})
    case = shop.cases("account.move", invoice)["invoice.differs"]
    assert (case.evidence["price_difference"], case.amount) == ("150.00", 150)
    shop.odoo.write("account.move.line", [line], {"price_unit": 100})
    assert "invoice.differs" not in shop.cases("account.move", invoice)


def test_what_is_overdue_is_an_exposure_until_it_is_paid(shop: Shop) -> None:
    invoice = billed(shop, 20)
    long_ago = (clock.now() - timedelta(days=40)).strftime("%Y-%m-%d")
    values = {"invoice_date": long_ago, "invoice_payment_term_id": False, "invoice_date_due": long_ago}
    shop.odoo.write("account.move", [invoice], values)
    shop.odoo.call("account.move", "action_post", [invoice])
    case = shop.cases("account.move", invoice)["invoice.overdue_exposure"]
    assert (case.evidence["overdue_total"], case.evidence["overdue_count"]) == ("2000.00", 1)
    context = {"active_model": "account.move", "active_ids": [invoice]}
    wizard = shop.odoo.call("account.payment.register", "create", {}, context=context)
    shop.odoo.call("account.payment.register", "action_create_payments", [wizard] if isinstance(wizard, int) else wizard,
                   context=context)  # fmt: skip
    assert "invoice.overdue_exposure" not in shop.cases("account.move", invoice)


def test_a_vendor_who_does_not_answer_is_named_after_two_days_until_he_does(shop: Shop) -> None:
    order, _ = shop.buy(10, expected_in=9)
    assert "purchase.unacknowledged" not in shop.cases("purchase.order", order)
    assert "purchase.unacknowledged" in stands(shop, "purchase.order", order, days=2.1)
    shop.odoo.write("purchase.order", [order], {"acknowledged": True})
    assert "purchase.unacknowledged" not in stands(shop, "purchase.order", order, days=2.1)


def test_an_approval_that_nobody_gives_is_named_after_a_day_until_it_is_given(shop: Shop) -> None:
    line = {"product_id": shop.product, "product_qty": 4, "price_unit": 60}
    order = shop.make("purchase.order", {"partner_id": shop.vendor, "order_line": [(0, 0, line)]})
    shop.odoo.write("purchase.order", [order], {"state": "to approve"})
    assert "purchase.approval_stalled" not in shop.cases("purchase.order", order)
    assert "purchase.approval_stalled" in stands(shop, "purchase.order", order, days=1.1)
    shop.odoo.call("purchase.order", "button_approve", [order])
    assert "purchase.approval_stalled" not in stands(shop, "purchase.order", order, days=1.1)


def test_what_a_carrier_says_of_a_shipment_holds_until_it_says_otherwise(shop: Shop) -> None:
    order = shop.sell(2, promised_in=3)
    (transfer,) = shop.odoo.search("stock.picking", [("sale_id", "=", order)])
    shop.look()

    def says(kind: str, **more: Any) -> None:
        number = OutsideEvent.objects.count()
        OutsideEvent.objects.create(
            connection=shop.connection, source="carrier", message=f"m{number}", position=0, kind=kind, reference="T1",
            model="stock.picking", odoo_id=transfer, status="matched", occurred_at=clock.now() + timedelta(seconds=number),
            received_at=clock.now(), **more,
        )  # fmt: skip
        shop.odoo.write("stock.picking", [transfer], {"note": f"said {number}", "priority": str(number % 2)})

    says("shipment_delayed", expected_at=clock.now() + timedelta(days=9))
    assert shop.cases("stock.picking", transfer)["fulfilment.carrier_delay"].evidence["carrier_late_days"] == 6
    says("shipment_delivered")
    assert "fulfilment.carrier_delay" not in shop.cases("stock.picking", transfer)


def test_an_order_far_beyond_the_usual_is_named_until_it_is_put_right(shop: Shop) -> None:
    for quantity in (9, 10, 11, 10, 12, 9, 10, 8):
        shop.sell(quantity)
    line = {"product_id": shop.product, "product_uom_qty": 300, "price_unit": 100, "tax_ids": [(5, 0, 0)]}
    order = shop.make("sale.order", {"partner_id": shop.customer, "order_line": [(0, 0, line)]})
    case = shop.cases("sale.order", order)["order.unusual"]
    assert (case.evidence["compared_count"], case.evidence["usual_amount"], case.evidence["value_times_quantity"]) == (
        8, "1000.00", "30.0",
    )  # fmt: skip
    (line_id,) = shop.odoo.search("sale.order.line", [("order_id", "=", order)])
    shop.odoo.write("sale.order.line", [line_id], {"product_uom_qty": 10})
    assert "order.unusual" not in shop.cases("sale.order", order)


def test_a_key_customer_weighs_a_step_more(shop: Shop) -> None:
    # Demo data has the tag.
    known = shop.odoo.search("res.partner.category", [("name", "=", "VIP")])
    tag = known[0] if known else shop.make("res.partner.category", {"name": "VIP"})
    order = shop.sell(10, promised_in=9)
    before = shop.cases("sale.order", order)["order.stock_shortage"].severity
    shop.odoo.write("res.partner", [shop.customer], {"category_id": [(4, tag)]})
    shop.odoo.write("sale.order", [order], {"client_order_ref": "looked at again"})
    case = shop.cases("sale.order", order)["order.stock_shortage"]
    assert (case.severity, case.evidence[weight.REASONS]) == (before + 1, "VIP")


def test_another_product_that_is_free_is_delivered_instead_on_a_decision(shop: Shop) -> None:
    (category,) = shop.odoo.search("product.category", [], limit=1, order="id")
    short = shop.storable(name="Tower test oak desk", categ_id=category, list_price=100, tracking="none")
    other = shop.storable(name="Tower test beech desk", categ_id=category, list_price=105, tracking="none")
    in_stock(shop, short, 1)
    in_stock(shop, other, 8)
    order = shop.sell(5, product=short)
    (transfer,) = shop.odoo.search("stock.picking", [("sale_id", "=", order)])
    case = shop.cases("stock.picking", transfer)["fulfilment.pick_shortage"]
    olga = person("olga", Role.OPERATOR, team="warehouse")
    offers = {offer.remedy.name: offer.options for offer in remedies.offered(case, now=clock.now())}
    (option,) = [one for one in offers["substitute"] if one.columns["substitute_id"] == other]
    moves.take(case.pk, remedy="substitute", option=option.key, by=olga, now=clock.now())
    while dispatch.run_due(clock=clock.now):
        pass
    told = Command.objects.filter(decision__startswith=f"exception:{case.pk}:substitute")
    assert {command.status for command in told} == {Status.DONE}, [command.problem for command in told]
    moved = shop.odoo.search_read(
        "stock.move", [("picking_id.sale_id", "=", order), ("state", "!=", "cancel")], ["product_id", "product_uom_qty", "state"]
    )
    wanted = {row["product_id"][0]: row["product_uom_qty"] for row in moved}
    assert wanted == {short: 1.0, other: 4.0}
    assert "fulfilment.pick_shortage" not in shop.cases("stock.picking", transfer)

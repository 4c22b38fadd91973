"""Shortages, promises and who waits for a vendor, opened and closed by what people do in a real Odoo."""

from decimal import Decimal

import pytest

from apps.core import clock
from apps.workflows import blockers, impact
from apps.workflows.models import Position
from tests.odoo.shop import Shop, in_days

pytestmark = [pytest.mark.odoo, pytest.mark.django_db(transaction=True)]

SHORTAGE, PROMISE, DUPLICATE, DELAY = (
    "order.stock_shortage",
    "order.promise_at_risk",
    "order.possible_duplicate",
    "purchase.supplier_delay",
)


def test_from_a_shortage_over_a_vendors_new_date_to_the_goods_on_the_shelf(shop: Shop) -> None:
    order = shop.sell(10, promised_in=6)
    case = shop.cases("sale.order", order)[SHORTAGE]
    assert {"short_quantity": "10", "uncovered_quantity": "10", "next_supply": None}.items() <= case.plain_evidence.items()
    assert case.amount == Decimal("1000.00")

    purchase, line = shop.buy(12, expected_in=3)
    assert SHORTAGE not in shop.cases("sale.order", order)
    assert DELAY not in shop.cases("purchase.order", purchase)

    shop.odoo.write("purchase.order.line", [line], {"date_planned": in_days(13)})
    found = shop.cases("sale.order", order)
    assert {SHORTAGE, PROMISE} <= set(found)
    name = shop.odoo.read("purchase.order", [purchase], ["name"])[0]["name"]
    assert found[PROMISE].plain_evidence["caused_by"] == f"{name}, Tower test vendor"
    assert found[PROMISE].plain_evidence["promise_late_days"] == 7
    delay = shop.cases("purchase.order", purchase)[DELAY]
    told = {"orders_at_risk_count": 1, "customers_at_risk_count": 1, "revenue_at_risk": "1000.00"}
    assert told.items() <= delay.plain_evidence.items()
    (waiting,) = impact.impact_of(shop.connection.pk, "purchase.order", purchase, now=clock.now()).orders
    assert (waiting.odoo_id, waiting.is_at_risk, waiting.is_linked, waiting.late_days) == (order, True, False, 7)

    # Sales agrees on a later day with the customer.
    shop.odoo.write("sale.order", [order], {"commitment_date": in_days(14)})
    assert not {SHORTAGE, PROMISE} & set(shop.cases("sale.order", order))
    assert DELAY not in shop.cases("purchase.order", purchase)

    shop.odoo.write("purchase.order.line", [line], {"date_planned": in_days(20)})
    assert PROMISE in shop.cases("sale.order", order)
    shop.receive(purchase)
    picking = shop.odoo.search("stock.picking", [("sale_id", "=", order)])
    shop.odoo.call("stock.picking", "action_assign", picking)
    assert not {SHORTAGE, PROMISE} & set(shop.cases("sale.order", order))
    assert DELAY not in shop.cases("purchase.order", purchase)


def test_what_odoo_makes_to_order_is_followed_over_its_own_link(shop: Shop) -> None:
    (mto,) = shop.odoo.search("stock.route", [("name", "ilike", "MTO"), ("active", "in", [True, False])])
    (buy,) = shop.odoo.search("stock.route", [("name", "=", "Buy")])
    shop.odoo.write("stock.route", [mto], {"active": True})
    try:
        product = shop.storable(route_ids=[(6, 0, [mto, buy])])
        order = shop.sell(4, promised_in=6, product=product)
        (line,) = shop.odoo.search("purchase.order.line", [("product_id", "=", product)])
        purchase = shop.odoo.read("purchase.order.line", [line], ["order_id"])[0]["order_id"]
        shop.odoo.call("purchase.order", "button_confirm", [purchase])
        shop.odoo.write("purchase.order.line", [line], {"date_planned": in_days(9)})
        shop.look()
        (waiting,) = impact.impact_of(shop.connection.pk, "purchase.order", purchase, now=clock.now()).orders
        assert (waiting.odoo_id, waiting.is_linked, waiting.late_days, waiting.revenue) == (order, True, 3, Decimal("400.00"))
        receipt = shop.odoo.search("stock.picking", [("purchase_id", "=", purchase)])[0]
        by_transfer = impact.impact_of(shop.connection.pk, "stock.picking", receipt, now=clock.now())
        assert [one.odoo_id for one in by_transfer.orders] == [order]
        assert PROMISE in shop.cases("sale.order", order)
        shop.receive(purchase)
        assert not {SHORTAGE, PROMISE} & set(shop.cases("sale.order", order))
    finally:
        shop.odoo.write("stock.route", [mto], {"active": False})


def test_an_order_entered_twice_is_named_until_one_of_the_two_is_cancelled(shop: Shop) -> None:
    first = shop.sell(3, client_order_ref="TOWER-77")
    assert DUPLICATE not in shop.cases("sale.order", first)
    second = shop.sell(3, client_order_ref="TOWER-77")
    case = shop.cases("sale.order", second)[DUPLICATE]
    assert (case.cause, case.plain_evidence["duplicate_why"]) == (str(first), "the same customer reference")
    shop.odoo.call("sale.order", "action_cancel", [first])
    assert DUPLICATE not in shop.cases("sale.order", second)


def test_an_address_that_nobody_can_deliver_to_holds_the_order_up_until_it_is_complete(shop: Shop) -> None:
    order = shop.sell(2)
    shop.look()
    position = Position.objects.get(model="sale.order", odoo_id=order)
    found = {blocker.kind: blocker for blocker in blockers.blockers_of(position, now=clock.now())}
    assert (found["missing_data"].model, found["missing_data"].odoo_id) == ("res.partner", shop.customer)
    assert found["stock_shortage"].text == "Tower test desk: 2 of 2 missing, none on order"
    (country,) = shop.odoo.search("res.country", [("code", "=", "DE")])
    shop.odoo.write("res.partner", [shop.customer], {"street": "Kai 4", "city": "Hamburg", "country_id": country})
    purchase, _ = shop.buy(2, expected_in=-1)
    shop.look()
    found = {blocker.kind: blocker for blocker in blockers.blockers_of(position, now=clock.now())}
    assert (found["supplier_delay"].model, found["supplier_delay"].odoo_id) == ("purchase.order", purchase)
    assert "missing_data" not in found
    shop.receive(purchase)
    shop.odoo.call("stock.picking", "action_assign", shop.odoo.search("stock.picking", [("sale_id", "=", order)]))
    shop.look()
    position.refresh_from_db()
    # The warehouse itself may be full of other people's orders.
    assert {blocker.kind for blocker in blockers.blockers_of(position, now=clock.now())} <= {"warehouse_capacity"}

"""What the tower calls free is what the real Odoo reserves for an order, and what is offered of it works there."""

from datetime import timedelta
from typing import Any

import pytest

from apps.accounts.access import EVERYTHING
from apps.boards.profiles import products
from apps.core import clock
from apps.events.models import OutsideEvent
from apps.exceptions.cases import actions
from apps.exceptions.models import ExceptionCase
from tests.odoo.shop import Shop, in_days
from tests.odoo.test_actions import DELAY, SHORT, apply, drafts_go, open_case

__all__ = ["drafts_go"]
pytestmark = [pytest.mark.odoo, pytest.mark.django_db(transaction=True)]


def counted(shop: Shop, product: int, quantity: float, place: int, **more: Any) -> None:
    values = {"product_id": product, "location_id": place, "inventory_quantity": quantity, **more}
    made = shop.odoo.call("stock.quant", "create", vals_list=[values], context={"inventory_mode": True})
    shop.odoo.call("stock.quant", "action_apply_inventory", made)


def beside(shop: Shop, name: str, *, within_stock: bool) -> int:
    """A place of the first warehouse, within its stock or beside it."""
    (first,) = shop.odoo.search_read("stock.warehouse", [], ["lot_stock_id", "view_location_id"], limit=1, order="id")
    parent = first["lot_stock_id" if within_stock else "view_location_id"]
    return shop.make("stock.location", {"name": f"Tower test {name}", "usage": "internal", "location_id": parent})


def free(shop: Shop, product: int) -> float:
    shop.look()
    page = products.product_of(shop.connection, product, access_scope=EVERYTHING, now=clock.now())
    assert page is not None
    return float(sum(one.free for one in page.stock))


def reserved(shop: Shop, product: int) -> float:
    order = shop.sell(20, product=product)
    moves = shop.odoo.search_read("stock.move", [("sale_line_id.order_id", "=", order)], ["quantity"])
    return float(sum(move["quantity"] for move in moves))


def offered(shop: Shop, case: ExceptionCase) -> set[str]:
    shop.look()
    return {one.action.name for one in actions.offered(case, now=clock.now()) if one.options}


def test_what_is_free_is_what_odoo_reserves(shop: Shop) -> None:
    here, _ = shop.shelves()
    quarantine, shelf = beside(shop, "quarantine", within_stock=False), beside(shop, "shelf", within_stock=True)
    found: dict[str, tuple[float, float]] = {}

    counted(shop, shop.product, 7, quarantine)
    counted(shop, shop.product, 2, here)
    found["beside the stock"] = free(shop, shop.product), reserved(shop, shop.product)

    desk = shop.storable()
    counted(shop, desk, 5, shelf)
    counted(shop, desk, -3, here)
    found["below zero on another shelf"] = free(shop, desk), reserved(shop, desk)

    desk = shop.storable()
    counted(shop, desk, 5, here, owner_id=shop.vendor)
    found["on consignment"] = free(shop, desk), reserved(shop, desk)

    paint = shop.storable(tracking="lot")
    for name, quantity in (("A", 5), ("B", -3)):
        lot = shop.make("stock.lot", {"name": f"Tower test {name}", "product_id": paint})
        counted(shop, paint, quantity, here, lot_id=lot)
    found["another lot below zero"] = free(shop, paint), reserved(shop, paint)

    assert found == {
        "beside the stock": (2, 2),
        "below zero on another shelf": (2, 2),
        "on consignment": (5, 5),
        "another lot below zero": (5, 5),
    }


def test_a_lot_is_taken_from_the_shelf_on_which_it_lies(shop: Shop) -> None:
    shelf = beside(shop, "shelf", within_stock=True)
    paint = shop.storable(tracking="lot")
    order = shop.sell(4, product=paint)
    (delivery,) = shop.odoo.search("stock.picking", [("sale_id", "=", order)])
    shop.odoo.write("stock.move", shop.odoo.search("stock.move", [("picking_id", "=", delivery)]), {"quantity": 4})
    lot = shop.make("stock.lot", {"name": "Tower test lot", "product_id": paint})
    counted(shop, paint, 9, shelf, lot_id=lot)
    apply(shop, shop.cases("stock.picking", delivery)["fulfilment.lot_problem"], "assign_lot")
    shop.odoo.call("stock.picking", "button_validate", [delivery])
    of_lot = [("lot_id", "=", lot), ("location_id.usage", "=", "internal"), ("quantity", "!=", 0)]
    (left,) = shop.odoo.search_read("stock.quant", of_lot, ["location_id", "quantity"])
    assert (left["location_id"], left["quantity"]) == (shelf, 5)


def test_what_is_chained_to_a_purchase_is_not_reserved_from_stock(shop: Shop) -> None:
    here, annex = shop.shelves()
    lamp = shop.storable(name="Tower test lamp")
    shop.lay_in(lamp, 5, here)
    routes = shop.odoo.search("stock.route", ["|", ("active", "=", True), ("active", "=", False), ("name", "ilike", "MTO")])
    shop.odoo.write("stock.route", routes, {"active": True})
    buy = shop.odoo.search("stock.route", [("name", "=", "Buy")])
    shop.odoo.write("product.product", [shop.product], {"route_ids": [(6, 0, [*routes, *buy])]})
    lines = [(0, 0, {"product_id": one, "product_uom_qty": 5, "price_unit": 100}) for one in (lamp, shop.product)]
    order = shop.make("sale.order", {"partner_id": shop.customer, "order_line": lines})
    shop.odoo.call("sale.order", "action_confirm", [order])
    shop.lay_in(shop.product, 9, here)
    shop.lay_in(shop.product, 9, annex)
    (delivery,) = shop.odoo.search("stock.picking", [("sale_id", "=", order)])
    shop.odoo.call("stock.picking", "action_assign", [delivery])
    (chained,) = shop.odoo.search_read("stock.move", [("picking_id", "=", delivery), ("product_id", "=", shop.product)], ["state"])
    assert chained["state"] == "waiting"
    case = shop.cases("stock.picking", delivery)[SHORT]
    assert not {"reserve_again", "move_stock"} & offered(shop, case)
    # Nine lie there, and none of them is for this order: what is to bring its own is not even confirmed.
    assert shop.cases("sale.order", order)["order.stock_shortage"].evidence["uncovered_quantity"] == "5"


def test_what_goes_from_the_vendor_to_the_customer_is_not_moved_there_from_a_warehouse(shop: Shop) -> None:
    here, _ = shop.shelves()
    shop.odoo.write(
        "product.product", [shop.product], {"route_ids": [(6, 0, shop.odoo.search("stock.route", [("name", "ilike", "dropship")]))]}
    )
    shop.sell(10, promised_in=2)
    (line,) = shop.odoo.search_read("purchase.order.line", [("product_id", "=", shop.product)], ["order_id"])
    shop.odoo.call("purchase.order", "button_confirm", [line["order_id"]])
    shop.lay_in(shop.product, 20, here)
    assert "move_stock" not in offered(shop, open_case(shop, DELAY, "purchase.order", line["order_id"]))


def test_a_vendors_new_date_moves_what_it_is_of_and_nothing_else(shop: Shop) -> None:
    lamp = shop.storable(name="Tower test lamp")
    lines = [
        (0, 0, {"product_id": product, "product_qty": 5, "price_unit": 60, "date_planned": in_days(days)})
        for product, days in ((shop.product, 3), (lamp, 30))
    ]
    purchase = shop.make("purchase.order", {"partner_id": shop.vendor, "order_line": lines})
    shop.odoo.call("purchase.order", "button_confirm", [purchase])
    shop.look()
    OutsideEvent.objects.create(
        connection=shop.connection,
        model="purchase.order",
        odoo_id=purchase,
        status="matched",
        kind="eta_changed",
        expected_at=clock.now() + timedelta(days=13),
        occurred_at=clock.now(),
        source="portal",
        position=0,
        received_at=clock.now(),
    )
    apply(shop, open_case(shop, DELAY, "purchase.order", purchase), "reschedule")
    moves = shop.odoo.search_read("stock.move", [("purchase_line_id.order_id", "=", purchase)], ["product_id", "date"])
    assert {move["product_id"]: move["date"][:10] for move in moves} == {shop.product: in_days(13)[:10], lamp: in_days(30)[:10]}

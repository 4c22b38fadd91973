"""Longer chains, kits of kits and units that change in a real Odoo: the tower's figures are Odoo's own."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest

from apps.core import clock
from apps.odoo.errors import RefusedError
from apps.workflows import impact
from tests.odoo.shop import Shop, in_days
from tests.odoo.test_units_routes_kits import PRICE, PROMISE, SHORTAGE, done, stage, told

pytestmark = [pytest.mark.odoo, pytest.mark.django_db(transaction=True)]

Warehouse = Callable[..., int]


@pytest.fixture
def warehouse(shop: Shop) -> Iterator[Warehouse]:
    made: list[int] = []

    def build(**steps: Any) -> int:
        code = f"{int(clock.now().timestamp() * 10) % 100_000:05d}"
        made.append(shop.make("stock.warehouse", {"name": f"Steps {code}", "code": code, **steps}))
        return made[-1]

    yield build
    for one in made:
        open_ones = [("picking_type_id.warehouse_id", "=", one), ("state", "not in", ["done", "cancel"])]
        for picking in shop.odoo.search("stock.picking", open_ones):
            shop.odoo.call("stock.picking", "action_cancel", [picking])
        with suppress(RefusedError):  # Of goods that lie there.
            shop.odoo.write("stock.warehouse", [one], {"active": False})


def shelf_of(shop: Shop, warehouse: int) -> int:
    return int(shop.odoo.read("stock.warehouse", [warehouse], ["lot_stock_id"])[0]["lot_stock_id"])


def ready(shop: Shop, order: int) -> list[dict[str, Any]]:
    of_order = [("sale_id", "=", order), ("state", "=", "assigned")]
    return list(shop.odoo.search_read("stock.picking", of_order, ["name"], order="id"))


def kit_of(shop: Shop, parts: dict[int, float], **more: Any) -> int:
    """A product that is sold in sets of its parts."""
    kit = shop.storable(name="Tower test kit", **more)
    template = shop.odoo.read("product.product", [kit], ["product_tmpl_id"])[0]["product_tmpl_id"]
    lines = [(0, 0, {"product_id": part, "product_qty": quantity}) for part, quantity in parts.items()]
    shop.make("mrp.bom", {"product_tmpl_id": template, "type": "phantom", "product_qty": 1, "bom_line_ids": lines})
    return kit


def test_a_pick_a_pack_and_a_delivery(shop: Shop, warehouse: Warehouse) -> None:
    place = warehouse(delivery_steps="pick_pack_ship")
    order = shop.sell(10, promised_in=-7, warehouse_id=place)
    assert told(shop, order, SHORTAGE)["short_quantity"] == "10"
    shop.lay_in(shop.product, 10, shelf_of(shop, place))
    waiting = shop.odoo.search("stock.picking", [("sale_id", "=", order)])
    shop.odoo.call("stock.picking", "action_assign", waiting)
    for _ in range(3):
        (step,) = ready(shop, order)
        assert stage(shop, order) == "ready_to_pick"
        late = told(shop, order, PROMISE)
        assert (late["steps_names"], late["promise_late_days"]) == (f"{step['name']} is ready and not done", 7)
        assert SHORTAGE not in shop.cases("sale.order", order)
        done(shop, step["id"], 10)
    assert ready(shop, order) == []
    assert PROMISE not in shop.cases("sale.order", order)


def test_a_receipt_in_three_steps_brings_what_is_short(shop: Shop, warehouse: Warehouse) -> None:
    place = warehouse(reception_steps="three_steps")
    order = shop.sell(10, promised_in=6, warehouse_id=place)
    assert told(shop, order, SHORTAGE)["uncovered_quantity"] == "10"
    receipts = [("code", "=", "incoming"), ("warehouse_id", "=", place)]
    (kind,) = shop.odoo.search("stock.picking.type", receipts)
    line = {"product_id": shop.product, "product_qty": 10, "price_unit": 60, "date_planned": in_days(3)}
    values = {"partner_id": shop.vendor, "picking_type_id": kind, "order_line": [(0, 0, line)]}
    purchase = shop.make("purchase.order", values)
    shop.odoo.call("purchase.order", "button_confirm", [purchase])
    assert SHORTAGE not in shop.cases("sale.order", order)
    (receipt,) = shop.odoo.search("stock.picking", [("purchase_id", "=", purchase)])
    done(shop, receipt, 10)
    for _ in range(2):
        assert SHORTAGE not in shop.cases("sale.order", order)
        in_house = [("picking_type_id.warehouse_id", "=", place), ("state", "=", "assigned"), ("sale_id", "=", False)]
        (inside,) = shop.odoo.search("stock.picking", in_house)
        done(shop, inside, 10)
    assert SHORTAGE not in shop.cases("sale.order", order)
    (out,) = shop.odoo.search("stock.picking", [("sale_id", "=", order)])
    shop.odoo.call("stock.picking", "action_assign", [out])
    assert stage(shop, order) == "ready_to_pick"


def test_goods_from_another_warehouse(shop: Shop, warehouse: Warehouse) -> None:
    source, place = warehouse(), warehouse()
    shop.odoo.write("stock.warehouse", [place], {"resupply_wh_ids": [(4, source)]})
    (resupply,) = shop.odoo.search("stock.route", [("supplied_wh_id", "=", place), ("supplier_wh_id", "=", source)])
    mto = shop.odoo.search("stock.route", [("name", "ilike", "MTO"), ("active", "in", [True, False])], limit=1)
    mto = mto or shop.odoo.search("stock.route", [("name", "ilike", "to order"), ("active", "in", [True, False])], limit=1)
    shop.odoo.write("stock.route", mto, {"active": True})
    product = shop.storable(name="Tower test far desk", route_ids=[(6, 0, [resupply, *mto])])
    shop.lay_in(product, 10, shelf_of(shop, source))
    order = shop.sell(10, promised_in=-2, product=product, warehouse_id=place)
    steps = [("move_ids.product_id", "=", product)]
    (far,) = shop.odoo.search_read("stock.picking", [*steps, ("location_id", "=", shelf_of(shop, source))], ["name"])
    late = told(shop, order, PROMISE)
    assert (late["steps_names"], late["promise_late_days"]) == (f"{far['name']} is ready and not done", 2)
    assert SHORTAGE not in shop.cases("sale.order", order)
    done(shop, far["id"], 10)
    assert PROMISE in shop.cases("sale.order", order)
    assert SHORTAGE not in shop.cases("sale.order", order)  # On its way, and late all the same.
    (coming,) = shop.odoo.search("stock.picking", [*steps, ("state", "=", "assigned")])
    done(shop, coming, 10)
    assert stage(shop, order) == "ready_to_pick"
    assert SHORTAGE not in shop.cases("sale.order", order)


def test_a_kit_in_a_kit_with_fractions(shop: Shop) -> None:
    """A set has two frames of half a board and 1.5 handles each, and a top."""
    board, handle, top = (shop.storable(name=f"Tower test {name}") for name in ("board", "handle", "top"))
    frame = kit_of(shop, {board: 0.5, handle: 1.5})
    kit = kit_of(shop, {frame: 2, top: 1})
    order = shop.sell(4, promised_in=-1, product=kit)
    short = told(shop, order, SHORTAGE)
    assert (short["short_lines_count"], short["short_quantity"], short["amount"]) == (1, "4", Decimal("400.00"))
    shelf, _ = shop.shelves()
    for part, quantity in ((board, 4), (handle, 6), (top, 4)):
        shop.lay_in(part, quantity, shelf)
    (picking,) = shop.odoo.search("stock.picking", [("sale_id", "=", order)])
    shop.odoo.call("stock.picking", "action_assign", [picking])
    # Six handles of twelve: two sets.
    short = told(shop, order, SHORTAGE)
    assert (short["short_quantity"], short["amount"]) == ("2", Decimal("200.00"))
    for move in shop.odoo.search_read("stock.move", [("picking_id", "=", picking)], ["quantity"]):
        shop.odoo.write("stock.move", [move["id"]], {"quantity": move["quantity"], "picked": True})
    shop.odoo.call("stock.picking", "button_validate", [picking], context={"skip_backorder": True})
    assert shop.odoo.search_read("sale.order.line", [("order_id", "=", order)], ["qty_delivered"])[0]["qty_delivered"] == 2
    short = told(shop, order, SHORTAGE)
    assert (short["short_quantity"], short["amount"]) == ("2", Decimal("200.00"))


def test_two_kits_and_a_line_share_a_component(shop: Shop) -> None:
    leg, top, shade = (shop.storable(name=f"Tower test {name}") for name in ("leg", "top", "shade"))
    table, lamp = kit_of(shop, {leg: 4, top: 1}), kit_of(shop, {leg: 1, shade: 1})
    lines = [
        (0, 0, {"product_id": product, "product_uom_qty": quantity, "price_unit": price, "tax_ids": [(5,)]})
        for product, quantity, price in ((table, 2, 300), (lamp, 3, 50), (leg, 5, 10))
    ]
    order = shop.sell(0, promised_in=-1, order_line=lines)
    short = told(shop, order, SHORTAGE)
    assert (short["short_lines_count"], short["short_quantity"], short["amount"]) == (3, "10", Decimal("800.00"))
    # The vendor of the legs brings what all three need: 8 + 3 + 5.
    bought = {"product_id": leg, "product_qty": 16, "price_unit": 5, "date_planned": in_days(3)}
    purchase = shop.make("purchase.order", {"partner_id": shop.vendor, "order_line": [(0, 0, bought)]})
    shop.odoo.call("purchase.order", "button_confirm", [purchase])
    short = told(shop, order, SHORTAGE)
    assert short["uncovered_quantity"] == "5"  # tops and shades, by the set
    (waiting,) = impact.impact_of(shop.connection.pk, "purchase.order", purchase, now=clock.now()).orders
    assert (waiting.odoo_id, waiting.quantity, waiting.revenue) == (order, Decimal(10), Decimal("800.00"))


def test_a_kit_that_is_bought_covers_its_components(shop: Shop) -> None:
    parts = {shop.storable(name="Tower test top"): 1.0, shop.storable(name="Tower test leg"): 4.0}
    kit = kit_of(shop, parts)
    order = shop.sell(3, promised_in=6, product=kit)
    assert told(shop, order, SHORTAGE)["uncovered_quantity"] == "3"
    bought = {"product_id": kit, "product_qty": 3, "price_unit": 60, "date_planned": in_days(3)}
    purchase = shop.make("purchase.order", {"partner_id": shop.vendor, "order_line": [(0, 0, bought)]})
    shop.odoo.call("purchase.order", "button_confirm", [purchase])
    assert SHORTAGE not in shop.cases("sale.order", order)
    (waiting,) = impact.impact_of(shop.connection.pk, "purchase.order", purchase, now=clock.now()).orders
    assert (waiting.odoo_id, waiting.quantity, waiting.revenue) == (order, Decimal(3), Decimal("300.00"))
    # The vendor brings half of the legs.
    (receipt,) = shop.odoo.search("stock.picking", [("purchase_id", "=", purchase)])
    for move in shop.odoo.search_read("stock.move", [("picking_id", "=", receipt)], ["product_id", "product_uom_qty"]):
        part = 0.5 if parts[move["product_id"]] == 4 else 1
        shop.odoo.write("stock.move", [move["id"]], {"quantity": move["product_uom_qty"] * part, "picked": True})
    shop.odoo.call(
        "stock.picking", "button_validate", [receipt], context={"skip_backorder": True, "picking_ids_not_to_backorder": [receipt]}
    )
    (picking,) = shop.odoo.search("stock.picking", [("sale_id", "=", order)])
    shop.odoo.call("stock.picking", "action_assign", [picking])
    short = told(shop, order, SHORTAGE)
    assert (short["short_quantity"], short["uncovered_quantity"], short["amount"]) == ("2", "2", Decimal("200.00"))


def test_a_ratio_that_changes_is_seen_at_once(shop: Shop) -> None:
    units = shop.odoo.fields_get("uom.uom")
    assert "relative_factor" in units
    (piece,) = shop.odoo.search("ir.model.data", [("module", "=", "uom"), ("name", "=", "product_uom_unit")])
    reference = shop.odoo.read("ir.model.data", [piece], ["res_id"])[0]["res_id"]
    box = shop.make("uom.uom", {"name": "Tower test box", "relative_factor": 10, "relative_uom_id": reference})
    # At 600 a box of ten, as the vendor's list says; of a box of five it would be twice that. (Transfers are in pieces already.)
    line = {"product_id": shop.product, "product_qty": 2, "product_uom_id": box, "price_unit": 600, "date_planned": in_days(3)}
    purchase = shop.make("purchase.order", {"partner_id": shop.vendor, "order_line": [(0, 0, line)]})
    shop.odoo.call("purchase.order", "button_confirm", [purchase])
    assert PRICE not in shop.cases("purchase.order", purchase)
    shop.odoo.write("uom.uom", [box], {"relative_factor": 5})
    assert told_of(shop, purchase)["price_difference_percent"] == "100.0"
    shop.odoo.write("uom.uom", [box], {"relative_factor": 10})
    assert PRICE not in shop.cases("purchase.order", purchase)
    shop.odoo.write("uom.uom", [box], {"active": False})


def told_of(shop: Shop, purchase: int) -> dict[str, Any]:
    return dict(shop.cases("purchase.order", purchase)[PRICE].plain_evidence)


def test_a_product_that_is_kept_in_another_unit(shop: Shop) -> None:
    """Odoo lets the unit of a product be changed while nothing counts in another, and writes it on what is there."""
    named = [("module", "=", "uom"), ("name", "=", "product_uom_dozen")]
    dozen = shop.odoo.search_read("ir.model.data", named, ["res_id"])[0]["res_id"]
    order = shop.sell(10, promised_in=6)
    purchase, _ = shop.buy(4, price=66)
    short = told(shop, order, SHORTAGE)
    assert (short["short_quantity"], short["uncovered_quantity"], short["amount"]) == ("10", "6", Decimal("1000.00"))
    assert told_of(shop, purchase)["price_expected"] == "60.00"
    template = shop.odoo.read("product.product", [shop.product], ["product_tmpl_id"])[0]["product_tmpl_id"]
    # The vendor's list counts in units, and is no document.
    shop.odoo.write("product.template", [template], {"uom_id": dozen})
    move = shop.odoo.search_read("stock.move", [("sale_line_id.order_id", "=", order)], ["product_qty", "product_uom"])[0]
    assert (move["product_qty"], move["product_uom"]) == (10, dozen)
    short = told(shop, order, SHORTAGE)
    assert (short["short_quantity"], short["uncovered_quantity"], short["amount"]) == ("10", "6", Decimal("1000.00"))
    assert told_of(shop, purchase)["price_expected"] == "720.00"

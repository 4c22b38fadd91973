"""Dozens, picks before deliveries, vendors who deliver themselves, and kits in a real Odoo: the tower's figures are Odoo's own."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection as database

from apps.accounts.models import User
from apps.core import clock
from apps.odoo.client import OdooClient
from apps.workflows import blockers, impact, units
from apps.workflows.models import Position
from tests.odoo.seen import Seen, Worker, refusal
from tests.odoo.shop import Shop, in_days
from tests.odoo.test_returns import bill, drafted, receive, return_of

pytestmark = [pytest.mark.odoo, pytest.mark.django_db(transaction=True)]

SHORTAGE, PROMISE, PRICE = "order.stock_shortage", "order.promise_at_risk", "purchase.price_differs"


def external(shop: Shop, module: str, name: str) -> int:
    found = shop.odoo.search_read("ir.model.data", [("module", "=", module), ("name", "=", name)], ["res_id"])
    return int(found[0]["res_id"])


@pytest.fixture
def dozen(shop: Shop) -> int:
    return external(shop, "uom", "product_uom_dozen")


@pytest.fixture
def two_steps(shop: Shop) -> Iterator[int]:
    """A warehouse that picks before it ships."""
    code = f"{int(clock.now().timestamp()) % 100_000:05d}"
    made = shop.make("stock.warehouse", {"name": f"Steps {code}", "code": code, "delivery_steps": "pick_ship"})
    yield made
    for picking in shop.odoo.search(
        "stock.picking", [("picking_type_id.warehouse_id", "=", made), ("state", "not in", ["done", "cancel"])]
    ):
        shop.odoo.call("stock.picking", "action_cancel", [picking])
    shop.odoo.write("stock.warehouse", [made], {"active": False})


def stage(shop: Shop, order: int) -> str:
    shop.look()
    return Position.objects.get(model="sale.order", odoo_id=order).stage


def told(shop: Shop, order: int, kind: str) -> dict[str, Any]:
    found = shop.cases("sale.order", order)
    return {**found[kind].plain_evidence, "amount": found[kind].amount}


def done(shop: Shop, picking: int, quantity: float) -> None:
    moves = shop.odoo.search("stock.move", [("picking_id", "=", picking)])
    shop.odoo.write("stock.move", moves, {"quantity": quantity, "picked": True})
    shop.odoo.call("stock.picking", "button_validate", [picking], context={"skip_backorder": True})


def test_every_unit_converts_as_odoo_does(shop: Shop) -> None:
    """An oracle of Odoo's own: what a line of each unit moves (`product_qty`) against the tower's conversion."""
    shop.look()
    for unit in shop.odoo.search_read("uom.uom", [("active", "in", [True, False])], ["factor", "name"]):
        template = shop.odoo.read("product.product", [shop.product], ["product_tmpl_id", "uom_id"])[0]
        own = shop.odoo.read("uom.uom", [template["uom_id"]], ["factor"])[0]["factor"]
        with database.cursor() as cursor:
            cursor.execute(
                f"SELECT {units.ratio('%(unit)s', product='%(product)s')}",
                {"connection": shop.connection.pk, "unit": unit["id"], "product": shop.product},
            )
            assert float(cursor.fetchone()[0]) == pytest.approx(unit["factor"] / own, rel=1e-9), unit["name"]


def test_dozens_are_short_bought_and_priced_by_the_unit(shop: Shop, dozen: int) -> None:
    line = {"product_id": shop.product, "product_uom_qty": 2, "product_uom_id": dozen, "price_unit": 1200, "tax_ids": [(5,)]}
    order = shop.sell(0, promised_in=6, order_line=[(0, 0, line)])
    short = told(shop, order, SHORTAGE)
    move = shop.odoo.search_read("stock.move", [("sale_line_id.order_id", "=", order)], ["product_qty"])[0]
    assert move["product_qty"] == 24
    assert (short["short_quantity"], short["amount"]) == ("24", Decimal("2400.00"))

    bought = {"product_id": shop.product, "product_qty": 2, "product_uom_id": dozen, "price_unit": 720, "date_planned": in_days(3)}
    purchase = shop.make("purchase.order", {"partner_id": shop.vendor, "order_line": [(0, 0, bought)]})
    shop.odoo.call("purchase.order", "button_confirm", [purchase])
    assert SHORTAGE not in shop.cases("sale.order", order)
    assert PRICE not in shop.cases("purchase.order", purchase)  # 60 each, as the vendor's list says
    (waiting,) = impact.impact_of(shop.connection.pk, "purchase.order", purchase, now=clock.now()).orders
    assert (waiting.odoo_id, waiting.quantity, waiting.revenue) == (order, Decimal(24), Decimal("2400.00"))


def test_from_the_pick_to_the_delivery(shop: Shop, two_steps: int) -> None:
    shelf = shop.odoo.read("stock.warehouse", [two_steps], ["lot_stock_id"])[0]["lot_stock_id"]
    order = shop.sell(10, promised_in=-7, warehouse_id=two_steps)
    (pick,) = shop.odoo.search_read("stock.picking", [("sale_id", "=", order)], ["name"])
    assert stage(shop, order) == "waiting_for_stock"
    late = told(shop, order, PROMISE)
    assert (late["steps_names"], late["promise_late_days"]) == (f"{pick['name']} waits for stock", 7)
    assert told(shop, order, SHORTAGE)["short_quantity"] == "10"
    shop.lay_in(shop.product, 10, shelf)
    shop.odoo.call("stock.picking", "action_assign", [pick["id"]])
    assert stage(shop, order) == "ready_to_pick"
    late = told(shop, order, PROMISE)
    assert late["steps_names"] == f"{pick['name']} is ready and not done"
    done(shop, pick["id"], 10)
    assert stage(shop, order) == "ready_to_pick"
    (out,) = shop.odoo.search_read("stock.picking", [("sale_id", "=", order), ("state", "=", "assigned")], ["name"])
    assert told(shop, order, PROMISE)["steps_names"] == f"{out['name']} is ready and not done"
    position = Position.objects.get(model="sale.order", odoo_id=order)
    assert {one.name for one in blockers.blockers_of(position, now=clock.now()) if one.kind == "open_step"} == {out["name"]}
    done(shop, out["id"], 10)
    assert PROMISE not in shop.cases("sale.order", order)


def test_what_the_vendor_delivers_to_the_customer(shop: Shop) -> None:
    routes = shop.odoo.search("stock.route", [("name", "ilike", "dropship")])
    product = shop.storable(route_ids=[(6, 0, routes)])
    order = shop.sell(6, promised_in=6, product=product)
    line = shop.odoo.search_read("purchase.order.line", [("product_id", "=", product)], ["order_id"])[0]
    assert stage(shop, order) == "waiting_for_stock"
    shop.odoo.call("purchase.order", "button_confirm", [line["order_id"]])
    shop.odoo.write("purchase.order.line", [line["id"]], {"date_planned": in_days(9)})
    assert stage(shop, order) == "waiting_for_stock"
    late = told(shop, order, PROMISE)
    assert late["promise_late_days"] == 3
    (waiting,) = impact.impact_of(shop.connection.pk, "purchase.order", line["order_id"], now=clock.now()).orders
    assert (waiting.odoo_id, waiting.late_days, waiting.revenue) == (order, 3, Decimal("600.00"))
    (picking,) = shop.odoo.search("stock.picking", [("sale_id", "=", order)])
    done(shop, picking, 6)
    assert PROMISE not in shop.cases("sale.order", order)
    assert stage(shop, order) not in ("waiting_for_stock", "ready_to_pick")


def test_a_kit_is_one_line(shop: Shop) -> None:
    parts = [shop.storable(name=f"Tower test {name}") for name in ("top", "leg")]
    kit = shop.storable(name="Tower test kit")
    template = shop.odoo.read("product.product", [kit], ["product_tmpl_id"])[0]["product_tmpl_id"]
    shop.make(
        "mrp.bom",
        {
            "product_tmpl_id": template,
            "type": "phantom",
            "product_qty": 1,
            "bom_line_ids": [
                (0, 0, {"product_id": parts[0], "product_qty": 1}),
                (0, 0, {"product_id": parts[1], "product_qty": 4}),
            ],
        },
    )
    order = shop.sell(3, promised_in=-1, product=kit)
    short = told(shop, order, SHORTAGE)
    assert (short["short_lines_count"], short["short_quantity"], short["amount"]) == (1, "3", Decimal("300.00"))

    shelf, _ = shop.shelves()
    shop.lay_in(parts[0], 3, shelf)
    shop.lay_in(parts[1], 9, shelf)
    (picking,) = shop.odoo.search("stock.picking", [("sale_id", "=", order)])
    shop.odoo.call("stock.picking", "action_assign", [picking])
    short = told(shop, order, SHORTAGE)
    assert (short["short_quantity"], short["amount"]) == ("1", Decimal("100.00"))
    # What Odoo itself calls delivered when the picker ships what is there: two of three sets.
    for move in shop.odoo.search_read("stock.move", [("picking_id", "=", picking)], ["quantity"]):
        shop.odoo.write("stock.move", [move["id"]], {"quantity": move["quantity"], "picked": True})
    shop.odoo.call("stock.picking", "button_validate", [picking], context={"skip_backorder": True})
    line = shop.odoo.search_read("sale.order.line", [("order_id", "=", order)], ["qty_delivered"])[0]
    assert line["qty_delivered"] == 2
    short = told(shop, order, SHORTAGE)
    assert (short["short_quantity"], short["amount"]) == ("1", Decimal("100.00"))
    assert told(shop, order, PROMISE)["amount"] == Decimal("100.00")


def test_the_guards_count_dozens_as_odoo_does(guarded: Seen, odoo: OdooClient, hired: Callable[..., Worker], mia: User) -> None:
    """Six desks come back of a dozen at 600: 300, not 3,600. A dozen is credited for the one that came back: 550 beyond it."""
    picker = hired("stock.group_stock_user")
    accountant = hired("account.group_account_invoice", "sales_team.group_sale_salesman_all_leads")
    named = [("module", "=", "uom"), ("name", "=", "product_uom_dozen")]
    dozen = odoo.search_read("ir.model.data", named, ["res_id"])[0]["res_id"]

    def dozens() -> tuple[int, int]:
        desk = odoo.create(
            "product.product",
            {
                "name": "Tower test desk",
                "is_storable": True,
                "taxes_id": [(5,)],
                "standard_price": 5.0,
                "invoice_policy": "delivery",
            },
        )
        shelf = odoo.search_read("stock.warehouse", [], ["lot_stock_id"], limit=1, order="id")[0]["lot_stock_id"]
        counted = {"product_id": desk, "location_id": shelf, "inventory_quantity": 24}
        quant = picker.do("stock.quant", "create", counted, context={"inventory_mode": True})
        picker.do("stock.quant", "action_apply_inventory", [quant])
        line = {"product_id": desk, "product_uom_qty": 2, "product_uom_id": dozen, "price_unit": 600}
        order = odoo.create(
            "sale.order", {"partner_id": odoo.create("res.partner", {"name": "Tower test customer"}), "order_line": [(0, 0, line)]}
        )
        odoo.call("sale.order", "action_confirm", [order])
        delivery = odoo.search("stock.picking", [("sale_id", "=", order)])[0]
        receive(picker, delivery)
        bill(accountant, order)
        return order, delivery

    _, delivery = dozens()
    back = return_of(picker, delivery, 6)
    assert guarded.stage("returns", back) == "awaiting_goods"
    assert refusal(picker, "stock.picking", "button_validate", back, context={"skip_backorder": True}) == ""

    order, delivery = dozens()
    back = return_of(picker, delivery, 12)
    assert "is worth 600.00" in refusal(picker, "stock.picking", "button_validate", back, context={"skip_backorder": True})
    assert guarded.stage("returns", back) == "awaiting_authorisation"
    picker.do("stock.picking", "action_cancel", [back])

    back = return_of(picker, delivery, 1)
    receive(picker, back)
    credit = drafted(accountant, order)
    line = odoo.search("account.move.line", [("move_id", "=", credit), ("display_type", "=", "product")])
    accountant.do("account.move", "write", [credit], {"invoice_line_ids": [(1, line[0], {"quantity": 1})]})
    assert "would be credited 550.00" in refusal(accountant, "account.move", "action_post", credit)

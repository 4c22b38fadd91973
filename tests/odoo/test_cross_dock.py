"""Goods that are shipped on as they come, in a real Odoo: no shelf between the receipt and the delivery."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from apps.core import clock
from apps.workflows import blockers, impact
from apps.workflows.models import Position
from tests.odoo.shop import Shop, in_days
from tests.odoo.test_longer_chains import ready, warehouse
from tests.odoo.test_units_routes_kits import PROMISE, SHORTAGE, done, stage, told

__all__ = ["warehouse"]
pytestmark = [pytest.mark.odoo, pytest.mark.django_db(transaction=True)]


class Dock:
    """A warehouse with a route that takes what a vendor brings from the input straight to the output."""

    def __init__(self, shop: Shop, place: int) -> None:
        names = ["wh_input_stock_loc_id", "wh_output_stock_loc_id", "in_type_id", "out_type_id", "xdock_type_id"]
        self.shop, self.place = shop, place
        self.of = shop.odoo.read("stock.warehouse", [place], names)[0]
        named = [("module", "=", "stock"), ("name", "=", "stock_location_customers")]
        self.customers = shop.odoo.search_read("ir.model.data", named, ["res_id"])[0]["res_id"]
        shop.odoo.write("stock.picking.type", [self.of["xdock_type_id"]], {"active": True})
        shop.odoo.write("stock.location", [self.of["wh_input_stock_loc_id"], self.of["wh_output_stock_loc_id"]], {"active": True})

    def rule(self, action: str, source: int | None, target: int, kind: int, **more: Any) -> tuple[int, int, dict[str, Any]]:
        return (
            0,
            0,
            {
                "name": f"Tower test {action}",
                "action": action,
                "location_src_id": source,
                "location_dest_id": target,
                "picking_type_id": kind,
                "warehouse_id": self.place,
                **more,
            },
        )

    def pulled(self) -> int:
        """Each step is made for the one after it."""
        made = {"procure_method": "make_to_order"}
        of = self.of
        rules = [
            self.rule("pull", of["wh_output_stock_loc_id"], self.customers, of["out_type_id"], **made),
            self.rule("pull", of["wh_input_stock_loc_id"], of["wh_output_stock_loc_id"], of["xdock_type_id"], **made),
            self.rule("buy", None, of["wh_input_stock_loc_id"], of["in_type_id"]),
        ]
        return self.shop.make("stock.route", {"name": "Tower test cross-dock", "product_selectable": True, "rule_ids": rules})

    def pushed(self) -> int:
        """What comes is pushed on to the output, whoever it is for; a delivery takes it from there."""
        of = self.of
        rules = [
            self.rule("pull", of["wh_output_stock_loc_id"], self.customers, of["out_type_id"], procure_method="make_to_stock"),
            self.rule("push", of["wh_input_stock_loc_id"], of["wh_output_stock_loc_id"], of["xdock_type_id"]),
        ]
        return self.shop.make("stock.route", {"name": "Tower test push", "product_selectable": True, "rule_ids": rules})

    def step(self, product: int, kind: str) -> dict[str, Any]:
        """The open transfer of that kind."""
        of_product = [("move_ids.product_id", "=", product), ("picking_type_id", "=", self.of[kind])]
        wanted = [*of_product, ("state", "not in", ["done", "cancel"])]
        (found,) = self.shop.odoo.search_read("stock.picking", wanted, ["name", "state"])
        return found


@pytest.fixture
def dock(shop: Shop, warehouse: Callable[..., int]) -> Dock:
    return Dock(shop, warehouse(reception_steps="two_steps", delivery_steps="pick_ship"))


def test_from_the_vendor_over_the_dock_to_the_customer(shop: Shop, dock: Dock) -> None:
    product = shop.storable(name="Tower test docked desk", route_ids=[(6, 0, [dock.pulled()])])
    order = shop.sell(10, promised_in=6, product=product, warehouse_id=dock.place)
    (line,) = shop.odoo.search_read("purchase.order.line", [("product_id", "=", product)], ["order_id"])
    # Nobody has ordered it from the vendor.
    assert stage(shop, order) == "waiting_for_stock"

    shop.odoo.call("purchase.order", "button_confirm", [line["order_id"]])
    shop.odoo.write("purchase.order.line", [line["id"]], {"date_planned": in_days(9)})
    assert stage(shop, order) == "waiting_for_stock"
    receipt = dock.step(product, "in_type_id")
    crossing = dock.step(product, "xdock_type_id")
    late = told(shop, order, PROMISE)
    assert late["promise_late_days"] == 3
    assert late["steps_names"] == f"{crossing['name']} waits for {receipt['name']}"
    (waiting,) = impact.impact_of(shop.connection.pk, "purchase.order", line["order_id"], now=clock.now()).orders
    assert (waiting.odoo_id, waiting.late_days, waiting.revenue) == (order, 3, Decimal("1000.00"))

    done(shop, receipt["id"], 10)
    crossing = dock.step(product, "xdock_type_id")
    assert crossing["state"] == "assigned"
    assert stage(shop, order) == "ready_to_pick"
    assert SHORTAGE not in shop.cases("sale.order", order)
    shop.odoo.write("sale.order", [order], {"commitment_date": in_days(-2)})
    late = told(shop, order, PROMISE)
    # Odoo has planned it for the day that was promised before.
    assert (late["steps_names"], late["promise_late_days"]) == (f"{crossing['name']} is ready and not done", 8)
    position = Position.objects.get(model="sale.order", odoo_id=order)
    assert {one.name for one in blockers.blockers_of(position, now=clock.now()) if one.kind == "open_step"} == {crossing["name"]}
    done(shop, crossing["id"], 10)
    out = dock.step(product, "out_type_id")
    assert told(shop, order, PROMISE)["steps_names"] == f"{out['name']} is ready and not done"
    assert [one["name"] for one in ready(shop, order)] == [out["name"]]
    done(shop, out["id"], 10)
    assert PROMISE not in shop.cases("sale.order", order)
    assert stage(shop, order) not in ("waiting_for_stock", "ready_to_pick")


def test_what_is_pushed_on_to_the_output_covers_who_waits_there(shop: Shop, warehouse: Callable[..., int]) -> None:
    dock = Dock(shop, warehouse(reception_steps="two_steps"))
    product = shop.storable(name="Tower test pushed desk", route_ids=[(6, 0, [dock.pushed()])])
    order = shop.sell(10, promised_in=6, product=product, warehouse_id=dock.place)
    assert told(shop, order, SHORTAGE)["uncovered_quantity"] == "10"
    line = {"product_id": product, "product_qty": 10, "price_unit": 60, "date_planned": in_days(3)}
    values = {"partner_id": shop.vendor, "picking_type_id": dock.of["in_type_id"], "order_line": [(0, 0, line)]}
    purchase = shop.make("purchase.order", values)
    shop.odoo.call("purchase.order", "button_confirm", [purchase])
    assert SHORTAGE not in shop.cases("sale.order", order)
    (waiting,) = impact.impact_of(shop.connection.pk, "purchase.order", purchase, now=clock.now()).orders
    assert (waiting.odoo_id, waiting.revenue, waiting.is_at_risk) == (order, Decimal("1000.00"), False)
    done(shop, dock.step(product, "in_type_id")["id"], 10)
    # In the house, and on its way over the dock.
    assert SHORTAGE not in shop.cases("sale.order", order)
    assert stage(shop, order) == "waiting_for_stock"
    done(shop, dock.step(product, "xdock_type_id")["id"], 10)
    out = dock.step(product, "out_type_id")
    if out["state"] != "assigned":
        shop.odoo.call("stock.picking", "action_assign", [out["id"]])
    assert stage(shop, order) == "ready_to_pick"
    shop.odoo.write("sale.order", [order], {"commitment_date": in_days(-2)})
    assert told(shop, order, PROMISE)["steps_names"] == f"{out['name']} is ready and not done"
    done(shop, out["id"], 10)
    assert PROMISE not in shop.cases("sale.order", order)


def test_half_of_it_crosses_the_dock(shop: Shop, dock: Dock) -> None:
    """The vendor brings half: that half goes on and out, the other is still to come."""
    product = shop.storable(name="Tower test half desk", route_ids=[(6, 0, [dock.pulled()])])
    order = shop.sell(10, promised_in=6, product=product, warehouse_id=dock.place)
    (line,) = shop.odoo.search_read("purchase.order.line", [("product_id", "=", product)], ["order_id"])
    shop.odoo.call("purchase.order", "button_confirm", [line["order_id"]])
    shop.odoo.write("purchase.order.line", [line["id"]], {"date_planned": in_days(9)})
    moves = shop.odoo.search("stock.move", [("picking_id", "=", dock.step(product, "in_type_id")["id"])])
    shop.odoo.write("stock.move", moves, {"quantity": 4, "picked": True})
    receipt = dock.step(product, "in_type_id")["id"]
    shop.odoo.call("stock.picking", "button_validate", [receipt], context={"skip_backorder": True})
    late = told(shop, order, PROMISE)
    assert (late["promise_late_days"], late["amount"]) == (3, Decimal("1000.00"))
    assert told(shop, order, PROMISE)["short_quantity"] == "6"
    (waiting,) = impact.impact_of(shop.connection.pk, "purchase.order", line["order_id"], now=clock.now()).orders
    assert (waiting.odoo_id, waiting.quantity, waiting.revenue) == (order, Decimal(6), Decimal("600.00"))

"""OTIF and fill rate on a real Odoo: dozens, a part delivered with its backorder, a late delivery, a return."""

from datetime import timedelta

import pytest

from apps.accounts.access import EVERYTHING
from apps.boards.boards import kpis
from apps.boards.boards.kpi import CUSTOMER, VENDOR
from apps.core import clock
from tests.odoo.shop import Shop

pytestmark = [pytest.mark.odoo, pytest.mark.django_db(transaction=True)]


def deliver(shop: Shop, order: int, pieces: float) -> int:
    """Ship so many pieces of an order, whatever unit Odoo moves them in; the rest stays on a backorder. The delivery."""
    (picking,) = shop.odoo.search("stock.picking", [("sale_id", "=", order), ("state", "not in", ["done", "cancel"])])
    (move,) = shop.odoo.search_read("stock.move", [("picking_id", "=", picking)], ["product_uom_qty", "product_qty"])
    done = pieces * move["product_uom_qty"] / move["product_qty"]
    shop.odoo.write("stock.move", [move["id"]], {"quantity": done, "picked": True})
    shop.odoo.call("stock.picking", "button_validate", [picking], context={"skip_backorder": True, "skip_sms": True})
    assert shop.odoo.read("stock.picking", [picking], ["state"])[0]["state"] == "done"
    return picking


def take_back(shop: Shop, delivery: int, quantity: float) -> None:
    """The customer sends so many back, by Odoo's own button."""
    context = {"active_model": "stock.picking", "active_ids": [delivery], "active_id": delivery}
    (wizard,) = shop.odoo.call("stock.return.picking", "create", vals_list=[{"picking_id": delivery}], context=context)
    lines = shop.odoo.read("stock.return.picking", [wizard], ["product_return_moves"])[0]["product_return_moves"]
    shop.odoo.write("stock.return.picking.line", lines, {"quantity": quantity})
    back = shop.odoo.call("stock.return.picking", "action_create_returns", [wizard])["res_id"]
    moves = shop.odoo.search("stock.move", [("picking_id", "=", back)])
    shop.odoo.write("stock.move", moves, {"quantity": quantity, "picked": True})
    shop.odoo.call("stock.picking", "button_validate", [back], context={"skip_backorder": True, "skip_sms": True})


def told(shop: Shop, side: str, partner: int) -> dict[str, tuple[float, int]]:
    """The figures of one partner as they are once every promised day has ended."""
    found = kpis.figures(
        now=clock.now() + timedelta(days=3), access_scope=EVERYTHING, of_partner=(side, shop.connection.pk, partner)
    )
    return {one.kpi.name: (one.value, one.count) for one in found if one.kpi.name != "supplier_lead_time" and not one.kpi.level}


def test_lines_by_the_dozen_in_parts_late_and_returned(shop: Shop) -> None:
    (dozen,) = shop.odoo.search_read("ir.model.data", [("module", "=", "uom"), ("name", "=", "product_uom_dozen")], ["res_id"])
    first, _ = shop.shelves()
    shop.lay_in(shop.product, 200, first)

    def sell(dozens: float, promised_in: float) -> int:
        line = {"product_id": shop.product, "product_uom_qty": dozens, "product_uom_id": dozen["res_id"], "price_unit": 1200}
        return shop.sell(0, promised_in=promised_in, order_line=[(0, 0, line)])

    deliver(shop, sell(1, 1), 12)
    deliver(shop, sell(2, 1), 18)
    deliver(shop, sell(1, -2), 12)
    take_back(shop, deliver(shop, sell(1, 1), 12), 6)
    shop.odoo.call("sale.order", "action_cancel", [sell(1, 1)])
    shop.look()

    assert told(shop, CUSTOMER, shop.customer) == {
        "otif": (0.5, 4),
        "on_time": (0.75, 4),
        "in_full": (0.75, 4),
        "fill_rate": ((1 + 0.75 + 0 + 1) / 4, 4),
        "perfect_order": (0.25, 4),
    }


def test_a_vendor_who_brings_a_part_is_not_in_full(shop: Shop) -> None:
    whole, _ = shop.buy(10, expected_in=1)
    shop.receive(whole)
    part, _ = shop.buy(10, expected_in=1)
    shop.receive(part, 4)
    late, _ = shop.buy(10, expected_in=-2)
    shop.receive(late)
    shop.look()

    assert told(shop, VENDOR, shop.vendor) == {"supplier_otif": (1 / 3, 3)}

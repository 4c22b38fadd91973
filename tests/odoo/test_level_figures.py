"""Backlog, DSO and dock to stock on a real Odoo: a part delivered and the rest given up, a part paid, three steps of a receipt."""

import pytest

from apps.accounts.access import EVERYTHING
from apps.boards.boards import kpi_catalogue, kpis
from apps.boards.boards.kpi import CUSTOMER
from apps.boards.boards.kpi_records import records_behind
from apps.core import clock
from tests.odoo.shop import Shop
from tests.odoo.test_held import invoice
from tests.odoo.test_line_figures import deliver
from tests.odoo.test_longer_chains import Warehouse, warehouse

__all__ = ["warehouse"]
pytestmark = [pytest.mark.odoo, pytest.mark.django_db(transaction=True)]
RANGE = 30 * 86_400


def level(shop: Shop, name: str) -> float | None:
    """The figure of the shop's customer as it is now."""
    shop.look()
    found = kpis.figures(now=clock.now(), access_scope=EVERYTHING, of_partner=(CUSTOMER, shop.connection.pk, shop.customer))
    return next((one.value for one in found if one.kpi.name == name), None)


def test_the_backlog_is_what_odoo_still_has_to_deliver(shop: Shop) -> None:
    shop.lay_in(shop.product, 20, shop.shelves()[0])
    order = shop.sell(10)
    assert level(shop, "backlog_value") == 1000

    deliver(shop, order, 4)
    assert level(shop, "backlog_value") == 600

    (rest,) = shop.odoo.search("stock.picking", [("sale_id", "=", order), ("state", "not in", ["done", "cancel"])])
    shop.odoo.call("stock.picking", "action_cancel", [rest])
    assert level(shop, "backlog_value") is None


def test_dso_falls_by_what_a_customer_pays_and_is_of_what_odoo_says_is_owed(shop: Shop) -> None:
    shop.lay_in(shop.product, 20, shop.shelves()[0])
    order = shop.sell(10)
    deliver(shop, order, 10)
    made = invoice(shop, order)
    assert level(shop, "dso") == pytest.approx(RANGE)

    context = {"active_model": "account.move", "active_ids": [made]}
    (wizard,) = shop.odoo.call("account.payment.register", "create", vals_list=[{"amount": 400}], context=context)
    shop.odoo.call("account.payment.register", "action_create_payments", [wizard], context=context)

    assert level(shop, "dso") == pytest.approx(0.6 * RANGE)
    kpi = next(one for one in kpi_catalogue.KPIS if one.name == "dso")
    asked = {"now": clock.now(), "access_scope": EVERYTHING, "of_partner": (CUSTOMER, shop.connection.pk, shop.customer)}
    (owed,) = shop.odoo.read("res.partner", [shop.customer], ["credit"])
    assert [(one.odoo_id, one.value) for one in records_behind(kpi, "invoicing", **asked)] == [(made, owed["credit"])]


def test_dock_to_stock_ends_with_the_last_of_three_steps(shop: Shop, warehouse: Warehouse) -> None:
    place = warehouse(reception_steps="three_steps")
    (of,) = shop.odoo.read("stock.warehouse", [place], ["in_type_id"])
    product = shop.storable(name="Tower test docked lamp")
    line = {"product_id": product, "product_qty": 10, "price_unit": 60}
    order = shop.make(
        "purchase.order", {"partner_id": shop.vendor, "picking_type_id": of["in_type_id"], "order_line": [(0, 0, line)]}
    )
    shop.odoo.call("purchase.order", "button_confirm", [order])
    steps: list[int] = []
    while step := shop.odoo.search("stock.picking", [("move_ids.product_id", "=", product), ("state", "=", "assigned")]):
        shop.odoo.call("stock.picking", "button_validate", step)
        steps += step
    shop.look()
    assert len(steps) == 3

    kpi = next(one for one in kpi_catalogue.KPIS if one.name == "dock_to_stock")
    found = records_behind(kpi, "procure_to_pay", now=clock.now(), access_scope=EVERYTHING)
    assert [one.odoo_id for one in found if one.odoo_id in steps] == steps[-1:]

"""A product's page: what there is of it and will be, who waits, what is to come, and who sells it at what price."""

from datetime import timedelta

import pytest
from django.test import Client

from apps.accounts.access import EVERYTHING, AccessScope
from apps.accounts.models import Role, User
from apps.boards.profiles import products
from apps.boards.profiles.products import ProductPage
from apps.core import clock
from tests import trade
from tests.api.callers import caller
from tests.workflows.units import goods
from tests.world import World, person


@pytest.fixture
def shop(world: World) -> World:
    world.now = clock.now().replace(microsecond=0)
    for number, company in ((1, 1), (2, 2)):
        world.write("stock.location", 7 + number, name="Stock", usage="internal", warehouse_id=number, company_id=company)
        world.write("stock.warehouse", number, name=f"Hall {number}", company_id=company, lot_stock_id=7 + number)
        quant = {"product_id": trade.DESK, "location_id": 7 + number, "company_id": company}
        world.write("stock.quant", number, quantity=10 * number, reserved_quantity=3, **quant)
    world.write("product.template", 300, name="Oak desk")
    world.write("product.product", trade.DESK, product_tmpl_id=300)
    world.write("res.partner", 60, name="Nordic Timber", commercial_partner_id=60)
    return world


def page_of(world: World, access_scope: AccessScope = EVERYTHING, product: int = trade.DESK) -> ProductPage:
    page = products.product_of(world.connection, product, access_scope=access_scope, now=world.now)
    assert page is not None
    return page


def test_stock_is_told_by_warehouse_as_far_as_somebody_sees(shop: World) -> None:
    assert [(one.warehouse, one.on_hand, one.free) for one in page_of(shop).stock] == [("Hall 1", 10, 7), ("Hall 2", 20, 17)]
    mine = AccessScope(frozenset({(shop.connection.pk, 2)}))
    assert [one.warehouse for one in page_of(shop, mine).stock] == ["Hall 2"]


def test_a_vendors_price_counts_in_its_time_and_in_its_unit(shop: World, client: Client) -> None:
    shop.write("uom.uom", 2, name="Dozen", relative_factor=12.0, factor=12.0)
    price = {"partner_id": 60, "product_tmpl_id": 300, "currency_id": 1, "company_id": 1}
    yesterday = str(shop.now.date() - timedelta(days=2))
    shop.write("product.supplierinfo", 1, price=90, min_qty=2, delay=9, product_uom_id=2, **price)
    shop.write("product.supplierinfo", 2, price=10, date_end=yesterday, **price)
    shop.write("product.supplierinfo", 3, price=11, **{**price, "product_tmpl_id": 301})
    (told,) = page_of(shop).prices
    assert (told.vendor, told.price, told.currency, told.least, told.unit, told.lead_days) == (
        "Nordic Timber",
        90,
        "EUR",
        2,
        "Dozen",
        9,
    )
    assert page_of(shop, AccessScope(frozenset({(shop.connection.pk, 2)}))).prices == []
    client.force_login(User.objects.get(username="olga"))
    page = client.get(f"/products/main/{trade.DESK}/").content.decode()
    assert "Hall 2" in page and "Nordic Timber" in page and "Dozen" in page


def test_stock_that_stays_as_it_is_is_a_sentence_and_no_curve_of_one_point(shop: World, client: Client) -> None:
    client.force_login(User.objects.get(username="olga"))
    page = client.get(f"/products/main/{trade.DESK}/").content.decode()
    assert "7  free at the end of today" in page and "17  free at the end of today" in page and "ct-chart" not in page
    trade.purchase(shop, 80, quantity=20, expected_in=9)
    assert "<ct-chart" in client.get(f"/products/main/{trade.DESK}/").content.decode()
    coming = next(one for one in page_of(shop).curves if not one.warehouse)
    assert (list(coming.before), (coming.days[1] - coming.days[0]).days) == ([0, 20], 9)


def test_who_waits_is_told_with_promise_and_forecast(shop: World) -> None:
    trade.sale(shop, 42, quantity=10, promised_in=3)
    trade.purchase(shop, 80, quantity=20, expected_in=9)
    (waiting,) = page_of(shop).waiting
    order, forecast = waiting.order, waiting.forecast
    assert (order.name, order.customer, order.quantity, order.kits) == ("S00042", "Azure Interior", 10, "")
    assert order.promised_at == shop.now + timedelta(days=3)
    assert forecast.forecast_at is not None and forecast.is_at_risk and forecast.late_days == 6
    (supply,) = page_of(shop).supplies
    assert (supply.order_id, supply.vendor, supply.quantity, supply.free) == (80, "Nordic Timber", 20, 20)
    assert supply.planned_at == shop.now + timedelta(days=9)


def test_a_purchase_in_dozens_is_told_in_the_products_own_unit(shop: World) -> None:
    shop.write("uom.uom", 1, name="Units", relative_factor=1.0, factor=1.0)
    shop.write("uom.uom", 3, name="Dozen", relative_factor=12.0, factor=12.0)
    shop.write("product.template", 300, uom_id=1)
    trade.purchase(shop, 80, quantity=2, expected_in=9)
    shop.write("purchase.order.line", 800, product_uom_id=3)
    (supply,) = page_of(shop).supplies
    assert (supply.quantity, page_of(shop).unit) == (24, "Units")


def test_who_waits_for_a_kit_waits_by_its_components(shop: World) -> None:
    shop.write("uom.uom", 1, name="Units", relative_factor=1.0, factor=1.0)
    shop.write("product.template", 310, name="Lamp", uom_id=1)
    shop.write("product.product", trade.LAMP, product_tmpl_id=310)
    goods.kit(shop, 42, sets=10)
    shop.write("stock.move", 43, quantity=36, state="partially_available")
    (for_kit,) = page_of(shop, product=99).waiting
    assert (for_kit.order.name, for_kit.order.quantity, for_kit.order.kits) == ("S00042", 10, "")
    (for_lamp,) = page_of(shop, product=trade.LAMP).waiting
    assert (for_lamp.order.name, for_lamp.order.quantity, for_lamp.order.kits) == ("S00042", 4, "Office set")
    # Of the desks all are there: one set lacks its lamps.
    shop.write("stock.move", 42, quantity=10, state="assigned")
    assert page_of(shop, product=99).waiting[0].order.quantity == 1
    assert page_of(shop).waiting == []


def test_the_curve_begins_with_what_is_free_and_names_the_day_it_runs_short(shop: World) -> None:
    shop.write("stock.picking.type", 10, name="Receipts", code="incoming", warehouse_id=1, company_id=1)
    trade.purchase(shop, 80, quantity=20, expected_in=9)
    shop.write("stock.picking", 800, picking_type_id=10)
    trade.sale(shop, 42, quantity=10, promised_in=3)
    shop.write("stock.move", 42, warehouse_id=1)
    curves = {one.warehouse: one for one in page_of(shop).curves}
    assert list(curves["Hall 1"].before) == [7, -3, 17]
    assert curves["Hall 1"].short_before == (shop.now + timedelta(days=3)).date()
    assert list(curves["Hall 2"].before) == [17] and curves["Hall 2"].short_before is None
    mine = AccessScope(frozenset({(shop.connection.pk, 2)}))
    page = page_of(shop, mine)
    assert [one.warehouse for one in page.curves] == ["Hall 2"]
    assert (page.waiting, page.supplies) == ([], [])


def test_what_is_not_known_is_said_and_what_is_gone_is_not_there(shop: World, client: Client) -> None:
    client.force_login(User.objects.get(username="olga"))
    shop.write("product.template", 320, name="New lamp")
    shop.write("product.product", 32, product_tmpl_id=320, active=False)
    page = client.get("/products/main/32/").content.decode()
    assert "archived" in page and "Nothing of it is in stock, to come or to go." in page
    assert client.get("/products/main/9999/").status_code == 404
    User.objects.filter(username="olga").update(sees=[f"{shop.connection.pk + 1}"])
    client.force_login(User.objects.get(username="olga"))
    assert client.get("/products/main/32/").status_code == 404


def test_the_api_says_the_same(shop: World) -> None:
    person("vera", Role.MANAGER)
    trade.sale(shop, 42, quantity=10, promised_in=3)
    trade.purchase(shop, 80, quantity=20, expected_in=9)
    told = caller("vera", "read").get(f"products/{trade.DESK}/", connection="main").json()
    assert (told["name"], told["stock"][0]["on_hand"]) == ("Oak desk", "10")
    assert [(one["name"], one["quantity"], one["late_days"]) for one in told["waiting"]] == [("S00042", "10", 6)]
    assert [(one["purchase_order_id"], one["quantity"]) for one in told["supplies"]] == [(80, "20")]
    assert {one["warehouse"] for one in told["curves"]} >= {"Hall 1", "Hall 2"}

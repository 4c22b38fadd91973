"""A product's page: what there is of it, and who sells it at what price."""

from datetime import timedelta

import pytest
from django.test import Client

from apps.accounts.access import EVERYTHING, AccessScope
from apps.accounts.models import User
from apps.boards.search import partner_overview
from apps.boards.search.partner_overview import ProductPage
from apps.core import clock
from tests import trade
from tests.world import World


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


def page_of(world: World, seen: AccessScope = EVERYTHING) -> ProductPage:
    page = partner_overview.product_of(world.connection, trade.DESK, seen=seen, now=world.now)
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

"""Names of customers, vendors and products lead to their pages, from wherever they stand."""

import pytest
from django.test import Client

from apps.accounts.access import EVERYTHING
from apps.accounts.models import User
from apps.approvals.models import Request
from apps.boards.search import finding
from apps.core import clock
from apps.exceptions.models import ExceptionCase
from tests import trade
from tests.world import World

OF_ORDER, OF_PURCHASE = "/records/main/sale.order/42/partner/", "/records/main/purchase.order/80/partner/"


@pytest.fixture
def shop(world: World) -> World:
    world.now = clock.now().replace(microsecond=0)
    world.write("product.template", 300, name="Oak desk")
    world.write("product.product", trade.DESK, product_tmpl_id=300)
    world.write("res.partner", 60, name="Nordic Timber", commercial_partner_id=60, active=True)
    return world


@pytest.fixture
def olga(shop: World, client: Client) -> Client:
    client.force_login(User.objects.get(username="olga"))
    return client


def test_a_record_leads_to_its_partner_as_what_it_stands_there(shop: World, olga: Client) -> None:
    shop.order(42)
    trade.purchase(shop, 80)
    bill = {"state": "posted", "payment_state": "not_paid", "partner_id": 60, "commercial_partner_id": 60, "company_id": 1}
    shop.write("account.move", 700, name="BILL/700", move_type="in_invoice", **bill)
    invoice = shop.owes(100)
    assert olga.get(OF_ORDER).headers["Location"] == "/customers/main/50/"
    assert olga.get(OF_PURCHASE).headers["Location"] == "/vendors/main/60/"
    assert olga.get("/records/main/account.move/700/partner/").headers["Location"] == "/vendors/main/60/"
    assert olga.get(f"/records/main/account.move/{invoice}/partner/").headers["Location"] == "/customers/main/50/"
    assert olga.get("/records/main/sale.order/9999/partner/").status_code == 404
    User.objects.filter(username="olga").update(sees=[f"{shop.connection.pk}:2"])
    olga.force_login(User.objects.get(username="olga"))
    assert olga.get(OF_ORDER).status_code == 404


def test_a_partner_that_is_both_is_what_it_is_on_the_record(shop: World, olga: Client) -> None:
    shop.order(42, partner=60)
    trade.purchase(shop, 80)
    assert olga.get(OF_ORDER).headers["Location"] == "/customers/main/60/"
    assert olga.get(OF_PURCHASE).headers["Location"] == "/vendors/main/60/"
    assert "/vendors/main/60/" in olga.get("/customers/main/60/").content.decode()
    assert "/customers/main/60/" in olga.get("/vendors/main/60/").content.decode()


def test_the_name_on_a_page_is_a_link(shop: World, client: Client) -> None:
    shop.held_order()
    client.force_login(User.objects.get(username="adam"))
    case, ask = ExceptionCase.objects.get(odoo_id=42), Request.objects.get(odoo_id=42)
    for path in (
        "/records/main/sale.order/42/",
        f"/exceptions/{case.pk}/",
        f"/approvals/{ask.pk}/",
        "/approvals/",
        "/boards/order_to_cash/credit_review/",
    ):
        assert f'href="{OF_ORDER}"' in client.get(path).content.decode(), path


def test_a_product_on_a_line_is_a_link(shop: World, olga: Client) -> None:
    trade.sale(shop, 42)
    shop.write("sale.order.line", 420, name="Oak desk")
    trade.purchase(shop, 80)
    link = f'href="/products/main/{trade.DESK}/"'
    for path in ("/records/main/sale.order/42/", "/records/main/purchase.order/80/", "/records/main/stock.picking/42/"):
        assert link in olga.get(path).content.decode(), path


def test_search_leads_to_the_page_of_a_customer_or_a_vendor(shop: World) -> None:
    def leads(text: str) -> list[str]:
        return [
            hit.href for group in finding.find(text, access_scope=EVERYTHING) for hit in group.hits if hit.model == "res.partner"
        ]

    assert leads("azure") == ["/customers/main/50/"]
    assert leads("nordic") == ["/customers/main/60/"]
    trade.purchase(shop, 80)
    assert leads("nordic") == ["/vendors/main/60/"]
    shop.order(42, partner=60)
    assert leads("nordic") == ["/customers/main/60/"]


def test_the_forecast_of_an_order_is_called_so_where_its_heading_is_not_shown(shop: World, olga: Client) -> None:
    trade.sale(shop, 42)
    page = olga.get("/customers/main/50/").content.decode()
    assert 'data-label="forecast"' in page and 'data-label="now"' not in page

"""A vendor's page: on time, in full, how it answers, moves dates and bills, and what is open with it."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client

from apps.accounts.access import EVERYTHING, AccessScope
from apps.accounts.models import Role, User
from apps.boards.boards import kpis
from apps.boards.boards.kpi import VENDOR
from apps.boards.profiles import vendors
from apps.boards.profiles.spread import percent_spread_of
from apps.boards.profiles.vendors import VendorPage
from apps.core import clock
from apps.mirror.models import DateChange
from tests import trade
from tests.api.callers import caller
from tests.world import World, odoo_time, person


@pytest.fixture
def shop(world: World) -> World:
    world.now = clock.now().replace(microsecond=0)
    for product, name in ((trade.DESK, "Oak desk"), (trade.LAMP, "Lamp")):
        world.write("product.template", product * 10, name=name)
        world.write("product.product", product, product_tmpl_id=product * 10)
    world.write("res.partner", 60, name="Nordic Timber", commercial_partner_id=60, active=True)
    return world


def page_of(world: World, odoo_id: int = 60, access_scope: AccessScope = EVERYTHING) -> VendorPage:
    page = vendors.vendor_of(world.connection, odoo_id, access_scope=access_scope, now=world.now)
    assert page is not None
    return page


def received(world: World, order: int, *, expected_in: float, done_in: float, quantity: float = 20, part: float = 1) -> None:
    """A purchase of which a part came on a day."""
    trade.purchase(world, order, quantity=quantity, expected_in=expected_in, date_approve=trade.days(world, -20))
    done = {"state": "done", "quantity": quantity * part, "date": trade.days(world, done_in)}
    world.write("stock.move", order * 10, **done)
    world.write("stock.picking", order * 10, state="done", date_done=trade.days(world, done_in))
    world.write("purchase.order.line", order * 10, qty_received=quantity * part)


def test_lines_are_counted_as_the_kpi_counts_them(shop: World) -> None:
    received(shop, 80, expected_in=-5, done_in=-5)
    received(shop, 81, expected_in=-6, done_in=-2)
    received(shop, 82, expected_in=-4, done_in=-4, part=0.5)
    page = page_of(shop)
    assert (page.on_time.met, page.in_full.met, page.otif.met, page.otif.n) == (2, 2, 1, 3)
    assert page.otif.percent == Decimal("33.3")
    of = (VENDOR, shop.connection.pk, 60)
    otif = next(
        one for one in kpis.figures(now=shop.now, access_scope=EVERYTHING, of_partner=of) if one.kpi.name == "supplier_otif"
    )
    assert (otif.count, round(otif.value, 6)) == (3, round(1 / 3, 6))
    assert (page.late.n, page.late.least, page.late.most) == (2, 0, 4)
    assert (page.lead.n, page.lead.least, page.lead.most) == (2, 15, 18)


def test_an_address_is_its_commercial_entity(shop: World) -> None:
    shop.write("res.partner", 65, name="Nordic Timber, Oslo", commercial_partner_id=60, active=True)
    received(shop, 80, expected_in=-5, done_in=-5)
    shop.write("purchase.order", 80, partner_id=65)
    page = page_of(shop, 65)
    assert (page.family.odoo_id, page.family.contact, page.otif.n) == (60, "Nordic Timber, Oslo", 1)


def test_the_time_until_a_vendor_acknowledged_is_counted_in_days(shop: World) -> None:
    trade.purchase(shop, 80, expected_in=20, acknowledged=False, date_approve=odoo_time(shop.now))
    assert page_of(shop).confirmed.n == 0
    shop.advance(days=3)
    shop.write("purchase.order", 80, acknowledged=True)
    assert (page_of(shop).confirmed.n, page_of(shop).confirmed.median) == (1, 3)


def test_dates_that_moved_after_the_confirmation_are_counted(shop: World) -> None:
    trade.purchase(shop, 80, expected_in=5)
    trade.purchase(shop, 81, expected_in=5)
    page = page_of(shop)
    assert (page.moved.n, page.moved.met, page.moved_days.n) == (2, 0, 0)
    planned = shop.now + timedelta(days=5)
    for later in (4, 9):
        shop.advance(hours=1)
        shop.write("purchase.order.line", 800, date_planned=odoo_time(planned + timedelta(days=later)))
    # What is read again unchanged is no change.
    shop.write("purchase.order.line", 800, product_qty=19)
    page = page_of(shop)
    assert (page.moved.met, page.moves_count, page.moved_days.n, page.moved_days.median) == (1, 2, 1, 9)
    assert DateChange.objects.filter(model="purchase.order.line", odoo_id=800).count() == 2


def test_dates_that_moved_before_the_confirmation_do_not_count(shop: World) -> None:
    trade.purchase(shop, 80, expected_in=5, state="draft", date_approve=False)
    shop.advance(hours=1)
    shop.write("purchase.order.line", 800, date_planned=trade.days(shop, 9))
    shop.advance(hours=1)
    shop.write("purchase.order", 80, state="purchase", date_approve=odoo_time(shop.now))
    assert (page_of(shop).moved.n, page_of(shop).moved.met) == (1, 0)


def bill(world: World, number: int, *, price: float, order: int = 80, quantity: float = 20) -> None:
    """A posted bill of a purchase at a price."""
    untaxed = price * quantity
    world.write(
        "account.move",
        number,
        name=f"BILL/{number}",
        state="posted",
        move_type="in_invoice",
        partner_id=60,
        commercial_partner_id=60,
        company_id=1,
        currency_id=1,
        invoice_date=str(world.now.date()),
        amount_untaxed=untaxed,
        amount_total=untaxed,
        amount_total_signed=-untaxed,
        payment_state="paid",
    )
    world.write(
        "account.move.line",
        number,
        move_id=number,
        product_id=trade.DESK,
        company_id=1,
        currency_id=1,
        display_type="product",
        parent_state="posted",
        quantity=quantity,
        price_unit=price,
        price_subtotal=untaxed,
        price_total=untaxed,
        purchase_line_id=order * 10,
    )


def test_bills_are_held_against_the_prices_ordered(shop: World) -> None:
    assert (page_of(shop).price_percent.n, page_of(shop).prices) == (0, [])
    trade.purchase(shop, 80, currency_id=1)
    shop.write("purchase.order.line", 800, price_unit=50, qty_received=20, qty_invoiced=40)
    bill(shop, 700, price=50)
    bill(shop, 701, price=53)
    page = page_of(shop)
    (told,) = page.prices
    assert (told.currency, told.bills, told.differing, told.amount) == ("EUR", 2, 1, 60)
    assert (page.price_percent.n, page.price_percent.least, page.price_percent.most) == (2, 0, 6)
    assert [count for _, count in page.price_percent.bins] == [0, 1, 0, 0, 1, 0]


def test_differences_in_percent_fall_where_they_belong() -> None:
    spread = percent_spread_of([Decimal("-1.5"), Decimal(0), Decimal("0.1"), Decimal(2), Decimal("11.2")], (2, 5, 10))
    assert [count for _, count in spread.bins] == [1, 1, 2, 0, 0, 1]
    assert (spread.n, spread.unit, spread.median) == (5, "%", Decimal("0.1"))


def test_an_open_order_says_when_it_is_expected_and_what_it_puts_at_risk(shop: World) -> None:
    trade.purchase(shop, 80, expected_in=9, amount_total=1_000)
    trade.sale(shop, 42, quantity=10, promised_in=3)
    page = page_of(shop)
    (order,) = page.orders
    assert (order.name, order.orders_count, order.revenue, order.is_late) == ("P00080", 1, 1_000, False)
    assert order.expected_at == shop.now + timedelta(days=9)
    assert page.totals == [("EUR", 1, Decimal(1_000))]
    assert (page.impact.orders_count, page.impact.revenue) == (1, {"EUR": Decimal(1_000)})
    assert page.is_customer is False


def test_who_sees_one_company_sees_its_part_alone(shop: World, client: Client) -> None:
    shop.write("res.company", 2, name="Westwind", currency_id=1, partner_id=1)
    received(shop, 80, expected_in=-5, done_in=-5)
    received(shop, 81, expected_in=-6, done_in=-2)
    shop.write("purchase.order", 81, company_id=2)
    shop.write("purchase.order.line", 810, company_id=2)
    trade.purchase(shop, 82, expected_in=9)
    trade.sale(shop, 42, quantity=10, promised_in=3)
    one, two = (AccessScope(frozenset({(shop.connection.pk, company)})) for company in (1, 2))
    assert (page_of(shop, access_scope=one).otif.n, page_of(shop, access_scope=two).otif.n) == (1, 1)
    assert (page_of(shop, access_scope=one).impact.orders_count, page_of(shop, access_scope=two).impact.orders_count) == (1, 0)
    assert {one.odoo_id for one in page_of(shop, access_scope=one).orders} == {82} and not page_of(shop, access_scope=two).orders
    three = AccessScope(frozenset({(shop.connection.pk, 3)}))
    assert vendors.vendor_of(shop.connection, 60, access_scope=three, now=shop.now) is None
    User.objects.filter(username="olga").update(sees=[f"{shop.connection.pk}:3"])
    client.force_login(User.objects.get(username="olga"))
    assert client.get("/vendors/main/60/").status_code == 404


def test_the_page_admits_what_it_does_not_know_and_the_old_address_leads_there(shop: World, client: Client) -> None:
    client.force_login(User.objects.get(username="olga"))
    page = client.get("/vendors/main/60/").content.decode()
    assert "No open purchase order." in page and "no data" in page and "n = 0" in page
    assert client.get("/suppliers/main/60/").headers["Location"] == "/vendors/main/60/"
    assert client.get("/suppliers/elsewhere/60/").status_code == 404
    trade.purchase(shop, 80, expected_in=-3)
    page = client.get("/vendors/main/60/").content.decode()
    assert "/records/main/purchase.order/80/" in page and "/exceptions/" in page
    shop.order(42, partner=60)
    assert "/customers/main/60/" in client.get("/vendors/main/60/").content.decode()
    shop.write("res.partner", 60, active=False)
    assert "archived" in client.get("/vendors/main/60/").content.decode()
    assert client.get("/vendors/main/9999/").status_code == 404


def test_the_api_says_the_same(shop: World) -> None:
    person("vera", Role.MANAGER)
    received(shop, 80, expected_in=-5, done_in=-5)
    trade.purchase(shop, 81, expected_in=9)
    told = caller("vera", "read").get("vendors/60/", connection="main").json()
    assert (told["name"], told["otif"]) == ("Nordic Timber", {"n": 1, "met": 1, "percent": 100.0})
    assert told["receipt_days_beyond_plan"]["median"] == 0 and told["price_difference_percent"]["n"] == 0
    assert [one["name"] for one in told["orders"]] == ["P00081"]

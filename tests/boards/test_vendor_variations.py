"""A vendor's page where purchases are not as in the book: closed short, not ordered yet, in dozens, dropshipped."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client

from apps.accounts.models import User
from apps.core import clock
from apps.events.models import OutsideEvent
from apps.mirror.models import DateChange
from tests import trade
from tests.boards.test_vendor_profiles import bill, page_of, received
from tests.world import World, odoo_time


@pytest.fixture
def shop(world: World) -> World:
    world.now = clock.now().replace(microsecond=0)
    for unit, name, factor in ((1, "Units", 1.0), (2, "Dozen", 12.0)):
        world.write("uom.uom", unit, name=name, factor=factor, relative_factor=factor)
    world.write("product.template", trade.DESK * 10, name="Oak desk", uom_id=1)
    world.write("product.product", trade.DESK, product_tmpl_id=trade.DESK * 10)
    world.write("res.partner", 60, name="Nordic Timber", commercial_partner_id=60, active=True)
    return world


def test_an_order_that_was_closed_short_is_received_and_not_late(shop: World, client: Client) -> None:
    trade.purchase(shop, 80, expected_in=-4, invoice_status="to invoice")
    shop.write("purchase.order.line", 800, qty_received=15, qty_to_invoice=15, qty_invoiced=0, price_unit=50)
    shop.write("stock.move", 800, state="done", quantity=15, date=trade.days(shop, -4))
    (order,) = page_of(shop).orders
    assert (order.is_received, order.is_late, order.expected_at) == (True, False, None)
    client.force_login(User.objects.get(username="olga"))
    assert "no date" not in client.get("/vendors/main/60/").content.decode()


def test_what_is_not_ordered_yet_is_planned_but_not_late(shop: World) -> None:
    trade.purchase(shop, 80, expected_in=-4, state="draft", date_approve=False)
    (order,) = page_of(shop).orders
    assert (order.is_late, order.is_received, order.expected_at) == (False, False, shop.now - timedelta(days=4))
    assert page_of(shop).otif.n == 0


def test_an_order_is_late_by_the_first_line_that_is_still_to_come(shop: World) -> None:
    trade.purchase(shop, 80, expected_in=-4)
    (order,) = page_of(shop).orders
    assert (order.is_late, order.expected_at) == (True, shop.now - timedelta(days=4))


def test_dozens_are_held_against_pieces(shop: World) -> None:
    received(shop, 80, expected_in=-5, done_in=-5, quantity=2)
    shop.write("purchase.order.line", 800, product_uom_id=2)
    shop.write("stock.move", 800, product_uom_qty=24, quantity=24, product_uom=1)
    page = page_of(shop)
    assert (page.on_time.met, page.in_full.met, page.otif.met, page.otif.n) == (1, 1, 1, 1)
    shop.write("stock.move", 800, quantity=23)
    shop.write("purchase.order.line", 800, qty_received=Decimal(23) / 12)
    page = page_of(shop)
    assert (page.on_time.met, page.in_full.met, page.otif.met, page.otif.n) == (1, 0, 0, 1)


def test_a_second_receipt_after_the_day_is_in_full_but_not_on_time(shop: World) -> None:
    received(shop, 80, expected_in=-5, done_in=-5, part=0.5)
    shop.write("purchase.order.line", 800, qty_received=20)
    done = {"state": "done", "date": trade.days(shop, -2)}
    shop.write("stock.picking", 801, name="WH/IN/00080", picking_type_code="incoming", state="done", date_done=trade.days(shop, -2))
    shop.write("stock.move", 801, product_id=trade.DESK, company_id=1, purchase_line_id=800, picking_id=801, quantity=10, **done)
    page = page_of(shop)
    assert (page.on_time.met, page.in_full.met, page.otif.met, page.otif.n) == (0, 1, 0, 1)
    assert (page.late.n, page.late.median) == (1, 3)


def test_what_goes_back_undoes_no_receipt(shop: World) -> None:
    received(shop, 80, expected_in=-5, done_in=-5)
    shop.write("stock.picking", 801, name="WH/OUT/00801", picking_type_code="outgoing", state="done", return_id=800)
    back = {"state": "done", "quantity": 5, "product_uom_qty": 5, "date": trade.days(shop, -1)}
    shop.write("stock.move", 801, product_id=trade.DESK, company_id=1, purchase_line_id=800, picking_id=801, **back)
    page = page_of(shop)
    assert (page.on_time.met, page.otif.met, page.otif.n, page.late.median) == (1, 1, 1, 0)


def test_cancelled_purchases_count_nowhere(shop: World) -> None:
    received(shop, 80, expected_in=-5, done_in=-5)
    shop.write("purchase.order", 80, state="cancel")
    page = page_of(shop)
    assert (page.otif.n, page.lead.n, page.moved.n, page.orders_count) == (0, 0, 0, 0)


def test_what_goes_from_the_vendor_to_a_customer_counts(shop: World) -> None:
    received(shop, 80, expected_in=-5, done_in=-4)
    shop.write("stock.picking", 800, picking_type_code="dropship")
    page = page_of(shop)
    assert (page.on_time.met, page.in_full.met, page.otif.n, page.late.median) == (0, 1, 1, 1)


def test_a_date_that_moved_and_came_back_has_moved_twice_by_no_day(shop: World) -> None:
    trade.purchase(shop, 80, expected_in=5)
    for day in (9, 5):
        planned = odoo_time(page_of(shop).orders[0].expected_at or shop.now)
        shop.advance(hours=1)
        shop.write("purchase.order.line", 800, date_planned=trade.days(shop, day))
        assert DateChange.objects.latest("id").old.isoformat().startswith(planned[:10])
    page = page_of(shop)
    assert (page.moved.met, page.moved.n, page.moves_count, page.moved_days.median) == (1, 1, 2, 0)


def test_a_date_that_stands_for_none_is_no_move(shop: World) -> None:
    trade.purchase(shop, 80, expected_in=5)
    shop.advance(hours=1)
    shop.write("purchase.order.line", 800, date_planned="9999-12-31 00:00:00")
    page = page_of(shop)
    assert (page.moved.met, page.moves_count, page.moved_days.n) == (0, 0, 0)
    assert page.orders[0].expected_at is None


def test_the_word_of_the_vendor_from_outside_is_a_confirmation(shop: World) -> None:
    trade.purchase(shop, 80, expected_in=20, acknowledged=False, date_approve=trade.days(shop, -5))
    OutsideEvent.objects.create(
        connection=shop.connection,
        source="edi",
        message="855-1",
        position=0,
        reference="P00080",
        kind="order_acknowledged",
        model="purchase.order",
        odoo_id=80,
        status="matched",
        occurred_at=shop.now - timedelta(days=1),
        received_at=shop.now,
    )
    assert (page_of(shop).confirmed.n, page_of(shop).confirmed.median) == (1, 4)


def test_bills_of_two_companies_are_two_sums(shop: World) -> None:
    shop.write("res.currency", 2, name="CHF", active=True)
    shop.write("res.company", 2, name="Westwind", currency_id=2, partner_id=1)
    for order, company, price in ((80, 1, 55), (81, 2, 48)):
        trade.purchase(shop, order, currency_id=company, company_id=company)
        shop.write("purchase.order.line", order * 10, price_unit=50, qty_received=20, qty_invoiced=20, company_id=company)
        bill(shop, 620 + order, price=price, order=order)
        shop.write("account.move", 620 + order, company_id=company, currency_id=company)
        shop.write("account.move.line", 620 + order, company_id=company, currency_id=company)
    page = page_of(shop)
    assert [(one.currency, one.bills, one.differing, one.amount) for one in page.prices] == [("CHF", 1, 1, -40), ("EUR", 1, 1, 100)]
    assert (page.price_percent.least, page.price_percent.most) == (-4, 10)


def test_a_bill_in_the_vendors_currency_is_told_in_the_companys(shop: World) -> None:
    shop.write("res.currency", 2, name="CHF", active=True)
    trade.purchase(shop, 80, currency_id=2, currency_rate=2.0)
    shop.write("purchase.order.line", 800, price_unit=50, qty_received=20, qty_invoiced=20)
    bill(shop, 700, price=55)
    shop.write("account.move", 700, currency_id=2, amount_total_signed=-550)
    shop.write("account.move.line", 700, currency_id=2)
    page = page_of(shop)
    assert [(one.currency, one.differing, one.amount) for one in page.prices] == [("EUR", 1, 50)]
    assert page.price_percent.most == 10


def test_approvals_and_exceptions_say_which_order_they_are_about(shop: World, client: Client) -> None:
    trade.purchase(shop, 80, expected_in=-4)
    client.force_login(User.objects.get(username="olga"))
    page = client.get("/vendors/main/60/").content.decode()
    assert "P00080" in page[page.index('id="decisions-h"') :].partition("</section>")[0]

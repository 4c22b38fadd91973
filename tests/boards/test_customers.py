"""A customer's page: what it may owe and owes, what it waits for, and how it orders and pays."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client

from apps.accounts.access import EVERYTHING, AccessScope
from apps.accounts.models import User
from apps.boards.profiles import customers
from apps.boards.profiles.customers import CustomerPage
from apps.boards.profiles.spread import spread_of
from apps.core import clock
from apps.workflows.models import Transition
from tests import trade
from tests.world import World, odoo_time


@pytest.fixture
def shop(world: World) -> World:
    world.now = clock.now().replace(microsecond=0)
    trade.purchase(world, quantity=20, expected_in=9)
    return world


def page_of(world: World, odoo_id: int = 50, access_scope: AccessScope = EVERYTHING) -> CustomerPage:
    page = customers.customer_of(world.connection, odoo_id, access_scope=access_scope, now=world.now)
    assert page is not None
    return page


def test_exposure_is_what_the_credit_rule_counts_of_all_addresses(shop: World) -> None:
    shop.owes(1_200, due_days_ago=10)
    shop.owes(300)
    shop.write("res.partner", 55, name="Azure, Lyon", commercial_partner_id=50, active=True)
    shop.order(44, amount=2_000, partner=55, state="sale", invoice_status="to invoice")
    shop.write("sale.order.line", 440, order_id=44, product_uom_qty=4, qty_invoiced=1, price_total=2_000, company_id=1)
    (credit,) = page_of(shop).credit
    assert (credit.credit_limit, credit.open_invoices, credit.open_orders) == (5_000, 1_500, 1_500)
    assert (credit.exposure, credit.overdue, credit.overdue_days) == (3_000, 1_200, 10)
    assert not credit.is_over
    shop.owes(2_500)
    assert page_of(shop, 55).credit[0].is_over
    assert page_of(shop, 55).family.contact == "Azure, Lyon"


def test_an_open_order_says_what_was_promised_and_what_is_expected(shop: World) -> None:
    trade.sale(shop, 42, quantity=10, promised_in=3)
    (order,) = page_of(shop).orders
    assert (order.name, order.is_at_risk, order.late_days) == ("S00042", True, 6)
    assert page_of(shop).totals == [("EUR", 1, Decimal(1_000))]


def test_days_beyond_terms_are_counted_with_their_sample(shop: World) -> None:
    for number, late in enumerate((-2, 0, 1, 40)):
        due = shop.now.date() - timedelta(days=50)
        move = shop.owes(100)
        shop.write("account.move", move, invoice_date_due=str(due), payment_state="paid", amount_residual=0)
        moved = Transition.objects.filter(workflow="invoicing", odoo_id=move, to_stage="paid")
        assert moved.update(at=shop.now - timedelta(days=50 - late)) == 1
        assert page_of(shop).paid.n == number + 1
    paid = page_of(shop).paid
    assert (paid.least, paid.median, paid.most) == (-2, 0, 40)
    assert [count for _, count in paid.bins] == [2, 1, 0, 0, 0, 1]


def test_deliveries_are_held_against_their_deadline(shop: World) -> None:
    trade.sale(shop, 42, quantity=10, promised_in=3)
    shop.write(
        "stock.picking",
        42,
        state="done",
        company_id=1,
        date_deadline=odoo_time(shop.now - timedelta(days=4)),
        date_done=odoo_time(shop.now),
    )
    assert (page_of(shop).delivered.n, page_of(shop).delivered.median) == (1, 4)


def test_a_quantity_is_told_in_the_products_own_unit(shop: World) -> None:
    shop.write("uom.uom", 1, name="Units", relative_factor=1.0, factor=1.0)
    shop.write("uom.uom", 2, name="Dozen", relative_factor=12.0, factor=12.0)
    shop.write("product.template", 300, name="Oak desk", uom_id=1)
    shop.write("product.product", trade.DESK, product_tmpl_id=300)
    trade.sale(shop, 42, quantity=2)
    shop.write("sale.order.line", 420, product_uom_id=2)
    (usual,) = page_of(shop).usual
    assert (usual.quantity, usual.unit) == (24, "Units")


def test_who_sees_another_company_sees_neither_the_customer_nor_a_figure(shop: World, client: Client) -> None:
    shop.held_order()
    other = AccessScope(frozenset({(shop.connection.pk, 2)}))
    assert customers.customer_of(shop.connection, 50, access_scope=other, now=shop.now) is None
    mine = AccessScope(frozenset({(shop.connection.pk, 1)}))
    assert page_of(shop, access_scope=mine).cases
    User.objects.filter(username="olga").update(sees=[f"{shop.connection.pk}:2"])
    client.force_login(User.objects.get(username="olga"))
    assert client.get("/customers/main/50/").status_code == 404


def test_the_page_names_what_waits_for_people_and_admits_what_it_does_not_know(shop: World, client: Client) -> None:
    client.force_login(User.objects.get(username="olga"))
    empty = client.get("/customers/main/50/").content.decode()
    assert "No open order." in empty and "Nothing ordered within a year." in empty and "n = 0" in empty
    shop.held_order()
    page = client.get("/customers/main/50/").content.decode()
    assert "/records/main/sale.order/42/" in page and "/exceptions/" in page and "/approvals/" in page
    shop.write("res.partner", 50, active=False)
    assert "archived" in client.get("/customers/main/50/").content.decode()
    assert client.get("/customers/main/9999/").status_code == 404


def test_a_distribution_of_nothing_has_no_figures() -> None:
    assert spread_of([], (0, 7)).median is None
    one = spread_of([3], (0, 7))
    assert (one.n, one.median, one.p95, [count for _, count in one.bins]) == (1, 3, 3, [0, 1, 0])

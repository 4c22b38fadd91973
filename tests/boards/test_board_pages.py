"""Home, boards and records, as a browser asks for them."""

import re
from datetime import timedelta

import pytest
from django.test import Client

from apps.accounts.models import User
from apps.core import clock
from apps.exceptions.models import ExceptionCase
from tests.world import World, odoo_time


@pytest.fixture
def held(world: World) -> World:
    world.now = clock.now() - timedelta(minutes=10)
    world.owes(1_000)
    world.held_order(amount=6_200)
    return world


def signed_in(name: str) -> Client:
    client = Client()
    client.force_login(User.objects.get(username=name))
    return client


def page(name: str, path: str) -> str:
    answer = signed_in(name).get(path)
    assert answer.status_code == 200, answer.content.decode()[:500]
    return answer.content.decode()


def test_home_tells_an_approver_that_a_decision_waits(held: World) -> None:
    assert "1 approval to decide" in page("adam", "/")


def test_home_tells_an_operator_of_what_is_theirs_and_of_what_nobody_owns(held: World) -> None:
    ExceptionCase.objects.update(owner=None)
    text = page("olga", "/")
    assert "You&#x27;re all caught up" in text
    assert "Unowned exceptions" in text
    ExceptionCase.objects.update(owner=User.objects.get(username="olga"))
    assert "1 exception assigned to you" in page("olga", "/")


def test_the_board_counts_the_held_order_in_its_stage(held: World) -> None:
    text = page("mia", "/boards/order_to_cash/")
    assert 'id="stage-credit_review"' in text
    assert "Credit review" in page("mia", "/boards/")


def test_the_stage_leads_to_the_record(held: World) -> None:
    assert "/records/main/sale.order/42/" in page("mia", "/boards/order_to_cash/credit_review/")


def test_the_record_tells_where_it_stands_what_holds_it_up_and_what_happened(held: World) -> None:
    text = page("mia", "/records/main/sale.order/42/")
    for part in ("Credit review", "over the credit limit", "requested the approval", "opened the exception", "Open in Odoo"):
        assert part in text


def test_a_live_update_of_a_record_brings_the_stage_of_its_breadcrumb(held: World) -> None:
    path, mia = "/records/main/sale.order/42/", signed_in("mia")
    assert '<span id="crumb-stage"><a href="/boards/order_to_cash/credit_review/">' in mia.get(path).content.decode()
    held.order(42, state="cancel")
    drawn = mia.get(path, headers={"X-Fragment": "1"}).content.decode()
    assert (
        '<template data-outside="crumb-stage"><a href="/boards/order_to_cash/cancelled/">' in drawn
        and '<nav class="crumbs"' not in drawn
    )


def test_the_record_leads_to_its_deliveries(world: World) -> None:
    world.order(43, state="sale")
    world.write(
        "stock.picking",
        300,
        name="WH/OUT/00300",
        state="assigned",
        picking_type_code="outgoing",
        sale_id=43,
        scheduled_date=odoo_time(world.now),
        company_id=1,
        partner_id=50,
    )
    order = page("mia", "/records/main/sale.order/43/")
    assert re.search(r'<a href="/records/main/stock.picking/300/">(?:(?!</a>).)*WH/OUT/00300', order, re.S)
    assert "WH/OUT/00300" in page("mia", "/records/main/stock.picking/300/")


@pytest.mark.parametrize(
    "path",
    ["/boards/nonsense/", "/boards/order_to_cash/nonsense/", "/records/main/sale.order/9999/", "/records/nobody/sale.order/42/"],
)
def test_what_is_not_there_is_a_page_that_says_so(held: World, path: str) -> None:
    assert signed_in("mia").get(path).status_code == 404


@pytest.mark.parametrize("path", ["/", "/approvals/", "/exceptions/", "/boards/", "/notifications/", "/connections/"])
def test_whoever_is_not_signed_in_is_asked_to(db: None, path: str) -> None:
    answer = Client().get(path)
    assert answer.status_code == 302
    assert answer["Location"].startswith("/accounts/login/")


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/approvals/",
        "/exceptions/",
        "/boards/",
        "/boards/order_to_cash/",
        "/records/main/sale.order/42/",
        "/notifications/",
        "/connections/",
        "/search/?q=S0",
        "/wall/",
        "/boards/order_to_cash/flow/",
        "/boards/order_to_cash/moves/",
        "/boards/order_to_cash/compare/",
        "/boards/order_to_cash/outlook/",
        "/partners/main/50/",
        "/customers/main/50/",
        "/vendors/main/50/",
    ],
)
def test_no_page_carries_a_style_or_script_that_the_policy_forbids(held: World, path: str) -> None:
    text = page("mia", path)
    assert " style=" not in text
    assert " onclick=" not in text
    assert "<script>" not in text


def test_an_invoice_has_its_board_its_stage_its_record_and_its_exception(world: World) -> None:
    world.now = clock.now() - timedelta(minutes=10)
    world.order(42, state="sale")
    world.write(
        "sale.order.line",
        4200,
        order_id=42,
        name="Desk",
        product_uom_qty=10,
        qty_delivered=7.5,
        qty_invoiced=10,
        qty_to_invoice=-2.5,
        price_unit=10,
    )
    world.write(
        "account.move",
        600,
        name="INV/600",
        state="posted",
        move_type="out_invoice",
        payment_state="not_paid",
        partner_id=50,
        commercial_partner_id=50,
        company_id=1,
        currency_id=1,
        amount_total=100,
        amount_total_signed=100,
        amount_residual=100,
        amount_residual_signed=100,
    )
    world.write(
        "account.move.line",
        6000,
        move_id=600,
        sale_line_ids=[4200],
        display_type="product",
        currency_id=1,
        quantity=10,
        price_unit=10,
        price_subtotal=100,
    )
    assert "Invoicing" in page("mia", "/boards/")
    assert 'id="stage-disputed"' in page("mia", "/boards/invoicing/")
    assert "/records/main/account.move/600/" in page("mia", "/boards/invoicing/disputed/")
    record = page("mia", "/records/main/account.move/600/")
    assert "it differs from the order or the delivery" in record and "Invoice differs from order or delivery" in record
    assert "INV/600" in page("mia", "/exceptions/")
    shown = page("mia", f"/exceptions/{ExceptionCase.objects.get().pk}/")
    for words, figure in [("Delivered", "7.5"), ("Billed over the allowed amount", "2.5"), ("Ordered", "10"), ("Product", "Desk")]:
        assert f"<dt>{words}</dt><dd>{figure}</dd>" in shown


@pytest.mark.parametrize(
    ("model", "path", "price"),
    [
        ("sale.order.line", "/records/main/sale.order/42/", {"product_uom_qty": 2}),
        ("purchase.order.line", "/records/main/purchase.order/80/", {"product_qty": 2}),
    ],
)
def test_the_sums_of_lines_are_before_tax_as_their_prices_are(held: World, model: str, path: str, price: dict[str, int]) -> None:
    held.write(
        "purchase.order", 80, name="P00080", state="draft", partner_id=50, amount_total=238, amount_untaxed=200, company_id=1
    )
    held.write(
        model,
        4200,
        order_id=42 if model.startswith("sale") else 80,
        product_id=30,
        name="Oak desk",
        price_unit=100,
        price_subtotal=200,
        price_total=238,
        **price,
    )
    html = signed_in("mia").get(path).content.decode()
    table = re.search(r'id="lines-1".*?</table>', html, re.S)
    assert table and "Sum before tax" in table[0] and "200.00" in table[0] and "238.00" not in table[0]

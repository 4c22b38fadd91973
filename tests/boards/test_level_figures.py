"""Backlog, DSO, DPO and dock to stock: at each moment of the range, of parts, other currencies, payments and put-away steps."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.html import escape

from apps.accounts.access import EVERYTHING, AccessScope
from apps.accounts.models import Role
from apps.boards.boards import kpi_catalogue, kpis
from apps.boards.boards.kpi import CUSTOMER
from apps.boards.boards.kpi_records import Counted, records_behind
from tests.api.callers import caller
from tests.boards.test_line_figures import LEG, STOCK, TOP, VENDORS, moved, sold, world
from tests.world import World, odoo_time, person

__all__ = ["world"]
pytestmark = pytest.mark.django_db
DAY = 86_400.0
INPUT, QUALITY, SHELF = 20, 21, 22
RECEIVABLE, PAYABLE, BANK = 11, 12, 13


def figure(world: World, name: str, **asked: Any) -> kpis.Figure | None:
    found = [one for one in kpis.figures(now=world.now, **{"access_scope": EVERYTHING, **asked}) if one.kpi.name == name]
    assert len(found) < 2
    return found[0] if found else None


def told(world: World, name: str, **asked: Any) -> kpis.Figure:
    found = figure(world, name, **asked)
    assert found is not None
    return found


def behind(world: World, name: str) -> list[Counted]:
    kpi = next(one for one in kpi_catalogue.KPIS if one.name == name)
    return records_behind(kpi, told(world, name).workflow, now=world.now, access_scope=EVERYTHING)


def on(found: kpis.Figure, world: World, days_ago: int) -> float | None:
    day = (world.now - timedelta(days=days_ago)).date()
    return next((point.value for point in found.trend if point.day == day), None)


def waits(world: World, order: int, *, days_ago: float, quantity: float = 1, worth: float = 1200, **more: Any) -> None:
    """An order of dozens of desks of so many days ago that is still to be delivered."""
    sold(world, order, quantity=quantity, date_order=odoo_time(world.now - timedelta(days=days_ago)), **more)
    world.write("sale.order.line", order, price_subtotal=worth, qty_delivered=0)
    moved(world, order, order, pieces=12 * quantity, state="assigned")


def delivers(world: World, order: int, number: int, *, days_ago: float, pieces: float, delivered: float, **more: Any) -> None:
    """A transfer of pieces of it, and how many dozens Odoo says are delivered by now."""
    moved(world, order, number, days_ago=days_ago, pieces=pieces, **more)
    world.write("sale.order.line", order, qty_delivered=delivered)


def test_the_backlog_is_what_is_still_to_deliver_on_each_day(world: World) -> None:
    waits(world, 1, days_ago=10, quantity=2, worth=2400)
    delivers(world, 1, 101, days_ago=4, pieces=18, delivered=1.5)
    waits(world, 2, days_ago=6, worth=500)
    delivers(world, 2, 102, days_ago=3, pieces=12, delivered=1)
    world.write("stock.move", 2, state="cancel")

    found = told(world, "backlog_value")

    assert (found.value, found.count, found.currency, found.p90) == (600, 1, "EUR", None)
    assert [on(found, world, days) for days in (11, 10, 6, 5, 4, 3, 0)] == [None, 2400, 2900, 2900, 1100, 600, 600]
    assert [(one.odoo_id, one.value, one.currency) for one in behind(world, "backlog_value")] == [(1, 600, "EUR")]


def test_the_range_before_is_what_there_was_at_its_end(world: World) -> None:
    waits(world, 1, days_ago=40, worth=1000)
    waits(world, 2, days_ago=5, worth=300)
    delivers(world, 1, 101, days_ago=20, pieces=6, delivered=0.5)

    found = told(world, "backlog_value")

    assert (found.value, found.before, found.before_count) == (800, 1000, 1)
    assert found.target is None and found.is_met is None and found.is_better is None


@pytest.mark.parametrize(
    ("change", "value"),
    [
        (lambda world: world.write("sale.order", 1, currency_rate=2.0), 600),
        (lambda world: world.write("sale.order", 1, state="cancel"), None),
        (lambda world: world.write("sale.order", 1, state="draft"), None),
        (lambda world: world.write("sale.order.line", 1, qty_delivered_method="manual"), None),
        (lambda world: world.write("sale.order.line", 1, product_uom_qty=3, qty_delivered=2), 400),
        (lambda world: world.write("sale.order.line", 1, product_uom_qty=1, qty_delivered=2), None),
        (lambda world: world.write("stock.move", 1, state="cancel"), None),
        (lambda world: world.write("stock.move", 1, sale_line_id=False), 1200),
        (lambda world: world.write("stock.move", 1, state="waiting"), 1200),
        (lambda world: world.write("sale.order", 1, company_id=2), 1200),
    ],
    ids=["rate", "cancelled", "quotation", "service", "part", "more", "given up", "not begun", "waiting", "other company"],
)
def test_what_is_in_the_backlog(world: World, change: Callable[[World], None], value: float | None) -> None:
    waits(world, 1, days_ago=3)

    change(world)

    found = figure(world, "backlog_value")
    assert (found and found.value) == value


def test_a_kit_leaves_the_backlog_with_its_last_component(world: World) -> None:
    waits(world, 1, days_ago=9, worth=900)
    world.write("stock.move", 1, product_id=LEG, state="cancel")
    moved(world, 1, 101, days_ago=5, pieces=48, product=LEG)
    delivers(world, 1, 102, days_ago=2, pieces=12, delivered=1, product=TOP)
    waits(world, 2, days_ago=1, worth=50)

    found = told(world, "backlog_value")

    assert [on(found, world, days) for days in (8, 5, 3, 2, 1)] == [900, 900, 900, None, 50]


def test_what_comes_back_stays_delivered(world: World) -> None:
    waits(world, 1, days_ago=9, worth=900)
    world.write("stock.move", 1, state="cancel")
    delivers(world, 1, 101, days_ago=5, pieces=12, delivered=1)
    moved(world, 1, 102, days_ago=2, pieces=12, code="incoming", place=2, to=STOCK, return_id=101)

    assert figure(world, "backlog_value") is None


def test_companies_of_two_currencies_have_a_figure_each(world: World) -> None:
    world.write("res.currency", 2, name="CHF", decimal_places=2, active=True)
    world.write("res.company", 2, name="Helvetia", currency_id=2, partner_id=2)
    waits(world, 1, days_ago=3, worth=1000)
    waits(world, 2, days_ago=5, worth=70, company_id=2)

    found = [one for one in kpis.figures(now=world.now, access_scope=EVERYTHING) if one.kpi.name == "backlog_value"]
    ages = [one for one in kpis.figures(now=world.now, access_scope=EVERYTHING) if one.kpi.name == "backlog_age"]

    assert [(one.currency, one.value, on(one, world, 4), on(one, world, 0)) for one in found] == [
        ("CHF", 70, 70, 70),
        ("EUR", 1000, None, 1000),
    ]
    assert [(one.currency, one.value, one.count) for one in ages] == [("", 4 * DAY, 2)]


def test_the_age_of_the_backlog_is_the_median_over_orders(world: World) -> None:
    for order, days in ((1, 2), (2, 4), (3, 12)):
        waits(world, order, days_ago=days)
    delivers(world, 3, 103, days_ago=5, pieces=6, delivered=0.5)

    found = told(world, "backlog_age")

    assert (found.value, found.count) == (4 * DAY, 3)
    assert found.p90 is not None and 10 * DAY < found.p90 < 12 * DAY
    assert [(one.odoo_id, one.value) for one in behind(world, "backlog_age")] == [(3, 12 * DAY), (2, 4 * DAY), (1, 2 * DAY)]


def invoiced(world: World, number: int, amount: float, *, days_ago: int, owed: float | None = None, **more: Any) -> None:
    """A posted entry with one line on an account, and what is open of it."""
    given = {"move_type": "out_invoice", "account": RECEIVABLE, "partner": 50, "state": "posted", "company": 1} | more
    day = (world.now - timedelta(days=days_ago)).date().isoformat()
    world.write(
        "account.move",
        number,
        name=f"E/{number}",
        state=given["state"],
        move_type=given["move_type"],
        partner_id=given["partner"],
        company_id=given["company"],
        date=day,
        invoice_date=day,
    )
    world.write(
        "account.move.line",
        number,
        move_id=number,
        account_id=given["account"],
        parent_state=given["state"],
        balance=amount,
        amount_residual=amount if owed is None else owed,
        date=day,
        date_maturity=False if given["move_type"] == "entry" else day,
        company_id=given["company"],
        partner_id=given["partner"],
    )


@pytest.fixture
def books(world: World) -> World:
    for number, kind in ((RECEIVABLE, "asset_receivable"), (PAYABLE, "liability_payable"), (BANK, "asset_cash")):
        world.write("account.account", number, name=kind, account_type=kind)
    return world


def test_dso_is_what_is_owed_by_what_was_invoiced_in_the_range(books: World) -> None:
    invoiced(books, 1, 1_000, days_ago=70)
    invoiced(books, 2, 2_000, days_ago=20, owed=0)
    invoiced(books, 3, 1_000, days_ago=5)
    invoiced(books, 4, -2_000, days_ago=3, owed=0, move_type="entry")

    found = told(books, "dso")

    assert (found.value, found.count, found.currency) == (pytest.approx((1_000 + 1_000) / 3_000 * 30 * DAY), 2, "EUR")
    assert on(found, books, 4) == pytest.approx(4_000 / 3_000 * 30 * DAY)
    assert on(found, books, 3) == pytest.approx(2_000 / 3_000 * 30 * DAY)
    assert on(found, books, 10) == pytest.approx(3_000 / 2_000 * 30 * DAY)
    assert [(one.odoo_id, one.value) for one in behind(books, "dso")] == [(3, 1_000), (1, 1_000)]


@pytest.mark.parametrize(
    ("more", "owed", "billed"),
    [
        ({"move_type": "out_refund", "amount": -400}, 600, 600),
        ({"move_type": "out_refund", "amount": -400, "state": "draft"}, 1000, 1000),
        ({"move_type": "entry", "amount": -400}, 600, 1000),
        ({"move_type": "out_receipt", "amount": 400}, 1400, 1400),
        ({"move_type": "entry", "amount": 400, "account": BANK}, 1000, 1000),
        ({"move_type": "in_invoice", "amount": -400, "account": PAYABLE}, 1000, 1000),
        ({"move_type": "out_invoice", "amount": 400, "days_ago": -3}, 1400, 1000),
        ({"move_type": "out_invoice", "amount": 400, "days_ago": 31}, 1400, 1000),
    ],
    ids=["credit note", "draft", "paid in advance", "receipt", "bank", "bill", "of days to come", "of the range before"],
)
def test_what_counts_for_dso(books: World, more: dict[str, Any], owed: float, billed: float) -> None:
    invoiced(books, 1, 1_000, days_ago=8)
    invoiced(books, 2, **{"days_ago": 4, **more})
    if more.get("days_ago") == -3:
        owed = 1_000

    assert told(books, "dso").value == pytest.approx(owed / billed * 30 * DAY)


def test_without_sales_in_the_range_there_is_no_dso(books: World) -> None:
    invoiced(books, 1, 1_000, days_ago=70)

    assert figure(books, "dso") is None and figure(books, "dpo") is None


def test_a_payment_that_settles_nothing_yet_stands_among_the_records(books: World, client: Client) -> None:
    invoiced(books, 1, 1_000, days_ago=8)
    invoiced(books, 2, -400, days_ago=3, move_type="entry")
    client.force_login(person("mia", Role.MANAGER))

    assert [(one.name, one.value) for one in behind(books, "dso")] == [("E/1", 1_000), ("E/2", -400)]
    page = client.get(reverse("boards:figure-records", args=["dso", "invoicing"])).content.decode()
    assert reverse("boards:record", args=["main", "account.move", 1]) in page
    assert f'href="{escape(books.connection.record_url("account.move", 2))}"' in page


def test_dpo_is_of_vendors(books: World) -> None:
    invoiced(books, 1, -3_000, days_ago=9, move_type="in_invoice", account=PAYABLE, partner=60)
    invoiced(books, 2, 1_500, days_ago=2, move_type="entry", account=PAYABLE, partner=60)
    invoiced(books, 3, -1_000, days_ago=40, owed=0, move_type="in_invoice", account=PAYABLE, partner=60)

    found = told(books, "dpo")

    assert (found.value, found.count, found.workflow) == (pytest.approx(1_500 / 3_000 * 30 * DAY), 1, "invoicing")


def test_dso_of_one_customer(books: World) -> None:
    books.customer(51, name="Gemini", credit_limit=0)
    invoiced(books, 1, 1_000, days_ago=8)
    invoiced(books, 2, 5_000, days_ago=8, partner=51, owed=0)
    invoiced(books, 3, -5_000, days_ago=7, partner=51, owed=0, move_type="entry")

    assert told(books, "dso", of_partner=(CUSTOMER, books.connection.pk, 51)).value == 0
    assert told(books, "dso", of_partner=(CUSTOMER, books.connection.pk, 50)).value == pytest.approx(30 * DAY)


def test_nobody_is_told_of_other_companies(books: World) -> None:
    waits(books, 1, days_ago=3)
    invoiced(books, 2, 1_000, days_ago=8)
    other = AccessScope(frozenset({(books.connection.pk, 2)}))

    assert not [one for one in kpis.figures(now=books.now, access_scope=other) if one.kpi.level]


def put_away(world: World, number: int, *, after: timedelta, to: int = SHELF, origin: int, days_ago: float = 2) -> None:
    """A transfer within the house that goes on from another move."""
    moved(world, number, number, code="internal", place=INPUT, to=to, bought=True, days_ago=days_ago)
    world.write(
        "stock.move",
        number,
        purchase_line_id=False,
        move_orig_ids=[origin],
        date=odoo_time(world.now - timedelta(days=days_ago) + after),
    )


@pytest.fixture
def dock(world: World) -> World:
    for place, above in ((INPUT, 9), (QUALITY, 9), (STOCK, 9), (SHELF, STOCK)):
        world.write("stock.location", place, name="p", complete_name="p", usage="internal", location_id=above)
    world.write("stock.warehouse", 1, name="Hall", company_id=1, lot_stock_id=STOCK)
    moved(world, 80, 80, code="incoming", place=VENDORS, to=INPUT, bought=True, days_ago=2)
    return world


def test_dock_to_stock_ends_on_a_shelf(dock: World) -> None:
    put_away(dock, 81, after=timedelta(hours=5), origin=80)

    found = told(dock, "dock_to_stock")

    assert (found.value, found.count, found.workflow) == (5 * 3600, 1, "procure_to_pay")


def test_dock_to_stock_goes_over_quality_control(dock: World) -> None:
    put_away(dock, 81, after=timedelta(hours=2), to=QUALITY, origin=80)
    put_away(dock, 82, after=timedelta(hours=9), origin=81)
    put_away(dock, 83, after=timedelta(hours=20), to=24, origin=82)

    found = told(dock, "dock_to_stock")

    assert (found.value, found.count) == (9 * 3600, 1)
    assert [(one.odoo_id, one.value) for one in behind(dock, "dock_to_stock")] == [(82, 9 * 3600)]


def test_what_came_back_or_in_one_step_is_no_dock_to_stock(dock: World) -> None:
    moved(dock, 1, 90, code="incoming", place=2, to=INPUT, return_id=12)
    put_away(dock, 91, after=timedelta(hours=5), origin=90)
    put_away(dock, 92, after=timedelta(hours=5), origin=999)

    assert figure(dock, "dock_to_stock") is None


def test_they_are_shown_and_a_target_of_money_is_set(books: World, client: Client) -> None:
    waits(books, 1, days_ago=3, worth=1_234_567)
    invoiced(books, 2, 1_000, days_ago=8)
    mia = person("mia", Role.MANAGER)
    client.force_login(mia)

    page = client.get(reverse("boards:figures")).content.decode()
    records = client.get(reverse("boards:figure-records", args=["backlog_value", "order_to_cash"])).content.decode()
    client.post(reverse("boards:targets"), {"backlog_value": "2000000", "dpo": ""})
    answer = caller("mia", "read").get("kpis/").json()["business"]

    assert "Backlog value" in page and "1.23 M" in page and "DSO" in page
    assert "1.23 M" in records
    of = {one["kpi"]: one for one in answer}
    assert (of["backlog_value"]["unit"], of["backlog_value"]["currency"], of["backlog_value"]["target"]) == ("money", "EUR", 2e6)
    assert of["backlog_value"]["is_met"] is True
    assert (of["dso"]["unit"], of["dso"]["value"]) == ("seconds", 30 * DAY)

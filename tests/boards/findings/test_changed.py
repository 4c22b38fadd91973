"""What of orders changed after they were confirmed, as the mirror saw it."""

from datetime import timedelta

import pytest

from apps.accounts.access import AccessScope
from apps.mirror import registry as mirror
from apps.mirror import upsert
from apps.mirror.models import NumberChange
from apps.pipeline import change_processing
from tests.boards.findings.ways import found, parts, records
from tests.boards.lives import START
from tests.world import World, odoo_time

pytestmark = pytest.mark.django_db


@pytest.fixture
def trade(world: World) -> World:
    """A sales order and a purchase order, each confirmed at the start, each with a line."""
    world.now = START + timedelta(hours=1)
    world.write("sale.order.line", 420, order_id=42, product_id=7, product_uom_qty=5, company_id=1)
    world.order(42, amount=100, commitment_date=odoo_time(START + timedelta(days=20)))
    world.advance(hours=1)
    # Before the confirmation, and with it, everything may change.
    world.write("sale.order.line", 420, product_uom_qty=6)
    world.order(42, amount=120, state="sale", commitment_date=odoo_time(START + timedelta(days=21)))
    world.write("purchase.order.line", 430, order_id=43, product_id=7, product_qty=5, company_id=1, date_planned=odoo_time(START))
    values = {"name": "P43", "state": "purchase", "partner_id": 50, "company_id": 1, "currency_id": 1, "currency_rate": 1.0}
    values |= {"amount_total": 70, "amount_untaxed": 70, "date_approve": odoo_time(world.now)}
    world.write("purchase.order", 43, **values)
    world.advance(hours=1)
    return world


def kinds(workflow: str = "order_to_cash") -> dict[str, tuple[int, int]]:
    return {part[0]: (one.count, one.times) for part, one in parts("changed", workflow=workflow).items()}


def test_an_order_that_nobody_touched_after_its_confirmation_is_in_the_sample_alone(trade: World) -> None:
    one = found("changed")
    assert one and (one.sample, one.whole.count, one.parts) == (1, 0, [])
    assert NumberChange.objects.filter(model="sale.order.line", odoo_id=420).count() == 1
    assert kinds("procure_to_pay") == {}


def test_dates_amounts_and_quantities_count_each_write_once(trade: World) -> None:
    trade.write("sale.order.line", 420, product_uom_qty=8)
    trade.write("sale.order", 42, amount_untaxed=160, amount_total=160, commitment_date=odoo_time(START + timedelta(days=25)))
    trade.advance(hours=1)
    trade.write("sale.order.line", 420, product_uom_qty=4)

    assert kinds() == {"date": (1, 1), "amount": (1, 1), "quantity": (1, 2)}
    one = found("changed")
    assert one and (one.whole.count, one.whole.amounts, one.whole.seconds) == (1, [("EUR", 160)], None)
    assert {part.text for part in one.parts} == {
        "1 confirmed order got another date",
        "1 confirmed order got another amount",
        "1 confirmed order got other quantities",
    }
    assert [(row.odoo_id, row.times) for row in records("changed", part=["quantity"])] == [(42, 2)]


def test_lines_that_came_and_went_are_told_apart(trade: World) -> None:
    trade.write("sale.order.line", 421, order_id=42, product_id=8, product_uom_qty=1, company_id=1)
    trade.write("sale.order.line", 422, order_id=42, display_type="line_note", company_id=1)
    lines = mirror.models()["sale.order.line"]
    trade.advance(hours=1)
    gone = upsert.mark_deleted(lines, connection_id=trade.connection.pk, odoo_ids=[420], read_at=trade.now, now=trade.now)
    change_processing.apply_changes([gone], now=trade.now)

    assert kinds() == {"line_added": (1, 1), "line_removed": (1, 1)}


def test_the_dates_and_quantities_of_a_purchase_are_those_of_its_lines(trade: World) -> None:
    trade.write("purchase.order.line", 430, date_planned=odoo_time(START + timedelta(days=9)), product_qty=3)

    assert kinds("procure_to_pay") == {"date": (1, 1), "quantity": (1, 1)}


def test_an_order_that_was_cancelled_and_drafted_again_is_changed_before_it_is_confirmed(trade: World) -> None:
    trade.write("sale.order", 42, state="draft")
    trade.write("sale.order.line", 420, product_uom_qty=9)
    trade.advance(hours=2)
    trade.write("sale.order", 42, state="sale", date_order=odoo_time(trade.now))

    assert kinds() == {}


def test_a_day_in_which_nothing_changed_has_no_finding_and_other_companies_none_at_all(trade: World) -> None:
    trade.write("sale.order.line", 420, product_uom_qty=8)
    later = trade.now + timedelta(minutes=1)

    assert parts("changed", since=later, until=later + timedelta(days=1)) == {}
    assert parts("changed", access_scope=AccessScope(frozenset({(trade.connection.pk, 2)}))) == {}


def test_what_a_restored_database_says_again_is_no_change(trade: World) -> None:
    orders = mirror.models()["sale.order.line"]
    before = NumberChange.objects.count()
    row = {"id": 420, "write_date": odoo_time(START), "create_date": odoo_time(START), "product_uom_qty": 5.0}
    upsert.apply(orders, connection_id=trade.connection.pk, rows=[row], read_at=trade.now, rebuild=True)

    assert NumberChange.objects.count() == before

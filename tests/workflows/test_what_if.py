"""What a change would do is what the tower says once it was made, and the preview leaves nothing behind."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from apps.accounts import access
from apps.accounts.access import AccessScope
from apps.mirror import registry as mirror
from apps.workflows import changes, engine, registry, what_if
from apps.workflows.hypothetical import ChangeRefusedError
from apps.workflows.what_if import ChangedOrder, Preview
from tests import trade
from tests.trade import DESK, LAMP, days
from tests.world import NOW, World

pytestmark = pytest.mark.django_db


def previewed(world: World, *some: changes.Change, access_scope: AccessScope = access.EVERYTHING) -> Preview:
    return what_if.preview(world.connection.pk, some, now=world.now, access_scope=access_scope)


def standing(world: World) -> dict[int, dict[str, Any]]:
    """Every sales order as the evaluation has it."""
    ids = list(mirror.models()["sale.order"].objects.filter(connection=world.connection).values_list("odoo_id", flat=True))
    workflow = registry.workflows()["order_to_cash"]
    return engine.read(workflow, what_if.COLUMNS, connection_id=world.connection.pk, odoo_ids=ids, now=world.now)


def told(orders: Sequence[ChangedOrder]) -> dict[int, tuple[Any, ...]]:
    return {one.odoo_id: (one.forecast_after, one.is_at_risk_after, one.is_short_after, one.late_days_after) for one in orders}


def happened(before: dict[int, dict[str, Any]], after: dict[int, dict[str, Any]]) -> dict[int, tuple[Any, ...]]:
    """Which orders really are other ones now."""
    return {
        odoo_id: (row["forecast_at"], row["is_promise_at_risk"], row["has_shortage"], row["promise_late_days"])
        for odoo_id, row in after.items()
        if any(row[name] != before[odoo_id][name] for name in what_if.COMPARED)
    }


def two_wait() -> World:
    """Two orders wait for a purchase of 20: one is promised in 6 days, the other in 20."""
    world = trade.company()
    trade.purchase(world, quantity=20, expected_in=5)
    trade.sale(world, 42, quantity=10, promised_in=6)
    trade.sale(world, 43, quantity=8, promised_in=20, partner=51)
    return world


def test_a_later_date_names_who_is_delivered_later_and_whose_promise_breaks() -> None:
    world = two_wait()
    before = standing(world)
    shown = previewed(world, changes.NewDate(line_id=800, at=world.now + timedelta(days=12)))
    first, second = shown.orders
    assert (first.odoo_id, first.is_at_risk_before, first.is_at_risk_after, first.days, first.late_days_after) == (
        42,
        False,
        True,
        7,
        6,
    )
    assert (second.odoo_id, second.is_at_risk_after, second.customer) == (43, False, "Gemini")
    assert (shown.newly_at_risk, shown.relieved, shown.customers_count, shown.later) == (1, 0, 2, 2)
    assert shown.revenue_newly_at_risk == {"EUR": Decimal("1000.00")}
    assert standing(world) == before
    world.write("purchase.order.line", 800, date_planned=days(world, 12))
    assert told(shown.orders) == happened(before, standing(world))


def test_an_earlier_date_relieves_a_promise() -> None:
    world = two_wait()
    world.write("purchase.order.line", 800, date_planned=days(world, 9))
    before = standing(world)
    shown = previewed(world, changes.NewDate(line_id=800, at=world.now + timedelta(days=4)))
    assert (shown.relieved, shown.newly_at_risk, shown.most_days_earlier) == (1, 0, 5)
    world.write("purchase.order.line", 800, date_planned=days(world, 4))
    assert told(shown.orders) == happened(before, standing(world))


def test_what_reaches_nobody_has_no_impact() -> None:
    world = two_wait()
    trade.purchase(world, 81, product=LAMP, quantity=5, expected_in=4)
    shown = previewed(world, changes.NewDate(line_id=810, at=world.now + timedelta(days=40)))
    assert (shown.has_impact, shown.orders_count, shown.sentence) == (
        False,
        0,
        "No impact: no sales order is delivered at another time.",
    )
    (curve,) = shown.curves
    assert (curve.product, curve.before[-1], curve.after[-1]) == ("Lamp", Decimal(5), Decimal(5))


def test_a_smaller_quantity_leaves_the_last_in_the_row_short() -> None:
    world = two_wait()
    before = standing(world)
    shown = previewed(world, changes.NewQuantity(line_id=800, quantity=Decimal(12)))
    (order,) = shown.orders
    assert (order.odoo_id, order.is_short_before, order.is_short_after) == (43, False, True)
    assert (shown.newly_short, shown.supplied) == (1, 0)
    world.write("purchase.order.line", 800, product_qty=12)
    world.write("stock.move", 800, product_uom_qty=12)
    assert told(shown.orders) == happened(before, standing(world))


def test_a_cancelled_line_feeds_nobody_and_lets_go_of_what_it_was_linked_to() -> None:
    world = trade.company()
    trade.purchase(world, quantity=10, expected_in=5)
    trade.sale(world, 42, quantity=10, promised_in=6, fed_by=[800])
    trade.purchase(world, 81, quantity=10, expected_in=9)
    before = standing(world)
    shown = previewed(world, changes.CancelledLine(line_id=800))
    (order,) = shown.orders
    assert (order.odoo_id, order.is_at_risk_after, order.late_days_after) == (42, True, 3)
    assert standing(world) == before
    world.write("purchase.order.line", 800, product_qty=0)
    world.write("stock.move", 800, product_uom_qty=0, state="cancel")
    world.write("stock.move", 42, move_orig_ids=[])
    assert told(shown.orders) == happened(before, standing(world))


def test_a_split_serves_first_who_was_promised_first() -> None:
    world = two_wait()
    before = standing(world)
    parts = [
        changes.Part(quantity=Decimal(10), at=world.now + timedelta(days=5)),
        changes.Part(quantity=Decimal(10), at=world.now + timedelta(days=25)),
    ]
    shown = previewed(world, changes.Split(line_id=800, parts=parts))
    (order,) = shown.orders
    assert (order.odoo_id, order.days, order.is_at_risk_after) == (43, 20, True)
    world.write("purchase.order.line", 800, product_qty=10)
    world.write("stock.move", 800, product_uom_qty=10)
    trade.purchase(world, 82, quantity=10, expected_in=25)
    assert told(shown.orders) == happened(before, standing(world))


def test_another_vendor_brings_what_nobody_brought() -> None:
    world = trade.larger_company()
    trade.sale(world, 42, quantity=10, promised_in=6)
    world.write("stock.move", 42, warehouse_id=1)
    world.write("stock.picking.type", 21, name="Receipts", code="incoming", warehouse_id=1, company_id=1)
    before = standing(world)
    bought = changes.OtherVendor(
        product_id=DESK, vendor_id=61, quantity=Decimal(10), at=world.now + timedelta(days=4), warehouse_id=1, company_id=1
    )
    shown = previewed(world, bought)
    (order,) = shown.orders
    assert (order.odoo_id, order.is_short_before, order.is_short_after) == (42, True, False)
    trade.purchase(world, 82, quantity=10, expected_in=4, partner_id=61)
    world.write("stock.picking", 820, picking_type_id=21)
    assert told(shown.orders) == happened(before, standing(world))
    (curve,) = shown.curves
    assert (curve.warehouse, curve.short_before, curve.short_after) == ("Hall", (world.now + timedelta(days=6)).date(), None)


def test_a_transfer_from_another_warehouse_supplies_this_one() -> None:
    world = trade.larger_company()
    trade.sale(world, 42, quantity=10, promised_in=6)
    world.write("stock.move", 42, warehouse_id=1)
    world.write("stock.quant", 5, product_id=DESK, location_id=9, company_id=1, quantity=14)
    before = standing(world)
    moved = changes.Transfer(
        product_id=DESK, from_warehouse=2, to_warehouse=1, quantity=Decimal(10), at=world.now + timedelta(days=2)
    )
    shown = previewed(world, moved)
    assert [(one.odoo_id, one.is_short_before, one.is_short_after) for one in shown.orders] == [(42, True, False)]
    assert {curve.warehouse: (curve.before[-1], curve.after[-1]) for curve in shown.curves} == {
        "Hall": (Decimal(-10), Decimal(0)),
        "Annex": (Decimal(14), Decimal(4)),
    }
    world.write(
        "stock.picking", 70, name="WH/INT/7", state="assigned", picking_type_id=12, picking_type_code="internal", company_id=1
    )
    world.write(
        "stock.move",
        70,
        product_id=DESK,
        company_id=1,
        picking_id=70,
        state="assigned",
        product_uom_qty=10,
        quantity=10,
        location_id=9,
        location_dest_id=8,
        date=days(world, 2),
    )
    assert told(shown.orders) == happened(before, standing(world))
    with pytest.raises(ChangeRefusedError, match="Only 14 are free in Annex"):
        previewed(
            world,
            changes.Transfer(product_id=DESK, from_warehouse=2, to_warehouse=1, quantity=Decimal(15), at=world.now),
        )


def test_a_released_order_takes_the_place_that_its_promise_gives_it() -> None:
    world = two_wait()
    world.write("stock.warehouse", 1, name="Hall", company_id=1, lot_stock_id=8)
    for move in (42, 43):
        world.write("stock.move", move, warehouse_id=False)
    world.order(50, amount=500, partner=50, state="draft", company_id=1, commitment_date=days(world, 3), x_ct_hold="pending")
    world.write("sale.order.line", 500, order_id=50, product_id=DESK, product_uom_qty=5, company_id=1, price_subtotal=500)
    before = standing(world)
    shown = previewed(world, changes.ReleasedHold(order_id=50))
    # Of the 20 that come, 5 go to it and 10 to the next: 3 of 8 are missing for the last.
    assert {one.odoo_id: (one.is_at_risk_after, one.is_short_after) for one in shown.orders} == {
        50: (True, True),
        43: (False, True),
    }
    assert standing(world) == before


def test_another_promise_gives_way_in_the_row() -> None:
    world = two_wait()
    world.write("purchase.order.line", 800, product_qty=10)
    world.write("stock.move", 800, product_uom_qty=10)
    before = standing(world)
    shown = previewed(world, changes.NewPromise(order_id=42, at=world.now + timedelta(days=30)))
    assert {one.odoo_id: one.is_short_after for one in shown.orders} == {42: True, 43: False}
    world.write("sale.order", 42, commitment_date=days(world, 30))
    world.write("stock.move", 42, date_deadline=days(world, 30))
    assert told(shown.orders) == happened(before, standing(world))


def test_who_does_not_see_the_company_is_told_nothing() -> None:
    world = two_wait()
    other = AccessScope(frozenset({(world.connection.pk, 2)}))
    later = changes.NewDate(line_id=800, at=world.now + timedelta(days=12))
    with pytest.raises(ChangeRefusedError, match="There is no purchase line 800"):
        previewed(world, later, access_scope=other)
    world.write("sale.order", 43, company_id=2)
    mine = AccessScope(frozenset({(world.connection.pk, 1)}))
    assert [one.odoo_id for one in previewed(world, later, access_scope=mine).orders] == [42]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (changes.CancelledLine(line_id=7), "There is no purchase line 7"),
        (changes.CancelledLine(line_id=810), "Nothing is to come on purchase line 810"),
        (changes.NewQuantity(line_id=800, quantity=Decimal(-1)), "at least 0"),
        (changes.NewQuantity(line_id=800, quantity=Decimal("NaN")), "at least 0"),
        (changes.ReleasedHold(order_id=42), "S00042 is not in the state for it"),
        (changes.NewPromise(order_id=9, at=NOW), "There is no sales order 9"),
    ],
)
def test_what_cannot_be_changed_is_refused(change: changes.Change, said: str) -> None:
    world = two_wait()
    trade.purchase(world, 81, product=LAMP, quantity=5)
    world.write("purchase.order.line", 810, qty_received=5)
    with pytest.raises(ChangeRefusedError, match=said):
        previewed(world, change)


def test_changes_that_speak_against_each_other_are_refused() -> None:
    world = two_wait()
    both: list[changes.Change] = [changes.CancelledLine(line_id=800), changes.NewQuantity(line_id=800, quantity=Decimal(3))]
    with pytest.raises(ChangeRefusedError, match="speak against each other"):
        previewed(world, *both)
    with pytest.raises(ChangeRefusedError, match="at least one change"):
        previewed(world)

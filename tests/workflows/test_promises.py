"""A sales order tells what it is short of, whether its promise can be kept, and whether it was entered twice."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from apps.accounts.models import Role, User
from apps.exceptions.cases import actions, applying
from apps.exceptions.models import ExceptionCase, Severity, Status
from apps.outbox.models import Command
from apps.pipeline import change_processing
from apps.workflows import blockers, impact
from apps.workflows.models import Position
from apps.workflows.rules.duplicates import ORDERS_IN_THEM
from tests.trade import DESK, LAMP, company, days, larger_company, purchase, sale
from tests.world import World, person

SHORTAGE, PROMISE, DUPLICATE = "order.stock_shortage", "order.promise_at_risk", "order.possible_duplicate"


@pytest.fixture
def world(db: None) -> World:
    return company()


def opened(order: int = 42) -> dict[str, ExceptionCase]:
    cases = ExceptionCase.objects.exclude(status=Status.RESOLVED).filter(model="sale.order", odoo_id=order)
    return {case.type: case for case in cases}


def closed(kind: str) -> ExceptionCase:
    return ExceptionCase.objects.get(type=kind, status=Status.RESOLVED)


def time_passes(world: World, **delta: float) -> None:
    world.advance(**delta)
    while change_processing.reevaluate_due(now=world.now) == change_processing.LOOKED_AGAIN:
        pass


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def test_what_nothing_brings_is_a_shortage_until_a_purchase_brings_it(world: World) -> None:
    sale(world, 42, quantity=20, reserved=5)
    case = opened()[SHORTAGE]
    assert (case.team.slug, case.amount, case.severity) == ("purchasing", Decimal("1500.00"), Severity.MEDIUM)
    told = {"short_products_names": "Oak desk", "short_quantity": "15", "uncovered_quantity": "15", "next_supply": None}
    assert told.items() <= case.plain_evidence.items()
    purchase(world, quantity=10, expected_in=2)
    case = opened()[SHORTAGE]
    assert (case.plain_evidence["uncovered_quantity"], case.plain_evidence["next_supply"]) == ("5", "P00080, Nordic Timber")
    purchase(world, 81, quantity=10, expected_in=2)
    assert SHORTAGE not in opened()
    assert closed(SHORTAGE).resolution == "The missing goods are available, or arrive in time"


def test_what_is_reserved_for_a_transfer_from_another_warehouse_is_to_come(db: None) -> None:
    world = larger_company()
    sale(world, 42, quantity=10, promised_in=6)
    world.write("stock.move", 42, warehouse_id=1)
    world.write(
        "stock.picking", 70, name="WH/INT/7", state="confirmed", picking_type_id=12, picking_type_code="internal", company_id=1
    )
    goods = {"product_id": DESK, "product_uom_qty": 10, "picking_id": 70, "company_id": 1, "date": days(world, 2)}
    world.write("stock.move", 70, state="confirmed", location_id=9, location_dest_id=8, **goods)
    assert SHORTAGE in opened()
    world.write("stock.move", 70, state="assigned")
    assert SHORTAGE not in opened()
    world.write("stock.move", 70, date=days(world, 8))
    case = opened()[SHORTAGE]
    assert (case.plain_evidence["next_supply"], case.plain_evidence["uncovered_quantity"]) == ("WH/INT/7", "0")
    world.write("stock.move", 70, date=days(world, 2), state="cancel")
    assert opened()[SHORTAGE].plain_evidence["uncovered_quantity"] == "10"


def test_what_comes_after_the_promise_is_no_supply_in_time(world: World) -> None:
    sale(world, 42, promised_in=3)
    purchase(world, expected_in=8)
    case = opened()[SHORTAGE]
    assert (case.evidence["uncovered_quantity"], at(case.evidence["next_supply_at"])) == ("0", world.now + timedelta(days=5 + 3))


def test_stock_that_arrives_and_is_reserved_ends_the_shortage(world: World) -> None:
    sale(world, 42)
    assert SHORTAGE in opened()
    world.write("stock.move", 42, state="assigned", quantity=10)
    assert SHORTAGE not in opened()


def test_an_order_without_a_promise_is_short_only_of_what_nothing_brings_or_is_overdue(world: World) -> None:
    sale(world, 42, promised_in=-1)
    world.order(42, state="sale", delivery_status="pending", commitment_date=False)
    purchase(world, expected_in=2)
    assert opened() == {}
    time_passes(world, days=3)
    assert list(opened()) == [SHORTAGE]


def test_an_earlier_promise_takes_the_goods_away(world: World) -> None:
    purchase(world, quantity=10, expected_in=1)
    sale(world, 42, promised_in=3)
    assert opened() == {}
    sale(world, 43, promised_in=2, partner=51)
    assert opened(43) == {}
    assert opened()[SHORTAGE].plain_evidence["uncovered_quantity"] == "10"
    world.write("stock.move", 43, state="cancel")
    assert opened() == {}


def test_a_promise_is_at_risk_while_its_supply_is_expected_later(world: World) -> None:
    purchase(world, expected_in=2)
    sale(world, 42, promised_in=3, quantity=20)
    assert opened() == {}
    world.write("purchase.order.line", 800, date_planned=days(world, 10))
    case = opened()[PROMISE]
    assert (case.team.slug, case.amount, case.severity) == ("sales", Decimal("2000.00"), Severity.MEDIUM)
    assert (case.plain_evidence["promise_late_days"], case.plain_evidence["caused_by"]) == (7, "P00080, Nordic Timber")
    assert at(case.plain_evidence["forecast_at"]) == world.now + timedelta(days=10)
    world.write("purchase.order.line", 800, date_planned=days(world, 40))
    assert opened()[PROMISE].severity == Severity.HIGH  # five weeks later weighs more
    world.order(42, state="sale", delivery_status="pending", commitment_date=days(world, 41))
    assert opened() == {}
    assert closed(PROMISE).resolution == "The order is delivered, or expected by the date promised"


def test_the_supply_that_odoo_links_counts_whatever_else_comes(world: World) -> None:
    purchase(world, 79, expected_in=1)
    purchase(world, 80, expected_in=9)
    sale(world, 42, promised_in=3, fed_by=[800])
    assert opened()[PROMISE].plain_evidence["caused_by"] == "P00080, Nordic Timber"


def lies(world: World, quant: int, quantity: float, *, reserved: float = 0, place: int = 8, product: int = DESK) -> None:
    """So much of it lies there."""
    world.write(
        "stock.quant",
        quant,
        product_id=product,
        location_id=place,
        company_id=1,
        quantity=quantity,
        reserved_quantity=reserved,
    )


def in_hall(world: World, order: int, **more: Any) -> None:
    """An order that is delivered from the hall, and not reserved."""
    sale(world, order, **more)
    world.write("stock.move", order, warehouse_id=1)


def into_hall(world: World, **more: Any) -> None:
    """A purchase that is received in the hall."""
    world.write("stock.picking.type", 21, name="Receipts", code="incoming", warehouse_id=1, company_id=1)
    with world.at_once():
        purchase(world, **more)
        world.write("stock.picking", 800, picking_type_id=21)


@pytest.fixture
def hall(db: None) -> World:
    return larger_company()


def test_what_lies_free_in_the_warehouse_is_no_shortage_though_nothing_is_reserved(hall: World) -> None:
    in_hall(hall, 42)
    assert SHORTAGE in opened()
    lies(hall, 1, 25, reserved=15)
    assert opened() == {}
    order = Position.objects.get(workflow="order_to_cash", odoo_id=42)
    blocked = {one.kind: one.text for one in blockers.blockers_of(order, now=hall.now)}
    assert blocked["stock_shortage"] == "Oak desk: 10 of 10 not reserved, free in the warehouse"
    lies(hall, 1, 25, reserved=16)
    assert opened()[SHORTAGE].plain_evidence["uncovered_quantity"] == "1"


@pytest.mark.parametrize(
    ("more", "uncovered"),
    [
        ({"place": 9}, "10"),
        ({"place": 5}, "10"),
        ({"place": 7}, "10"),
        ({"product": LAMP}, "10"),
        ({"reserved": 20}, "10"),
        ({"quantity": -5}, "10"),
    ],
    ids=["another warehouse", "no warehouse", "quarantine", "another product", "reserved", "below zero"],
)
def test_what_is_not_free_there_covers_nothing(hall: World, more: dict[str, Any], uncovered: str) -> None:
    in_hall(hall, 42)
    hall.write("stock.location", 7, name="Quarantine", usage="internal", warehouse_id=1, company_id=1)
    lies(hall, 1, **{"quantity": 20, **more})
    assert opened()[SHORTAGE].plain_evidence["uncovered_quantity"] == uncovered


def test_what_is_made_to_order_takes_no_stock_from_others(hall: World) -> None:
    in_hall(hall, 42, promised_in=3)
    in_hall(hall, 43, promised_in=5, partner=51)
    lies(hall, 1, 10)
    assert SHORTAGE not in opened() and SHORTAGE in opened(43)
    hall.write("stock.move", 42, state="waiting")
    assert opened()[SHORTAGE].plain_evidence["uncovered_quantity"] == "10"
    assert SHORTAGE not in opened(43)


def test_free_stock_goes_to_the_earliest_promise_and_purchases_fill_the_rest(hall: World) -> None:
    in_hall(hall, 42, promised_in=3)
    in_hall(hall, 43, promised_in=5, partner=51)
    lies(hall, 1, 8)
    lies(hall, 2, 5)
    assert opened() == {}
    assert opened(43)[SHORTAGE].plain_evidence["uncovered_quantity"] == "7"
    into_hall(hall, quantity=7, expected_in=2)
    assert opened() == opened(43) == {}
    hall.write("purchase.order.line", 800, date_planned=days(hall, 9))
    assert opened() == {}
    assert opened(43)[PROMISE].plain_evidence["caused_by"] == "P00080, Nordic Timber"


def test_a_late_purchase_is_not_waited_for_by_who_takes_from_stock(hall: World) -> None:
    in_hall(hall, 42, promised_in=3)
    into_hall(hall, expected_in=9)
    assert [one.odoo_id for one in impact.impact_of(hall.connection.pk, "purchase.order", 80, now=hall.now).orders] == [42]
    lies(hall, 1, 10)
    assert impact.impact_of(hall.connection.pk, "purchase.order", 80, now=hall.now).orders == []


def test_of_what_nothing_brings_there_is_no_forecast_and_the_promise_is_judged_by_what_is_known(world: World) -> None:
    sale(world, 42, quantity=20, promised_in=3)
    purchase(world, quantity=10, expected_in=9)
    case = opened()[PROMISE]
    assert (case.plain_evidence["forecast_at"], case.plain_evidence["promise_late_days"]) == (None, 6)
    assert opened()[SHORTAGE].plain_evidence["uncovered_quantity"] == "10"
    purchase(world, 81, quantity=10, expected_in=7)
    assert at(opened()[PROMISE].plain_evidence["forecast_at"]) == world.now + timedelta(days=9)


def received_short(world: World, order: int) -> None:
    """The receipt of a purchase is done with less than was ordered, and the rest is not to come."""
    world.write("stock.picking", order * 10, state="done")
    world.write("stock.move", order * 10, state="done", quantity=4)
    world.write("purchase.order.line", order * 10, qty_received=4)


def test_what_came_short_feeds_nothing_more_and_another_purchase_may(world: World) -> None:
    purchase(world, 80, quantity=10, expected_in=1)
    sale(world, 42, promised_in=5, fed_by=[800])
    assert opened() == {}
    received_short(world, 80)
    world.write("stock.move", 42, state="partially_available", quantity=4)
    assert opened()[SHORTAGE].plain_evidence["uncovered_quantity"] == "6"
    purchase(world, 81, quantity=6, expected_in=8)
    case = opened()[SHORTAGE]
    assert (case.plain_evidence["uncovered_quantity"], case.plain_evidence["next_supply"]) == ("0", "P00081, Nordic Timber")
    assert opened()[PROMISE].plain_evidence["caused_by"] == "P00081, Nordic Timber"
    world.write("purchase.order.line", 810, date_planned=days(world, 2))
    assert opened() == {}


def test_what_came_short_stands_in_the_row_by_its_promise(world: World) -> None:
    purchase(world, 80, quantity=10, expected_in=1)
    sale(world, 42, promised_in=3, fed_by=[800])
    sale(world, 43, promised_in=4, partner=51)
    purchase(world, 81, quantity=10, expected_in=2)
    assert opened() == opened(43) == {}
    received_short(world, 80)
    world.write("stock.move", 42, state="partially_available", quantity=4)
    assert opened() == {}
    assert opened(43)[SHORTAGE].plain_evidence["uncovered_quantity"] == "6"


@pytest.mark.parametrize("after", [{"state": "cancel"}, {"state": "done", "quantity": 0}])
def test_what_is_linked_and_will_not_come_feeds_nothing(world: World, after: dict[str, object]) -> None:
    purchase(world, 80, expected_in=1)
    sale(world, 42, promised_in=5, fed_by=[800])
    purchase(world, 81, expected_in=2)
    world.write("stock.move", 800, **after)
    assert opened() == {}
    world.write("purchase.order.line", 810, date_planned=days(world, 9))
    assert opened()[PROMISE].plain_evidence["caused_by"] == "P00081, Nordic Timber"


def test_a_backorder_of_what_is_linked_still_feeds_it(world: World) -> None:
    purchase(world, 80, quantity=10, expected_in=1)
    sale(world, 42, promised_in=5, fed_by=[800, 801])
    received_short(world, 80)
    world.write("stock.move", 42, state="partially_available", quantity=4)
    rest = {"purchase_line_id": 800, "state": "assigned", "product_uom_qty": 6, "date": days(world, 9)}
    world.write("stock.move", 801, product_id=DESK, company_id=1, picking_id=801, **rest)
    world.write("purchase.order.line", 800, date_planned=days(world, 9))
    purchase(world, 81, quantity=6, expected_in=2)
    case = opened()[PROMISE]
    assert case.plain_evidence["caused_by"] == "P00080, Nordic Timber"
    assert case.plain_evidence["promise_late_days"] == 4


def test_over_several_steps_the_receipt_still_feeds_while_it_is_to_come(world: World) -> None:
    purchase(world, 80, expected_in=9)
    step = {"product_id": DESK, "company_id": 1, "product_uom_qty": 10, "picking_id": 850}
    world.write("stock.move", 850, state="done", quantity=3, move_orig_ids=[800], **step)
    sale(world, 42, promised_in=5, fed_by=[850])
    purchase(world, 81, expected_in=2)
    assert opened()[PROMISE].plain_evidence["caused_by"] == "P00080, Nordic Timber"


def test_what_is_linked_and_not_read_yet_takes_nothing_from_others(world: World) -> None:
    sale(world, 42, promised_in=5)
    purchase(world, 80, quantity=10, expected_in=2)
    assert opened() == {}
    sale(world, 43, promised_in=3, partner=51, fed_by=[810])  # Its purchase is read later.
    assert opened() == {}
    purchase(world, 81, expected_in=1)
    assert opened() == {} and SHORTAGE not in opened(43)


def test_what_fed_a_step_that_is_done_need_not_be_known(world: World) -> None:
    step = {"product_id": DESK, "company_id": 1, "product_uom_qty": 10, "picking_id": 850}
    world.write("stock.move", 850, state="done", quantity=3, move_orig_ids=[799], **step)
    sale(world, 42, promised_in=5, fed_by=[850])
    assert opened()[SHORTAGE].plain_evidence["uncovered_quantity"] == "10"
    purchase(world, 81, expected_in=2)
    assert opened() == {}


def test_the_latest_of_several_products_is_the_forecast(world: World) -> None:
    purchase(world, 80, expected_in=4)
    purchase(world, 81, product=LAMP, expected_in=6)
    sale(world, 42, promised_in=3)
    world.write("sale.order.line", 421, order_id=42, product_id=LAMP, product_uom_qty=5, company_id=1, price_subtotal=50)
    world.write(
        "stock.move",
        421,
        product_id=LAMP,
        company_id=1,
        sale_line_id=421,
        picking_id=42,
        state="confirmed",
        product_uom_qty=5,
        date_deadline=days(world, 3),
    )
    case = opened()[PROMISE]
    assert (case.plain_evidence["promise_late_days"], case.plain_evidence["caused_by"]) == (3, "P00081, Nordic Timber")
    assert case.plain_evidence["short_products_names"] == "Lamp, Oak desk"
    assert case.amount == Decimal("1050.00")


def test_a_delivery_that_is_planned_for_later_than_promised_is_at_risk_though_nothing_is_missing(world: World) -> None:
    sale(world, 42, promised_in=3)
    world.write("stock.move", 42, state="assigned", quantity=10)
    assert opened() == {}
    world.write("stock.picking", 42, state="assigned", scheduled_date=days(world, 5))
    assert opened()[PROMISE].plain_evidence["promise_late_days"] == 2
    world.write("stock.picking", 42, state="done")
    assert opened() == {}


def test_a_promise_breaks_by_itself_at_its_moment(world: World) -> None:
    purchase(world, expected_in=2)
    sale(world, 42, promised_in=3)
    time_passes(world, days=2, hours=23)
    assert PROMISE not in opened()
    time_passes(world, hours=2)
    assert PROMISE in opened()


def test_the_same_reference_twice_is_a_possible_duplicate_of_the_first(world: World) -> None:
    world.order(41, client_order_ref="PO-77", amount=12_000)
    world.advance(days=5)
    world.write("res.partner", 52, name="Azure, Berlin", commercial_partner_id=50)
    world.order(42, client_order_ref="PO-77", amount=12_000, partner=52)
    assert opened(41) == {}
    case = opened()[DUPLICATE]
    assert (case.cause, case.team.slug, case.severity) == ("41", "sales", Severity.HIGH)
    assert (case.plain_evidence["duplicate_of"], case.plain_evidence["duplicate_why"]) == ("S00041", "the same customer reference")
    assert case.plain_evidence["duplicate_hours_quantity"] == "120.0"
    world.order(41, state="cancel", client_order_ref="PO-77")
    assert opened() == {}


def test_the_same_goods_within_hours_are_a_possible_duplicate(world: World) -> None:
    for order in (41, 42):
        world.order(order)
        world.write("sale.order.line", order * 10, order_id=order, product_id=DESK, product_uom_qty=2)
        world.write("sale.order.line", order * 10 + 1, order_id=order, product_id=LAMP, product_uom_qty=1)
        world.advance(hours=3)
    assert opened()[DUPLICATE].plain_evidence["duplicate_why"] == "the same products and quantities"
    world.write("sale.order.line", 420, product_uom_qty=3)
    assert opened() == {}


def test_who_orders_all_day_orders_the_same_again_on_purpose(world: World) -> None:
    for order in range(42, 42 + ORDERS_IN_THEM + 2):
        world.order(order)
        world.write("sale.order.line", order * 10, order_id=order, product_id=DESK, product_uom_qty=2)
        world.advance(minutes=5)
    busiest = 42 + ORDERS_IN_THEM + 1
    assert DUPLICATE in opened(busiest - 1)
    assert opened(busiest) == {}
    # One of those before it goes, and it is one of few again: what follows from that is seen however many came after.
    world.order(42, state="cancel")
    assert opened(busiest)[DUPLICATE].evidence["duplicate_of"] == f"S{busiest - 1:05}"


@pytest.mark.parametrize("case", ["another customer", "another reference", "a day later", "no lines", "of last year"])
def test_what_only_resembles_is_none(world: World, case: str) -> None:
    references = {"another customer": ("PO-1", "PO-1"), "another reference": ("PO-1", "PO-2"), "of last year": ("PO-1", "PO-1")}
    first, second = references.get(case, ("", ""))
    world.order(41, client_order_ref=first)
    world.advance(days={"a day later": 1, "of last year": 300}.get(case, 0))
    world.order(42, partner=51 if case == "another customer" else 50, client_order_ref=second)
    for order in (41, 42) if case in ("another customer", "a day later", "of last year") else ():
        world.write("sale.order.line", order * 10, order_id=order, product_id=DESK, product_uom_qty=1)
    assert opened() == {}


def test_a_promise_that_cannot_be_kept_may_be_made_anew_for_the_day_of_the_forecast(world: World) -> None:
    person("olga", Role.OPERATOR, team="sales")
    sale(world, 42, promised_in=3)
    purchase(world, expected_in=8)
    case = opened()[PROMISE]
    (offer,) = [one for one in actions.offered(case, now=world.now) if one.action.name == "promise_later"]
    (option,) = offer.options
    assert (offer.action.name, option.text) == ("promise_later", "S00042, Azure Interior: 2026-12-01 instead of 2026-11-26")
    applying.apply(case.pk, action="promise_later", option=option.key, by=User.objects.get(username="olga"), now=world.now)
    promise, note = Command.objects.order_by("sequence")
    assert (promise.odoo_id, promise.arguments) == (42, {"vals": {"commitment_date": days(world, 8)}})
    assert "Now promised for 2026-12-01: it cannot be delivered before" in note.arguments["body"]
    world.write("sale.order", 42, commitment_date=days(world, 8))
    assert PROMISE not in opened()

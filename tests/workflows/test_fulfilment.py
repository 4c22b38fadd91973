"""Transfers stand where their state and their deadline put them; what is short, late or without its lot is named."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from apps.exceptions.models import ExceptionCase, Severity, Status
from apps.mirror import registry as mirror
from apps.pipeline import change_processing
from apps.workflows import blockers
from apps.workflows.catalogue.fulfilment import STAGES, WORKFLOW
from apps.workflows.models import Position, Transition
from tests.stages import stages_of
from tests.world import World, odoo_time

FIELDS = {
    "state": st.sampled_from(["draft", "waiting", "confirmed", "assigned", "done", "cancel", "", None]),
    "is_late": st.sampled_from([None, True, False]),
}
SHORT, LATE, LOT = "fulfilment.pick_shortage", "fulfilment.late_transfer", "fulfilment.lot_problem"


class EveryTransferIsInExactlyOneStage(TestCase):
    @settings(max_examples=100, deadline=None)
    @given(row=st.fixed_dictionaries(FIELDS))
    def test_whatever_odoo_says(self, row: dict[str, Any]) -> None:
        assert len(stages_of(WORKFLOW, row, {"is_late": "boolean"})) == 1


@pytest.fixture
def world(world: World) -> World:
    """Two warehouses with a desk in both, and an order of ten desks at 100 each."""
    for number, name in ((1, "Hall"), (2, "Annex")):
        world.write("stock.location", 7 + number, name="Stock", usage="internal", warehouse_id=number, company_id=1)
        world.write("stock.warehouse", number, name=name, company_id=1, lot_stock_id=7 + number)
        world.write(
            "stock.picking.type", number, name="Delivery Orders", code="outgoing", warehouse_id=number, use_existing_lots=True
        )
    world.write("stock.picking.type", 3, name="Receipts", code="incoming", warehouse_id=1, use_create_lots=True)
    world.write("product.template", 30, name="Oak desk", tracking="none")
    world.write("product.product", 30, product_tmpl_id=30, standard_price=40)
    world.order(state="sale", amount=1_000, commitment_date=odoo_time(world.now + timedelta(days=4)))
    world.write(
        "sale.order.line", 420, order_id=42, product_id=30, product_uom_qty=10, price_unit=125, discount=20, price_subtotal=1_000
    )
    return world


def transfer(world: World, odoo_id: int = 300, *, due_in: float = 3, reserved: float = 10, **more: Any) -> None:
    """Ten desks to the customer, due in so many days, of which some are reserved."""
    values = {
        "name": f"HALL/OUT/{odoo_id}",
        "state": "assigned",
        "picking_type_id": 1,
        "picking_type_code": "outgoing",
        "partner_id": 50,
        "company_id": 1,
        "origin": "S00042",
        "sale_id": 42,
        "date_deadline": odoo_time(world.now + timedelta(days=due_in)),
        "scheduled_date": odoo_time(world.now),
    }
    move(
        world,
        odoo_id * 10,
        picking_id=odoo_id,
        quantity=reserved,
        state="assigned" if reserved == 10 else "partially_available" if reserved else "confirmed",
    )
    world.write("stock.picking", odoo_id, **values | more)


def move(world: World, odoo_id: int = 3000, **values: Any) -> None:
    if not mirror.models()["stock.move"].objects.filter(odoo_id=odoo_id).exists():
        values = {
            "product_id": 30,
            "product_uom_qty": 10,
            "sale_line_id": 420,
            "location_id": 8,
            "location_dest_id": 5,
            "company_id": 1,
            "picking_id": 300,
            "state": "assigned",
        } | values
    world.write("stock.move", odoo_id, **values)


def stock(world: World, *, hall: tuple[float, float] = (0, 0), annex: tuple[float, float] = (0, 0)) -> None:
    """What lies in each warehouse, and what of it is reserved."""
    for number, (quantity, reserved) in ((1, hall), (2, annex)):
        world.write("stock.quant", 7 + number, product_id=30, location_id=7 + number, quantity=quantity, reserved_quantity=reserved)


def time_passes(world: World, **delta: float) -> None:
    world.advance(**delta)
    while change_processing.reevaluate_due(now=world.now) == change_processing.LOOKED_AGAIN:
        pass


def stage(odoo_id: int = 300) -> str:
    return Position.objects.get(workflow="fulfilment", odoo_id=odoo_id).stage


def standing() -> list[str]:
    return list(
        ExceptionCase.objects.filter(workflow="fulfilment")
        .exclude(status=Status.RESOLVED)
        .order_by("type")
        .values_list("type", flat=True)
    )


def case_of(kind: str) -> ExceptionCase:
    return ExceptionCase.objects.exclude(status=Status.RESOLVED).get(type=kind)


def told(kind: str, *names: str) -> dict[str, Any]:
    evidence = case_of(kind).plain_evidence
    return {name: evidence[name] for name in names}


@pytest.mark.parametrize("sample", WORKFLOW.samples, ids=lambda sample: f"{sample.stage}: {sample.row}")
def test_a_sample_lands_where_the_file_says(world: World, sample: Any) -> None:
    world.write("stock.picking", 300, **{"name": "HALL/OUT/300", "picking_type_code": "outgoing"} | dict(sample.row))
    assert stage() == sample.stage


def test_every_open_stage_has_a_target_and_an_owner_and_every_dependency_is_mirrored() -> None:
    assert all(stage.target and stage.owner for stage in STAGES if stage.is_open)
    assert set(mirror.models()) >= {dependency.model for dependency in WORKFLOW.dependencies}


def test_a_return_transfer_stands_elsewhere(world: World) -> None:
    transfer(world, return_id=299)
    assert not Position.objects.filter(workflow="fulfilment").exists()


def test_a_transfer_goes_from_draft_to_done(world: World) -> None:
    transfer(world, state="draft", reserved=0)
    assert stage() == "draft"
    for state, expected in (("waiting", "waiting_operation"), ("confirmed", "waiting_stock")):
        world.write("stock.picking", 300, state=state)
        assert stage() == expected
    move(world, state="assigned", quantity=10)
    world.write("stock.picking", 300, state="assigned")
    assert stage() == "ready"
    world.write("stock.picking", 300, state="done", date_done=odoo_time(world.now))
    assert stage() == "done"
    assert not ExceptionCase.objects.filter(workflow="fulfilment").exists()


def test_what_waits_for_stock_says_so(world: World) -> None:
    transfer(world, state="confirmed", reserved=0)
    position = Position.objects.get(workflow="fulfilment")
    assert [(one.kind, one.text) for one in blockers.of_stage(position)] == [
        ("stock_shortage", "Waiting for stock: the goods are not available, or are reserved for others")
    ]
    assert standing() == []


# What a transfer is worth -------------------------------------------------------------------------------------------


def test_goods_are_worth_what_they_are_sold_for_in_the_companys_currency(world: World) -> None:
    world.write("sale.order", 42, currency_rate=2.0)
    transfer(world)
    position = Position.objects.get(workflow="fulfilment")
    assert (position.amount, position.currency, position.partner_name) == (Decimal("500.00"), "EUR", "Azure Interior")


def test_an_order_in_dozens_is_worth_the_same_moved_in_pieces(world: World) -> None:
    world.write("sale.order.line", 420, product_uom_id=12, product_uom_qty=1)
    move(world, 3001, product_uom=1, product_uom_qty=3, quantity=0, picking_id=301)
    transfer(world)
    move(world, product_uom=1, product_uom_qty=9, quantity=9)
    assert Position.objects.get(workflow="fulfilment").amount == Decimal("750.00")


def test_goods_bought_are_worth_their_price_and_other_goods_their_cost(world: World) -> None:
    transfer(world, sale_id=False)
    move(world, sale_line_id=False)
    assert Position.objects.get(workflow="fulfilment").amount == Decimal("400.00")
    world.write("purchase.order", 80, name="P00080", state="purchase", currency_rate=1.0)
    world.write("purchase.order.line", 800, order_id=80, product_id=30, product_qty=10, price_subtotal=350, price_unit=35)
    move(world, purchase_line_id=800)
    assert Position.objects.get(workflow="fulfilment").amount == Decimal("350.00")


# Short --------------------------------------------------------------------------------------------------------------


def test_a_transfer_that_lacks_goods_says_what_is_missing_and_where_it_is(world: World) -> None:
    stock(world, hall=(4, 4), annex=(9, 2))
    transfer(world, reserved=4)
    case = case_of(SHORT)
    assert (case.team.slug, case.severity, case.amount) == ("warehouse", Severity.MEDIUM, Decimal("600.00"))
    assert {key: value for key, value in case.plain_evidence.items() if key not in ("promised_at", "missing_amount")} == {
        "partner_name": "Azure Interior",
        "order_name": "S00042",
        "shortage_names": "Not enough on hand",
        "short_products_names": "Oak desk",
        "short_count": 1,
        "wanted_quantity": "10",
        "available_quantity": "4",
        "missing_quantity": "6",
        "on_hand_quantity": "4",
        "reserved_for_others_quantity": "0",
        "free_elsewhere_quantity": "7",
        "elsewhere_names": "Oak desk: Annex 7",
    }
    move(world, quantity=7)
    case.refresh_from_db()
    assert (case.status, case.amount, case.plain_evidence["missing_quantity"]) == ("open", Decimal("300.00"), "3")
    move(world, quantity=10, state="assigned")
    case.refresh_from_db()
    assert (case.status, case.resolution) == ("resolved", "Nothing is missing, or no order needs it")


def test_what_is_reserved_for_others_is_told_apart_and_follows_the_stock(world: World) -> None:
    stock(world, hall=(20, 20))
    transfer(world, reserved=4)
    assert told(SHORT, "shortage_names", "reserved_for_others_quantity") == {
        "shortage_names": "Reserved for others",
        "reserved_for_others_quantity": "16",
    }
    stock(world, hall=(20, 5))
    assert told(SHORT, "shortage_names", "reserved_for_others_quantity") == {
        "shortage_names": "Picked less than on hand in Odoo",
        "reserved_for_others_quantity": "1",
    }


def test_a_back_order_is_short_until_its_goods_are_there(world: World) -> None:
    transfer(world, state="confirmed", backorder_id=299, reserved=0)
    assert told(SHORT, "shortage_names", "missing_quantity") == {"shortage_names": "Back-ordered", "missing_quantity": "10"}
    move(world, quantity=10, state="assigned")
    assert standing() == []


def test_goods_cancelled_though_the_order_wants_them_are_short_until_it_does_not(world: World) -> None:
    transfer(world, state="done", reserved=10)
    move(world, state="done", product_uom_qty=6, quantity=6)
    world.write("sale.order.line", 420, qty_delivered=6)
    move(world, 3001, state="cancel", product_uom_qty=4, quantity=0)
    assert stage() == "done"
    assert told(SHORT, "shortage_names", "wanted_quantity", "missing_quantity") == {
        "shortage_names": "Cancelled while the order wants it",
        "wanted_quantity": "4",
        "missing_quantity": "4",
    }
    assert case_of(SHORT).amount == Decimal("400.00")
    # Another transfer takes over half of it, then the order is content with less.
    move(world, 3002, state="confirmed", product_uom_qty=2, quantity=0, picking_id=301)
    assert told(SHORT, "missing_quantity") == {"missing_quantity": "2"}
    world.write("sale.order.line", 420, product_uom_qty=8)
    assert standing() == []


def test_goods_that_a_picker_drops_are_short_too(world: World) -> None:
    """Odoo 19 leaves them on the move that is done, as a demand beyond what was moved."""
    transfer(world, state="done")
    move(world, state="done", quantity=6)
    world.write("sale.order.line", 420, qty_delivered=6)
    assert told(SHORT, "shortage_names", "wanted_quantity", "missing_quantity") == {
        "shortage_names": "Cancelled while the order wants it",
        "wanted_quantity": "4",
        "missing_quantity": "4",
    }
    world.write("sale.order.line", 420, product_uom_qty=6)
    assert standing() == []


def test_the_step_before_does_not_count_as_a_second_way(world: World) -> None:
    """Pick and ship of the same goods: what is picked is on its way once."""
    transfer(world, state="cancel", reserved=0)
    move(world, state="cancel")
    move(world, 3001, state="assigned", quantity=5, product_uom_qty=5, picking_id=301, location_dest_id=9)
    move(world, 3002, state="waiting", quantity=0, product_uom_qty=5, picking_id=302, move_orig_ids=[3001])
    assert told(SHORT, "missing_quantity") == {"missing_quantity": "5"}


def test_nobody_waits_for_the_goods_of_a_cancelled_order(world: World) -> None:
    transfer(world, state="cancel", reserved=0)
    move(world, state="cancel")
    assert standing() == [SHORT]
    world.write("sale.order", 42, state="cancel")
    assert standing() == []


def test_a_receipt_is_never_short(world: World) -> None:
    transfer(world, picking_type_code="incoming", picking_type_id=3, sale_id=False, reserved=4)
    assert standing() == []


# Late ---------------------------------------------------------------------------------------------------------------


def test_a_transfer_becomes_late_at_its_deadline_and_older_by_the_day(world: World) -> None:
    transfer(world, due_in=2)
    due = world.now + timedelta(days=2)
    time_passes(world, days=1, hours=23)
    assert (stage(), standing()) == ("ready", [])
    time_passes(world, hours=3)
    assert (stage(), standing()) == ("late", [LATE])
    assert Transition.objects.filter(to_stage="late").values_list("at", flat=True).get() == due
    case = case_of(LATE)
    # A step more than by its money: it was promised for the day after tomorrow.
    assert (case.team.slug, case.severity, case.amount) == ("warehouse", Severity.HIGH, Decimal("1000.00"))
    assert told(LATE, "partner_name", "order_name", "late_days", "goods_count") == {
        "partner_name": "Azure Interior",
        "order_name": "S00042",
        "late_days": 0,
        "goods_count": 1,
    }
    assert datetime.fromisoformat(case.plain_evidence["due_at"]).astimezone(UTC) == due
    assert datetime.fromisoformat(case.plain_evidence["promised_at"]).astimezone(UTC) == due + timedelta(days=2)
    time_passes(world, days=1)
    assert told(LATE, "late_days") == {"late_days": 1}
    world.write("stock.picking", 300, state="done", date_done=odoo_time(world.now))
    assert (stage(), standing()) == ("done", [])


def test_a_transfer_that_is_put_off_is_late_no_longer(world: World) -> None:
    transfer(world, due_in=-1)
    assert standing() == [LATE]
    world.write("stock.picking", 300, date_deadline=odoo_time(world.now + timedelta(days=1)))
    assert (stage(), standing()) == ("ready", [])


def test_what_nobody_was_promised_may_take_its_whole_day(world: World) -> None:
    """Odoo's deadline is then the moment at which the order was confirmed."""
    world.write("sale.order", 42, commitment_date=False)
    transfer(world, due_in=0)
    time_passes(world, hours=11)
    assert (stage(), standing()) == ("ready", [])
    time_passes(world, hours=1)
    assert (stage(), told(LATE, "late_days")) == ("late", {"late_days": 1})


def test_the_schedule_tells_where_there_is_no_deadline(world: World) -> None:
    transfer(world, date_deadline=False, scheduled_date=odoo_time(world.now - timedelta(days=3)))
    assert (stage(), told(LATE, "late_days")) == ("late", {"late_days": 3})


def test_a_late_receipt_of_a_purchase_is_the_suppliers(world: World) -> None:
    transfer(world, due_in=-1, picking_type_code="incoming", picking_type_id=3, sale_id=False)
    assert (stage(), standing()) == ("late", [LATE])
    move(world, purchase_line_id=800)
    assert (stage(), standing()) == ("late", [])


# Lots and serial numbers --------------------------------------------------------------------------------------------


def tracked(world: World, kind: str = "serial", **more: Any) -> None:
    """A transfer of ten desks that bear a number each."""
    world.write("product.template", 30, tracking=kind)
    transfer(world, **more)


def line(world: World, odoo_id: int = 1, **values: Any) -> None:
    world.write(
        "stock.move.line",
        odoo_id,
        **{"move_id": 3000, "picking_id": 300, "product_id": 30, "quantity": 1, "state": "assigned"} | values,
    )


@pytest.mark.parametrize(
    ("kind", "values", "problem"),
    [
        ("lot", {}, "No lot"),
        ("serial", {}, "No serial number"),
        ("serial", {"lot_id": 70, "quantity": 2}, "Serial number with a quantity other than 1"),
        ("lot", {"lot_id": 71}, "Expired"),
    ],
)
def test_a_line_that_may_not_go_is_named_until_it_is_put_right(
    world: World, kind: str, values: dict[str, Any], problem: str
) -> None:
    world.write("stock.lot", 70, name="A-070", product_id=30)
    world.write("stock.lot", 71, name="A-071", product_id=30, expiration_date=odoo_time(world.now - timedelta(days=1)))
    tracked(world, kind)
    line(world, **values)
    assert told(LOT, "lot_problem_names", "lot_problem_count", "lot_products_names") == {
        "lot_problem_names": problem,
        "lot_problem_count": 1,
        "lot_products_names": "Oak desk",
    }
    assert case_of(LOT).amount == 100 * Decimal(values.get("quantity", 1))
    line(world, lot_id=70, quantity=1)
    assert standing() == []


def test_a_serial_number_is_not_used_twice(world: World) -> None:
    tracked(world)
    line(world, 1, lot_name="SN-1")
    line(world, 2, lot_name="SN-1")
    assert told(LOT, "lot_problem_names", "lot_names", "lot_problem_count") == {
        "lot_problem_names": "Serial number used twice",
        "lot_names": "SN-1",
        "lot_problem_count": 2,
    }
    line(world, 2, lot_name="SN-2")
    assert standing() == []


def test_a_lot_expires_while_it_lies_there_and_its_date_may_be_put_right(world: World) -> None:
    world.write("stock.lot", 70, name="A-070", product_id=30, expiration_date=odoo_time(world.now + timedelta(hours=5)))
    tracked(world, "lot")
    line(world, lot_id=70)
    time_passes(world, hours=4)
    assert standing() == []
    time_passes(world, hours=1)
    assert told(LOT, "lot_problem_names", "lot_names") == {"lot_problem_names": "Expired", "lot_names": "A-070"}
    world.write("stock.lot", 70, expiration_date=odoo_time(world.now + timedelta(days=50)))
    assert standing() == []


def test_a_receipt_is_told_its_lots_as_it_is_picked(world: World) -> None:
    tracked(world, "lot", picking_type_code="incoming", picking_type_id=3)
    line(world)
    assert standing() == []
    line(world, picked=True)
    assert standing() == [LOT]
    line(world, lot_name="NEW")
    assert standing() == []


def test_an_operation_without_lots_asks_for_none(world: World) -> None:
    world.write("stock.picking.type", 1, use_create_lots=False, use_existing_lots=False)
    tracked(world)
    line(world)
    assert standing() == []


def test_what_is_done_and_wrong_is_told_for_a_month(world: World) -> None:
    tracked(world, state="done", date_done=odoo_time(world.now))
    line(world, state="done")
    time_passes(world, days=29)
    assert standing() == [LOT]
    time_passes(world, days=2)
    assert standing() == []


def test_products_that_are_not_tracked_need_no_lot(world: World) -> None:
    transfer(world)
    line(world, quantity=10)
    assert standing() == []

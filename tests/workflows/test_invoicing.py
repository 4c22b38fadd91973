"""Invoices stand where their state, their due date and their lines put them, and move as days pass and orders change."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from apps.exceptions.models import ExceptionCase, Severity, Status
from apps.mirror import registry as mirror
from apps.pipeline import change_processing
from apps.workflows import blockers, engine
from apps.workflows.catalogue.invoicing import STAGES, WORKFLOW
from apps.workflows.models import Position, Transition
from tests.stages import stages_of
from tests.world import World

FIELDS = {
    "state": st.sampled_from(["draft", "posted", "cancel", "", None]),
    "payment_state": st.sampled_from(
        ["not_paid", "partial", "in_payment", "paid", "reversed", "blocked", "invoicing_legacy", "", None]
    ),
    "move_type": st.sampled_from(["out_invoice", "out_refund", "in_invoice", "in_refund", "out_receipt"]),
    "differing_count": st.sampled_from([None, 0, 1]),
    "days_overdue": st.sampled_from([None, -1, 0, 1, 40]),
    "x_ct_hold": st.sampled_from([None, "", "invoice_mismatch", "other"]),
    "invoice_ask_state": st.sampled_from([None, "open", "rejected"]),
    "invoice_is_asked": st.sampled_from([None, False, True]),
    "disputed_amount": st.sampled_from([None, 50, 100, 300]),
    "x_ct_released_difference": st.sampled_from([None, 0, 100, 400]),
}
EXPOSURE = "invoice.overdue_exposure"
TYPES = {
    "invoice_is_asked": "boolean",
    "differing_count": "bigint",
    "days_overdue": "integer",
    "disputed_amount": "numeric",
    "x_ct_released_difference": "numeric",
}


class EveryInvoiceIsInExactlyOneStage(TestCase):
    @settings(max_examples=200, deadline=None)
    @given(row=st.fixed_dictionaries(FIELDS))
    def test_whatever_odoo_says(self, row: dict[str, Any]) -> None:
        assert len(stages_of(WORKFLOW, row, TYPES)) == 1


def invoice(world: World, odoo_id: int = 600, *, amount: float = 100, due: str = "2026-12-23", **more: Any) -> int:
    """A posted customer invoice that nobody has paid; credit notes count against what is owed."""
    move_type = more.get("move_type", "out_invoice")
    sign = -1 if move_type in ("out_refund", "in_invoice") else 1
    values = {
        "name": f"INV/{odoo_id}",
        "state": "posted",
        "move_type": move_type,
        "payment_state": "not_paid",
        "partner_id": 50,
        "commercial_partner_id": 50,
        "company_id": 1,
        "currency_id": 1,
        "invoice_date": "2026-11-01",
        "invoice_date_due": due,
        "amount_total": amount,
        "amount_total_signed": sign * amount,
        "amount_residual": amount,
        "amount_residual_signed": sign * amount,
    }
    world.write("account.move", odoo_id, **values | more)
    return odoo_id


def pay(world: World, odoo_id: int) -> None:
    """The invoice is paid in full."""
    world.write("account.move", odoo_id, payment_state="paid", amount_residual=0, amount_residual_signed=0)


def stage_of(odoo_id: int = 600) -> str:
    return Position.objects.get(workflow="invoicing", odoo_id=odoo_id).stage


def until(world: World, **delta: float) -> int:
    """Let time pass, and do what is done as it passes; how many invoices were looked at again."""
    return change_processing.reevaluate_due(now=world.advance(**delta))


def open_cases(kind: str) -> list[ExceptionCase]:
    return list(ExceptionCase.objects.filter(type=kind).exclude(status=Status.RESOLVED).order_by("odoo_id"))


@pytest.mark.parametrize("sample", WORKFLOW.samples, ids=lambda sample: f"{sample.stage}: {sample.row}")
def test_a_sample_lands_where_the_file_says(world: World, sample: Any) -> None:
    invoice(world, **{"invoice_date_due": "2026-12-23", **sample.row})
    assert stage_of() == sample.stage


def test_every_open_stage_has_a_target_and_every_dependency_is_mirrored() -> None:
    assert all(stage.target for stage in STAGES if stage.is_open)
    assert set(mirror.models()) >= {dependency.model for dependency in WORKFLOW.dependencies}


def test_an_entry_that_is_no_invoice_stands_nowhere(world: World) -> None:
    invoice(world, 600, move_type="entry")
    invoice(world, 601, move_type="in_refund")
    assert list(Position.objects.values_list("odoo_id", flat=True)) == [601]


def test_an_invoice_that_becomes_another_entry_leaves_the_board_and_its_exception_closes(world: World) -> None:
    invoice(world, due="2026-11-01")
    assert len(open_cases(EXPOSURE)) == 1
    world.write("account.move", 600, move_type="entry")
    assert not Position.objects.exists()
    assert Transition.objects.latest("id").to_stage == "left"
    case = ExceptionCase.objects.get()
    assert (case.status, case.resolution) == (Status.RESOLVED, WORKFLOW.exceptions[1].closed_because)


def test_a_draft_without_a_number_is_called_by_its_id(world: World) -> None:
    invoice(world, 600, state="draft", name="/")
    assert Position.objects.get().name == "Draft 600"


def test_an_invoice_becomes_overdue_as_the_day_passes_though_odoo_says_nothing(world: World) -> None:
    invoice(world, due="2026-11-25")
    assert until(world, days=2, hours=11, minutes=59) == 0
    assert stage_of() == "not_due"
    # The tower is late by an hour; the transition carries the moment, not the look.
    assert until(world, hours=1) == 1
    position = Position.objects.get()
    assert (position.stage, position.since) == ("overdue", datetime(2026, 11, 26, tzinfo=UTC))
    move = Transition.objects.latest("id")
    assert (move.from_stage, move.to_stage, move.at, move.seen_at) == ("not_due", "overdue", position.since, world.now)


def test_day_by_day_the_looks_find_what_evaluating_everything_would(world: World) -> None:
    for day in range(1, 9):
        invoice(world, 600 + day, due=f"2026-11-{20 + day}", amount=1_000)
    world.advance(hours=12)  # midnight: the very moment at which a due day is over
    for _ in range(16):
        change_processing.reevaluate_due(now=world.now)
        found = dict(Position.objects.values_list("odoo_id", "stage")), {case.odoo_id: case.amount for case in open_cases(EXPOSURE)}
        change_processing.evaluate("invoicing", world.connection.pk, dict.fromkeys(range(601, 609)), now=world.now)
        assert found == (
            dict(Position.objects.values_list("odoo_id", "stage")),
            {case.odoo_id: case.amount for case in open_cases(EXPOSURE)},
        )
        world.advance(days=1)
    assert (set(found[0].values()), found[1]) == ({"overdue"}, {601: 8_000})


def test_what_becomes_overdue_reaches_what_depends_on_it(world: World) -> None:
    """The customer's older invoice carries the exposure; it is not due for a look itself."""
    invoice(world, 600, due="2026-11-01", amount=1_000)
    invoice(world, 601, due="2026-11-25", amount=500)
    assert Position.objects.get(odoo_id=600).look_again_at is None
    until(world, days=3)
    (case,) = open_cases(EXPOSURE)
    assert (case.odoo_id, case.amount) == (600, 1_500)


def test_what_was_looked_at_rests_until_its_next_moment(world: World) -> None:
    invoice(world, due="2026-11-25")
    assert Position.objects.get().look_again_at == datetime(2026, 11, 26, tzinfo=UTC)
    assert until(world, days=3) == 1
    assert change_processing.reevaluate_due(now=world.now) == 0
    assert Position.objects.get().look_again_at == datetime(2026, 12, 2, tzinfo=UTC)
    assert until(world, days=30) == 1
    assert Position.objects.get().look_again_at is None


def test_an_invoice_that_is_paid_is_not_looked_at_again(world: World) -> None:
    invoice(world, due="2026-11-25")
    pay(world, 600)
    assert (stage_of(), Position.objects.get().look_again_at) == ("paid", None)
    assert until(world, days=60) == 0


def test_a_due_date_moved_in_odoo_moves_the_moment(world: World) -> None:
    invoice(world, due="2026-11-25")
    world.advance(days=1)
    world.write("account.move", 600, invoice_date_due="2026-12-20")
    assert until(world, days=3) == 0
    assert stage_of() == "not_due"
    until(world, days=30)
    assert stage_of() == "overdue"


def test_looking_again_costs_by_what_is_due_not_by_what_there_is(world: World, django_assert_num_queries: Any) -> None:
    for number in range(20):
        invoice(world, 700 + number, due="2027-06-01")
    world.advance(days=10)
    with django_assert_num_queries(1):  # the index says that nothing is due
        assert change_processing.reevaluate_due(now=world.now) == 0
    with connection.cursor() as cursor:
        # Twenty rows would be found fast by any way; what is asked is that this way is there to be taken.
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("ANALYZE workflows_position")
        cursor.execute("EXPLAIN SELECT DISTINCT connection_id, workflow FROM workflows_position WHERE look_again_at <= now()")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "positions_to_look_at" in plan


def test_a_moment_that_has_passed_does_not_make_the_record_due_for_ever(world: World) -> None:
    invoice(world, due="2020-01-01")
    assert Position.objects.get().look_again_at is None
    assert change_processing.reevaluate_due(now=world.now) == 0


def test_batches_that_fail_are_tried_again_and_stop_no_other(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    invoice(world, due="2026-11-25")
    real, other = change_processing.evaluate, World("other")
    invoice(other, due="2026-11-25")

    def fails_here(workflow_name: str, connection_id: int, *rest: Any, **more: Any) -> None:
        if connection_id == world.connection.pk:
            raise ValueError("poison")
        real(workflow_name, connection_id, *rest, **more)

    with monkeypatch.context() as patched:
        patched.setattr(change_processing, "evaluate", fails_here)
        until(world, days=5)
    standing = {p.connection_id: p.stage for p in Position.objects.filter(workflow="invoicing")}
    assert standing == {world.connection.pk: "not_due", other.connection.pk: "overdue"}
    assert until(world, minutes=1) == 1
    assert set(Position.objects.values_list("stage", flat=True)) == {"overdue"}


def test_an_exposure_opens_after_a_week_and_closes_with_the_payment(world: World) -> None:
    invoice(world, due="2026-11-25", amount=1_500)
    until(world, days=3)
    assert open_cases(EXPOSURE) == []
    until(world, days=6)
    (case,) = open_cases(EXPOSURE)
    assert (case.amount, case.severity, case.team.slug) == (Decimal("1500.00"), Severity.MEDIUM, "finance")
    assert case.evidence == {
        "commercial_name": "Azure Interior",
        "overdue_total": "1500.00",
        "overdue_count": 1,
        "due_on": "2026-11-25",
        "owed_total": "1500.00",
        "credit_limit": "5000.00",
    }
    pay(world, 600)
    assert open_cases(EXPOSURE) == []
    assert ExceptionCase.objects.get().resolution == WORKFLOW.exceptions[1].closed_because


def test_a_large_exposure_opens_at_once_and_grows_as_more_becomes_overdue(world: World) -> None:
    invoice(world, 600, due="2026-11-22", amount=12_000)
    invoice(world, 601, due="2026-11-24", amount=40_000)
    (case,) = open_cases(EXPOSURE)
    assert (case.odoo_id, case.amount, case.evidence["owed_total"]) == (600, 12_000, "52000.00")
    until(world, days=2)
    (case,) = open_cases(EXPOSURE)
    assert (case.odoo_id, case.amount, case.severity) == (600, 52_000, Severity.CRITICAL)
    assert case.evidence["overdue_count"] == 2


def test_one_customer_has_one_exposure_carried_by_the_oldest_invoice(world: World) -> None:
    for number, due in enumerate(["2026-11-03", "2026-11-01", "2026-11-02"]):
        invoice(world, 600 + number, due=due, amount=1_000)
    (case,) = open_cases(EXPOSURE)
    assert (case.odoo_id, case.amount) == (601, 3_000)
    pay(world, 601)
    (case,) = open_cases(EXPOSURE)
    assert (case.odoo_id, case.amount) == (602, 2_000)
    invoice(world, 603, move_type="out_refund", due="2026-11-05", amount=500)
    (case,) = open_cases(EXPOSURE)
    assert (case.odoo_id, case.amount, case.evidence["overdue_count"]) == (602, 1_500, 2)


FOR_NOTHING = "invoice.credit_for_nothing"


@pytest.mark.parametrize("kind", ["out_refund", "in_refund"])
def test_an_open_credit_note_is_never_overdue(world: World, kind: str) -> None:
    invoice(world, move_type=kind, due="2026-11-01", amount=90)
    until(world, days=60)
    assert (stage_of(), open_cases(EXPOSURE)) == ("to_settle", [])
    pay(world, 600)
    assert (stage_of(), ExceptionCase.objects.exclude(status=Status.RESOLVED).count()) == ("paid", 0)


def test_what_is_credited_counts_against_what_is_overdue_whatever_day_the_credit_note_bears(world: World) -> None:
    invoice(world, 600, due="2026-11-01", amount=2_000)
    invoice(world, 601, move_type="out_refund", due="2027-03-01", amount=700)
    (case,) = open_cases(EXPOSURE)
    assert (case.amount, case.evidence["overdue_count"], case.evidence["owed_total"]) == (1_300, 1, "1300.00")
    invoice(world, 602, move_type="out_refund", due="2026-11-01", amount=1_300)
    assert open_cases(EXPOSURE) == []
    # Reconciled: the first credit note is used up, and so is its part of the invoice.
    pay(world, 601)
    world.write("account.move", 600, amount_residual=1_300, amount_residual_signed=1_300, payment_state="partial")
    assert open_cases(EXPOSURE) == []
    assert [stage_of(number) for number in (600, 601, 602)] == ["overdue", "paid", "to_settle"]


def credited(world: World, *, total: float, odoo_id: int = 600, **more: Any) -> None:
    """A credit note of one line, that names neither invoice nor order unless ``more`` does."""
    line = {
        "move_id": odoo_id,
        "display_type": "product",
        "quantity": 1,
        "price_unit": total,
        "price_subtotal": total,
        "name": "Goodwill",
        "parent_state": "posted",
        "currency_id": 1,
    }
    world.write("account.move.line", odoo_id * 10, **line | more.pop("line", {}))
    invoice(world, odoo_id, move_type="out_refund", amount=total, **more)


def test_a_free_credit_note_is_named_until_it_is_settled(world: World) -> None:
    credited(world, total=499)
    assert open_cases(FOR_NOTHING) == []
    credited(world, total=600)
    (case,) = open_cases(FOR_NOTHING)
    assert (case.amount, case.team.slug, case.plain_evidence["credited_products_names"]) == (600, "finance", "something else")
    assert stage_of() == "to_settle"
    pay(world, 600)
    assert open_cases(FOR_NOTHING) == []


def test_a_free_credit_note_that_was_released_is_named_no_more(world: World) -> None:
    credited(world, total=600, x_ct_released_credit=600)
    assert open_cases(FOR_NOTHING) == []
    credited(world, total=700)
    assert len(open_cases(FOR_NOTHING)) == 1


def test_what_comes_back_covers_the_earliest_credit_note_first(world: World) -> None:
    world.order(42, amount=2_000, state="sale")
    world.write(
        "sale.order.line",
        4200,
        order_id=42,
        product_uom_qty=2,
        qty_delivered=2,
        qty_invoiced=0,
        price_unit=1_000,
        product_id=30,
        price_subtotal=2_000,
    )
    for number in (600, 601):
        credited(world, odoo_id=number, total=1_000, line={"sale_line_ids": [4200], "product_id": 30})
    assert [case.odoo_id for case in open_cases(FOR_NOTHING)] == [600, 601]
    world.write("stock.picking", 70, name="WH/OUT/1", state="done", sale_id=42, picking_type_code="outgoing", company_id=1)
    world.write(
        "stock.picking",
        71,
        name="WH/IN/1",
        state="done",
        return_id=70,
        sale_id=42,
        partner_id=50,
        company_id=1,
        picking_type_code="incoming",
        date_done="2026-11-22 09:00:00",
    )
    world.write("stock.move", 710, picking_id=71, product_id=30, product_uom_qty=1, quantity=1, sale_line_id=4200, state="done")
    assert [case.odoo_id for case in open_cases(FOR_NOTHING)] == [601]


def test_what_is_owed_to_vendors_is_no_exposure(world: World) -> None:
    invoice(world, move_type="in_invoice", due="2026-11-01", amount=20_000)
    assert stage_of() == "overdue"
    assert open_cases(EXPOSURE) == []


def sold(world: World, *, ordered: float, delivered: float, billed: float, price: float = 10, **more: Any) -> None:
    """An order's line, to be billed by what is delivered."""
    world.order(42, state="sale", amount=ordered * price)
    values = {"qty_to_invoice": delivered - billed, "price_unit": price, "name": "Desk", "product_id": 30} | more
    world.write(
        "sale.order.line", 4200, order_id=42, product_uom_qty=ordered, qty_delivered=delivered, qty_invoiced=billed, **values
    )


def billing(world: World, line_id: int = 6000, *, move: int = 600, quantity: float, price: float = 10, **more: Any) -> None:
    """An invoice's line for the order's line."""
    values = {"sale_line_ids": [4200], "display_type": "product", "currency_id": 1, "partner_id": 50} | more
    world.write(
        "account.move.line", line_id, move_id=move, quantity=quantity, price_unit=price, price_subtotal=quantity * price, **values
    )


def test_an_invoice_for_what_was_ordered_and_delivered_differs_in_nothing(world: World) -> None:
    sold(world, ordered=10, delivered=10, billed=10)
    invoice(world)
    billing(world, quantity=10)
    assert stage_of() == "not_due"
    assert not ExceptionCase.objects.exists()


def test_more_billed_than_delivered_is_disputed_until_the_rest_is_delivered(world: World) -> None:
    sold(world, ordered=10, delivered=8, billed=10)
    invoice(world)
    billing(world, quantity=10)
    assert stage_of() == "disputed"
    (case,) = open_cases("invoice.differs")
    assert (case.amount, case.severity, case.team.slug) == (20, Severity.LOW, "finance")
    evidence = case.evidence
    assert [evidence[name] for name in ("billed_quantity", "ordered_quantity", "delivered_quantity", "over_quantity")] == [
        "10",
        "10",
        "8",
        "2",
    ]
    assert (evidence["order_names"], evidence["product_names"], evidence["amount_over"]) == ("S00042", "Desk", "20.00")
    world.advance(hours=2)
    world.write("sale.order.line", 4200, qty_delivered=10, qty_to_invoice=0)
    assert (stage_of(), open_cases("invoice.differs")) == ("not_due", [])
    assert ExceptionCase.objects.get().resolution == WORKFLOW.exceptions[0].closed_because


def test_a_disputed_invoice_holds_its_order_up(world: World) -> None:
    sold(world, ordered=10, delivered=8, billed=10)
    invoice(world)
    billing(world, quantity=10)
    order = Position.objects.get(model="sale.order")
    (blocker,) = blockers.of(order, now=world.now)
    assert (blocker.kind, blocker.model, blocker.odoo_id, blocker.since) == ("invoice_dispute", "account.move", 600, world.now)
    assert "INV/600" in blocker.text
    world.write("sale.order.line", 4200, qty_delivered=10, qty_to_invoice=0)
    assert blockers.of(order, now=world.now) == []


def test_another_price_than_the_orders_is_disputed_until_it_is_corrected(world: World) -> None:
    sold(world, ordered=10, delivered=10, billed=10, price=100, discount=10)
    invoice(world, amount=1_000)
    billing(world, quantity=10, price=100)
    (case,) = open_cases("invoice.differs")
    assert (stage_of(), case.amount) == ("disputed", 100)
    assert (case.evidence["billed_price"], case.evidence["ordered_price"], case.evidence["price_difference"]) == (
        "1000.00",
        "900.00",
        "100.00",
    )
    world.write("account.move.line", 6000, discount=10)
    assert (stage_of(), open_cases("invoice.differs")) == ("not_due", [])


def test_a_rounded_price_is_no_difference(world: World) -> None:
    sold(world, ordered=3, delivered=3, billed=3, price=33.333)
    invoice(world)
    billing(world, quantity=3, price=33.33)
    assert not ExceptionCase.objects.exists()


def test_the_newest_of_two_invoices_bears_what_is_billed_twice(world: World) -> None:
    sold(world, ordered=10, delivered=10, billed=20)
    invoice(world, 600)
    billing(world, 6000, move=600, quantity=10)
    invoice(world, 601)
    billing(world, 6001, move=601, quantity=10)
    (case,) = open_cases("invoice.differs")
    assert (case.odoo_id, case.evidence["all_billed_quantity"], case.evidence["over_quantity"]) == (601, "20", "10")
    world.write("account.move", 601, state="cancel")
    world.write("sale.order.line", 4200, qty_invoiced=10, qty_to_invoice=0)
    assert open_cases("invoice.differs") == []


def test_an_invoice_of_an_order_that_is_cancelled_differs(world: World) -> None:
    sold(world, ordered=10, delivered=10, billed=10)
    invoice(world)
    billing(world, quantity=10)
    world.write("sale.order", 42, state="cancel")
    (case,) = open_cases("invoice.differs")
    assert case.evidence["over_quantity"] == "10"


def test_a_down_payment_differs_from_nothing(world: World) -> None:
    sold(world, ordered=0, delivered=0, billed=1, price=500)
    invoice(world)
    billing(world, quantity=1, price=500)
    assert not ExceptionCase.objects.exists()


def test_a_draft_that_differs_is_seen_before_it_is_posted(world: World) -> None:
    sold(world, ordered=10, delivered=8, billed=10)
    invoice(world, state="draft")
    billing(world, quantity=10)
    assert stage_of() == "draft"
    assert len(open_cases("invoice.differs")) == 1


def test_a_settled_invoice_is_disputed_no_longer(world: World) -> None:
    sold(world, ordered=10, delivered=8, billed=10)
    invoice(world)
    billing(world, quantity=10)
    pay(world, 600)
    assert (stage_of(), open_cases("invoice.differs")) == ("paid", [])


def test_a_vendors_bill_is_held_against_what_was_received_and_the_price_ordered(world: World) -> None:
    world.write("purchase.order", 80, name="P00080", state="purchase", partner_id=50, company_id=1, currency_id=1)
    world.write(
        "purchase.order.line",
        8000,
        order_id=80,
        name="Board",
        product_qty=100,
        qty_received=60,
        qty_invoiced=100,
        qty_to_invoice=-40,
        price_unit=5,
        price_subtotal=500,
    )
    invoice(world, move_type="in_invoice", amount=600)
    billing(world, quantity=100, price=6, sale_line_ids=[], purchase_line_id=8000)
    (case,) = open_cases("invoice.differs")
    assert stage_of() == "disputed"
    assert (case.amount, case.severity) == (340, Severity.MEDIUM)
    assert (case.evidence["order_names"], case.evidence["price_difference"], case.evidence["amount_over"]) == (
        "P00080",
        "100.00",
        "240.00",
    )
    world.write("purchase.order.line", 8000, qty_received=100, qty_to_invoice=0)
    (case,) = open_cases("invoice.differs")
    assert case.amount == 100
    world.write("purchase.order.line", 8000, price_unit=6, price_subtotal=600)
    assert (stage_of(), open_cases("invoice.differs")) == ("not_due", [])


def test_money_at_risk_is_in_the_companys_currency(world: World) -> None:
    world.write("res.currency", 2, name="USD", decimal_places=2, active=True)
    sold(world, ordered=10, delivered=8, billed=10)
    world.write("sale.order", 42, currency_id=2)
    invoice(world, amount=100, currency_id=2, amount_total_signed=80, amount_residual_signed=80)
    billing(world, quantity=10, currency_id=2)
    (case,) = open_cases("invoice.differs")
    assert (case.amount, case.currency, Position.objects.get(workflow="invoicing").amount) == (16, "EUR", 80)


def affected(world: World, model: str, *ids: int) -> set[int]:
    """The invoices that a change of these records leads to."""
    changed = {model: dict.fromkeys(ids, world.now)}
    return set(engine.affected(WORKFLOW, connection_id=world.connection.pk, changed=changed, now=world.now))


def test_a_change_leads_to_the_open_invoices_that_it_touches_and_to_no_other(world: World) -> None:
    sold(world, ordered=10, delivered=10, billed=10)
    for number, more in enumerate([{"state": "posted"}, {"payment_state": "paid"}, {"state": "draft"}, {"state": "cancel"}]):
        invoice(world, 600 + number, **more)
        billing(world, 6000 + number, move=600 + number, quantity=1)
    invoice(world, 610, due="2026-11-01")
    invoice(world, 611, due="2026-11-01", payment_state="paid")
    assert affected(world, "sale.order.line", 4200) == {600, 602}
    assert affected(world, "sale.order", 42) == {600, 602}
    assert affected(world, "sale.order.line", 9999) == set()
    assert affected(world, "account.move", 611) == {610, 611}
    assert affected(world, "account.move", 601) == {600, 601, 602, 610}

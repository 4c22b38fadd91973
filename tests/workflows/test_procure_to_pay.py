"""Purchase orders stand where their state, their receipts and the day put them; who is late is named."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from apps.exceptions.models import ExceptionCase, Severity, Status
from apps.mirror.models.purchase_order_line import PurchaseOrderLine as Line
from apps.pipeline import change_processing
from apps.workflows.catalogue.procure_to_pay import STAGES, WORKFLOW
from apps.workflows.models import Position, Transition
from tests.stages import stages_of
from tests.world import World, odoo_time

FIELDS = {
    "state": st.sampled_from(["draft", "sent", "to approve", "purchase", "done", "cancel", "", None]),
    "acknowledged": st.sampled_from([None, True, False]),
    "invoice_status": st.sampled_from(["", "no", "to invoice", "invoiced", None]),
    "has_draft_bill": st.sampled_from([None, True, False]),
    "is_nothing_to_bill": st.sampled_from([None, True, False]),
    "is_received": st.sampled_from([None, True, False]),
    "has_received": st.sampled_from([None, True, False]),
    "is_late": st.sampled_from([None, True, False]),
    "has_answered": st.sampled_from([None, True, False]),
    "x_ct_hold": st.sampled_from([None, "", "procurement_threshold", "other"]),
    "guard_asks": st.sampled_from([None, True, False]),
    "ask_state": st.sampled_from([None, "open", "approved", "rejected"]),
    "bought_value": st.sampled_from([None, 0, 10_000]),
    "bought_amount": st.sampled_from([None, 0, 10_000]),
    "x_ct_released_amount": st.sampled_from([None, 0, 10_000]),
}
TYPES = dict.fromkeys(
    [
        "acknowledged",
        "has_draft_bill",
        "is_nothing_to_bill",
        "is_received",
        "has_received",
        "is_late",
        "has_answered",
        "guard_asks",
    ],
    "boolean",
) | dict.fromkeys(["bought_value", "bought_amount", "x_ct_released_amount"], "numeric")


class EveryPurchaseIsInExactlyOneStage(TestCase):
    @settings(max_examples=200, deadline=None)
    @given(row=st.fixed_dictionaries(FIELDS))
    def test_whatever_odoo_says(self, row: dict[str, Any]) -> None:
        assert len(stages_of(WORKFLOW, row, TYPES)) == 1


@pytest.fixture
def world(db: None) -> World:
    made = World()
    made.write("res.partner", 60, name="Nordic Timber", commercial_partner_id=60)
    return made


def purchase(world: World, *, expected_in: float = 5, received: float = 0, **more: Any) -> None:
    """Twenty desks at 100 each, expected so many days from now, of which some have come."""
    values = {
        "name": "P00080",
        "state": "purchase",
        "partner_id": 60,
        "user_id": 7,
        "company_id": 1,
        "currency_id": 1,
        "currency_rate": 1.0,
        "amount_total": 2_300.0,
        "invoice_status": "no",
        "acknowledged": True,
        "date_approve": odoo_time(world.now),
    }
    world.write("purchase.order", 80, **values | more)
    world.write(
        "purchase.order.line",
        800,
        order_id=80,
        name="Oak desk",
        product_id=30,
        product_qty=20,
        price_subtotal=2_000,
        qty_received=received,
        date_planned=odoo_time(world.now + timedelta(days=expected_in)),
    )


def receive(world: World, quantity: float) -> None:
    world.write("purchase.order.line", 800, qty_received=quantity)


def time_passes(world: World, **delta: float) -> None:
    world.advance(**delta)
    while change_processing.reevaluate_due(now=world.now) == change_processing.LOOKED_AGAIN:
        pass


def stage() -> str:
    return Position.objects.get(workflow="procure_to_pay").stage


def cases() -> dict[str, str]:
    return dict(ExceptionCase.objects.exclude(status=Status.RESOLVED).values_list("type", "cause"))


@pytest.mark.parametrize("sample", WORKFLOW.samples, ids=lambda sample: sample.stage)
def test_a_sample_lands_where_the_file_says(world: World, sample: Any) -> None:
    world.write("purchase.order", 80, **{"name": "P00080", "partner_id": 60, "company_id": 1} | dict(sample.row))
    assert stage() == sample.stage


def test_every_open_stage_has_a_target_and_an_owner() -> None:
    assert all(stage.target and stage.owner for stage in STAGES if stage.is_open)


def test_an_order_goes_from_request_to_closed(world: World) -> None:
    purchase(world, state="draft", acknowledged=False)
    assert stage() == "request"
    purchase(world, acknowledged=False)
    assert stage() == "unacknowledged"
    purchase(world)
    assert stage() == "on_time"
    receive(world, 8)
    assert stage() == "partly_received"
    receive(world, 20)
    world.write("purchase.order", 80, invoice_status="to invoice")
    assert stage() == "to_bill"
    # Odoo calls it billed as soon as there is a draft.
    line = Line.objects.get(order_id=80)
    world.write("account.move.line", 7001, move_id=700, purchase_line_id=line.odoo_id, parent_state="draft", quantity=20)
    world.write("purchase.order", 80, invoice_status="invoiced")
    assert stage() == "to_bill"
    world.write("account.move.line", 7001, parent_state="posted")
    assert stage() == "closed"
    assert not ExceptionCase.objects.exists()


def test_an_order_becomes_late_by_itself_as_the_day_ends_that_it_was_promised_for(world: World) -> None:
    purchase(world, expected_in=2)
    promised = world.now + timedelta(days=2)
    time_passes(world, days=1, hours=23)
    assert (stage(), cases()) == ("on_time", {})
    time_passes(world, hours=12)
    assert (stage(), cases()) == ("on_time", {})
    time_passes(world, hours=1)
    assert stage() == "late"
    midnight = promised.replace(hour=0) + timedelta(days=1)
    assert Transition.objects.filter(to_stage="late").values_list("at", flat=True).get() == midnight

    case = ExceptionCase.objects.get()
    assert (case.type, case.team.slug, case.severity, case.amount) == (
        "purchase.supplier_delay",
        "purchasing",
        Severity.HIGH,
        Decimal("2000.00"),
    )
    assert {
        name: case.evidence[name]
        for name in ("partner_name", "late_lines_count", "missing_quantity", "missing_amount", "late_products_names")
    } == {
        "partner_name": "Nordic Timber",
        "late_lines_count": 1,
        "missing_quantity": "20",
        "missing_amount": "2000.00",
        "late_products_names": "Oak desk",
    }
    assert datetime.fromisoformat(case.evidence["expected_at"]).astimezone(UTC) == promised


def test_a_delay_follows_what_has_come_and_ends_with_the_rest_or_with_a_new_date(world: World) -> None:
    purchase(world, expected_in=1)
    time_passes(world, days=3)
    receive(world, 15)
    case = ExceptionCase.objects.get()
    assert (stage(), case.status, case.amount, case.evidence["missing_quantity"]) == (
        "partly_received",
        "open",
        Decimal("500.00"),
        "5",
    )
    assert case.evidence["late_days"] == 2
    world.write("purchase.order.line", 800, date_planned=odoo_time(world.now + timedelta(days=4)))
    case.refresh_from_db()
    assert (case.status, case.resolution) == ("resolved", "The order is no longer late")

    time_passes(world, days=5)
    assert list(cases()) == ["purchase.supplier_delay"]
    receive(world, 20)
    assert cases() == {}


def test_a_vendor_who_does_not_answer_is_named_after_two_days_and_forgotten_when_he_does(world: World) -> None:
    purchase(world, acknowledged=False)
    time_passes(world, days=1, hours=23)
    assert cases() == {}
    time_passes(world, hours=2)
    case = ExceptionCase.objects.get()
    assert (case.type, case.amount, case.evidence["unanswered_days"]) == ("purchase.unacknowledged", Decimal("2300.00"), 2)
    world.write("purchase.order", 80, acknowledged=True)
    assert cases() == {}


def test_an_odoo_that_does_not_keep_answers_raises_none(world: World) -> None:
    purchase(world, acknowledged=None)
    time_passes(world, days=4)
    assert (stage(), cases()) == ("on_time", {})


def test_an_approval_that_nobody_gives_is_raised_after_a_day(world: World) -> None:
    purchase(world, state="to approve")
    assert (stage(), cases()) == ("awaiting_approval", {})
    time_passes(world, hours=25)
    assert list(cases()) == ["purchase.approval_stalled"]
    purchase(world)
    assert (stage(), cases()) == ("on_time", {})


def test_money_is_counted_in_the_companys_currency(world: World) -> None:
    purchase(world, expected_in=1, currency_rate=2.0)
    time_passes(world, days=2)
    assert Position.objects.get().amount == Decimal("1150.00")
    assert ExceptionCase.objects.get().amount == Decimal("1000.00")

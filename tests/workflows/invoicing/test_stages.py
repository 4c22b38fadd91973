"""Invoices stand where their state, their due date and their lines put them."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from apps.exceptions.models import ExceptionCase, Status
from apps.mirror import registry as mirror
from apps.workflows import engine
from apps.workflows.catalogue.invoicing import STAGES, WORKFLOW
from apps.workflows.models import Position, Transition
from tests.stages import stages_of
from tests.workflows.invoicing.invoices import EXPOSURE, billing, invoice, open_cases, sold, stage_of
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

"""Stages are complete and disjoint, samples land where they say, and SQL and declaration agree."""

from typing import Any

import pytest
from django.db.models import Q
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from apps.mirror import registry as mirror
from apps.workflows import compile as compiled
from apps.workflows.catalogue.order_to_cash import STAGES, WORKFLOW
from apps.workflows.declare import Fact
from apps.workflows.models import Position, Transition
from tests.stages import stages_of
from tests.world import World

FIELDS = {
    "state": st.sampled_from(["draft", "sent", "sale", "done", "cancel", ""]),
    "delivery_status": st.sampled_from(["", "pending", "started", "partial", "full", None]),
    "invoice_status": st.sampled_from(["", "no", "to invoice", "invoiced", "upselling", None]),
    "x_ct_hold": st.sampled_from(["", "credit_override", "pricing_exception", "other", None]),
    "credit_is_asked": st.sampled_from([None, True, False]),
    "pricing_is_asked": st.sampled_from([None, True, False]),
    "credit_ask_state": st.sampled_from([None, "open", "approved", "rejected"]),
    "pricing_ask_state": st.sampled_from([None, "open", "approved", "rejected"]),
    "price_is_settled": st.sampled_from([None, True, False]),
    "excess": st.sampled_from([None, -1, 0, 1]),
    "credit_limit": st.sampled_from([None, 0, 100]),
    "has_ready_delivery": st.sampled_from([None, True, False]),
    "has_open_delivery": st.sampled_from([None, True, False]),
    "unpaid": st.sampled_from([None, 0, 5]),
    "has_draft_invoice": st.sampled_from([None, True, False]),
    "to_bill_value": st.sampled_from([None, -5, 0, 5]),
    "is_to_credit": st.sampled_from([None, True, False]),
    "awaits_delivery": st.sampled_from([None, True, False]),
    "only_return_is_open": st.sampled_from([None, True, False]),
    "is_expired": st.sampled_from([None, True, False]),
    "has_unknown_lines": st.sampled_from([None, True, False]),
}
TYPES = {
    "excess": "numeric",
    "credit_limit": "numeric",
    "unpaid": "numeric",
    "has_ready_delivery": "boolean",
    "has_open_delivery": "boolean",
    "price_is_settled": "boolean",
    "has_draft_invoice": "boolean",
    "to_bill_value": "numeric",
    "is_to_credit": "boolean",
    "awaits_delivery": "boolean",
    "only_return_is_open": "boolean",
    "has_unknown_lines": "boolean",
    "is_expired": "boolean",
    "credit_is_asked": "boolean",
    "pricing_is_asked": "boolean",
}


class EveryRecordIsInExactlyOneStage(TestCase):
    @settings(max_examples=300, deadline=None)
    @given(row=st.fixed_dictionaries(FIELDS))
    def test_whatever_odoo_says(self, row: dict[str, Any]) -> None:
        assert len(stages_of(WORKFLOW, row, TYPES)) == 1


@pytest.mark.parametrize("sample", WORKFLOW.samples, ids=lambda sample: f"{sample.stage}: {sample.row}")
def test_a_sample_lands_where_the_file_says(world: World, sample: Any) -> None:
    world.order(**{"amount": 10, **sample.row})
    assert Position.objects.get(workflow="order_to_cash").stage == sample.stage


def test_a_transition_carries_odoos_time_and_the_stage_its_age(world: World) -> None:
    world.order(amount=10)
    began = world.now
    moved = world.advance(hours=5)
    world.order(amount=10, state="sale", delivery_status="pending")
    position = Position.objects.get(workflow="order_to_cash")
    assert (position.since, position.due_at.date()) == (moved, (moved.replace(day=28)).date())
    first, second = Transition.objects.order_by("id")
    assert (first.from_stage, first.to_stage, first.at) == ("", "quotation", began)
    assert (second.from_stage, second.to_stage, second.at) == ("quotation", "waiting_for_stock", moved)


def test_an_unchanged_order_moves_nowhere(world: World) -> None:
    world.order(amount=10)
    world.advance(hours=1)
    world.order(amount=11)
    assert Transition.objects.count() == 1
    assert Position.objects.get(workflow="order_to_cash").amount == 11


def test_a_ready_delivery_makes_the_order_ready_to_pick(world: World) -> None:
    world.order(amount=10, state="sale", delivery_status="pending")
    world.advance(minutes=10)
    world.write("stock.picking", 77, name="WH/OUT/77", sale_id=42, state="assigned", picking_type_code="outgoing")
    position = Position.objects.get(workflow="order_to_cash")
    assert (position.stage, position.since) == ("ready_to_pick", world.now)


def test_an_order_is_invoiced_once_its_invoice_is_posted_and_closed_once_that_is_paid(world: World) -> None:
    world.order(amount=10, state="sale", delivery_status="full", invoice_status="invoiced")
    world.write("sale.order.line", 4200, order_id=42, product_uom_qty=1, qty_invoiced=1, price_total=10)
    world.write(
        "account.move",
        60,
        state="draft",
        move_type="out_invoice",
        amount_residual=10,
        partner_id=50,
        commercial_partner_id=50,
        company_id=1,
    )
    world.write("account.move.line", 61, move_id=60, sale_line_ids=[4200], partner_id=50, account_id=12)
    assert Position.objects.get(model="sale.order").stage == "to_invoice"
    world.advance(days=1)
    world.write("account.move", 60, state="posted")
    assert Position.objects.get(model="sale.order").stage == "unpaid"
    world.advance(days=3)
    world.write("account.move", 60, amount_residual=0)
    assert Position.objects.get(model="sale.order").stage == "closed"


def test_one_batch_costs_the_same_statements_however_many_records(world: World, django_assert_num_queries: Any) -> None:
    from apps.workflows import engine

    for number in range(30):
        world.order(1000 + number, amount=10)
    with django_assert_num_queries(3):
        engine.evaluate(WORKFLOW, connection_id=world.connection.pk, records={1000: None}, now=world.now)
    with django_assert_num_queries(3):
        engine.evaluate(WORKFLOW, connection_id=world.connection.pk, records=dict.fromkeys(range(1000, 1030)), now=world.now)


def test_a_condition_over_an_unknown_field_is_refused_by_name() -> None:
    with pytest.raises(compiled.DeclarationError, match=r"order_to_cash names colour, which neither sale\.order"):
        compiled.predicate(WORKFLOW, Q(colour="red"))


def test_two_facts_with_one_column_are_refused_by_name() -> None:
    from dataclasses import replace

    twice = replace(WORKFLOW, facts=[*WORKFLOW.facts, Fact(name="again", sql="SELECT 1 AS unpaid", columns=["unpaid"])])
    with pytest.raises(compiled.DeclarationError, match="fact again returns unpaid, which paid has already"):
        compiled.known_columns(twice)


def test_every_stage_has_an_owner_and_every_open_one_a_target() -> None:
    assert all(stage.owner for stage in STAGES)
    assert all(stage.target for stage in STAGES if stage.is_open)
    assert set(mirror.models()) >= {dependency.model for dependency in WORKFLOW.dependencies}

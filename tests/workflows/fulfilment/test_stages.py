"""Transfers stand where their state and their deadline put them."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from apps.exceptions.models import ExceptionCase
from apps.mirror import registry as mirror
from apps.workflows import blockers
from apps.workflows.catalogue.fulfilment import STAGES, WORKFLOW
from apps.workflows.models import Position
from tests.stages import stages_of
from tests.workflows.fulfilment.transfers import move, stage, standing, transfer
from tests.world import World, odoo_time

FIELDS = {
    "state": st.sampled_from(["draft", "waiting", "confirmed", "assigned", "done", "cancel", "", None]),
    "is_late": st.sampled_from([None, True, False]),
}


class EveryTransferIsInExactlyOneStage(TestCase):
    @settings(max_examples=100, deadline=None)
    @given(row=st.fixed_dictionaries(FIELDS))
    def test_whatever_odoo_says(self, row: dict[str, Any]) -> None:
        assert len(stages_of(WORKFLOW, row, {"is_late": "boolean"})) == 1


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

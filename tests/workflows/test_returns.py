"""Returns stand where the transfer and the credit notes put them; what is not credited is named with its value."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from apps.exceptions.models import ExceptionCase, Severity, Status
from apps.pipeline import change_processing
from apps.workflows.catalogue.returns import STAGES, WORKFLOW
from apps.workflows.models import Position
from tests.stages import stages_of
from tests.world import World, odoo_time

FIELDS = {
    "state": st.sampled_from(["draft", "waiting", "confirmed", "assigned", "done", "cancel", "", None]),
    "return_value": st.sampled_from([None, 0, 499, 500, 800]),
    "x_ct_released_value": st.sampled_from([None, 0, 500, 800]),
    "to_credit_quantity": st.sampled_from([None, 0, 2]),
    "is_asked": st.sampled_from([None, True, False]),
}
TYPES = {
    "return_value": "numeric",
    "x_ct_released_value": "numeric",
    "to_credit_quantity": "numeric",
    "is_asked": "boolean",
}


class EveryReturnIsInExactlyOneStage(TestCase):
    @settings(max_examples=200, deadline=None)
    @given(row=st.fixed_dictionaries(FIELDS))
    def test_whatever_odoo_says(self, row: dict[str, Any]) -> None:
        assert len(stages_of(WORKFLOW, row, TYPES)) == 1


@pytest.fixture
def world(world: World) -> World:
    """Ten desks at 100 less ten per cent were ordered, delivered and billed."""
    world.write("product.template", 31, name="Oak desk", type="consu", list_price=100, active=True)
    world.write("product.product", 30, product_tmpl_id=31, active=True, standard_price=40)
    world.order(42, amount=900, state="sale")
    world.write(
        "sale.order.line",
        420,
        order_id=42,
        product_id=30,
        name="Oak desk",
        product_uom_qty=10,
        qty_delivered=10,
        price_unit=100,
        discount=10,
        price_subtotal=900,
    )
    world.write(
        "stock.picking", 70, name="WH/OUT/1", state="done", sale_id=42, partner_id=50, company_id=1, picking_type_code="outgoing"
    )
    bill(world, 600, 10)
    return world


def bill(world: World, odoo_id: int, quantity: float, *, move_type: str = "out_invoice", state: str = "posted") -> None:
    """An invoice or a credit note of the desks."""
    world.write(
        "account.move",
        odoo_id,
        name=f"M/{odoo_id}",
        state=state,
        move_type=move_type,
        partner_id=50,
        commercial_partner_id=50,
        company_id=1,
        payment_state="paid",
    )
    world.write(
        "account.move.line",
        odoo_id + 10_000,
        move_id=odoo_id,
        display_type="product",
        quantity=quantity,
        sale_line_ids=[420],
        parent_state=state,
        company_id=1,
    )


def comes_back(world: World, quantity: float, *, odoo_id: int = 71, state: str = "assigned", **more: Any) -> None:
    """So many of the desks are to come back, or have."""
    done = {"date_done": odoo_time(world.now)} if state == "done" else {}
    values = {
        "name": f"WH/IN/{odoo_id}",
        "state": state,
        "return_id": 70,
        "sale_id": 42,
        "partner_id": 50,
        "company_id": 1,
        "picking_type_code": "incoming",
    }
    world.write(
        "stock.move",
        odoo_id * 10,
        picking_id=odoo_id,
        product_id=30,
        product_uom_qty=quantity,
        sale_line_id=420,
        quantity=quantity if state == "done" else 0,
        state=state,
    )
    world.write("stock.picking", odoo_id, **values | done | more)


def received(world: World, quantity: float, *, delivered: float, odoo_id: int = 71) -> None:
    """The desks are here, and Odoo takes them off what is delivered."""
    comes_back(world, quantity, odoo_id=odoo_id, state="done")
    world.write("sale.order.line", 420, qty_delivered=delivered)


def stage(odoo_id: int = 71) -> str | None:
    found = Position.objects.filter(workflow="returns", odoo_id=odoo_id)
    return found.values_list("stage", flat=True).first()


def cases() -> list[str]:
    return list(ExceptionCase.objects.exclude(status=Status.RESOLVED).values_list("type", flat=True))


@pytest.mark.parametrize("sample", WORKFLOW.samples, ids=lambda sample: sample.stage)
def test_a_sample_lands_where_the_file_says(world: World, sample: Any) -> None:
    own = {"name": "WH/IN/71", "return_id": 70, "picking_type_code": "incoming", "partner_id": 50, "company_id": 1}
    world.write("stock.picking", 71, **own | dict(sample.row))
    assert stage() == sample.stage


def test_every_open_stage_has_a_target_and_an_owner() -> None:
    assert all(stage.target and stage.owner for stage in STAGES if stage.is_open)


def test_a_return_goes_from_requested_to_credited(world: World) -> None:
    comes_back(world, 4, state="draft")
    assert stage() == "requested"
    comes_back(world, 4)
    assert (stage(), cases()) == ("awaiting_goods", [])
    received(world, 4, delivered=6)
    assert (stage(), cases()) == ("to_credit", ["returns.not_credited"])
    bill(world, 601, 4, move_type="out_refund", state="draft")
    assert stage() == "to_credit"
    bill(world, 601, 4, move_type="out_refund")
    assert (stage(), cases()) == ("credited", [])


def test_what_is_not_credited_is_named_with_quantity_value_and_days(world: World) -> None:
    comes_back(world, 4)
    received(world, 4, delivered=6)
    case = ExceptionCase.objects.get()
    assert (case.type, case.team.slug, case.severity, case.amount, case.currency, case.partner_name) == (
        "returns.not_credited",
        "finance",
        Severity.LOW,
        Decimal("360.00"),
        "EUR",
        "Azure Interior",
    )
    names = ["to_credit_quantity", "to_credit_value", "received_days", "order_name", "returned_of", "product_names"]
    assert [case.evidence[name] for name in names] == ["4", "360.00", 0, "S00042", "WH/OUT/1", "Oak desk"]

    bill(world, 601, 1, move_type="out_refund")
    world.advance(days=3)
    while change_processing.reevaluate_due(now=world.now) == change_processing.LOOKED_AGAIN:
        pass
    case.refresh_from_db()
    assert [case.evidence[name] for name in names[:3]] == ["3", "270.00", 3]


def test_goods_that_were_never_billed_ask_for_no_credit(world: World) -> None:
    bill(world, 600, 10, state="draft")
    received(world, 4, delivered=6)
    assert (stage(), cases()) == ("credited", [])
    bill(world, 600, 10)
    assert stage() == "to_credit"


def test_of_two_returns_the_first_is_credited_first(world: World) -> None:
    received(world, 4, delivered=6)
    world.advance(hours=1)
    received(world, 2, delivered=4, odoo_id=72)
    assert (stage(71), stage(72)) == ("to_credit", "to_credit")
    bill(world, 601, 4, move_type="out_refund")
    assert (stage(71), stage(72)) == ("credited", "to_credit")
    bill(world, 602, 2, move_type="out_refund")
    assert (stage(71), stage(72)) == ("credited", "credited")


def test_a_large_return_waits_for_authorisation_of_that_value(world: World) -> None:
    comes_back(world, 6)
    case = ExceptionCase.objects.get()
    assert (stage(), case.type, case.team.slug, case.amount) == (
        "awaiting_authorisation",
        "returns.authorisation_pending",
        "service",
        Decimal("540.00"),
    )
    comes_back(world, 6, x_ct_released_value=540)
    assert (stage(), cases()) == ("awaiting_goods", [])
    comes_back(world, 8, x_ct_released_value=540)
    assert (stage(), cases()) == ("awaiting_authorisation", ["returns.authorisation_pending"])
    comes_back(world, 8, state="cancel")
    assert (stage(), cases()) == ("refused", [])


def test_what_goes_to_a_customer_or_back_to_a_vendor_is_no_return(world: World) -> None:
    comes_back(world, 6, picking_type_code="outgoing")
    assert stage() is None
    assert stage(70) is None

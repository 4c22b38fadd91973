"""Counts stand where Odoo's quant puts them; what they change, and stock below zero, is named with its value."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from apps.accounts.models import Role
from apps.exceptions.models import ExceptionCase, Severity, Status
from apps.exceptions.types import evidence_of
from apps.notifications.models import Notification
from apps.workflows.catalogue.inventory_control import STAGES, WORKFLOW
from apps.workflows.models import Position, Transition
from tests.stages import stages_of
from tests.world import World, person

FIELDS = {
    "inventory_quantity_set": st.sampled_from([None, True, False]),
    "quantity": st.sampled_from([None, -2, 0, 30]),
    "user_id": st.sampled_from([None, 7]),
    "last_count_date": st.sampled_from([None, "2026-11-01"]),
    "difference_value": st.sampled_from([None, 0, 249.99, 250, 9_000]),
    "x_ct_released_value": st.sampled_from([None, 0, 250]),
    "was_rejected": st.sampled_from([None, True, False]),
    "is_asked": st.sampled_from([None, True, False]),
}
TYPES = {
    "inventory_quantity_set": "boolean",
    "quantity": "numeric",
    "user_id": "bigint",
    "last_count_date": "date",
    "difference_value": "numeric",
    "x_ct_released_value": "numeric",
    "was_rejected": "boolean",
    "is_asked": "boolean",
}


class EveryCountIsInExactlyOneStage(TestCase):
    @settings(max_examples=200, deadline=None)
    @given(row=st.fixed_dictionaries(FIELDS))
    def test_whatever_odoo_says(self, row: dict[str, Any]) -> None:
        assert len(stages_of(WORKFLOW, row, TYPES)) == 1


@pytest.fixture
def world(world: World) -> World:
    """A warehouse with a shelf, and a desk that costs 40."""
    world.write("stock.location", 8, name="Shelf", complete_name="WH/Shelf", usage="internal", warehouse_id=1, company_id=1)
    world.write("stock.warehouse", 1, name="Hamburg", code="WH", company_id=1, lot_stock_id=8)
    world.write("product.template", 31, name="Oak desk", type="consu", active=True)
    world.write("product.product", 30, product_tmpl_id=31, active=True, standard_price=40)
    return world


def stock(world: World, quantity: float, **more: Any) -> None:
    """So many desks are on the shelf, as Odoo keeps it."""
    values = {
        "product_id": 30,
        "location_id": 8,
        "company_id": 1,
        "quantity": quantity,
        "inventory_quantity_set": False,
        "inventory_quantity": 0,
        "inventory_diff_quantity": 0,
        "inventory_date": "2026-12-31",
        "user_id": False,
    }
    world.write("stock.quant", 70, **values | more)


def count(world: World, counted: float, *, system: float = 20) -> None:
    """Somebody counts the shelf."""
    stock(
        world, system, inventory_quantity=counted, inventory_quantity_set=True, inventory_diff_quantity=counted - system, user_id=7
    )


def applied(world: World, quantity: float) -> None:
    """What was counted is what there is."""
    stock(world, quantity, last_count_date=world.now.date().isoformat())


def stage() -> str | None:
    return Position.objects.filter(workflow="inventory_control").values_list("stage", flat=True).first()


def cases() -> list[str]:
    return list(ExceptionCase.objects.exclude(status=Status.RESOLVED).values_list("type", flat=True))


@pytest.mark.parametrize("sample", WORKFLOW.samples, ids=lambda sample: sample.stage)
def test_a_sample_lands_where_the_file_says(world: World, sample: Any) -> None:
    own = {"product_id": 30, "location_id": 8, "company_id": 1, "inventory_date": "2026-12-31"}
    world.write("stock.quant", 70, **own | dict(sample.row))
    assert stage() == sample.stage


def test_every_open_stage_has_a_target_and_an_owner() -> None:
    assert all(stage.target and stage.owner for stage in STAGES if stage.is_open)


def test_a_small_difference_is_counted_and_applied(world: World) -> None:
    count(world, 19)
    assert (stage(), cases()) == ("counted", [])
    world.advance(hours=1)
    applied(world, 19)
    assert (stage(), cases()) == ("applied", [])
    position = Position.objects.get(workflow="inventory_control")
    assert (position.name, position.is_open, position.partner_id) == ("Oak desk in WH/Shelf", False, None)
    moved = Transition.objects.filter(workflow="inventory_control").order_by("id")
    assert list(moved.values_list("from_stage", "to_stage")) == [("", "counted"), ("counted", "applied")]


def test_a_large_difference_waits_for_approval_and_is_named_until_it_is_applied(world: World) -> None:
    count(world, 5)
    assert stage() == "awaiting_approval"
    case = ExceptionCase.objects.get()
    assert (case.type, case.team.slug, case.severity, case.amount, case.currency) == (
        "inventory.count_adjustment",
        "warehouse",
        Severity.LOW,
        Decimal("600.00"),
        "EUR",
    )
    assert case.evidence == {
        "product_name": "Oak desk",
        "location_name": "WH/Shelf",
        "warehouse_name": "Hamburg",
        "counted_by": "Sofia Sales",
        "counted_quantity": "5",
        "system_quantity": "20",
        "difference_quantity": "-15",
        "unit_cost": "40.00",
        "difference_value": "600.00",
    }
    applied(world, 5)
    case.refresh_from_db()
    assert (stage(), case.status, case.resolution) == ("applied", "resolved", "The count was approved, changed or cleared")


def test_a_second_count_that_agrees_takes_the_difference_back(world: World) -> None:
    count(world, 5)
    count(world, 20)
    assert (stage(), cases()) == ("counted", [])


def test_what_has_been_moved_since_it_was_counted_does_not_change_the_difference(world: World) -> None:
    count(world, 5)
    world.write("stock.quant", 70, quantity=12)
    case = ExceptionCase.objects.get()
    assert (case.evidence["difference_quantity"], case.evidence["system_quantity"]) == ("-15", "20")


def test_a_cost_that_changes_changes_what_the_difference_is_worth(world: World) -> None:
    count(world, 15)
    assert (stage(), cases()) == ("counted", [])
    world.write("product.product", 30, standard_price=90)
    assert ExceptionCase.objects.get().amount == Decimal("450.00")
    assert stage() == "awaiting_approval"


def test_a_count_that_is_cleared_and_never_was_another_is_nobodys(world: World) -> None:
    count(world, 5)
    stock(world, 20)
    assert (stage(), cases()) == (None, [])


def test_stock_below_zero_is_to_be_counted_and_named_with_its_value_until_it_is_not(world: World) -> None:
    stock(world, 4)
    assert stage() is None
    fell = world.advance(hours=2)
    stock(world, -6)
    world.advance(hours=3)
    stock(world, -7, reserved_quantity=1)
    case = ExceptionCase.objects.get()
    assert (stage(), case.type, case.severity, case.amount) == (
        "to_count",
        "inventory.negative_stock",
        Severity.MEDIUM,
        Decimal("280.00"),
    )
    shown = {name: case.evidence[name] for name in ("missing_quantity", "unit_cost", "missing_value", "location_name")}
    assert shown == {"missing_quantity": "7", "unit_cost": "40.00", "missing_value": "280.00", "location_name": "WH/Shelf"}
    assert Position.objects.get(workflow="inventory_control").since == fell
    assert datetime.fromisoformat(case.evidence["below_zero_since"]) == fell
    stock(world, 3)
    case.refresh_from_db()
    assert (stage(), case.status) == (None, "resolved")


def test_less_than_nothing_at_a_vendor_or_in_what_was_lost_is_no_news(world: World) -> None:
    stock(world, -500, inventory_date=False)
    assert (stage(), cases()) == (None, [])


def test_a_requested_count_is_to_be_counted(world: World) -> None:
    stock(world, 20, user_id=7, inventory_date=date(2026, 11, 23).isoformat())
    assert (stage(), cases()) == ("to_count", [])


def test_the_message_to_its_owner_names_the_place_and_nobody_else(world: World) -> None:
    person("wanda", Role.OPERATOR, team="warehouse")
    stock(world, -6)
    assert list(Notification.objects.values_list("title", flat=True)) == ["Negative stock: Oak desk in WH/Shelf"]


def test_a_quantity_of_one_product_is_in_its_unit(world: World) -> None:
    world.write("uom.uom", 9, name="Dozens", active=True)
    world.write("product.template", 31, name="Oak desk", type="consu", active=True, uom_id=9)
    stock(world, -3)
    case = ExceptionCase.objects.get(type="inventory.negative_stock")
    said = {figure.name: (figure.text, figure.unit) for figure in evidence_of(case)}
    assert (said["missing_quantity"], said["unit_cost"]) == (("3 Dozens", "Dozens"), ("40.00 EUR", "EUR"))
    assert "unit_name" not in said
    assert case.evidence["unit_name"] == "Dozens"
    world.write("uom.uom", 9, name="Boxes of 12", active=True)
    case.refresh_from_db()
    assert case.evidence["unit_name"] == "Boxes of 12"

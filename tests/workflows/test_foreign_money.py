"""An approval of an order in another currency says at which rate it was asked, and follows the rate."""

from decimal import Decimal

import pytest

from apps.approvals.models import Request
from apps.exceptions.models import ExceptionCase
from apps.workflows import tallies
from apps.workflows.models import Position, StandingTally
from tests.world import World


def test_a_request_says_its_rate_and_follows_it(world: World) -> None:
    world.write("res.currency", 2, name="JPY", decimal_places=0, active=True)
    world.order(42, amount=1_000_000, currency_id=2, currency_rate=160.0)
    world.ask()
    asked = Request.objects.get()
    assert asked.amount is not None and asked.context["foreign_name"]["currency"] == "JPY"
    assert asked.context["foreign_name"]["rate"] in (160, "160")
    assert str(asked.context["foreign_name"]["day"]) == "2026-11-23"
    before = asked.context["this_order"]
    world.advance(days=1)
    world.order(42, amount=1_000_000, currency_id=2, currency_rate=125.0)
    asked.refresh_from_db()
    assert asked.context["this_order"] != before
    assert asked.context["foreign_name"]["rate"] in (125, "125")


def test_an_order_in_the_companys_currency_says_nothing_of_it(world: World) -> None:
    world.held_order()
    assert not Request.objects.get().context.get("foreign_name")


def test_sums_have_the_decimals_of_their_currency_everywhere(world: World) -> None:
    """Dinars have three: a record, its exception and the figures of its stage say the same, and none of them moves by itself."""
    world.write("res.currency", 1, name="KWD", decimal_places=3, rounding=0.001, active=True)
    world.order(42, amount=11_000.125)
    world.ask()
    position = Position.objects.get(workflow="order_to_cash", odoo_id=42)
    case = ExceptionCase.objects.get(odoo_id=42)
    assert (position.amount, case.amount) == (Decimal("11000.125"), Decimal("11000.125"))
    world.advance(minutes=5)
    assert ExceptionCase.objects.get(pk=case.pk).version == case.version
    tallies.fold()
    assert sum(tally.amount for tally in StandingTally.objects.filter(workflow="order_to_cash")) == position.amount


@pytest.mark.parametrize(("rounding", "amount"), [(0.05, "333.35"), (0.01, "333.33"), (1.0, "333"), (0.0, "333.33")])
def test_a_worth_is_rounded_as_odoo_rounds_that_currency(world: World, rounding: float, amount: str) -> None:
    world.write("res.currency", 1, name="CHF", decimal_places=2, rounding=rounding, active=True)
    world.order(42, amount=1_000, currency_rate=3.0)
    assert Position.objects.get(workflow="order_to_cash", odoo_id=42).amount == Decimal(amount)

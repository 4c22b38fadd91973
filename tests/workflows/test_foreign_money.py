"""An approval of an order in another currency says at which rate it was asked, and follows the rate."""

from apps.approvals.models import Request
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

"""Which steps a request goes through, by its amount, its risk and the customer's class; what no policy may say."""

from typing import Any

import pytest

from apps.accounts.models import User
from apps.approvals import policy
from apps.approvals.models import Request
from tests.world import World


def step(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "levels": [{"ask": {"role": "approver"}, "within_minutes": 60}], "fallback": "expire"} | more


def save(world: World, *steps: dict[str, Any]) -> None:
    policy.save("credit_override", {"steps": list(steps)}, by=User.objects.get(username="mia"), now=world.now)


def names() -> list[str]:
    return [step.name for step in Request.objects.get().steps.all()]


def key_account(world: World) -> None:
    world.write("res.partner.category", 3, name="Key account", active=True)
    world.write("res.partner.category", 4, name="Export", active=True)
    world.write("res.partner", 50, category_id=[3, 4])


def test_a_step_for_a_class_of_customers_counts_for_them_alone(world: World) -> None:
    save(world, step("Credit control"), step("Sales lead", when=[{"fact": "customer_class_names", "has": "Key account"}]))
    key_account(world)
    world.held_order()
    assert names() == ["Credit control", "Sales lead"]
    assert Request.objects.get().context["customer_class_names"] == "Export, Key account"


def test_a_step_for_a_risk_counts_only_where_all_of_it_holds(world: World) -> None:
    risk = [{"fact": "overdue_days", "at_least": 30}, {"fact": "excess", "at_least": "1000"}]
    save(world, step("Credit control"), step("Risk", when=risk))
    world.owes(3_000, due_days_ago=29)
    world.held_order()
    assert names() == ["Credit control"]


def test_the_same_risk_beyond_its_limits(world: World) -> None:
    risk = [{"fact": "overdue_days", "at_least": 30}, {"fact": "excess", "at_least": "1000"}]
    save(world, step("Credit control"), step("Risk", when=risk))
    world.owes(3_000, due_days_ago=30)
    world.held_order()
    assert names() == ["Credit control", "Risk"]


def test_where_no_step_counts_the_first_one_does(world: World) -> None:
    never = [{"fact": "salesperson", "is": "Nobody"}]
    save(world, step("First", when=never), step("Second", when=never))
    world.held_order()
    assert names() == ["First"]


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ({"fact": "moon", "is": "full"}, "has no fact moon; it has commercial_name"),
        ({"fact": "excess"}, "names a fact and one of at_least"),
        ({"fact": "excess", "at_least": 1, "at_most": 2}, "names a fact and one of"),
        ({"fact": "excess", "at_least": "much"}, "at_least must be a number"),
        ("excess", "names a fact and one of"),
    ],
)
def test_a_condition_that_cannot_be_is_refused_with_the_step(world: World, condition: Any, said: str) -> None:
    with pytest.raises(policy.PolicyError, match=f"Step 2: .*{said}"):
        save(world, step("First"), step("Second", when=[condition]))

"""Which steps a request goes through, by its amount, its risk and the customer's class; what no policy may say."""

from dataclasses import replace
from typing import Any

import pytest

from apps.accounts.models import Role, User
from apps.approvals import errors
from apps.approvals.models import Assignment, Policy, Request
from apps.approvals.policies import checks, conditions, policy
from apps.approvals.requests import moves
from apps.workflows import registry
from tests.world import World, person


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


def test_a_number_is_compared_as_one_and_a_text_by_its_letters(world: World) -> None:
    same = [{"fact": "credit_limit", "is": 5_000}]
    save(world, step("Credit control"), step("Same", when=same), step("Letters", when=[{"fact": "salesperson", "is": "7"}]))
    world.held_order()
    request = Request.objects.get()
    assert request.context["credit_limit"] == "5000.00"
    assert names() == ["Credit control", "Same"]
    facts = conditions.facts_of(request)
    texts = {"salesperson": replace(facts["salesperson"], value="7.0")}
    assert not conditions.holds({"fact": "salesperson", "is": "7"}, facts | texts)
    assert conditions.holds({"fact": "salesperson", "is": "7.0"}, facts | texts)


def test_a_policy_that_was_stored_with_a_test_that_cannot_hold_keeps_counting(world: World) -> None:
    save(world, step("Credit control"), step("Never", when=[{"fact": "salesperson", "is": "Nobody"}]))
    rules = Policy.objects.get(kind="credit_override", is_active=True).rules
    rules["steps"][1]["when"] = [{"fact": "salesperson", "at_least": 1}]
    Policy.objects.filter(kind="credit_override", is_active=True).update(rules=rules)
    world.held_order()
    assert names() == ["Credit control"]
    assert policy.unusable() == []


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
        ({"fact": "excess", "is": "much"}, "is must be a number"),
        ({"fact": "excess", "has": "1000"}, "has does not apply to excess. Use one of: at_least, at_most, is"),
        ({"fact": "salesperson", "at_least": 1}, "at_least does not apply to salesperson. Use one of: is, has"),
        ({"fact": "credit_asked_at", "at_most": 1}, "at_most does not apply to credit_asked_at. Use one of: is, has"),
        ("excess", "names a fact and one of"),
    ],
)
def test_a_condition_that_cannot_be_is_refused_with_the_step(world: World, condition: Any, said: str) -> None:
    with pytest.raises(policy.PolicyError, match=f"Step 2: .*{said}"):
        save(world, step("First"), step("Second", when=[condition]))


def test_a_policy_that_nobody_could_satisfy_is_refused_with_the_step_and_the_remedy(world: World) -> None:
    with pytest.raises(policy.PolicyError, match=r"Step 2: no approver here covers 60,000.00 EUR: .*Adam.*Raise a limit"):
        save(world, step("Credit control"), step("Large", from_amount=60_000))
    approver = {"ask": {"role": "approver"}, "within_minutes": 60}
    save(world, step("Large", from_amount=60_000, levels=[approver, {"ask": {"role": "manager"}, "within_minutes": 60}]))
    for asked, said in (
        ({"user": "nobody"}, "no active approver"),
        ({"team": "moon"}, "no active approver"),
        ({"manager_of": "the moon"}, 'manager_of can only be "record"'),
    ):
        with pytest.raises(policy.PolicyError, match=f"Step 1, level 1: {said}"):
            save(world, step("Credit control", levels=[{"ask": asked, "within_minutes": 60}]))


def test_the_manager_of_the_record_is_who_manages_a_team_of_its_salesperson(world: World) -> None:
    person("sofia", Role.OPERATOR, team="north", odoo_login="sofia")
    person("nora", Role.MANAGER, limit=100_000, team="north")
    save(world, step("Manager", levels=[{"ask": {"manager_of": "record"}, "within_minutes": 60}]))
    world.held_order()
    assert asked_people() == ["nora"]


def test_a_record_without_a_manager_goes_on_to_the_next_level(world: World) -> None:
    person("sofia", Role.OPERATOR, odoo_login="sofia")
    levels = [{"ask": {"manager_of": "record"}, "within_minutes": 60}, {"ask": {"user": "mia"}, "within_minutes": 60}]
    save(world, step("Manager", levels=levels))
    world.held_order()
    assert asked_people() == ["mia"]


def test_another_salesperson_of_the_record_has_their_own_manager_asked(world: World) -> None:
    person("sofia", Role.OPERATOR, team="north", odoo_login="sofia")
    person("nora", Role.MANAGER, limit=100_000, team="north")
    person("sam", Role.OPERATOR, team="south", odoo_login="sam")
    person("mark", Role.MANAGER, limit=100_000, team="south")
    save(world, step("Manager", levels=[{"ask": {"manager_of": "record"}, "within_minutes": 60}]))
    order = world.held_order()
    world.write("res.users", 8, name="Sam Sales", login="sam", active=True)
    world.write("sale.order", order, user_id=8, name="S90042")
    assert asked_people() == ["mark"]
    request = Request.objects.get()
    assert (request.record_name, request.context["account_owner_login"]) == ("S90042", "sam")
    assert (request.context["salesperson"], request.facts_changed_at) == ("Sam Sales", world.now)


def test_a_salesperson_whose_login_is_another_keeps_their_manager(world: World) -> None:
    person("sofia", Role.OPERATOR, team="north", odoo_login="sofia.lang")
    person("nora", Role.MANAGER, limit=100_000, team="north")
    save(world, step("Manager", levels=[{"ask": {"manager_of": "record"}, "within_minutes": 60}]))
    world.held_order()
    assert "nora" not in asked_people()
    world.write("res.users", 7, login="sofia.lang")
    assert Request.objects.get().context["account_owner_login"] == "sofia.lang"
    assert "nora" in asked_people()
    assert Request.objects.get().facts_changed_at is None


def asked_people() -> list[str]:
    found = Assignment.objects.filter(step__request=Request.objects.get(), is_active=True)
    return sorted(found.values_list("user__username", flat=True))


def test_steps_of_one_position_run_side_by_side_and_the_next_waits_for_all_of_them(world: World) -> None:
    person("nora", Role.MANAGER, limit=100_000, team="north")
    user = [{"ask": {"user": name}, "within_minutes": 60} for name in ("adam", "mia", "nora")]
    save(
        world,
        step("Credit", position=1, levels=user[:1]),
        step("Sales", position=1, levels=user[1:2]),
        step("Board", position=2, levels=user[2:]),
    )
    world.held_order()
    assert asked_people() == ["adam", "mia"]
    say(world, "mia")
    assert asked_people() == ["adam", "mia"]
    say(world, "adam")
    assert asked_people() == ["adam", "mia", "nora"]
    assert Request.objects.get().status == "pending"
    say(world, "nora")
    assert Request.objects.get().status == "approved"


def test_where_all_are_needed_one_yes_is_not_enough(world: World) -> None:
    person("nora", Role.MANAGER, limit=100_000)
    both = step("Managers", needs_all=True, levels=[{"ask": {"role": "manager"}, "within_minutes": 60}])
    save(world, both)
    world.held_order()
    say(world, "mia")
    assert Request.objects.get().status == "pending"
    say(world, "nora")
    assert Request.objects.get().status == "approved"


def test_one_no_of_all_who_are_needed_ends_it(world: World) -> None:
    person("nora", Role.MANAGER, limit=100_000)
    save(world, step("Managers", needs_all=True, levels=[{"ask": {"role": "manager"}, "within_minutes": 60}]))
    world.held_order()
    say(world, "mia")
    moves.reject(Request.objects.get().pk, by=User.objects.get(username="nora"), reason="Not now", now=world.now)
    assert Request.objects.get().status == "rejected"


def test_of_those_of_whom_any_will_do_one_yes_is_enough(world: World) -> None:
    person("nora", Role.MANAGER, limit=100_000)
    save(world, step("Managers", levels=[{"ask": {"role": "manager"}, "within_minutes": 60}]))
    world.held_order()
    assert asked_people() == ["mia", "nora"]
    say(world, "nora")
    assert Request.objects.get().status == "approved"
    with pytest.raises(errors.AlreadyDecidedError):
        say(world, "mia")


def test_one_no_of_steps_that_run_side_by_side_ends_the_others(world: World) -> None:
    sides = [{"ask": {"user": name}, "within_minutes": 60} for name in ("adam", "mia")]
    save(world, step("Credit", position=1, levels=sides[:1]), step("Sales", position=1, levels=sides[1:]))
    world.held_order()
    moves.reject(Request.objects.get().pk, by=User.objects.get(username="adam"), reason="Not now", now=world.now)
    assert Request.objects.get().status == "rejected"
    with pytest.raises(errors.AlreadyDecidedError):
        say(world, "mia")


def test_a_declared_policy_that_cannot_be_is_refused_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    assert checks.declared_policies() == []
    kinds = registry.approval_kinds()
    workflow, kind = kinds["credit_override"]
    bad = replace(kind, default_policy={"steps": [step("Credit control", when=[{"fact": "moon", "is": "full"}])]})
    monkeypatch.setattr(registry, "approval_kinds", lambda: kinds | {"credit_override": (workflow, bad)})
    (error,) = checks.declared_policies()
    assert "Workflow order_to_cash, policy of credit_override: Step 1: credit_override has no fact moon; it has" in error.msg


def say(world: World, username: str) -> None:
    moves.approve(Request.objects.get().pk, by=User.objects.get(username=username), reason="Fine", now=world.now)

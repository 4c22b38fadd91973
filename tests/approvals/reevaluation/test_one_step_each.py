"""One person decides one step, by whatever way the second comes to them."""

from datetime import timedelta

import pytest

from apps.accounts.models import Role
from apps.accounts.permissions import NotAllowedError
from apps.approvals.absence import periods as absence
from apps.approvals.models import Assignment, Request
from apps.approvals.policies import policy
from apps.approvals.requests import moves, undoing
from apps.audit.models import Entry
from apps.timers.models import Timer
from tests.approvals.reevaluation.credit import CREDIT, asked, only, save, say, standing, step, user
from tests.world import World, person


def test_nobody_decides_two_steps_and_others_are_asked(world: World) -> None:
    save(world, CREDIT, step("Management", "role:manager"))
    person("nora", Role.MANAGER, limit=250_000)
    world.held_order(amount=80_000)
    say(world, "mia")
    assert asked() == ["nora"]
    with pytest.raises(NotAllowedError):
        say(world, "mia")
    say(world, "nora")
    assert only().status == "approved"


def test_where_the_only_manager_has_decided_an_administrator_is_asked(world: World) -> None:
    save(world, CREDIT, step("Management", "role:manager"))
    world.held_order(amount=80_000)
    say(world, "mia")
    assert asked() == ["anna"]
    assert Entry.objects.filter(action="approval.administrators_asked").exists()


def test_a_policy_may_say_otherwise_and_says_it_plainly(world: World) -> None:
    save(world, CREDIT, step("Management", "role:manager"), same_person_may_decide_several_steps=True)
    world.held_order(amount=80_000)
    say(world, "mia")
    say(world, "mia")
    assert only().status == "approved"
    with pytest.raises(policy.PolicyError, match="same_person_may_decide_several_steps must be true or false"):
        save(world, CREDIT, same_person_may_decide_several_steps="yes")


def test_who_has_decided_takes_no_other_step_by_delegation_or_as_a_deputy(world: World) -> None:
    save(world, step("Credit control", "user:mia"), step("Management", "role:manager"))
    person("nora", Role.MANAGER, limit=250_000)
    person("otto", Role.MANAGER, limit=250_000)
    world.held_order()
    say(world, "mia")
    assert asked() == ["nora", "otto"]
    with pytest.raises(NotAllowedError, match="has decided another step"):
        moves.delegate(only().pk, to=user("mia"), by=user("nora"), now=world.now)
    absence.begin(user("nora"), deputy=user("mia"), starts_at=world.now, until=world.now + timedelta(days=3), now=world.now)
    absence.hand_over_what_waits(Timer.objects.filter(kind=absence.TIMER), world.now)
    assert asked() == ["nora", "otto"]


def test_who_takes_over_is_somebody_whom_the_step_could_have_asked(world: World) -> None:
    save(world, step("Finance", "team:finance"))
    rita = person("rita", Role.APPROVER, limit=90_000, team="sales")
    world.held_order()
    with pytest.raises(NotAllowedError, match="not an approver of this step"):
        moves.delegate(only().pk, to=rita, by=user("adam"), now=world.now)
    absence.begin(user("adam"), deputy=rita, starts_at=world.now, until=world.now + timedelta(days=3), now=world.now)
    absence.hand_over_what_waits(Timer.objects.filter(kind=absence.TIMER), world.now)
    assert "rita" not in asked()


def test_an_absence_between_the_steps_goes_along_the_chain_of_deputies(world: World) -> None:
    save(world, CREDIT, step("Management", "user:mia", "role:manager"))
    person("nora", Role.MANAGER, limit=250_000)
    person("otto", Role.MANAGER, limit=250_000)
    world.held_order()
    for who, deputy in (("mia", "nora"), ("nora", "otto")):
        absence.begin(user(who), deputy=user(deputy), starts_at=world.now, until=world.now + timedelta(days=3), now=world.now)
    say(world, "adam")
    assert asked("Management") == ["otto"]
    absence.begin(user("otto"), deputy=user("mia"), starts_at=world.now, until=world.now + timedelta(days=3), now=world.now)
    world.order(43)
    world.ask(43, ask_id=901)
    second = Request.objects.latest("pk")
    moves.approve(second.pk, by=user("adam"), now=world.now)
    rows = Assignment.objects.filter(step__request=second, is_active=True, decision="", step__name="Management")
    assert [row.user.username for row in rows] == ["mia"]  # round in a circle: nobody stands in


def test_one_person_in_two_steps_that_run_side_by_side_answers_one_and_undo_brings_both_back(world: World) -> None:
    save(world, step("Credit", "role:manager", position=1), step("Sales", "user:mia", "role:manager", position=1))
    person("nora", Role.MANAGER, limit=250_000)
    world.held_order()
    say(world, "mia", undo_for=timedelta(minutes=1))
    assert standing() == {"Credit": "pending", "Sales": "approved"}  # the one that fewest others could answer
    assert asked("Credit") == ["nora"]
    undoing.undo(only().pk, by=user("mia"), now=world.now)
    assert asked("Credit") == ["mia", "nora"]
    assert asked("Sales") == ["mia"]


def test_where_all_must_agree_nobody_answers_for_two(world: World) -> None:
    save(world, step("Managers", "role:manager", needs_all=True))
    person("nora", Role.MANAGER, limit=100_000)
    world.held_order()
    with pytest.raises(NotAllowedError, match="all assignees must agree"):
        moves.delegate(only().pk, to=user("nora"), by=user("mia"), now=world.now)

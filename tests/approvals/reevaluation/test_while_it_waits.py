"""A request follows what its record comes to while it waits."""

from datetime import timedelta

import pytest

from apps.accounts.models import Role, User
from apps.accounts.permissions import NotAllowedError
from apps.approvals.errors import AlreadyDecidedError
from apps.approvals.models import Assignment
from apps.approvals.requests import moves, undoing
from apps.timers.models import Timer
from tests.approvals.reevaluation.credit import CREDIT, MANAGEMENT, asked, last_entry, only, raised, save, say, standing, step, user
from tests.world import World, person


def test_a_request_that_is_raised_gets_the_step_that_its_amount_demands(world: World) -> None:
    save(world, CREDIT, MANAGEMENT)
    person("nora", Role.MANAGER, limit=500_000)
    world.held_order(amount=14_773)
    assert standing() == {"Credit control": "pending"}
    raised(world, 49_000)
    assert standing() == {"Credit control": "pending"}
    raised(world, 151_342)
    assert standing() == {"Credit control": "pending", "Management": "waiting"}
    assert asked() == ["mia", "nora"]  # Adam's limit of 50,000 does not cover it: the next level is asked
    assert last_entry()["added"] == ["Management"]
    assert last_entry()["no_longer_asked"][0]["why"] == "The limit of Adam does not cover 151,342.00 EUR"
    with pytest.raises(NotAllowedError):
        say(world, "adam")
    say(world, "mia")
    assert only().status == "pending"
    assert asked() == ["nora"]
    say(world, "nora")
    assert only().status == "approved"


def test_a_yes_given_at_less_is_asked_again_and_says_so(world: World) -> None:
    save(world, CREDIT, step("Management", "role:manager"))
    User.objects.filter(username="adam").update(approval_limit=200_000)
    world.held_order(amount=32_200)
    say(world, "adam")
    assert standing() == {"Credit control": "approved", "Management": "pending"}
    raised(world, 193_200)
    assert standing() == {"Credit control": "pending", "Management": "waiting"}
    assert asked() == ["adam"]
    said = Assignment.objects.get(user=user("adam"), decision="approved")
    assert said.lapsed_because == "Adam approved 32,200.00 EUR; it is now 193,200.00 EUR"
    assert not said.counts
    say(world, "adam")
    assert asked() == ["mia"]
    say(world, "mia")
    assert only().status == "approved"


def test_a_yes_whose_giver_could_not_give_it_now_is_asked_of_somebody_who_can(world: World) -> None:
    save(world, CREDIT, step("Management", "role:manager"))
    person("nora", Role.MANAGER, limit=500_000)
    world.held_order(amount=32_200)
    say(world, "adam")
    raised(world, 193_200)
    assert asked() == ["mia", "nora"]
    assert standing() == {"Credit control": "pending", "Management": "waiting"}
    say(world, "mia")
    assert asked("Management") == ["nora"]


def test_a_decrease_keeps_what_covers_it_and_drops_what_is_no_longer_demanded(world: World) -> None:
    save(world, step("Credit control", "role:manager"), step("Board", "role:admin", from_amount=50_000))
    world.held_order(amount=60_000)
    say(world, "mia")
    assert standing() == {"Credit control": "approved", "Board": "pending"}
    raised(world, 55_000)
    assert standing() == {"Credit control": "approved", "Board": "pending"}
    assert Assignment.objects.get(user=user("mia")).counts
    raised(world, 40_000)
    assert standing() == {"Credit control": "approved", "Board": "skipped"}
    assert last_entry()["no_longer_required"] == ["Board"]
    assert (only().status, only().decided_by) == ("approved", user("mia"))
    assert not Timer.objects.filter(status="pending", kind__startswith="approvals.").exists()


def test_down_and_up_again_brings_the_step_back(world: World) -> None:
    save(world, CREDIT, MANAGEMENT)
    world.held_order(amount=60_000)
    raised(world, 10_000)
    assert standing() == {"Credit control": "pending", "Management": "skipped"}
    assert "adam" in asked()
    raised(world, 60_000)
    assert standing() == {"Credit control": "pending", "Management": "waiting"}
    assert asked() == ["mia"]


def test_conditions_are_evaluated_anew_when_facts_change(world: World) -> None:
    save(world, CREDIT, step("Risk", "role:manager", when=[{"fact": "overdue_days", "at_least": 30}]))
    world.held_order()
    assert standing() == {"Credit control": "pending"}
    world.advance(minutes=1)
    world.owes(1_000, due_days_ago=40)
    assert standing() == {"Credit control": "pending", "Risk": "waiting"}


def test_the_version_of_the_policy_with_which_it_began_is_evaluated(world: World) -> None:
    save(world, CREDIT, MANAGEMENT)
    world.held_order(amount=14_773)
    save(world, CREDIT)
    raised(world, 151_342)
    assert standing() == {"Credit control": "pending", "Management": "waiting"}


def test_a_yes_does_not_count_for_another_customer_or_a_worse_breach(world: World) -> None:
    save(world, CREDIT, step("Management", "role:manager"))
    world.held_order()
    say(world, "adam")
    world.advance(minutes=1)
    world.owes(40_000)
    assert standing()["Credit control"] == "pending"
    assert "Over the limit by" in Assignment.objects.get(decision="approved").lapsed_because
    say(world, "adam")
    world.customer(51, name="Brandenburg", credit_limit=1)
    raised(world, 6_200, partner=51)
    assert standing()["Credit control"] == "pending"
    assert only().partner_name == "Brandenburg"
    lapsed = Assignment.objects.filter(decision="approved").latest("lapsed_at")
    assert lapsed.lapsed_because == "Adam approved it for Azure Interior; it is now for Brandenburg"


def test_where_all_must_agree_each_one_is_asked_again(world: World) -> None:
    save(world, step("Managers", "role:manager", needs_all=True))
    person("nora", Role.MANAGER, limit=100_000)
    world.held_order()
    say(world, "mia")
    raised(world, 20_000)
    assert asked() == ["mia", "nora"]
    say(world, "nora")
    assert only().status == "pending"
    say(world, "mia")
    assert only().status == "approved"


def test_due_times_and_timers_follow_the_new_level(world: World) -> None:
    save(world, step("Credit control", "role:approver", "role:manager"))
    world.held_order(amount=6_200)
    raised(world, 80_000)
    request = only()
    assert request.due_at == world.now + timedelta(minutes=240)
    (timer,) = Timer.objects.filter(status="pending", kind="approvals.escalate")
    assert timer.key == f"step:{request.steps.get().pk}:1"


def test_a_request_asked_in_the_tower_follows_the_record_too(world: World) -> None:
    save(world, CREDIT, MANAGEMENT)
    world.order(amount=1_000)
    moves.ask(
        connection_id=world.connection.pk,
        kind="credit_override",
        model="sale.order",
        odoo_id=42,
        by=user("olga"),
        reason="Soon over",
        now=world.now,
    )
    raised(world, 151_342)
    assert only().amount == 151_342
    assert standing() == {"Credit control": "pending", "Management": "waiting"}


def test_undo_after_a_change_takes_back_nothing_that_lapsed(world: World) -> None:
    save(world, CREDIT, step("Management", "role:manager"))
    world.held_order()
    say(world, "adam", undo_for=timedelta(minutes=5))
    raised(world, 20_000)
    with pytest.raises(AlreadyDecidedError):
        undoing.undo(only().pk, by=user("adam"), now=world.now)
    say(world, "adam", undo_for=timedelta(minutes=5))
    undoing.undo(only().pk, by=user("adam"), now=world.now)
    assert standing() == {"Credit control": "pending", "Management": "waiting"}
    assert asked() == ["adam"]


def test_undo_revives_no_step_that_is_not_demanded(world: World) -> None:
    save(world, CREDIT, MANAGEMENT)
    world.held_order(amount=60_000)
    raised(world, 10_000)
    say(world, "adam", undo_for=timedelta(minutes=5))
    assert only().status == "approved"
    undoing.undo(only().pk, by=user("adam"), now=world.now)
    assert standing() == {"Credit control": "pending", "Management": "skipped"}

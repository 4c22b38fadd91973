"""Who may not decide any more is replaced at once."""

from typing import Any

import pytest
from django.core.management import call_command

from apps.accounts.models import Role, Team, User
from apps.audit.models import Entry
from tests.approvals.reevaluation.credit import asked, only, save, say, step, user
from tests.world import World, person


def disable(who: User) -> None:
    who.is_active = False
    who.save()


def disable_in_a_set(who: User) -> None:
    User.objects.filter(pk=who.pk).update(is_active=False)


def lower(who: User) -> None:
    who.approval_limit = 100
    who.save(update_fields=["approval_limit"])


def demote(who: User) -> None:
    who.role = Role.OPERATOR
    who.save()


def hide(who: User) -> None:
    who.sees = []
    who.save(update_fields=["sees"])


def delete(who: User) -> None:
    who.delete()


def disable_by_command(who: User) -> None:
    call_command("change_user", who.username, "--disable")


@pytest.mark.parametrize("loses", [disable, disable_in_a_set, disable_by_command, lower, demote, hide, delete])
def test_who_may_not_decide_any_more_is_replaced_at_once(world: World, loses: Any) -> None:
    world.held_order()
    assert asked() == ["adam"]
    loses(user("adam"))
    assert asked() == ["mia"]
    entry = Entry.objects.filter(action="approval.reevaluated").latest("sequence")
    assert entry.data["now_asked"] == [{"step": "Credit control", "people": ["Mia"]}]


def test_who_leaves_the_team_that_is_asked_is_replaced(world: World) -> None:
    save(world, step("Finance", "team:finance", "role:manager"))
    Team.objects.get(slug="finance").members.remove(user("mia"))
    world.held_order()
    assert asked() == ["adam"]
    user("adam").teams.clear()
    assert asked() == ["mia"]


def test_where_nobody_is_left_administrators_are_asked(world: World) -> None:
    world.held_order()
    for name in ("adam", "mia"):
        disable(user(name))
    assert asked() == ["anna"]


def test_where_no_administrator_is_left_either_the_next_who_comes_is_asked(world: World) -> None:
    world.held_order()
    for name in ("adam", "mia", "anna"):
        disable(user(name))
    assert asked() == []
    person("nora", Role.MANAGER, limit=250_000)
    assert asked() == ["nora"]


def test_of_all_who_must_agree_the_others_are_enough_when_one_is_gone(world: World) -> None:
    save(world, step("Managers", "role:manager", needs_all=True))
    person("nora", Role.MANAGER, limit=100_000)
    world.held_order()
    say(world, "mia")
    disable(user("nora"))
    assert only().status == "approved"

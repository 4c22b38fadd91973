"""An approval is worth what it was given for: amount, facts and people are looked at anew whenever they change."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import call_command

from apps.accounts.models import Role, Team, User
from apps.accounts.permissions import NotAllowedError
from apps.approvals.absence import periods as absence
from apps.approvals.errors import AlreadyDecidedError, FactsChangedError
from apps.approvals.models import Assignment, Request
from apps.approvals.policies import policy
from apps.approvals.requests import facts, moves, undoing
from apps.approvals.requests.facts import Seen
from apps.audit.models import Entry
from apps.core import clock
from apps.mirror import registry, upsert
from apps.outbox.models import Command
from apps.pipeline import change_processing
from apps.timers.models import Timer
from apps.workflows.guard_requests import REJECTED
from tests.api.callers import caller
from tests.world import World, person


@pytest.fixture(autouse=True)
def _clock(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: world.now)


def user(name: str) -> User:
    return User.objects.get(username=name)


def asks(*who: str, minutes: int = 240) -> list[dict[str, Any]]:
    return [{"ask": {kind: which}, "within_minutes": minutes} for kind, which in (one.split(":") for one in who)]


def step(name: str, *who: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "levels": asks(*who), "fallback": "expire"} | more


def save(world: World, *steps: dict[str, Any], **more: Any) -> None:
    policy.save("credit_override", {"steps": list(steps), **more}, by=user("mia"), now=world.now)


CREDIT = step("Credit control", "role:approver", "role:manager")
MANAGEMENT = step("Management", "role:manager", from_amount=50_000)


def only() -> Request:
    return Request.objects.get()


def standing() -> dict[str, str]:
    return {one.name: one.status for one in only().steps.all()}


def asked(name: str = "") -> list[str]:
    rows = Assignment.objects.filter(is_active=True, decision="", step__status="pending")
    rows = rows.filter(step__name=name) if name else rows
    return sorted(rows.values_list("user__username", flat=True))


def say(world: World, name: str, **more: Any) -> Request:
    return moves.approve(only().pk, by=user(name), now=world.now, **more)


def raised(world: World, amount: float, **more: Any) -> None:
    world.advance(minutes=1)
    world.order(amount=amount, **more)


def last_entry() -> dict[str, Any]:
    return Entry.objects.filter(action="approval.reevaluated").latest("sequence").data


# Raised while it waits


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


# What was seen


def test_the_api_takes_what_was_seen_and_names_what_changed(world: World) -> None:
    world.held_order(amount=16_100)
    number = only().pk
    seen = caller("adam").get(f"approvals/{number}/").json()["facts_digest"]
    raised(world, 32_200)
    for body in ({"facts_digest": seen}, {"expected_amount": "16100.00"}, {}):
        answer = caller("adam").post(f"approvals/{number}/approve/", body)
        assert answer.status_code == 409, body
        assert "16,100.00" in answer.json()["detail"] and "32,200.00" in answer.json()["detail"]
        change = next(one for one in answer.json()["changes"] if one["fact"] == "amount")
        assert (Decimal(change["before"]), Decimal(change["now"])) == (16_100, 32_200)
    assert only().status == "pending"
    assert caller("adam").post(f"approvals/{number}/approve/", {"expected_amount": "32200"}).json()["status"] == "approved"


def test_a_digest_that_fits_is_taken_and_without_a_change_none_is_needed(world: World) -> None:
    world.held_order(amount=16_100)
    world.order(43, amount=7_000)
    world.ask(43, ask_id=901)
    first, second = Request.objects.order_by("pk")
    seen = caller("adam").get(f"approvals/{first.pk}/").json()["facts_digest"]
    assert caller("adam").post(f"approvals/{first.pk}/approve/", {"facts_digest": seen}).status_code == 200
    second.refresh_from_db()
    assert second.facts_changed_at is None
    assert caller("adam").post(f"approvals/{second.pk}/approve/").status_code == 200


def test_a_no_may_name_what_it_saw(world: World) -> None:
    world.held_order(amount=16_100)
    raised(world, 32_200)
    address = f"approvals/{only().pk}/reject/"
    assert caller("adam").post(address, {"reason": "No", "expected_amount": "16100"}).status_code == 409
    assert caller("adam").post(address, {"reason": "No"}).json()["status"] == "rejected"


def test_the_api_shows_who_approved_at_which_amount_and_whether_it_counts(world: World) -> None:
    save(world, CREDIT, step("Management", "role:manager"))
    world.held_order(amount=32_200)
    say(world, "adam")
    raised(world, 40_000)
    shown = caller("adam").get(f"approvals/{only().pk}/").json()
    answers = shown["steps"][0]["answers"]
    assert [(one["user"], one["decision"], one["amount"], one["counts"], one["is_asked"]) for one in answers] == [
        ("adam", "approved", "32200.00", False, False),
        ("adam", "", None, False, True),
    ]
    assert answers[0]["why"] == "Adam approved 32,200.00 EUR; it is now 40,000.00 EUR"
    assert shown["approvers"] == ["adam"]


def test_the_page_and_the_inbox_show_it(world: World, client: Any) -> None:
    save(world, CREDIT, step("Management", "role:manager"))
    world.held_order(amount=32_200)
    say(world, "adam")
    raised(world, 40_000)
    client.force_login(user("adam"))
    why = "Adam approved 32,200.00 EUR; it is now 40,000.00 EUR"
    page = client.get(f"/approvals/{only().pk}/").content.decode()
    assert why in page and "Changed since the request" in page and "no longer counts" in page
    assert why in client.get("/approvals/").content.decode()


def test_the_comparison_is_made_under_the_lock(world: World) -> None:
    world.held_order(amount=16_100)
    seen = Seen(digest=facts.digest(only()))
    raised(world, 32_200)
    with pytest.raises(FactsChangedError):
        say(world, "adam", seen=seen)
    assert not Assignment.objects.exclude(decision="").exists()


# One person, every step


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


# Approvers who are gone


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


# Withdrawals


def titles(request: Request) -> list[str]:
    return list(
        Command.objects.filter(decision=f"approval:{request.pk}")
        .exclude(status="cancelled")
        .order_by("sequence")
        .values_list("title", flat=True)
    )


def test_a_withdrawal_after_a_rejection_keeps_the_hold_and_its_reason(world: World) -> None:
    world.held_order()
    first = only()
    moves.reject(first.pk, by=user("adam"), reason="Pay first", now=world.advance(minutes=1))
    Command.objects.update(status="done")
    world.advance(minutes=1)
    world.ask(42, ask_id=901)
    second = Request.objects.latest("pk")
    assert second.pk != first.pk and second.status == "pending"
    world.advance(minutes=1)
    world.write("x_ct_request", 901, x_state="cancelled")
    second.refresh_from_db()
    first.refresh_from_db()
    assert (second.status, first.status) == ("cancelled", "rejected")
    assert "Lift the hold" not in titles(second)
    kept = Command.objects.filter(decision=f"approval:{second.pk}", title="Keep the order held, with the reason").get()
    assert kept.arguments["vals"]["x_ct_hold_reason"] == REJECTED


def test_a_hold_whose_reason_is_gone_is_lifted_after_a_rejection_too(world: World) -> None:
    world.held_order()
    moves.reject(only().pk, by=user("adam"), reason="Pay first", now=world.advance(minutes=1))
    Command.objects.update(status="done")
    world.advance(minutes=1)
    world.ask(42, ask_id=901)
    second = Request.objects.latest("pk")
    world.customer(50, name="Azure Interior", credit_limit=50_000)
    second.refresh_from_db()
    assert second.status == "cancelled"
    assert "Lift the hold" in titles(second)


def test_while_the_no_is_on_its_way_nothing_is_asked_anew(world: World) -> None:
    world.held_order()
    moves.reject(only().pk, by=user("adam"), reason="Pay first", now=world.advance(minutes=1))
    world.advance(minutes=1)
    world.write("x_ct_request", 900, x_count=2, x_requested_at=world.now.strftime("%Y-%m-%d %H:%M:%S"))
    assert only().status == "rejected"


def test_a_request_of_a_deleted_record_sends_it_no_command(world: World) -> None:
    world.held_order()
    request = only()
    world.advance(minutes=1)
    orders = registry.models()["sale.order"]
    gone = upsert.mark_deleted(orders, connection_id=world.connection.pk, odoo_ids=[42], read_at=world.now, now=world.now)
    change_processing.apply_changes([gone], now=world.now)
    request.refresh_from_db()
    assert request.status == "cancelled"
    left = Command.objects.filter(decision=f"approval:{request.pk}").exclude(status="cancelled")
    assert [(one.model, one.odoo_id) for one in left] == [("x_ct_request", 900)]

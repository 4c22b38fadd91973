"""A decision can be taken back for a few seconds, and until then nothing of it leaves the tower."""

import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction

from apps.accounts.models import Role, User
from apps.approvals.inbox import screens
from apps.approvals.models import Assignment, Request, StepStatus
from apps.approvals.policies import policy
from apps.approvals.requests import moves, undoing
from apps.audit.models import Entry
from apps.notifications import moves as telling
from apps.notifications.models import Notification
from apps.outbox.models import Command
from apps.outbox.models import Status as CommandStatus
from apps.timers.models import Timer
from tests.world import World, person

FIVE = timedelta(seconds=5)


def user(name: str) -> User:
    return User.objects.get(username=name)


@pytest.fixture
def asked(world: World) -> Request:
    world.held_order()
    return Request.objects.get()


def following(request: Request) -> list[Command]:
    request.refresh_from_db()
    found = Command.objects.filter(decision=f"approval:{request.pk}").order_by("sequence")
    return [command for command in found if command.title != "Mark the order as held for credit review"]


def timers() -> list[tuple[str, str]]:
    waiting = Timer.objects.filter(status="pending", kind__startswith="approvals.")
    return list(waiting.order_by("kind").values_list("kind", "due_at"))


def test_a_decision_is_recorded_at_once_and_its_commands_wait_for_the_end_of_the_undo(world: World, asked: Request) -> None:
    moves.approve(asked.pk, by=user("adam"), now=world.now, undo_for=FIVE)
    commands = following(asked)
    assert asked.status == "approved"
    assert commands and {command.not_before for command in commands} == {world.now + FIVE}


def test_nobody_is_told_before_the_undo_is_over(world: World, asked: Request) -> None:
    moves.reject(asked.pk, by=user("adam"), reason="Pay first", now=world.now, undo_for=FIVE)
    told = Notification.objects.get(kind="approval.rejected")
    assert told.held_until == world.now + FIVE
    assert telling.release(now=world.now + timedelta(seconds=4)) == 0
    assert telling.release(now=world.now + FIVE) == 1
    told.refresh_from_db()
    assert told.held_until is None


def test_undo_makes_everything_as_it_was(world: World, asked: Request) -> None:
    before = timers()
    moves.approve(asked.pk, by=user("adam"), reason="Good payer", now=world.advance(minutes=1), undo_for=FIVE)
    assert timers() == []
    undoing.undo(asked.pk, by=user("adam"), now=world.advance(seconds=3))
    assert {command.status for command in following(asked)} == {CommandStatus.CANCELLED}
    assert (asked.status, asked.decided_at, asked.decided_by, asked.reason) == ("pending", None, None, "")
    assert asked.steps.get().status == StepStatus.PENDING
    assert Assignment.objects.get().decision == ""
    assert timers() == before
    assert not Notification.objects.filter(kind="approval.approved").exists()
    entry = Entry.objects.get(action="approval.undone")
    assert (entry.actor_name, entry.data["decision"], entry.data["reason"]) == ("Adam", "approved", "Good payer")


@pytest.mark.parametrize("kept", [{"problem": "In other words"}, {"is_undone": None, "problem_sentence": None}])
def test_what_was_undone_is_no_step_on_the_way_to_odoo_whatever_its_words_are(
    world: World, asked: Request, kept: dict[str, object]
) -> None:
    """Also where it was stored before, when only the words told."""
    before = len(screens.page_of(asked, user=user("adam"), now=world.now).commands)
    moves.approve(asked.pk, by=user("adam"), reason="", now=world.advance(minutes=1), undo_for=FIVE)
    undoing.undo(asked.pk, by=user("adam"), now=world.advance(seconds=3))
    changed = Command.objects.filter(status="cancelled", is_undone=True).update(**kept)
    asked.refresh_from_db()
    assert changed
    assert len(screens.page_of(asked, user=user("adam"), now=world.now).commands) == before


def test_after_an_undo_it_is_decided_anew_and_told_once(world: World, asked: Request) -> None:
    moves.approve(asked.pk, by=user("adam"), now=world.now, undo_for=FIVE)
    undoing.undo(asked.pk, by=user("adam"), now=world.advance(seconds=1))
    moves.reject(asked.pk, by=user("adam"), reason="On reflection", now=world.advance(seconds=1), undo_for=FIVE)
    waiting = [command for command in following(asked) if command.status == CommandStatus.QUEUED]
    assert asked.status == "rejected"
    assert all(command.not_before == world.now + FIVE for command in waiting) and waiting
    assert Notification.objects.filter(kind__in=["approval.approved", "approval.rejected"]).count() == 1


def test_undo_is_refused_when_its_time_is_over(world: World, asked: Request) -> None:
    moves.approve(asked.pk, by=user("adam"), now=world.now, undo_for=FIVE)
    with pytest.raises(moves.AlreadyDecidedError, match="sent to Odoo"):
        undoing.undo(asked.pk, by=user("adam"), now=world.now + FIVE)
    asked.refresh_from_db()
    assert asked.status == "approved"


def test_nobody_undoes_what_somebody_else_decided(world: World, asked: Request) -> None:
    moves.approve(asked.pk, by=user("adam"), now=world.now, undo_for=FIVE)
    with pytest.raises(moves.AlreadyDecidedError):
        undoing.undo(asked.pk, by=user("anna"), now=world.now)
    asked.refresh_from_db()
    assert asked.status == "approved"


def test_undo_loses_whole_once_odoo_is_being_told(world: World, asked: Request) -> None:
    moves.approve(asked.pk, by=user("adam"), now=world.now, undo_for=FIVE)
    first = following(asked)[0]
    Command.objects.filter(pk=first.pk).update(sent_at=world.now)
    with pytest.raises(moves.AlreadyDecidedError, match="Too late"):
        undoing.undo(asked.pk, by=user("adam"), now=world.now)
    assert {command.status for command in following(asked)} == {CommandStatus.QUEUED}
    assert asked.status == "approved"
    assert Assignment.objects.get().decision == "approved"


def test_undo_of_the_first_of_two_steps_sends_the_second_back_to_waiting(world: World) -> None:
    step = {"levels": [{"ask": {"role": "approver"}, "within_minutes": 60}], "fallback": "expire"}
    second = {"levels": [{"ask": {"role": "manager"}, "within_minutes": 60}], "fallback": "expire"}
    policy.save(
        "credit_override", {"steps": [{"name": "First", **step}, {"name": "Second", **second}]}, by=user("anna"), now=world.now
    )
    world.held_order()
    asked = Request.objects.get()
    moves.approve(asked.pk, by=user("adam"), now=world.advance(minutes=1), undo_for=FIVE)
    assert Assignment.objects.filter(user=user("mia")).exists()
    undoing.undo(asked.pk, by=user("adam"), now=world.advance(seconds=1))
    asked.refresh_from_db()
    assert [(one.name, one.status) for one in asked.steps.all()] == [("First", "pending"), ("Second", "waiting")]
    assert not Assignment.objects.filter(user=user("mia")).exists()
    assert not Notification.objects.filter(user=user("mia"), kind="approval.asked").exists()
    moves.approve(asked.pk, by=user("adam"), now=world.advance(seconds=1))
    assert Assignment.objects.filter(user=user("mia")).exists()


def test_the_same_key_decides_once_also_after_an_undo(world: World, asked: Request) -> None:
    moves.approve(asked.pk, by=user("adam"), now=world.now, undo_for=FIVE, key="one")
    moves.approve(asked.pk, by=user("adam"), now=world.now, undo_for=FIVE, key="one")
    undoing.undo(asked.pk, by=user("adam"), now=world.now)
    moves.approve(asked.pk, by=user("adam"), now=world.now, undo_for=FIVE, key="one")
    asked.refresh_from_db()
    assert asked.status == "pending"


@pytest.mark.django_db(transaction=True)
def test_of_an_undo_and_the_worker_that_begins_to_tell_odoo_exactly_one_wins() -> None:
    person("olga", Role.OPERATOR, team="finance")
    adam = person("adam", Role.APPROVER, limit=50_000, team="finance")
    world = World()
    world.held_order()
    asked = Request.objects.get()
    moves.approve(asked.pk, by=adam, now=world.now, undo_for=FIVE)
    first = following(asked)[0]
    start, outcomes = threading.Barrier(2), []

    def withdraw() -> None:
        start.wait()
        try:
            undoing.undo(asked.pk, by=adam, now=world.now)
            outcomes.append("undone")
        except moves.AlreadyDecidedError:
            outcomes.append("late")
        finally:
            connection.close()

    def begin() -> None:  # the conditional update with which outbox.dispatch begins a command
        start.wait()
        with transaction.atomic():
            begun = Command.objects.filter(pk=first.pk, status__in=["queued", "unknown"]).update(sent_at=world.now)
        outcomes.append("begun" if begun else "cancelled")
        connection.close()

    both = [threading.Thread(target=withdraw), threading.Thread(target=begin)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    assert sorted(outcomes) in (["cancelled", "undone"], ["begun", "late"])

"""Asking back, wanting changes, being away: who may, what it does to the due time, and that it widens nobody's power."""

from datetime import timedelta

import pytest

from apps.accounts.models import Role, User
from apps.accounts.permissions import NotAllowedError
from apps.approvals.absence import periods as absence
from apps.approvals.models import Assignment, Request
from apps.approvals.requests import inquiries, moves
from apps.audit.models import Entry
from apps.notifications.models import Notification
from apps.timers import due
from apps.timers.models import Timer
from tests.world import World, person


def user(name: str) -> User:
    return User.objects.get(username=name)


@pytest.fixture
def asked(world: World) -> Request:
    world.held_order()
    return Request.objects.get()


def timers() -> dict[str, object]:
    return dict(Timer.objects.filter(status="pending", kind__startswith="approvals.").values_list("kind", "due_at"))


def asked_now(request: Request) -> list[str]:
    rows = Assignment.objects.filter(step__request=request, is_active=True, decision="").order_by("user__username")
    return list(rows.values_list("user__username", flat=True))


def test_a_question_is_told_answered_and_leaves_the_due_time_alone(world: World, asked: Request) -> None:
    before = timers()
    question = inquiries.request_information(asked.pk, wants_changes=False, text="Prepaid?", by=user("adam"), now=world.now)
    assert Notification.objects.filter(kind="approval.question", email="sofia@nordlicht.test").exists()
    assert timers() == before
    inquiries.answer(question.pk, text="Half of it", by=user("olga"), now=world.advance(minutes=5))
    told = Notification.objects.get(kind="approval.answered")
    assert (told.user, told.body) == (user("adam"), "Olga: Half of it")
    assert set(Entry.objects.values_list("action", flat=True)) >= {"approval.question", "approval.answered"}


def test_wanted_changes_stop_the_clock_and_it_runs_on_from_there(world: World, asked: Request) -> None:
    before = timers()
    due_at = asked.due_at
    later = world.advance(minutes=10)
    wanted = inquiries.request_information(asked.pk, wants_changes=True, text="Smaller", by=user("adam"), now=later)
    asked.refresh_from_db()
    assert (asked.paused_at, timers()) == (world.now, {})
    due.fire_due(now=world.advance(hours=10))
    inquiries.answer(wanted.pk, text="Cannot be", by=user("olga"), now=world.now)
    asked.refresh_from_db()
    assert (asked.paused_at, asked.escalated_at, asked.due_at) == (None, None, due_at + timedelta(hours=10))
    assert timers() == {kind: at + timedelta(hours=10) for kind, at in before.items()}  # type: ignore[operator]


def test_a_change_in_odoo_answers_what_was_wanted(world: World, asked: Request) -> None:
    inquiries.request_information(asked.pk, wants_changes=True, text="Smaller", by=user("adam"), now=world.advance(minutes=10))
    world.advance(minutes=1)
    world.order(amount=5_900)
    inquiry = asked.inquiries.get()
    assert (inquiry.answered_by_name, inquiry.answer) == ("Odoo", "Changed in Odoo: 6,200.00 EUR before, now 5,900.00 EUR")
    asked.refresh_from_db()
    assert asked.paused_at is None


def test_who_asked_back_may_not_answer_and_who_may_not_decide_may_not_ask(world: World, asked: Request) -> None:
    question = inquiries.request_information(asked.pk, wants_changes=False, text="Prepaid?", by=user("adam"), now=world.now)
    with pytest.raises(NotAllowedError, match="yourself"):
        inquiries.answer(question.pk, text="Yes", by=user("adam"), now=world.now)
    with pytest.raises(NotAllowedError):
        inquiries.request_information(asked.pk, wants_changes=True, text="Stall", by=user("olga"), now=world.now)
    inquiries.answer(question.pk, text="No", by=user("olga"), now=world.now)
    with pytest.raises(moves.AlreadyDecidedError, match="Olga has answered"):
        inquiries.answer(question.pk, text="Yes", by=user("mia"), now=world.now)


def test_nothing_is_asked_about_what_is_decided(world: World, asked: Request) -> None:
    moves.approve(asked.pk, by=user("adam"), now=world.now)
    with pytest.raises(moves.AlreadyDecidedError, match="approved by Adam"):
        inquiries.request_information(asked.pk, wants_changes=False, text="Prepaid?", by=user("adam"), now=world.now)


def test_a_deputy_is_asked_in_the_place_of_who_is_away(world: World) -> None:
    berta = person("berta", Role.MANAGER, limit=60_000)
    absence.begin(user("adam"), deputy=berta, starts_at=world.now, until=world.now + timedelta(days=7), now=world.now)
    world.held_order()
    asked = Request.objects.get()
    assert asked_now(asked) == ["berta"]
    assert Notification.objects.get(kind="approval.asked").user == berta
    moves.approve(asked.pk, by=berta, now=world.now)


def test_what_waits_when_an_absence_begins_goes_to_the_deputy(world: World, asked: Request) -> None:
    berta = person("berta", Role.MANAGER, limit=60_000)
    begins = world.now + timedelta(hours=1)
    absence.begin(user("adam"), deputy=berta, starts_at=begins, until=begins + timedelta(days=1), now=world.now)
    due.fire_due(now=world.now)
    assert asked_now(asked) == ["adam"]
    due.fire_due(now=world.advance(hours=1))
    assert asked_now(asked) == ["berta"]


@pytest.mark.parametrize("lacks", ["limit", "segregation"])
def test_being_away_widens_nobodys_power(world: World, lacks: str) -> None:
    login = "sofia" if lacks == "segregation" else ""
    berta = person("berta", Role.MANAGER, limit=100 if lacks == "limit" else 60_000, odoo_login=login)
    absence.begin(user("adam"), deputy=berta, starts_at=world.now, until=world.now + timedelta(days=7), now=world.now)
    world.held_order()
    assert asked_now(Request.objects.get()) == ["adam"]


def test_who_is_back_is_asked_again(world: World) -> None:
    berta = person("berta", Role.MANAGER, limit=60_000)
    absence.begin(user("adam"), deputy=berta, starts_at=world.now, until=world.now + timedelta(days=7), now=world.now)
    absence.end(user("adam"), now=world.now)
    world.held_order()
    assert asked_now(Request.objects.get()) == ["adam"]
    with pytest.raises(NotAllowedError):
        absence.begin(user("adam"), deputy=user("olga"), starts_at=world.now, until=world.now + timedelta(days=1), now=world.now)

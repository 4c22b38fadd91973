"""What people can do with an exception, and what the machine does by itself."""

from datetime import timedelta

import pytest

from apps.accounts.access import EVERYTHING
from apps.accounts.models import Role, User
from apps.accounts.permissions import NotAllowedError
from apps.audit.models import Entry
from apps.exceptions import queries
from apps.exceptions.cases import moves
from apps.exceptions.models import ExceptionCase, Severity
from apps.notifications.models import Notification
from apps.timers import due
from tests.world import World, person


def user(name: str) -> User:
    return User.objects.get(username=name)


@pytest.fixture
def case(world: World) -> ExceptionCase:
    world.held_order()
    return ExceptionCase.objects.get()


def test_assigning_tells_the_new_owner(world: World, case: ExceptionCase) -> None:
    moves.assign(case.pk, owner=user("mia"), by=user("olga"), now=world.now)
    case.refresh_from_db()
    assert case.owner == user("mia")
    assert Notification.objects.filter(user=user("mia"), kind="exception.assigned").exists()
    assert list(queries.mine(user("mia"), EVERYTHING)) == [case]


def test_whoever_acknowledges_what_nobody_owns_owns_it(world: World, case: ExceptionCase) -> None:
    moves.assign(case.pk, owner=None, by=user("olga"), now=world.now)
    moves.acknowledge(case.pk, by=user("mia"), now=world.now)
    case.refresh_from_db()
    assert (case.status, case.owner) == ("acknowledged", user("mia"))


def test_a_snoozed_exception_comes_back_by_itself(world: World, case: ExceptionCase) -> None:
    moves.snooze(case.pk, until=world.now + timedelta(hours=1), by=user("olga"), now=world.now)
    due.fire_due(now=world.advance(hours=1))
    case.refresh_from_db()
    assert (case.status, case.snoozed_until) == ("open", None)


def test_nothing_can_be_snoozed_into_the_past(world: World, case: ExceptionCase) -> None:
    with pytest.raises(moves.MoveRefusedError, match="in the future"):
        moves.snooze(case.pk, until=world.now, by=user("olga"), now=world.now)


def test_a_resolved_exception_says_when_and_how_to_whoever_comes_later(world: World, case: ExceptionCase) -> None:
    moves.resolve(case.pk, resolution="Customer paid by card", by=user("olga"), now=world.now)
    with pytest.raises(moves.MoveRefusedError, match="resolved since 23 Nov 2026, 12:00 UTC: Customer paid by card"):
        moves.assign(case.pk, owner=user("mia"), by=user("olga"), now=world.now)


def test_resolving_needs_a_word(world: World, case: ExceptionCase) -> None:
    with pytest.raises(moves.MoveRefusedError, match="Enter a resolution"):
        moves.resolve(case.pk, resolution="  ", by=user("olga"), now=world.now)


def test_what_was_resolved_by_hand_opens_anew_while_its_condition_holds(world: World, case: ExceptionCase) -> None:
    moves.resolve(case.pk, resolution="Looks fine", by=user("olga"), now=world.now)
    world.advance(minutes=1)
    world.order(amount=6_500)
    assert queries.unresolved(EVERYTHING).count() == 1
    assert ExceptionCase.objects.count() == 2


def test_an_auditor_may_read_and_no_more(world: World, case: ExceptionCase) -> None:
    aida = person("aida", Role.AUDITOR)
    for move in [
        lambda: moves.acknowledge(case.pk, by=aida, now=world.now),
        lambda: moves.comment(case.pk, text="hm", by=aida, now=world.now),
        lambda: moves.assign(case.pk, owner=aida, by=user("olga"), now=world.now),
    ]:
        with pytest.raises(NotAllowedError, match="may only read"):
            move()


def test_every_move_leaves_one_entry_on_the_trail(world: World, case: ExceptionCase) -> None:
    moves.assign(case.pk, owner=user("mia"), by=user("olga"), now=world.now)
    moves.acknowledge(case.pk, by=user("mia"), now=world.now)
    moves.comment(case.pk, text="Called them", by=user("mia"), now=world.now)
    moves.snooze(case.pk, until=world.now + timedelta(hours=1), by=user("mia"), now=world.now)
    moves.resolve(case.pk, resolution="Paid", by=user("mia"), now=world.now)
    actions = Entry.objects.filter(subject=f"exception:{case.pk}").order_by("sequence").values_list("action", flat=True)
    assert list(actions) == [
        "exception.opened",
        "exception.assigned",
        "exception.acknowledged",
        "exception.commented",
        "exception.snoozed",
        "exception.resolved",
    ]


def test_over_its_sla_it_is_marked_and_its_owner_told(world: World, case: ExceptionCase) -> None:
    due.fire_due(now=world.advance(hours=4))
    case.refresh_from_db()
    assert case.breached_at == world.now
    assert Notification.objects.filter(user=user("olga"), kind="exception.breached").exists()


@pytest.mark.parametrize(("amount", "severity"), [(5_100, Severity.MEDIUM), (12_000, Severity.HIGH), (60_000, Severity.CRITICAL)])
def test_severity_goes_by_the_money_at_risk(world: World, amount: float, severity: Severity) -> None:
    world.held_order(amount=amount)
    assert ExceptionCase.objects.get().severity == severity


def test_the_operator_with_the_least_to_do_is_next(world: World) -> None:
    person("otto", Role.OPERATOR, team="finance")
    for number in range(4):
        world.order(200 + number)
        world.ask(200 + number, ask_id=950 + number)
    owners = ExceptionCase.objects.values_list("owner__username", flat=True)
    assert sorted(owners) == ["olga", "olga", "otto", "otto"]


def test_a_deleted_order_takes_its_exception_with_it_and_says_so(world: World, case: ExceptionCase) -> None:
    from django.db import transaction

    from apps.mirror import registry
    from apps.mirror.upsert import Changes
    from apps.pipeline import change_processing

    registry.models()["sale.order"].objects.filter(odoo_id=42).update(deleted_at=world.now)
    gone = Changes(
        connection_id=world.connection.pk, model="sale.order", inserted=set(), updated=set(), deleted={42}, written_at={}
    )
    with transaction.atomic():
        change_processing.apply_changes([gone], now=world.now)
    case.refresh_from_db()
    assert (case.status, case.resolution) == ("resolved", "The record was deleted in Odoo")

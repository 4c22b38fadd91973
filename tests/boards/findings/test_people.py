"""Batches that waited for a person, and hand-overs to and fro."""

from datetime import timedelta

import pytest
from django.db import transaction

from apps.accounts.access import AccessScope
from apps.accounts.models import Role, Team, User
from apps.approvals.models import Assignment, Inquiry, Request, Step
from apps.exceptions.cases import moves
from apps.exceptions.models import ExceptionCase
from apps.timers.models import WorkingCalendar
from apps.workflows.models import Position
from tests.boards.findings.ways import found, parts, records, went
from tests.boards.lives import HOUR, asked, at, opened
from tests.world import World, person

pytestmark = pytest.mark.django_db
ADAM, OLGA = "adam", "olga"


def user(name: str) -> User:
    return User.objects.get(username=name)


def answered(world: World, number: int, begins: float, ends: float, by: str = ADAM, *, position: int = 0) -> Request:
    """A request that was asked at so many hours and answered by a person."""
    went(world, number, (0.5, "credit_review"))
    request = Request.objects.filter(odoo_id=number).first() or asked(world, number, begins, ends)
    step = Step.objects.create(request=request, position=position, name="Finance", levels={})
    Assignment.objects.create(step=step, user=user(by), decision="approve", decided_at=at(ends))
    return request


def test_what_waited_for_a_person_and_was_answered_in_one_sitting_is_a_batch(world: World) -> None:
    for number in range(3):
        answered(world, number, 1 + number, 9 + number / 10)
    answered(world, 7, 9, 9.5)
    one = found("batches")

    assert one and [part.text for part in one.parts] == ["3 records waited for Adam, who answered them with others in one sitting"]
    # What was asked within the hour did not wait, and is looked at all the same.
    assert (one.sample, one.whole.count, one.whole.amounts) == (4, 3, [("EUR", 3_000)])
    assert one.whole.seconds == round((8 + 7.1 + 6.2) * HOUR)


@pytest.mark.parametrize(
    ("begins", "ends"),
    [([1, 2], [9, 9.1]), ([1, 2, 3], [9, 9.1, 9.4]), ([7, 7, 7], [9, 9.1, 9.2])],
    ids=["two are none", "with a break between", "they had not waited"],
)
def test_what_is_no_batch(world: World, begins: list[float], ends: list[float]) -> None:
    for number, (begin, end) in enumerate(zip(begins, ends, strict=True)):
        answered(world, number, begin, end)

    assert parts("batches") == {}


def test_each_person_has_the_own_batch(world: World) -> None:
    for number in range(6):
        answered(world, number, 1, 9 + number / 20, by=[ADAM, OLGA][number % 2])

    told = {part[0]: one.count for part, one in parts("batches").items()}
    assert told == {str(user(ADAM).pk): 3, str(user(OLGA).pk): 3}
    assert {row.odoo_id for row in records("batches", part=[str(user(OLGA).pk)])} == {1, 3, 5}


def test_a_second_step_waits_from_when_the_first_was_decided(world: World) -> None:
    for number in range(3):
        answered(world, number, 1, 8, by=OLGA)
        answered(world, number, 1, 9 + number / 10, position=1)

    assert list(parts("batches")) == [(str(user(OLGA).pk),)]


def test_time_in_which_changes_were_wanted_first_is_not_the_persons(world: World) -> None:
    for number in range(3):
        request = answered(world, number, 1, 9 + number / 10)
        Inquiry.objects.create(
            request=request, wants_changes=True, text="Less", asked_by=user(ADAM), asked_at=at(2), answered_at=at(8)
        )

    assert parts("batches") == {}


def test_a_wait_counts_in_the_working_time_of_the_persons_team(world: World) -> None:
    """Asked on Sunday at nine and answered on Monday from ten on: two hours of work."""
    WorkingCalendar.objects.create(
        team=Team.objects.get(slug="finance"), time_zone="UTC", hours={str(day): [["08:00", "16:00"]] for day in range(5)}
    )
    for number in range(3):
        answered(world, number, 1, 26 + number / 10)
    assert parts("batches") == {}

    WorkingCalendar.objects.update(hours={str(day): [["04:00", "16:00"]] for day in range(5)})
    one = found("batches")
    assert one and (one.whole.seconds, one.whole.is_by_clock) == (round((6 + 6.1 + 6.2) * HOUR), False)


@transaction.atomic
def resolve(case: ExceptionCase, hours: float, *, owned: float | None = None) -> None:
    if owned is not None:
        moves.assign(case.pk, owner=user(OLGA), by=user(OLGA), now=at(owned))
    moves.resolve(case.pk, resolution="Paid", by=user(OLGA), now=at(hours))


def test_exceptions_that_nobody_owned_and_somebody_resolved_together_are_a_batch(world: World) -> None:
    for number in range(4):
        went(world, number, (0.5, "credit_review"))
        resolve(opened(world, number, 1), 9 + number / 10, owned=2 if number == 3 else None)
    one = found("batches")

    # The fourth was worked on, and did not wait for the sitting.
    assert one and {row.odoo_id for row in records("batches")} == {0, 1, 2}


def test_who_sees_one_company_is_told_of_its_batches_alone(world: World) -> None:
    for number in range(4):
        answered(world, number, 1, 9 + number / 10)
    Position.objects.filter(odoo_id=0).update(company_id=2)
    own = AccessScope(frozenset({(world.connection.pk, 1)}))

    assert {row.odoo_id for row in records("batches", access_scope=own)} == {1, 2, 3}
    assert parts("batches", access_scope=AccessScope(frozenset({(world.connection.pk, 2)}))) == {}


@transaction.atomic
def hand(case: ExceptionCase, hours: float, owner: str, team: str = "") -> None:
    moves.assign(case.pk, owner=user(owner), team=Team.objects.get(slug=team) if team else None, by=user("mia"), now=at(hours))


def test_a_case_handed_there_and_back_and_there_again_between_two_people(world: World) -> None:
    person("nils", Role.OPERATOR, team="finance")
    for number in (1, 2):
        went(world, number, (0.5, "credit_review"))
        case = opened(world, number, 1)
        for hours, owner in zip((2, 3, 5, 9), (OLGA, "nils", OLGA, "nils" if number == 1 else OLGA), strict=True):
            hand(case, hours, owner)
    one = found("handed")

    assert one and (one.sample, one.whole.count, one.whole.times, one.whole.seconds) == (2, 1, 3, 6 * HOUR)
    assert [part.text for part in one.parts] == ["1 record was handed to and fro between Nils and Olga"]
    assert [row.odoo_id for row in records("handed")] == [1]
    assert parts("handed", since=at(3)) == {}


def test_a_case_handed_to_and_fro_between_two_teams(world: World) -> None:
    went(world, 1, (0.5, "credit_review"))
    case = opened(world, 1, 1)
    for hours, team in enumerate(["finance", "sales", "finance", "sales", "finance"], start=2):
        hand(case, hours, OLGA, team)
    one = found("handed")

    assert one and [(part.text, part.sum.times, part.sum.seconds) for part in one.parts] == [
        ("1 record was handed to and fro between Finance and Sales", 4, 3 * HOUR)
    ]
    assert timedelta(seconds=one.whole.seconds or 0) == timedelta(hours=3)

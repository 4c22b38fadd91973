"""What is done from the queue: to one at once, to thousands as a job, with a result for each, and undone."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connections

from apps.accounts.models import Role, Team, User
from apps.audit.models import Entry
from apps.exceptions.bulk import jobs
from apps.exceptions.cases import moves
from apps.exceptions.models import BulkJob, BulkJobItem, ExceptionCase, JobState, Status
from apps.notifications.models import Notification
from apps.timers.models import Timer
from tests.world import World, person


def user(name: str) -> User:
    return User.objects.get(username=name)


def many(world: World, count: int) -> list[int]:
    """Open exceptions that nobody owns."""
    made = ExceptionCase.objects.bulk_create(
        ExceptionCase(
            connection=world.connection,
            type="order.credit_hold",
            workflow="order_to_cash",
            model="sale.order",
            odoo_id=5000 + number,
            record_name=f"S{5000 + number}",
            severity=2,
            team=Team.objects.get(slug="finance"),
            amount=100,
            currency="EUR",
            opened_at=world.now,
            due_at=world.now + timedelta(hours=4),
            updated_at=world.now,
        )
        for number in range(count)
    )
    return [case.pk for case in made]


def run(world: World) -> None:
    while jobs.work(now=world.now):
        pass


def begin(world: World, ids: list[int], move: str, by: str = "olga", **arguments: object) -> BulkJob:
    return jobs.begin(ExceptionCase.objects.filter(id__in=ids), move=move, arguments=arguments, by=user(by), now=world.now)


def outcomes(job: BulkJob) -> dict[str, int]:
    progress = jobs.progress(job)
    return {name: number for name, number in vars(progress).items() if number}


def test_hundreds_move_as_one_job_with_a_result_for_each(world: World) -> None:
    ids = many(world, 450)
    job = begin(world, ids, "acknowledge")
    # While it waits, somebody else resolves one of them.
    moves.resolve(ids[3], resolution="Prepaid", by=user("mia"), now=world.now)
    run(world)
    job.refresh_from_db()
    assert (job.state, job.total, outcomes(job)) == (JobState.DONE, 450, {"done": 449, "refused": 1})
    refused = BulkJobItem.objects.get(job=job, outcome="refused")
    assert refused.case_id == ids[3]
    assert "Prepaid (Mia)" in refused.reason
    assert ExceptionCase.objects.filter(id__in=ids, status=Status.ACKNOWLEDGED, owner=user("olga")).count() == 449
    assert Entry.objects.filter(action="exception.acknowledged").count() == 449


def test_a_job_is_done_in_chunks_so_that_a_lost_worker_loses_nothing(world: World) -> None:
    job = begin(world, many(world, jobs.CHUNK + 5), "acknowledge")
    assert jobs.work(now=world.now)
    assert outcomes(job) == {"done": jobs.CHUNK, "waiting": 5}
    run(world)
    assert outcomes(job) == {"done": jobs.CHUNK + 5}


def test_a_chunk_costs_the_same_number_of_statements_however_many_it_holds(world: World, django_assert_max_num_queries) -> None:
    begin(world, many(world, 150), "acknowledge")
    with django_assert_max_num_queries(30):
        jobs.work(now=world.now)


def test_the_new_owner_of_many_gets_one_message_with_the_note(world: World) -> None:
    many_ids = many(world, 20)
    sales = Team.objects.get(slug="sales")
    begin(world, many_ids, "assign", owner=user("mia").pk, team=sales.pk, note="I am away from noon")
    run(world)
    told = Notification.objects.get(user=user("mia"), kind="exception.assigned")
    assert (told.title, told.body) == ("Olga assigned you 20 exceptions", "I am away from noon")
    assert ExceptionCase.objects.filter(owner=user("mia"), team=sales).count() == 20


def test_what_was_done_to_many_is_undone_except_where_somebody_went_on(world: World) -> None:
    ids = many(world, 30)
    job = begin(world, ids, "resolve", resolution="Duplicate")
    run(world)
    moves.comment(ids[0], text="Really?", by=user("mia"), now=world.now)
    jobs.undo(job.pk, by=user("olga"), now=world.advance(minutes=5))
    run(world)
    assert outcomes(job) == {"undone": 30}
    assert ExceptionCase.objects.filter(id__in=ids, status=Status.OPEN, resolution="", resolved_at=None).count() == 30
    assert Timer.objects.filter(kind="exceptions.breach", status="pending", key=f"exception:{ids[0]}").exists()

    again = begin(world, ids, "acknowledge")
    run(world)
    moves.assign(ids[0], owner=user("mia"), by=user("mia"), now=world.now)
    jobs.undo(again.pk, by=user("olga"), now=world.now)
    run(world)
    assert outcomes(again) == {"undone": 29, "kept": 1}
    assert "has changed since" in BulkJobItem.objects.get(job=again, outcome="kept").reason


def test_one_exception_is_undone_at_once(world: World) -> None:
    (case,) = many(world, 1)
    until = (world.now + timedelta(hours=3)).isoformat()
    job = jobs.do_one(case, move="snooze", arguments={"until": until}, by=user("olga"), now=world.now)
    assert ExceptionCase.objects.get(pk=case).status == Status.SNOOZED
    jobs.undo(job.pk, by=user("olga"), now=world.now)
    assert ExceptionCase.objects.get(pk=case).status == Status.OPEN
    with pytest.raises(moves.MoveRefusedError, match="undone already"):
        jobs.undo(job.pk, by=user("olga"), now=world.now)


def test_nobody_undoes_what_others_did(world: World) -> None:
    job = jobs.do_one(many(world, 1)[0], move="acknowledge", arguments={}, by=user("olga"), now=world.now)
    with pytest.raises(moves.MoveRefusedError, match="no such action of yours"):
        jobs.undo(job.pk, by=user("mia"), now=world.now)


def test_a_resolved_exception_that_opened_anew_stays_resolved(world: World) -> None:
    world.held_order()
    case = ExceptionCase.objects.get()
    job = jobs.do_one(case.pk, move="resolve", arguments={"resolution": "Fine"}, by=user("olga"), now=world.now)
    world.advance(minutes=1)
    world.order(amount=6_500)
    with pytest.raises(moves.MoveRefusedError, match="new exception has opened"):
        jobs.undo(job.pk, by=user("olga"), now=world.now)


def test_the_second_of_two_is_told_who_was_first_and_when(world: World) -> None:
    (pk,) = many(world, 1)
    seen = moves.as_seen(ExceptionCase.objects.get(pk=pk))
    jobs.do_one(pk, move="assign", arguments={"owner": user("mia").pk}, by=user("mia"), now=world.now, seen=seen)
    with pytest.raises(moves.MoveRefusedError, match=r"meanwhile \(Mia, 23 Nov 2026, 12:00 UTC\).*owner: Mia"):
        jobs.do_one(pk, move="assign", arguments={"owner": user("olga").pk}, by=user("olga"), now=world.now, seen=seen)


def test_somebody_who_lost_the_right_meanwhile_is_refused_for_each(world: World) -> None:
    job = begin(world, many(world, 3), "acknowledge")
    User.objects.filter(username="olga").update(role=Role.AUDITOR)
    run(world)
    assert outcomes(job) == {"refused": 3}


def test_out_of_sight_is_out_of_reach(world: World) -> None:
    person("otto", Role.OPERATOR, team="finance")
    User.objects.filter(username="otto").update(sees=["999"])
    with pytest.raises(moves.MoveRefusedError, match="There is no exception"):
        jobs.do_one(many(world, 1)[0], move="acknowledge", arguments={}, by=user("otto"), now=world.now)


@pytest.mark.django_db(transaction=True)
def test_of_two_at_once_exactly_one_gets_it() -> None:
    Team.objects.get_or_create(slug="finance", defaults={"name": "Finance"})
    person("olga", Role.OPERATOR, team="finance")
    person("mia", Role.MANAGER, team="finance")
    world = World()
    (pk,) = many(world, 1)
    seen = moves.as_seen(ExceptionCase.objects.get(pk=pk))

    def grab(name: str) -> str:
        try:
            jobs.do_one(pk, move="assign", arguments={"owner": user(name).pk}, by=user(name), now=world.now, seen=seen)
        except moves.MoveRefusedError as error:
            return str(error)
        finally:
            connections.close_all()
        return "mine"

    with ThreadPoolExecutor(2) as both:
        told = sorted(both.map(grab, ["olga", "mia"]))
    assert told.count("mine") == 1
    assert any("meanwhile" in text for text in told)


def test_whoever_is_named_in_a_comment_is_told(world: World) -> None:
    (pk,) = many(world, 1)
    moves.comment(pk, text="@Mia, please call. @nobody @olga", by=user("olga"), now=world.now)
    told = Notification.objects.filter(kind="exception.mentioned")
    assert [one.user.username for one in told] == ["mia"]

"""Deliveries are taken by one worker each, given back when it dies, and given up on when nothing helps."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from django.db import connection as database
from django.db import transaction

from apps.accounts.models import User
from apps.accounts.permissions import NotAllowedError
from apps.audit.models import Entry
from apps.intake import claim, moves, refresh_requests
from apps.intake.models import Delivery, Status
from apps.odoo.models import Connection


def add(connection: Connection, *odoo_ids: int, now: datetime, model: str = "sale.order") -> None:
    refresh_requests.add(connection_id=connection.pk, model=model, odoo_ids=odoo_ids, source="test", now=now)


def test_many_hints_of_one_record_are_one_read(connection: Connection, now: datetime) -> None:
    add(connection, 1, 2, 3, now=now)
    add(connection, 2, 3, now=now)
    add(connection, 3, now=now, model="res.partner")

    (part,) = claim.take(limit=100, now=now)

    assert part.records == {"sale.order": {1, 2, 3}, "res.partner": {3}}
    claim.complete(part, now=now)
    assert set(Delivery.objects.values_list("status", flat=True)) == {Status.DONE}
    assert claim.take(limit=100, now=now) == []


def test_connections_are_taken_apart(connection: Connection, now: datetime) -> None:
    other = Connection.objects.create(name="other", url="http://other.test", hook_secret="the-others-secret")
    add(connection, 1, now=now)
    add(other, 1, now=now)

    parts = claim.take(limit=100, now=now)

    assert {part.connection_id: part.records for part in parts} == {
        connection.pk: {"sale.order": {1}},
        other.pk: {"sale.order": {1}},
    }


def test_a_hint_for_a_connection_that_is_gone_is_none(connection: Connection, now: datetime) -> None:
    gone = connection.pk
    connection.delete()

    refresh_requests.add(connection_id=gone, model="sale.order", odoo_ids=[1], source="test", now=now)

    assert not Delivery.objects.exists()


def test_a_hint_for_later_waits_until_then(connection: Connection, now: datetime) -> None:
    later = now + timedelta(seconds=5)
    refresh_requests.add(connection_id=connection.pk, model="sale.order", odoo_ids=[1], source="test", now=now, not_before=later)

    assert claim.take(limit=100, now=now) == []
    assert claim.take(limit=100, now=later)


@pytest.mark.django_db(transaction=True)
def test_two_workers_never_take_the_same_delivery(connection: Connection, now: datetime) -> None:
    add(connection, *range(1, 401), now=now)

    def work(_: int) -> list[int]:
        taken: list[int] = []
        while parts := claim.take(limit=7, now=now):
            taken += [odoo_id for part in parts for odoo_id in part.records["sale.order"]]
        database.close()
        return taken

    with ThreadPoolExecutor(4) as workers:
        taken = [odoo_id for one in workers.map(work, range(4)) for odoo_id in one]

    assert sorted(taken) == list(range(1, 401))


@pytest.mark.django_db(transaction=True)
def test_a_worker_does_not_wait_for_one_that_is_taking(connection: Connection, now: datetime) -> None:
    add(connection, 1, 2, now=now)

    def other() -> list[claim.ClaimedBatch]:
        try:
            return claim.take(limit=1, now=now)
        finally:
            database.close()

    with ThreadPoolExecutor(1) as worker, transaction.atomic():
        (mine,) = claim.take(limit=1, now=now)
        (theirs,) = worker.submit(other).result(timeout=5)

    assert (mine.records, theirs.records) == ({"sale.order": {1}}, {"sale.order": {2}})


def test_what_a_lost_worker_had_taken_comes_back_when_its_lease_ends(connection: Connection, now: datetime) -> None:
    add(connection, 1, now=now)
    claim.take(limit=100, now=now)

    assert claim.take(limit=100, now=now + claim.LEASE) == []
    (part,) = claim.take(limit=100, now=now + claim.LEASE + timedelta(seconds=1))
    assert part.records == {"sale.order": {1}}


def test_what_a_killed_worker_had_taken_comes_back_at_once(connection: Connection, now: datetime) -> None:
    add(connection, 1, 2, now=now)
    claim.take(limit=1, now=now)
    # A session that there is no more: the kernel closed it with its process.
    Delivery.objects.filter(status="claimed").update(claimed_by=2**31 - 1)

    (part,) = claim.take(limit=100, now=now)
    assert part.records == {"sale.order": {1, 2}}
    assert sorted(Delivery.objects.values_list("attempts", flat=True)) == [0, 1]
    assert claim.take(limit=100, now=now) == []


def test_many_that_were_taken_with_a_poisonous_one_are_told_from_it_in_a_few_steps(connection: Connection, now: datetime) -> None:
    add(connection, *range(1, 1_001), now=now)
    batches = 0
    while parts := claim.take(limit=2_000, now=now):
        batches += 1
        if 500 in parts[0].records["sale.order"]:
            now = after_lease(now)  # And the worker is gone.
        else:
            claim.complete(parts[0], now=now)

    assert Delivery.objects.get(status="dead").odoo_id == 500
    assert Delivery.objects.filter(status="done").count() == 999
    assert batches < 60


def after_lease(now: datetime) -> datetime:
    return now + claim.LEASE + timedelta(seconds=1)


def test_a_delivery_that_ends_its_workers_is_taken_alone_and_ends_as_a_dead_letter(connection: Connection, now: datetime) -> None:
    add(connection, 1, 2, 3, now=now)
    times_taken = 0
    for _ in range(40):
        parts = claim.take(limit=100, now=now)
        if not parts:
            break
        records = parts[0].records["sale.order"]
        if 2 in records:
            times_taken += 1  # And the worker is gone: nothing is settled.
        else:
            claim.complete(parts[0], now=now)
        now = after_lease(now)

    assert dict(Delivery.objects.values_list("odoo_id", "status")) == {1: "done", 2: "dead", 3: "done"}
    poison = Delivery.objects.get(odoo_id=2)
    assert (poison.attempts, poison.problem) == (claim.GIVE_UP_AFTER, claim.LOST)
    assert times_taken == claim.GIVE_UP_AFTER


def test_a_delivery_that_always_fails_is_tried_ever_more_rarely_and_then_no_more(connection: Connection, now: datetime) -> None:
    add(connection, 1, now=now)
    pauses = []
    while parts := claim.take(limit=100, now=now):
        claim.fail(parts[0], problem="ValueError: no such luck", now=now)
        row = Delivery.objects.get()
        pauses.append((row.not_before - now).total_seconds())
        assert row.status == Status.DEAD or claim.take(limit=100, now=now) == []
        now = row.not_before

    assert pauses == [2**attempt for attempt in range(1, claim.GIVE_UP_AFTER + 1)]
    assert (row.status, row.attempts, row.problem) == (Status.DEAD, claim.GIVE_UP_AFTER, "ValueError: no such luck")


def test_while_odoo_is_away_deliveries_wait_and_lose_no_attempt(connection: Connection, now: datetime) -> None:
    add(connection, 1, now=now)
    for _ in range(20):
        (part,) = claim.take(limit=100, now=now)
        claim.reschedule(part, problem="main cannot be reached", now=now)
        now += timedelta(seconds=10)

    assert (Delivery.objects.get().status, Delivery.objects.get().attempts) == (Status.PENDING, 0)


def test_a_dead_letter_is_replayed_with_its_attempts_counted_anew(
    connection: Connection, ivan_integrator: User, now: datetime
) -> None:
    add(connection, 1, now=now)
    (part,) = claim.take(limit=100, now=now)
    claim.dead_letter(part, problem="no.such.model is not mirrored.", now=now)
    dead = Delivery.objects.get()

    assert moves.replay([dead.pk], by=ivan_integrator, now=now) == 1

    (part,) = claim.take(limit=100, now=now)
    assert part.records == {"sale.order": {1}}
    assert Delivery.objects.get().attempts == 0
    assert Entry.objects.get(action="delivery.replayed").subject == f"delivery:{dead.pk}"
    with pytest.raises(moves.ReplayRefusedError):
        moves.replay([dead.pk], by=ivan_integrator, now=now)


def test_who_may_not_integrate_may_not_replay(connection: Connection, olga_operator: User, now: datetime) -> None:
    add(connection, 1, now=now)
    (part,) = claim.take(limit=100, now=now)
    claim.dead_letter(part, problem="no.such.model is not mirrored.", now=now)

    with pytest.raises(NotAllowedError):
        moves.replay([Delivery.objects.get().pk], by=olga_operator, now=now)

    assert Delivery.objects.get().status == Status.DEAD


def test_only_what_was_processed_a_fortnight_ago_is_forgotten(connection: Connection, now: datetime) -> None:
    old = now - moves.KEEP - timedelta(seconds=1)
    for at, status in [(old, "done"), (old, "dead"), (old, "pending"), (now, "done")]:
        add(connection, 1, now=at)
        kept = Delivery.objects.latest("pk")
        kept.delete()
        kept.pk, kept.status = None, status
        kept.save()

    assert moves.forget_old(now=now) == 1

    assert sorted(Delivery.objects.values_list("status", flat=True)) == ["dead", "done", "pending"]

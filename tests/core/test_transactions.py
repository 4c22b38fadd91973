"""Two transactions that take the same rows in another order both end as they should."""

import threading
from collections.abc import Callable

import psycopg
import pytest
from django.db import OperationalError, connection, transaction

from apps.accounts.models import Team
from apps.core.transactions import ATTEMPTS, atomic_with_retry


@pytest.mark.django_db(transaction=True)
def test_of_two_that_lock_each_other_out_both_get_through() -> None:
    for slug in ("north", "south"):
        Team.objects.create(slug=slug, name=slug)
    both_hold_one = threading.Barrier(2)
    runs: list[str] = []

    @atomic_with_retry
    def rename(first: str, second: str, meet: Callable[[], object]) -> None:
        runs.append(first)
        Team.objects.select_for_update().get(slug=first)
        if runs.count(first) == 1:
            meet()
        Team.objects.select_for_update().get(slug=second)
        for slug in (first, second):
            team = Team.objects.get(slug=slug)
            team.name += "!"
            team.save()

    def work(first: str, second: str) -> None:
        try:
            rename(first, second, both_hold_one.wait)
        finally:
            connection.close()

    workers = [threading.Thread(target=work, args=names) for names in (("north", "south"), ("south", "north"))]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert dict(Team.objects.filter(slug__in=["north", "south"]).values_list("slug", "name")) == {
        "north": "north!!",
        "south": "south!!",
    }
    # The server ended one of them, once or, where it takes its first row again before the other wakes, once more.
    assert len(runs) >= 3


def failing(error: type[Exception]) -> tuple[Callable[[], None], list[int]]:
    runs: list[int] = []

    @atomic_with_retry
    def fail() -> None:
        runs.append(1)
        raise OperationalError("no") from error()

    return fail, runs


@pytest.mark.django_db(transaction=True)
def test_it_gives_up_in_the_end_and_at_once_on_other_faults() -> None:
    for error, expected in ((psycopg.errors.DeadlockDetected, ATTEMPTS), (psycopg.errors.QueryCanceled, 1)):
        fail, runs = failing(error)
        with pytest.raises(OperationalError):
            fail()
        assert len(runs) == expected


@pytest.mark.django_db(transaction=True)
def test_inside_of_a_transaction_the_callers_begins_again() -> None:
    fail, runs = failing(psycopg.errors.DeadlockDetected)
    with pytest.raises(OperationalError), transaction.atomic():
        fail()
    assert len(runs) == 1

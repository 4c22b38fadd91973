"""Reconciling: what was missed is found, at a cost that follows what differs."""

from datetime import timedelta

import pytest

from apps.mirror.declare import Mirrored
from apps.mirror.models import SyncRun, SyncState
from apps.mirror.sync import backfill, reconcile
from apps.mirror.upsert import Changes
from apps.odoo.models import Connection
from tests.mirror.company import Clock, Company

ROWS, DAYS = 300, 30


@pytest.fixture
def mirrored(company: Company, connection: Connection, partners: type[Mirrored], clock: Clock) -> Company:
    """Three hundred partners, ten a day over the last thirty days, read and compared."""
    for odoo_id in range(1, ROWS + 1):
        at = clock() - timedelta(days=odoo_id % DAYS, minutes=odoo_id)
        company.write("res.partner", odoo_id, at, name=f"Partner {odoo_id}", active=True)
    backfill.run(company, partners, connection=connection, clock=clock)
    compare(company, partners, clock)
    clock.at += timedelta(days=7)
    return company


def compare(
    company: Company, model: type[Mirrored], clock: Clock, handed_on: list[Changes] | None = None, **options: bool
) -> SyncRun:
    return reconcile.run(
        company,
        model,
        connection=company.connection,
        clock=clock,
        on_changes=(handed_on if handed_on is not None else []).extend,
        **options,
    )


def test_the_first_comparison_looks_at_every_id(mirrored: Company) -> None:
    first = SyncRun.objects.get()
    assert (first.compared, first.ids_compared, first.found_changed, first.found_deleted) == (ROWS, ROWS, 0, 0)


def test_a_mirror_that_equals_odoo_costs_one_question(mirrored: Company, partners: type[Mirrored], clock: Clock) -> None:
    compare(mirrored, partners, clock)
    clock.at += timedelta(days=7)
    mirrored.asked.clear()
    run = compare(mirrored, partners, clock)
    assert (run.compared, run.ids_compared) == (ROWS, 0)
    assert [call for call in mirrored.asked if call[1] == "read_group"] == [("res.partner", "read_group")]


def test_changed_deleted_archived_new_and_late_are_found_and_mended(
    mirrored: Company, partners: type[Mirrored], clock: Clock, handed_on: list[Changes]
) -> None:
    mirrored.write("res.partner", 10, clock(), name="Changed")
    mirrored.write("res.partner", 11, clock(), active=False)
    mirrored.write("res.partner", 400, clock(), name="New", active=True)
    mirrored.write("res.partner", 401, clock() - timedelta(days=20), name="Late", active=True)
    mirrored.unlink("res.partner", 12)
    run = compare(mirrored, partners, clock, handed_on)
    assert (run.found_changed, run.found_deleted, run.is_held) == (4, 1, False)
    assert {odoo_id for change in handed_on for odoo_id in change.ids} == {10, 11, 12, 400, 401}
    assert run.ids_compared < ROWS / 3
    assert partners.objects.filter(deleted_at=None).count() == ROWS + 1
    assert partners.objects.get(odoo_id=11).active is False
    again = compare(mirrored, partners, clock)
    assert (again.found_changed, again.found_deleted) == (0, 0)


def test_a_second_write_of_one_day_is_found_though_the_days_figures_are_alike(
    mirrored: Company, partners: type[Mirrored], clock: Clock
) -> None:
    today = clock().replace(hour=8)
    for odoo_id, minute in [(1, 5), (2, 50)]:
        mirrored.write("res.partner", odoo_id, today + timedelta(minutes=minute), name="Once")
    compare(mirrored, partners, clock)
    mirrored.write("res.partner", 1, today + timedelta(minutes=20), name="Twice")
    clock.at += timedelta(days=1)
    assert compare(mirrored, partners, clock).found_changed == 1
    assert partners.objects.get(odoo_id=1).name == "Twice"


def test_a_large_day_is_compared_by_hours_first(
    mirrored: Company, partners: type[Mirrored], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconcile, "PAGE", 20)
    old_day = (clock() - timedelta(days=60)).replace(hour=0, minute=0)
    for odoo_id in range(1_000, 1_240):
        mirrored.write("res.partner", odoo_id, old_day + timedelta(minutes=6 * (odoo_id - 1_000)), name="Imported")
    assert compare(mirrored, partners, clock).found_changed == 240
    clock.at += timedelta(days=7)
    mirrored.unlink("res.partner", 1_100)
    run = compare(mirrored, partners, clock)
    assert (run.found_deleted, run.ids_compared) == (1, 9)


def test_a_record_written_between_the_figures_and_the_ids_is_not_taken_for_gone(
    mirrored: Company, partners: type[Mirrored], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    mirrored.unlink("res.partner", 60)
    figures = mirrored.read_group

    def then_written(*arguments: object, **named: object) -> object:
        answer = figures(*arguments, **named)
        # On the day of the one that is gone: that day will be looked at, and this one has just left it.
        mirrored.write("res.partner", 30, clock(), name="Written meanwhile")
        return answer

    monkeypatch.setattr(mirrored, "read_group", then_written)
    run = compare(mirrored, partners, clock)
    assert (run.found_changed, run.found_deleted) == (1, 1)
    assert partners.objects.get(odoo_id=30).name == "Written meanwhile"


def test_a_restored_odoo_takes_the_mirror_back(mirrored: Company, partners: type[Mirrored], clock: Clock) -> None:
    mirrored.write("res.partner", 10, clock(), name="After the backup")
    compare(mirrored, partners, clock)
    clock.at += timedelta(minutes=1)
    mirrored.write("res.partner", 10, clock() - timedelta(days=10), name="From the backup")
    assert compare(mirrored, partners, clock).found_changed == 1
    assert partners.objects.get(odoo_id=10).name == "From the backup"


def test_too_many_deletions_are_held_and_nothing_is_taken_out(
    mirrored: Company, partners: type[Mirrored], clock: Clock, handed_on: list[Changes]
) -> None:
    mirrored.write("res.partner", 299, clock(), name="Changed")
    mirrored.unlink("res.partner", *range(1, 51))
    run = compare(mirrored, partners, clock, handed_on)
    assert (run.is_held, run.found_deleted, run.found_changed) == (True, 0, 1)
    assert "50 of 300 records of res.partner are no longer seen in main" in run.note
    assert "--allow-deletions" in run.note
    assert partners.objects.filter(deleted_at=None).count() == ROWS
    assert SyncRun.objects.get(pk=run.pk).is_held
    assert SyncState.objects.get().problem == run.note


def test_a_person_who_has_looked_lets_the_deletions_through(mirrored: Company, partners: type[Mirrored], clock: Clock) -> None:
    mirrored.unlink("res.partner", *range(1, 51))
    compare(mirrored, partners, clock)
    run = compare(mirrored, partners, clock, allow_deletions=True)
    assert (run.is_held, run.found_deleted) == (False, 50)
    assert SyncState.objects.get().problem == ""


def test_records_that_only_a_replica_lacks_are_not_taken_out(mirrored: Company, partners: type[Mirrored], clock: Clock) -> None:
    mirrored.hidden = {("res.partner", 7)}
    run = compare(mirrored, partners, clock)
    assert run.found_deleted == 0
    assert partners.objects.get(odoo_id=7).deleted_at is None

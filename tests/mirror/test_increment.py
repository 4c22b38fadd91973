"""Increments: nothing that was written is passed by, and nothing is handed on twice."""

from datetime import timedelta

import pytest

from apps.mirror.declare import Mirrored
from apps.mirror.models import SyncState
from apps.mirror.sync import backfill, increment
from apps.mirror.sync.increment import Incremented
from apps.mirror.upsert import Changes
from apps.odoo.models import Connection
from tests.mirror.company import Clock, Company


@pytest.fixture
def mirrored(company: Company, connection: Connection, partners: type[Mirrored], clock: Clock) -> Company:
    """A company of which everything was read an hour ago."""
    for odoo_id in range(1, 4):
        company.write("res.partner", odoo_id, clock(), name=f"Partner {odoo_id}")
    backfill.run(company, partners, connection=connection, clock=clock)
    clock.at += timedelta(hours=1)
    return company


class Look:
    """Looks for what has changed; ``ids`` is what was handed on by the last look."""

    def __init__(self, company: Company, model: type[Mirrored], clock: Clock) -> None:
        self.company, self.model, self.clock = company, model, clock
        self.handed_on: list[Changes] = []

    def __call__(self) -> Incremented:
        self.handed_on = []
        return increment.run(
            self.company,
            self.model,
            connection=self.company.connection,
            clock=self.clock,
            on_changes=self.handed_on.extend,
        )

    @property
    def ids(self) -> set[int]:
        return {odoo_id for change in self.handed_on for odoo_id in change.ids}


@pytest.fixture
def look(mirrored: Company, partners: type[Mirrored], clock: Clock) -> Look:
    return Look(mirrored, partners, clock)


def state() -> SyncState:
    return SyncState.objects.get(odoo_model="res.partner")


def test_new_and_changed_rows_are_handed_on_once(look: Look, company: Company, clock: Clock) -> None:
    company.write("res.partner", 2, clock(), name="Renamed")
    company.write("res.partner", 9, clock(), name="New")
    clock.at += timedelta(minutes=1)
    found = look()
    assert (found.changed, found.late, look.ids) == (2, 0, {2, 9})
    assert look().changed == 0
    assert look.ids == set()


def test_a_look_that_finds_nothing_reads_no_rows(look: Look, company: Company, clock: Clock) -> None:
    look()
    company.asked.clear()
    look()
    assert company.asked == [("res.partner", "search_read")]


def test_a_transaction_that_commits_late_is_seen_through_the_overlap(
    look: Look, company: Company, partners: type[Mirrored], clock: Clock
) -> None:
    began = clock()
    company.write("res.partner", 2, clock() + timedelta(seconds=60), name="Committed first")
    clock.at += timedelta(seconds=61)
    look()
    # It began before the other, which the watermark now stands at, and is seen only now.
    company.write("res.partner", 3, began, name="Committed late")
    clock.at += timedelta(seconds=10)
    found = look()
    assert (found.changed, found.late, look.ids) == (1, 1, {3})
    assert partners.objects.get(odoo_id=3).name == "Committed late"
    assert state().late_count == 1


def test_lateness_widens_the_overlap(look: Look, company: Company, clock: Clock) -> None:
    began = clock()
    company.write("res.partner", 2, clock() + timedelta(seconds=140), name="Committed first")
    clock.at += timedelta(seconds=141)
    look()
    company.write("res.partner", 3, began, name="Committed late")
    look()
    assert state().overlap_seconds == 280


def test_a_second_write_within_one_second_is_seen(look: Look, company: Company, partners: type[Mirrored], clock: Clock) -> None:
    company.write("res.partner", 2, clock(), name="Once")
    look()
    company.write("res.partner", 2, clock(), name="Twice")
    clock.at += timedelta(seconds=1)
    assert look().changed == 1
    assert partners.objects.get(odoo_id=2).name == "Twice"


def test_a_row_read_right_after_it_was_written_is_read_again_only_once_more(look: Look, company: Company, clock: Clock) -> None:
    company.write("res.partner", 2, clock(), name="Once")
    look()
    clock.at += timedelta(seconds=30)
    look()
    company.asked.clear()
    look()
    assert company.asked == [("res.partner", "search_read")]


@pytest.mark.parametrize("page", [100, 5_000])
def test_more_rows_of_one_second_than_a_page_are_all_seen(
    look: Look, company: Company, partners: type[Mirrored], clock: Clock, monkeypatch: pytest.MonkeyPatch, page: int
) -> None:
    monkeypatch.setattr(increment, "PAGE", page)
    rows = 5_000 if page == 5_000 else 350
    for odoo_id in range(1_000, 1_000 + rows):
        company.write("res.partner", odoo_id, clock(), name="Imported")
    for odoo_id in range(20, 30):
        company.write("res.partner", odoo_id, clock() + timedelta(seconds=1), name="After it")
        company.write("res.partner", odoo_id + 10, clock() - timedelta(seconds=1), name="Before it")
    clock.at += timedelta(seconds=60)
    found = look()
    assert found.changed == len(look.ids) == rows + 20
    assert partners.objects.count() == rows + 23
    assert look().changed == 0


def test_a_look_that_breaks_off_goes_on_from_the_last_whole_second(
    look: Look, company: Company, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(increment, "PAGE", 10)
    for odoo_id in range(100, 130):
        company.write("res.partner", odoo_id, clock() + timedelta(seconds=odoo_id // 4), name="Written")
    clock.at += timedelta(minutes=5)

    class Stop(Exception):
        pass

    def stop_at_the_third(changes: list[Changes]) -> None:
        look.handed_on += changes
        if len(look.handed_on) == 3:
            raise Stop

    with pytest.raises(Stop):
        increment.run(company, look.model, connection=company.connection, clock=clock, on_changes=stop_at_the_third)
    reached = state().watermark
    assert reached is not None
    assert reached > clock() - timedelta(minutes=5)
    look()
    assert look.model.objects.filter(name="Written").count() == 30


def test_a_date_from_the_future_hides_nothing(look: Look, company: Company, clock: Clock) -> None:
    company.write("res.partner", 2, clock() + timedelta(days=900), name="Imported")
    look()
    assert state().watermark == clock()
    clock.at += timedelta(minutes=10)
    company.write("res.partner", 3, clock(), name="Written since")
    look()
    assert look.ids == {3}


def test_what_the_listener_refuses_is_not_written(look: Look, company: Company, partners: type[Mirrored], clock: Clock) -> None:
    company.write("res.partner", 2, clock(), name="Renamed")

    def refuse(changes: list[Changes]) -> None:
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        increment.run(company, partners, connection=company.connection, clock=clock, on_changes=refuse)
    assert partners.objects.get(odoo_id=2).name == "Partner 2"
    assert look().changed == 1


def test_a_watermark_that_stands_still_is_not_read_up_to_for_ever(look: Look, company: Company, clock: Clock) -> None:
    for odoo_id in range(100, 150):
        company.write("res.partner", odoo_id, clock(), name="Imported")
    assert look().changed == 50
    clock.at += timedelta(hours=1)
    look()
    assert look().seen == 0
    company.write("res.partner", 100, clock() - timedelta(seconds=140), name="Committed late")
    assert look().changed == 1


def test_what_was_written_during_a_long_first_read_is_seen(
    company: Company, connection: Connection, partners: type[Mirrored], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backfill, "BATCH", 10)
    for odoo_id in range(1, 31):
        company.write("res.partner", odoo_id, clock() - timedelta(days=1), name="Old")

    def take_hours(rows: int, total: int) -> None:
        company.write("res.partner", 1, clock(), name="Written meanwhile")
        clock.at += timedelta(hours=3)

    backfill.run(company, partners, connection=connection, clock=clock, progress=take_hours)
    look = Look(company, partners, clock)
    look()
    assert look.ids == {1}

"""Rework, ping-pong and skipped steps: what records did as they went through the stages of their workflow."""

from decimal import Decimal

import pytest

from apps.accounts.access import AccessScope
from apps.accounts.models import Team
from apps.boards.findings.catalogue import LEAST
from apps.mirror import registry as mirror
from apps.mirror import upsert
from apps.pipeline import change_processing
from apps.timers.models import WorkingCalendar
from apps.workflows import registry
from apps.workflows.models import Position, Transition
from tests.boards.findings.ways import MODEL, NAME, found, parts, records, went
from tests.boards.lives import HOUR, START, at, moved
from tests.world import World

pytestmark = pytest.mark.django_db
SMOOTH = ((1, "quotation"), (2, "waiting_for_stock"), (3, "ready_to_pick"), (4, "to_invoice"), (5, "unpaid"), (6, "closed"))


def test_an_order_that_goes_back_to_a_step_that_it_had_left_is_rework(world: World) -> None:
    went(world, 1, (1, "quotation"), (2, "credit_review"), (4, "ready_to_pick"), (5, "credit_review"), (9, "ready_to_pick"))
    went(world, 2, *SMOOTH)
    one = found("rework")

    assert one and (one.sample, one.whole.count, one.share) == (2, 1, 0.5)
    assert (one.whole.amounts, one.whole.times) == ([("EUR", Decimal(1_000))], 1)
    assert one.whole.seconds == 4 * HOUR
    assert [part.text for part in one.parts] == ["1 record went back from Ready to pick to Credit review"]
    assert [(row.odoo_id, row.times, row.seconds, row.at) for row in records("rework")] == [(1, 1, 4 * HOUR, at(5))]


def test_going_back_to_where_it_never_was_is_none(world: World) -> None:
    went(world, 1, (1, "quotation"), (2, "ready_to_pick"), (3, "waiting_for_stock"), (4, "to_invoice"))

    assert parts("rework") == {}


def test_how_often_it_went_back_counts_and_the_record_and_its_money_once(world: World) -> None:
    went(
        world,
        1,
        (1, "waiting_for_stock"),
        (2, "ready_to_pick"),
        (3, "waiting_for_stock"),
        (5, "ready_to_pick"),
        (6, "waiting_for_stock"),
        (9, "ready_to_pick"),
    )
    one = found("rework")

    assert one and (one.whole.count, one.whole.times, one.whole.seconds) == (1, 2, 5 * HOUR)
    assert one.whole.amounts == [("EUR", Decimal(1_000))]


def test_a_record_of_two_parts_counts_once_in_the_whole(world: World) -> None:
    went(
        world,
        1,
        (1, "quotation"),
        (2, "credit_review"),
        (3, "quotation"),
        (4, "waiting_for_stock"),
        (5, "ready_to_pick"),
        (6, "waiting_for_stock"),
    )
    one = found("rework")

    assert one and len(one.parts) == 2 and one.whole.count == 1 and one.whole.amounts == [("EUR", Decimal(1_000))]
    assert {row.odoo_id for row in records("rework", part=["credit_review", "quotation"])} == {1}
    assert records("rework", part=["credit_review", "closed"]) == []


def test_what_time_alone_brings_about_is_no_step(world: World) -> None:
    went(world, 1, (1, "quotation"), (2, "expired"), (3, "quotation"), (4, "waiting_for_stock"))
    went(world, 2, (1, "on_time"), (2, "late"), (3, "on_time"), (4, "late"), (5, "on_time"), workflow="procure_to_pay")

    assert parts("rework") == {} and parts("rework", workflow="procure_to_pay") == {}
    assert parts("ping_pong", workflow="procure_to_pay") == {}


def test_an_order_that_is_reopened_went_back_from_its_end_which_costs_no_time(world: World) -> None:
    went(world, 1, (1, "quotation"), (2, "cancelled"), (20, "quotation"), (23, "waiting_for_stock"))

    assert {part: (one.count, one.seconds) for part, one in parts("rework").items()} == {("cancelled", "quotation"): (1, 3 * HOUR)}


def test_the_next_count_of_the_same_stock_is_not_the_last_one_reopened(world: World) -> None:
    counts = ((1, "to_count"), (2, "counted"), (3, "applied"), (20, "to_count"), (21, "counted"), (22, "applied"))
    went(world, 1, *counts, workflow="inventory_control")
    went(world, 2, (1, "to_count"), (2, "counted"), (3, "to_count"), workflow="inventory_control")

    assert {row.odoo_id for row in records("rework", workflow="inventory_control")} == {2}


def test_only_what_happened_in_the_days_counts_with_the_time_that_lies_in_them(world: World) -> None:
    went(world, 1, (1, "waiting_for_stock"), (2, "ready_to_pick"), (3, "waiting_for_stock"), (90, "ready_to_pick"))
    went(world, 2, (1, "waiting_for_stock"), (2, "ready_to_pick"), (60, "waiting_for_stock"), (90, "ready_to_pick"))

    assert [row.odoo_id for row in records("rework", since=at(50))] == [2]
    assert [(row.odoo_id, row.seconds) for row in records("rework", since=at(50), until=at(70))] == [(2, 10 * HOUR)]
    assert records("rework", until=at(59), since=at(4)) == []


def test_there_and_back_and_there_again_is_ping_pong_and_there_and_back_is_not(world: World) -> None:
    went(world, 1, (1, "waiting_for_stock"), (2, "ready_to_pick"), (4, "waiting_for_stock"), (9, "ready_to_pick"))
    went(world, 2, (1, "waiting_for_stock"), (2, "ready_to_pick"), (4, "waiting_for_stock"))
    one = found("ping_pong")

    assert one and [part.text for part in one.parts] == [
        "1 record went to and fro between Confirmed, waiting for stock and Ready to pick"
    ]
    assert (one.sample, one.whole.count, one.whole.times, one.whole.seconds) == (2, 1, 3, 7 * HOUR)


def test_a_longer_ping_pong_counts_each_move_and_each_hour_once(world: World) -> None:
    stages = ["waiting_for_stock", "ready_to_pick"] * 3
    went(world, 1, *enumerate(stages, start=1))
    one = found("ping_pong")

    # From the first move at hour 2 to the last at hour 6.
    assert one and (one.whole.count, one.whole.times, one.whole.seconds) == (1, 5, 4 * HOUR)


def test_a_step_that_most_were_seen_in_is_skipped_by_who_was_not(world: World) -> None:
    for number in range(1, LEAST + 1):
        went(world, number, *SMOOTH)
    went(world, 50, *(one for one in SMOOTH if one[1] != "to_invoice"), amount=70)
    one = found("skipped")

    assert one and (one.sample, one.whole.count, one.whole.amounts) == (LEAST + 1, 1, [("EUR", Decimal(70))])
    assert [part.text for part in one.parts] == ["1 record came to Closed and was never seen in Delivered, to invoice"]
    assert one.whole.seconds is None
    assert [row.odoo_id for row in records("skipped")] == [50]


def test_of_few_records_nothing_is_usual(world: World) -> None:
    for number in range(1, LEAST - 1):
        went(world, number, *SMOOTH)
    went(world, 50, *(one for one in SMOOTH if one[1] != "to_invoice"))

    one = found("skipped")
    assert one and (one.sample, one.whole.count, one.parts) == (LEAST - 1, 0, [])


def test_steps_before_the_first_sight_and_of_imported_history_are_not_judged(world: World) -> None:
    for number in range(1, LEAST + 5):
        went(world, number, *SMOOTH)
    went(world, 50, *SMOOTH[3:])
    went(world, 51, *(one for one in SMOOTH if one[1] != "to_invoice"), tracking_id=7)
    went(world, 52, SMOOTH[-1])

    one = found("skipped")
    # What was first seen at its end went no way here, and of imported history only what Odoo tracks is known.
    assert one and (one.sample, one.whole.count) == (LEAST + 5, 0)


def test_cancelled_orders_are_held_against_cancelled_orders(world: World) -> None:
    for number in range(1, LEAST + 5):
        went(world, number, *SMOOTH)
    went(world, 50, (1, "quotation"), (2, "cancelled"))

    assert parts("skipped") == {}


def test_what_a_late_order_may_have_passed_unseen_is_not_skipped(world: World) -> None:
    way = ((1, "unacknowledged"), (2, "on_time"), (3, "partly_received"), (4, "to_bill"), (5, "closed"))
    for number in range(1, LEAST + 5):
        went(world, number, *way, workflow="procure_to_pay")
    late = ((1, "unacknowledged"), (2, "late"), (3, "partly_received"), (4, "to_bill"), (5, "closed"))
    went(world, 50, *late, workflow="procure_to_pay")
    went(world, 51, *(one for one in way if one[1] != "on_time"), workflow="procure_to_pay")

    assert [row.odoo_id for row in records("skipped", workflow="procure_to_pay")] == [51]


def test_what_is_gone_is_in_no_finding_and_what_comes_back_begins_anew(world: World) -> None:
    went(world, 1, (1, "waiting_for_stock"), (2, "ready_to_pick"), (3, "waiting_for_stock"))
    went(world, 2, (1, "waiting_for_stock"), (2, "ready_to_pick"))
    Position.objects.filter(odoo_id=1).delete()
    Transition.objects.create(
        connection=world.connection,
        workflow=NAME,
        model=MODEL,
        odoo_id=2,
        from_stage="ready_to_pick",
        to_stage="deleted",
        at=at(3),
        seen_at=at(3),
        company_id=1,
    )
    moved(world, 2, (4, "waiting_for_stock"))

    one = found("rework")
    assert one and (one.sample, one.whole.count) == (1, 0)


def test_an_order_deleted_in_odoo_leaves_the_findings(world: World) -> None:
    world.now = START
    world.order(42, state="draft", amount=100)
    for state in ("cancel", "draft"):
        world.advance(hours=1)
        world.order(42, state=state, amount=100)
    assert [row.odoo_id for row in records("rework")] == [42]
    world.advance(hours=1)
    orders = mirror.models()["sale.order"]
    gone = upsert.mark_deleted(orders, connection_id=world.connection.pk, odoo_ids=[42], read_at=world.now, now=world.now)
    change_processing.apply_changes([gone], now=world.now)

    assert found("rework") is None


def test_two_changes_between_two_reads_are_the_one_that_was_seen(world: World) -> None:
    """Confirmed and cancelled and drafted again before the tower looked: it never left."""
    world.now = START
    world.order(42, state="draft", amount=100)
    world.advance(hours=1)
    with world.at_once():
        world.order(42, state="sale", amount=100)
        world.order(42, state="draft", amount=100)

    one = found("rework")
    assert one is None or one.whole.count == 0


def test_two_moves_of_one_moment_keep_the_order_in_which_they_were_seen(world: World) -> None:
    went(world, 1, (1, "waiting_for_stock"), (2, "ready_to_pick"), (2, "waiting_for_stock"), (2, "ready_to_pick"))

    one = found("rework")
    assert one and (one.whole.count, one.whole.times, one.whole.seconds) == (1, 1, 0)


def test_currencies_are_kept_apart_and_each_sees_the_own_company(world: World) -> None:
    back = ((1, "waiting_for_stock"), (2, "ready_to_pick"), (3, "waiting_for_stock"))
    went(world, 1, *back, amount=10)
    went(world, 2, *back, amount=20, company_id=2, currency="CHF")
    went(world, 3, *back, amount=None, company_id=2, currency="CHF")
    one = found("rework")
    assert one and dict(one.whole.amounts) == {"EUR": 10, "CHF": 20} and one.whole.count == 3

    mine = AccessScope(frozenset({(world.connection.pk, 2)}))
    one = found("rework", access_scope=mine)
    assert one and (one.sample, one.whole.count, one.whole.amounts) == (2, 2, [("CHF", Decimal(20))])
    assert [row.odoo_id for row in records("rework", access_scope=mine)] == [2, 3]
    assert found("rework", access_scope=AccessScope(frozenset({(world.connection.pk + 1, None)}))) is None


def test_time_is_the_working_time_of_the_team_that_had_it(world: World) -> None:
    finance, _ = Team.objects.get_or_create(slug="purchasing", defaults={"name": "Purchasing"})
    WorkingCalendar.objects.create(
        team=finance, time_zone="UTC", hours={str(day): [["08:00", "16:00"]] for day in range(5)}, holidays_of=""
    )
    # Sunday 8:00 is the start: back on Monday at 10:00 until Tuesday at 10:00.
    went(world, 1, (20, "waiting_for_stock"), (21, "ready_to_pick"), (26, "waiting_for_stock"), (50, "ready_to_pick"))
    one = found("rework")

    assert one and (one.whole.seconds, one.whole.is_by_clock) == (8 * HOUR, False)
    WorkingCalendar.objects.all().delete()
    one = found("rework")
    assert one and (one.whole.seconds, one.whole.is_by_clock) == (24 * HOUR, True)


def test_history_that_is_older_than_the_tower_counts_as_odoo_told_it(world: World) -> None:
    went(world, 1, (1, "quotation"), (2, "waiting_for_stock"), (3, "quotation"), tracking_id=5)

    assert list(parts("rework")) == [("waiting_for_stock", "quotation")]


def test_every_workflow_names_its_steps_once(world: World) -> None:
    for workflow in registry.workflows().values():
        assert any(stage.is_step for stage in workflow.stages), workflow.name

"""Invoices become overdue as days pass, though Odoo says nothing; looking again costs by what is due."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection

from apps.pipeline import change_processing
from apps.workflows.models import Position, Transition
from tests.workflows.invoicing.invoices import EXPOSURE, invoice, open_cases, pay, stage_of, until
from tests.world import World


def test_an_invoice_becomes_overdue_as_the_day_passes_though_odoo_says_nothing(world: World) -> None:
    invoice(world, due="2026-11-25")
    assert until(world, days=2, hours=11, minutes=59) == 0
    assert stage_of() == "not_due"
    # The tower is late by an hour; the transition carries the moment, not the look.
    assert until(world, hours=1) == 1
    position = Position.objects.get()
    assert (position.stage, position.since) == ("overdue", datetime(2026, 11, 26, tzinfo=UTC))
    move = Transition.objects.latest("id")
    assert (move.from_stage, move.to_stage, move.at, move.seen_at) == ("not_due", "overdue", position.since, world.now)


def test_day_by_day_the_looks_find_what_evaluating_everything_would(world: World) -> None:
    for day in range(1, 9):
        invoice(world, 600 + day, due=f"2026-11-{20 + day}", amount=1_000)
    world.advance(hours=12)  # midnight: the very moment at which a due day is over
    for _ in range(16):
        change_processing.reevaluate_due(now=world.now)
        found = dict(Position.objects.values_list("odoo_id", "stage")), {case.odoo_id: case.amount for case in open_cases(EXPOSURE)}
        change_processing.evaluate("invoicing", world.connection.pk, dict.fromkeys(range(601, 609)), now=world.now)
        assert found == (
            dict(Position.objects.values_list("odoo_id", "stage")),
            {case.odoo_id: case.amount for case in open_cases(EXPOSURE)},
        )
        world.advance(days=1)
    assert (set(found[0].values()), found[1]) == ({"overdue"}, {601: 8_000})


def test_what_becomes_overdue_reaches_what_depends_on_it(world: World) -> None:
    """The customer's older invoice carries the exposure; it is not due for a look itself."""
    invoice(world, 600, due="2026-11-01", amount=1_000)
    invoice(world, 601, due="2026-11-25", amount=500)
    assert Position.objects.get(odoo_id=600).look_again_at is None
    until(world, days=3)
    (case,) = open_cases(EXPOSURE)
    assert (case.odoo_id, case.amount) == (600, 1_500)


def test_what_was_looked_at_rests_until_its_next_moment(world: World) -> None:
    invoice(world, due="2026-11-25")
    assert Position.objects.get().look_again_at == datetime(2026, 11, 26, tzinfo=UTC)
    assert until(world, days=3) == 1
    assert change_processing.reevaluate_due(now=world.now) == 0
    assert Position.objects.get().look_again_at == datetime(2026, 12, 2, tzinfo=UTC)
    assert until(world, days=30) == 1
    assert Position.objects.get().look_again_at is None


def test_an_invoice_that_is_paid_is_not_looked_at_again(world: World) -> None:
    invoice(world, due="2026-11-25")
    pay(world, 600)
    assert (stage_of(), Position.objects.get().look_again_at) == ("paid", None)
    assert until(world, days=60) == 0


def test_a_due_date_moved_in_odoo_moves_the_moment(world: World) -> None:
    invoice(world, due="2026-11-25")
    world.advance(days=1)
    world.write("account.move", 600, invoice_date_due="2026-12-20")
    assert until(world, days=3) == 0
    assert stage_of() == "not_due"
    until(world, days=30)
    assert stage_of() == "overdue"


def test_looking_again_costs_by_what_is_due_not_by_what_there_is(world: World, django_assert_num_queries: Any) -> None:
    for number in range(20):
        invoice(world, 700 + number, due="2027-06-01")
    world.advance(days=10)
    with django_assert_num_queries(1):  # the index says that nothing is due
        assert change_processing.reevaluate_due(now=world.now) == 0
    with connection.cursor() as cursor:
        # Twenty rows would be found fast by any way; what is asked is that this way is there to be taken.
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("ANALYZE workflows_position")
        cursor.execute("EXPLAIN SELECT DISTINCT connection_id, workflow FROM workflows_position WHERE look_again_at <= now()")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "positions_to_look_at" in plan


def test_a_moment_that_has_passed_does_not_make_the_record_due_for_ever(world: World) -> None:
    invoice(world, due="2020-01-01")
    assert Position.objects.get().look_again_at is None
    assert change_processing.reevaluate_due(now=world.now) == 0


def test_batches_that_fail_are_tried_again_and_stop_no_other(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    invoice(world, due="2026-11-25")
    real, other = change_processing.follow, World("other")
    invoice(other, due="2026-11-25")

    def fails_here(connection_id: int, *rest: Any, **more: Any) -> None:
        if connection_id == world.connection.pk:
            raise ValueError("poison")
        real(connection_id, *rest, **more)

    with monkeypatch.context() as patched:
        patched.setattr(change_processing, "follow", fails_here)
        until(world, days=5)
    standing = {p.connection_id: p.stage for p in Position.objects.filter(workflow="invoicing")}
    assert standing == {world.connection.pk: "not_due", other.connection.pk: "overdue"}
    assert until(world, minutes=1) == 1
    assert set(Position.objects.values_list("stage", flat=True)) == {"overdue"}

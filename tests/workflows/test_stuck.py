"""What nobody moves on is raised by time alone, grows worse by time alone, and is told once."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from apps.exceptions.models import ExceptionCase, Severity, Status
from apps.exceptions.types import evidence_of
from apps.pipeline import change_processing
from apps.workflows import registry, stuck
from apps.workflows.catalogue.order_to_cash import WORKFLOW
from apps.workflows.models import Position
from tests.world import World

STUCK = "order_to_cash.stuck"


def time_passes(world: World, **delta: float) -> None:
    world.advance(**delta)
    while change_processing.reevaluate_due(now=world.now) == change_processing.LOOKED_AGAIN:
        pass


def waiting(world: World, *, amount: float = 7_000, **more: object) -> None:
    """An order that waits for stock: for five days, says the stage."""
    world.order(amount=amount, **{"state": "sale", "delivery_status": "pending", "invoice_status": "no"} | more)


def opened() -> list[ExceptionCase]:
    return list(ExceptionCase.objects.filter(type=STUCK).exclude(status=Status.RESOLVED))


def test_a_record_is_stuck_after_twice_the_target_with_the_team_of_its_stage(world: World) -> None:
    waiting(world)
    time_passes(world, days=9, hours=23)
    assert opened() == []
    time_passes(world, hours=2)
    (case,) = opened()
    assert (case.cause, case.team.slug, case.severity, case.amount) == (
        "waiting_for_stock",
        "purchasing",
        Severity.MEDIUM,
        Decimal("7000.00"),
    )
    told = {"stuck_stage_title": "Confirmed, waiting for stock", "stuck_days": 10, "stuck_target_days": "5"}
    assert told.items() <= case.plain_evidence.items()
    (since,) = [figure for figure in evidence_of(case) if figure.title == "In stage since"]
    assert (since.kind.name, since.at) == ("moment", case.opened_at - timedelta(days=10, hours=1))


def test_it_grows_worse_while_nobody_moves_it_and_stays_one(world: World) -> None:
    waiting(world)
    severities = []
    for _ in range(5):
        time_passes(world, days=10)
        severities.append(opened()[0].severity)
    assert severities == [Severity.MEDIUM, Severity.MEDIUM, Severity.MEDIUM, Severity.HIGH, Severity.HIGH]
    assert ExceptionCase.objects.filter(type=STUCK).count() == 1
    assert Position.objects.get(workflow="order_to_cash").look_again_at is None  # and then it rests


def test_it_closes_when_the_record_moves_on_and_the_next_stage_counts_anew(world: World) -> None:
    world.order(amount=7_000, state="sale", delivery_status="partial")
    time_passes(world, days=6, hours=1)
    assert [(case.cause, case.team.slug) for case in opened()] == [("partly_delivered", "warehouse")]
    waiting(world)
    assert opened() == []
    assert ExceptionCase.objects.get(type=STUCK).resolution == "The record has progressed"
    assert Position.objects.get(workflow="order_to_cash").look_again_at == world.now + timedelta(days=10)


def test_a_change_that_moves_nothing_starts_no_new_count(world: World) -> None:
    waiting(world)
    came = world.now
    world.advance(days=9)
    waiting(world, client_order_ref="PO-9")
    assert Position.objects.get(workflow="order_to_cash").look_again_at == came + timedelta(days=10)
    time_passes(world, days=1)
    assert len(opened()) == 1


@pytest.mark.parametrize(
    ("amount", "values"),
    [
        (999, {}),  # worth little
        (7_000, {"state": "draft", "delivery_status": "", "invoice_status": "no"}),  # offers, below ten thousand
        (7_000, {"state": "draft", "x_ct_hold": "credit_override", "delivery_status": "", "invoice_status": "no"}),
        (7_000, {"delivery_status": "full", "invoice_status": "to invoice"}),  # told of as not invoiced
        (7_000, {"delivery_status": "full", "invoice_status": "invoiced"}),  # closed
    ],
)
def test_what_is_worth_little_is_told_of_elsewhere_or_is_closed_is_not_stuck(
    world: World, amount: float, values: dict[str, str]
) -> None:
    waiting(world, amount=amount, **values)
    time_passes(world, days=60)
    assert opened() == []


def test_the_looks_find_what_evaluating_everything_would(world: World) -> None:
    for number, amount in enumerate((500, 1_500, 30_000)):
        waiting(world, amount=amount)
        world.order(100 + number, amount=amount, state="sale", delivery_status="partial")
        world.advance(hours=30)
    for _ in range(12):
        time_passes(world, days=1)
        found = {(case.odoo_id, case.cause, case.severity) for case in opened()}
        change_processing.evaluate("order_to_cash", world.connection.pk, dict.fromkeys([42, 100, 101, 102]), now=world.now)
        assert {(case.odoo_id, case.cause, case.severity) for case in opened()} == found
    assert {key[0] for key in found} == {42, 101, 102}


def test_every_workflow_that_can_be_stuck_says_so_with_its_own_stages() -> None:
    for workflow in registry.workflows().values():
        if any(stuck.patience(stage) for stage in workflow.stages):
            assert registry.exception_types()[f"{workflow.name}.stuck"][0] is workflow
    assert all(stuck.patience(stage) is None for stage in WORKFLOW.stages if not stage.is_open)


def test_a_workflow_without_targets_gets_nothing() -> None:
    plain = replace(WORKFLOW, stages=[replace(stage, target=None) for stage in WORKFLOW.stages])
    assert stuck.with_stuck(plain) is plain

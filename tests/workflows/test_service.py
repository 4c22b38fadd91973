"""Tickets stand where their stage and the clock put them, in either helpdesk; one that is running out of time is named."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from apps.exceptions.models import ExceptionCase, Severity, Status
from apps.pipeline import change_processing
from apps.workflows.catalogue.service import STAGES, WORKFLOW
from apps.workflows.models import Position, Transition
from tests.stages import stages_of
from tests.world import World, odoo_time

FIELDS = dict.fromkeys(["stage_is_new", "stage_is_waiting", "stage_is_closed", "is_at_risk"], st.sampled_from([None, True, False]))
TYPES = dict.fromkeys(FIELDS, "boolean")
STAGES_OF_OCA = [(1, "New", True, False), (2, "In Progress", False, False), (3, "Awaiting", False, False), (4, "Done", False, True)]


class EveryTicketIsInExactlyOneStage(TestCase):
    @settings(max_examples=200, deadline=None)
    @given(row=st.fixed_dictionaries(FIELDS))
    def test_whatever_odoo_says(self, row: dict[str, Any]) -> None:
        assert len(stages_of(WORKFLOW, row, TYPES)) == 1


@pytest.fixture
def world(world: World) -> World:
    """The OCA's helpdesk, as it comes."""
    for odoo_id, name, unattended, closed in STAGES_OF_OCA:
        world.write("helpdesk.ticket.stage", odoo_id, name=name, sequence=odoo_id, unattended=unattended, closed=closed)
    return world


def ticket(world: World, **more: Any) -> None:
    """A ticket of the customer."""
    values = {
        "name": "A leg is missing",
        "number": "HT00005",
        "stage_id": 1,
        "partner_id": 50,
        "company_id": 1,
        "priority": "2",
        "active": True,
    }
    world.write("helpdesk.ticket", 5, **values | more)


def time_passes(world: World, **delta: float) -> None:
    world.advance(**delta)
    while change_processing.reevaluate_due(now=world.now) == change_processing.LOOKED_AGAIN:
        pass


def stage() -> str | None:
    return Position.objects.filter(workflow="service").values_list("stage", flat=True).first()


def cases() -> list[str]:
    return list(ExceptionCase.objects.exclude(status=Status.RESOLVED).values_list("type", flat=True))


@pytest.mark.parametrize("sample", WORKFLOW.samples, ids=lambda sample: sample.stage)
def test_a_sample_lands_where_the_file_says(world: World, sample: Any) -> None:
    ticket(world, **sample.row)
    assert stage() == sample.stage


def test_every_open_stage_has_a_target_and_an_owner() -> None:
    assert all(stage.target and stage.owner for stage in STAGES if stage.is_open)


def test_a_ticket_goes_from_new_to_closed(world: World) -> None:
    ticket(world)
    position = Position.objects.get(workflow="service")
    assert (position.stage, position.name, position.partner_name) == ("new", "HT00005 A leg is missing", "Azure Interior")
    ticket(world, stage_id=2, user_id=7)
    assert stage() == "in_progress"
    ticket(world, stage_id=3)
    assert stage() == "waiting"
    ticket(world, stage_id=4, closed_date=odoo_time(world.now))
    assert (stage(), cases()) == ("closed", [])
    ticket(world, active=False)
    assert stage() is None


def test_a_ticket_is_at_risk_in_the_last_quarter_of_its_time(world: World) -> None:
    world.order(42, amount=6_200, state="sale", invoice_status="to invoice")
    ticket(world)
    opened = world.now
    time_passes(world, hours=5, minutes=59)
    assert cases() == []
    time_passes(world, minutes=1)
    case = ExceptionCase.objects.get()
    assert (case.type, case.team.slug, case.severity, case.amount) == (
        "service.ticket_at_risk",
        "service",
        Severity.HIGH,
        Decimal("6200.00"),
    )
    assert (case.evidence["hours_left"], case.plain_evidence["priority_name"], case.evidence["stage_name"]) == ("2", "high", "New")
    time_passes(world, hours=5)
    case.refresh_from_db()
    assert (case.plain_evidence["hours_left"], case.status) == ("-3", "open")
    assert Position.objects.get(workflow="service").since == opened
    ticket(world, stage_id=4)
    case.refresh_from_db()
    assert case.status == "resolved"


@pytest.mark.parametrize(("priority", "hours"), [("0", 54), ("1", 18), ("2", 6), ("3", 3), (False, 54)])
def test_the_priority_says_how_long_it_may_take(world: World, priority: Any, hours: int) -> None:
    ticket(world, priority=priority)
    time_passes(world, hours=hours, minutes=-1)
    assert cases() == []
    time_passes(world, minutes=1)
    assert cases() == ["service.ticket_at_risk"]


def test_a_ticket_that_waits_for_somebody_else_is_not_at_risk(world: World) -> None:
    ticket(world, stage_id=2)
    time_passes(world, hours=7)
    assert cases() == ["service.ticket_at_risk"]
    ticket(world, stage_id=2, kanban_state="blocked")
    assert (stage(), cases()) == ("waiting", [])


def test_enterprises_helpdesk_has_its_own_stages_and_deadline(world: World) -> None:
    world.write("helpdesk.stage", 21, name="In Progress", sequence=1, fold=False)
    world.write("helpdesk.stage", 22, name="On Hold", sequence=2, fold=False)
    world.write("helpdesk.stage", 23, name="Solved", sequence=3, fold=True)
    deadline = odoo_time(world.now.replace(hour=16))
    ticket(world, number=False, ticket_ref="00017", stage_id=21, sla_deadline=deadline)
    assert (stage(), Position.objects.get().name) == ("new", "00017 A leg is missing")
    ticket(world, stage_id=21, user_id=7)
    assert stage() == "in_progress"
    time_passes(world, hours=3)
    assert cases() == ["service.ticket_at_risk"]
    ticket(world, stage_id=22)
    assert (stage(), cases()) == ("waiting", [])
    ticket(world, stage_id=23, close_date=odoo_time(world.now))
    assert stage() == "closed"


def test_a_stage_that_means_something_else_now_moves_its_tickets(world: World) -> None:
    ticket(world, stage_id=2)
    world.write("helpdesk.ticket.stage", 2, closed=True)
    assert stage() == "closed"
    assert list(Transition.objects.order_by("id").values_list("to_stage", flat=True)) == ["in_progress", "closed"]

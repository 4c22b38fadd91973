"""Tickets of the OCA's helpdesk, as an agent works on them in a real Odoo."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from apps.core import clock
from apps.exceptions.models import Severity
from apps.odoo.client import OdooClient
from apps.odoo.models import Connection
from apps.pipeline import change_processing
from tests.odoo.seen import Seen, Worker

pytestmark = pytest.mark.odoo


@pytest.fixture
def seen(odoo: OdooClient, real: Connection) -> Seen:
    made = Seen(odoo, real)
    if real.lacks("helpdesk.ticket"):
        pytest.skip("this Odoo has no helpdesk: its tickets were NOT tested")
    return made


@pytest.fixture
def agent(odoo: OdooClient) -> Iterator[Worker]:
    """Helps customers."""
    person = Worker(odoo, "helpdesk_mgmt.group_helpdesk_user")
    yield person
    person.leave()


def moved(agent: Worker, ticket: int, stage: str) -> None:
    """The agent drags the ticket to another stage."""
    found = agent.do("helpdesk.ticket.stage", "search", [("name", "=", stage)])
    agent.do("helpdesk.ticket", "write", [ticket], {"stage_id": found[0]})


def test_a_ticket_goes_from_new_to_closed_and_is_named_when_its_time_runs_out(seen: Seen, agent: Worker, odoo: OdooClient) -> None:
    customer = odoo.create("res.partner", {"name": "Tower test customer"})
    values = {"name": "A leg is missing", "description": "Of the desk", "partner_id": customer, "priority": "3"}
    ticket = agent.do("helpdesk.ticket", "create", values)
    assert seen.stage("service", ticket) == "new"
    assert seen.case("service.ticket_at_risk", ticket) is None
    moved(agent, ticket, "Awaiting")
    assert seen.stage("service", ticket) == "waiting"
    moved(agent, ticket, "In Progress")
    assert seen.stage("service", ticket) == "in_progress"

    later = clock.now() + timedelta(hours=3, minutes=30)
    while change_processing.reevaluate_due(now=later) == change_processing.LOOKED_AGAIN:
        pass
    case = seen.case("service.ticket_at_risk", ticket)
    assert case is not None
    assert (case.severity, case.plain_evidence["priority_name"], case.partner_name) == (
        Severity.CRITICAL,
        "very high",
        "Tower test customer",
    )

    moved(agent, ticket, "Done")
    assert seen.stage("service", ticket) == "closed"
    case.refresh_from_db()
    assert case.status == "resolved"

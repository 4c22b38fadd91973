"""How much is asked of the database for one small change: savepoints are counted, for they were a quarter of it."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import Role
from apps.approvals.models import Request
from apps.intake import dead_letters
from apps.intake.dead_letters import EVALUATING
from apps.workflows import engine, registry
from tests.world import World, person


def savepoints(seen: CaptureQueriesContext) -> int:
    return sum(str(query["sql"]).startswith("SAVEPOINT") for query in seen.captured_queries)


def test_a_change_that_concerns_several_workflows_is_drawn_in_one_savepoint(world: World) -> None:
    world.order(42, amount=900)
    concerned = [one for one in registry.workflows().values() if any(each.model == "res.partner" for each in one.dependencies)]
    assert len(concerned) > 1
    world.advance(minutes=1)

    with CaptureQueriesContext(connection) as seen:
        world.customer(50, name="Azure Interior", credit_limit=6_000)

    assert savepoints(seen) == 2  # the batch's own transaction, within the test's, and that of all workflows


def test_where_one_workflow_fails_the_others_have_drawn_what_follows(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    evaluate = engine.evaluate

    def fails_for_invoicing(workflow: object, **named: object) -> object:
        if workflow is registry.workflows()["invoicing"]:
            raise ValueError("a row that nobody can evaluate")
        return evaluate(workflow, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(engine, "evaluate", fails_for_invoicing)
    world.held_order(amount=6_200)
    world.owes(1_000)

    assert Request.objects.filter(odoo_id=42).count() == 1
    assert dead_letters.waiting(EVALUATING, world.connection.pk)


def test_a_person_who_is_asked_nothing_costs_one_look(db: None) -> None:
    with CaptureQueriesContext(connection) as seen:
        person("nora", Role.MANAGER)

    about_requests = [one for one in seen.captured_queries if "approvals_request" in str(one["sql"])]
    assert (len(about_requests), savepoints(seen)) == (1, 1)

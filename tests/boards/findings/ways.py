"""Orders that went their ways, told by hours, and what the findings say of them."""

from datetime import datetime
from typing import Any

from django.db import connection

from apps.accounts.access import EVERYTHING, AccessScope
from apps.boards.findings import catalogue, summing
from apps.boards.findings.summing import Found, FoundRecord, Sum
from apps.workflows import registry
from apps.workflows.models import Position
from tests.boards.lives import NOW, START, moved
from tests.world import World

NAME = "order_to_cash"
MODEL = "sale.order"
BEFORE = START


def went(world: World, odoo_id: int, *stages: tuple[float, str], amount: float | None = 1_000, **more: Any) -> None:
    """An order that came to each of the stages at so many hours, and stands in the last of them."""
    given = {"currency": "EUR", "company_id": 1, "workflow": NAME} | more
    workflow = registry.workflows()[given["workflow"]]
    moved(world, odoo_id, *stages, workflow=workflow.name, **{name: given[name] for name in more if name == "tracking_id"})
    here = workflow.stage(stages[-1][1])
    Position.objects.update_or_create(
        connection=world.connection,
        workflow=workflow.name,
        odoo_id=odoo_id,
        defaults={
            "model": workflow.odoo_model,
            "name": f"S{odoo_id}",
            "stage": here.name,
            "since": NOW,
            "is_open": here.is_open,
            "amount": amount,
            "currency": given["currency"],
            "company_id": given["company_id"],
        },
    )


def analyse() -> None:
    """Let the planner know what was put there, as a running database does by itself."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE workflows_transition, workflows_position")


def forget() -> None:
    """Let the planner believe that nothing is there, as where statistics were taken while the records were not yet committed."""
    with connection.cursor() as cursor:
        for table in ("workflows_transition", "workflows_position"):
            cursor.execute("DELETE FROM pg_statistic WHERE starelid = %s::regclass", [table])
            cursor.execute(
                "SELECT pg_restore_relation_stats('schemaname', current_schema()::text, 'relname', %s::text, 'relpages', 30,"
                " 'reltuples', 0::real)",
                [table],
            )


def found(
    name: str, *, access_scope: AccessScope = EVERYTHING, since: datetime = BEFORE, until: datetime = NOW, workflow: str = NAME
) -> Found | None:
    """What a finding comes to in one workflow; None where there was nothing to look at."""
    chosen = [registry.workflows()[workflow]]
    told = summing.sums(since=since, until=until, access_scope=access_scope, workflows=chosen, names=[name])
    assert len(told) < 2
    return told[0] if told else None


def parts(name: str, **asked: Any) -> dict[tuple[str, ...], Sum]:
    """The parts of it, each with what it comes to."""
    one = found(name, **asked)
    return {tuple(part.part): part.sum for part in one.parts} if one else {}


def records(
    name: str,
    *,
    access_scope: AccessScope = EVERYTHING,
    since: datetime = BEFORE,
    until: datetime = NOW,
    workflow: str = NAME,
    **asked: Any,
) -> list[FoundRecord]:
    """The records of it, the most money first."""
    finding = catalogue.called(name)
    assert finding
    return summing.records(finding, registry.workflows()[workflow], since=since, until=until, access_scope=access_scope, **asked)

"""One workflow beside itself: two periods, or its companies, warehouses and teams."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext, gettext_noop

from apps.accounts.access import AccessScope
from apps.boards.analytics import analysis
from apps.boards.boards.figures import flows, rows, stages_of
from apps.mirror import registry as mirror
from apps.mirror.models.res_company import Company
from apps.workflows.declare import Workflow

# What tells the warehouse of a record, where it has one: its own column, or that of its kind of transfer.
WAREHOUSE_OF = {
    "warehouse_id": "r.warehouse_id",
    "picking_type_id": "(SELECT y.warehouse_id FROM mirror_stock_picking_type y"
    " WHERE y.connection_id = r.connection_id AND y.odoo_id = r.picking_type_id)",
}
BY_WAREHOUSE = """
SELECT COALESCE(w.name, 'No warehouse'), s.currency, s.count, s.amount, s.over_target, s.median
  FROM (
    SELECT p.connection_id, {warehouse} AS warehouse_id, p.currency, count(*) AS count, sum(p.amount) AS amount,
           count(*) FILTER (WHERE p.due_at < %(now)s) AS over_target,
           percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM %(now)s - p.since)) AS median
      FROM workflows_position p
      JOIN {table} r ON r.connection_id = p.connection_id AND r.odoo_id = p.odoo_id
     WHERE p.workflow = %(workflow)s AND p.is_open AND {seen}
     GROUP BY 1, 2, 3) AS s
  LEFT JOIN mirror_stock_warehouse w ON w.connection_id = s.connection_id AND w.odoo_id = s.warehouse_id
 ORDER BY s.count DESC, 1
"""
COMPANIES = """
SELECT DISTINCT t.connection_id, t.company_id FROM workflows_standingtally t
 WHERE t.workflow = %(workflow)s AND t.company_id IS NOT NULL AND {tallies}
"""


@dataclass(frozen=True, kw_only=True)
class Side:
    """One row of a comparison; None where a figure says nothing here."""

    title: str
    count: int | None = None
    amounts: tuple[tuple[str, Decimal], ...] = ()
    over_target: int | None = None
    median_age_seconds: int | None = None
    arrived: int | None = None
    departed: int | None = None
    cycle_seconds: int | None = None


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """The rows, and why there may be none."""

    by: str
    days: int
    sides: list[Side]
    nothing: str = ""


CHOICES = {
    "period": gettext_noop("Periods"),
    "company": gettext_noop("Companies"),
    "warehouse": gettext_noop("Warehouses"),
    "team": gettext_noop("Teams"),
}


def comparison_of(workflow: Workflow, by: str, *, now: datetime, days: int, access_scope: AccessScope) -> Comparison:
    """The workflow compared ``by`` one of :data:`CHOICES`."""
    sides: dict[str, Callable[..., list[Side]]] = {
        "period": _periods,
        "company": _companies,
        "warehouse": _warehouses,
        "team": _teams,
    }
    found = sides[by](workflow, now=now, days=days, access_scope=access_scope)
    nothing = ""
    if not found:
        no_warehouse = gettext("No record of this workflow has a warehouse.")
        nothing = no_warehouse if by == "warehouse" else gettext("No records in progress.")
    return Comparison(by=by, days=days, sides=found, nothing=nothing)


def _moved(workflow: Workflow, *, now: datetime, days: int, access_scope: AccessScope) -> dict[str, Any]:
    """What came into the workflow's open stages and what left them: moves between them cancel out."""
    values: dict[str, Any] = {
        "workflow": workflow.name,
        "now": now,
        "first": now - timedelta(days=days),
        "model": workflow.odoo_model,
        "open": [stage.name for stage in workflow.stages if stage.is_open],
    }
    arrived, departed = flows(workflow, now=now, back=timedelta(days=days), access_scope=access_scope)
    count, quantiles = rows(analysis.QUANTILES.format(seen=access_scope.sql("t")), values)[0]
    net = sum(arrived[name] - departed[name] for name in values["open"])
    found: dict[str, Any] = {"departed": int(count), "arrived": int(count) + net}
    if quantiles:
        found["cycle_seconds"] = int(float(quantiles[0]) * 3600)
    return found


def _periods(workflow: Workflow, *, now: datetime, days: int, access_scope: AccessScope) -> list[Side]:
    earlier = now - timedelta(days=days)
    return [
        Side(
            title=gettext("The last %(days)s days") % {"days": days},
            **_moved(workflow, now=now, days=days, access_scope=access_scope),
        ),
        Side(
            title=gettext("The %(days)s days before") % {"days": days},
            **_moved(workflow, now=earlier, days=days, access_scope=access_scope),
        ),
    ]


def _companies(workflow: Workflow, *, now: datetime, days: int, access_scope: AccessScope) -> list[Side]:
    found = []
    for connection, company in rows(COMPANIES.format(tallies=access_scope.sql("t")), {"workflow": workflow.name}):
        named = Company.objects.filter(connection_id=connection, odoo_id=company).values_list("name", flat=True).first()
        part = access_scope.narrowed(connection, company)
        found.append(
            _side(
                named or gettext("Company %(company)s") % {"company": company},
                stages_of(workflow, now=now, access_scope=part),
                **_moved(workflow, now=now, days=days, access_scope=part),
            )
        )
    return sorted(found, key=lambda side: (-(side.count or 0), side.title))


def _teams(workflow: Workflow, *, now: datetime, days: int, access_scope: AccessScope) -> list[Side]:
    by_team: dict[str, list[Any]] = defaultdict(list)
    for stage in stages_of(workflow, now=now, access_scope=access_scope):
        if stage.is_open:
            by_team[stage.owner].append(stage)
    arrived, departed = flows(workflow, now=now, back=timedelta(days=days), access_scope=access_scope)
    return [
        _side(
            gettext(owner.replace("_", " ").capitalize()),
            stages,
            arrived=sum(arrived[one.stage] for one in stages),
            departed=sum(departed[one.stage] for one in stages),
        )
        for owner, stages in by_team.items()
    ]


def _side(title: str, stages: list[Any], **moved: Any) -> Side:
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for stage in stages:
        if stage.amount:
            sums[stage.currency] += stage.amount
        for currency, amount in stage.other_amounts.items():
            sums[currency] += amount
    return Side(
        title=title,
        count=sum(stage.count or 0 for stage in stages),
        amounts=tuple(sorted(sums.items())),
        over_target=sum(stage.over_target or 0 for stage in stages),
        **moved,
    )


def _warehouses(workflow: Workflow, *, now: datetime, days: int, access_scope: AccessScope) -> list[Side]:
    model = mirror.models()[workflow.odoo_model]
    column = next((name for name in WAREHOUSE_OF if name in model.odoo_fields()), None)
    if column is None:
        return []
    statement = BY_WAREHOUSE.format(warehouse=WAREHOUSE_OF[column], table=model._meta.db_table, seen=access_scope.sql("p"))
    return [
        Side(
            title=name,
            count=count,
            amounts=((currency, amount),) if amount else (),
            over_target=over,
            median_age_seconds=int(median),
        )
        for name, currency, count, amount, over, median in rows(statement, {"workflow": workflow.name, "now": now})
    ]

"""The figures of the boards. Each is one named statement; ``docs`` gives the same ones, so that anybody can check."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection as database
from django.db.models import Q, QuerySet

from apps.accounts.sight import Sight
from apps.mirror import registry as mirror
from apps.workflows.declare import Workflow
from apps.workflows.models import Position

FLOW_WINDOW = timedelta(hours=24)
PAGE = 50

# Open stages alone, by the partial index positions_open: what is closed costs nothing, however much it grows.
STAGE_STATISTICS = """
    SELECT p.stage,
           count(*) AS count,
           percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM %(now)s - p.since)) AS median_age_seconds,
           extract(epoch FROM %(now)s - min(p.since)) AS oldest_age_seconds,
           count(*) FILTER (WHERE p.due_at < %(now)s) AS over_target
      FROM workflows_position p
     WHERE p.workflow = %(workflow)s AND p.is_open AND {seen}
     GROUP BY p.stage
"""

# Money is summed within a currency, never across.
STAGE_AMOUNTS = """
    SELECT p.stage, p.currency, sum(p.amount) AS amount,
           COALESCE(sum(p.amount) FILTER (WHERE p.due_at < %(now)s), 0) AS late_amount
      FROM workflows_position p
     WHERE p.workflow = %(workflow)s AND p.is_open AND p.amount IS NOT NULL AND {seen}
     GROUP BY p.stage, p.currency
"""

# Index transitions_by_time. A record that is first seen arrives; it departs from nowhere.
STAGE_FLOW = """
    SELECT t.to_stage, t.from_stage, count(*)
      FROM {transitions}
     WHERE t.workflow = %(workflow)s AND t.at > %(since)s AND t.at <= %(now)s
     GROUP BY t.to_stage, t.from_stage
"""

# Into the workflow's open stages from outside, and out of them, by the hour.
FLOW_BY_HOUR = """
    SELECT h.hour,
           count(t.id) FILTER (WHERE t.to_stage = ANY(%(open)s) AND NOT t.from_stage = ANY(%(open)s)) AS arrived,
           count(t.id) FILTER (WHERE t.from_stage = ANY(%(open)s) AND NOT t.to_stage = ANY(%(open)s)) AS departed
      FROM generate_series(date_trunc('hour', %(since)s::timestamptz) + interval '1 hour',
                           date_trunc('hour', %(now)s::timestamptz), interval '1 hour') AS h(hour)
      LEFT JOIN {transitions}
        ON t.workflow = %(workflow)s AND t.at >= h.hour AND t.at < h.hour + interval '1 hour'
     GROUP BY h.hour
     ORDER BY h.hour
"""


@dataclass(frozen=True, kw_only=True)
class StageFigures:
    """One stage of a board.

    Attributes:
        count, median_age_seconds, oldest_age_seconds, over_target: of the records that stand there now; None for a
            stage in which nothing waits any more.
        amount: their money in ``currency``, the one that most of it is in.
        other_amounts: sums in other currencies.
        late_amount: the part of ``amount`` that is over the stage's target.
        arrived_24h, departed_24h: transitions into and out of it in the last 24 hours, in Odoo's time.
    """

    stage: str
    title: str
    owner: str
    is_open: bool
    target_seconds: int | None
    count: int | None
    amount: Decimal | None
    currency: str
    median_age_seconds: int | None
    oldest_age_seconds: int | None
    over_target: int | None
    late_amount: Decimal
    arrived_24h: int
    departed_24h: int
    other_amounts: dict[str, Decimal] = field(default_factory=dict)

    @property
    def tone(self) -> str:
        """How the stage is marked: by the share of its records that are over the target."""
        if not self.is_open:
            return "done"
        if not self.count:
            return "idle"
        if not self.over_target:
            return "calm"
        return "late" if self.over_target * 4 >= self.count else "risk"


@dataclass(frozen=True, kw_only=True)
class Hour:
    """What came into a workflow and what left it in one hour."""

    hour: datetime
    arrived: int
    departed: int


@dataclass(frozen=True, kw_only=True)
class Board:
    """One workflow at one moment."""

    workflow: Workflow
    at: datetime
    stages: list[StageFigures]
    bottleneck: str
    is_clear: bool
    worst: str

    @property
    def open_count(self) -> int:
        """How many records are on their way."""
        return sum(stage.count or 0 for stage in self.stages)

    @property
    def over_target(self) -> int:
        """How many of them are over their stage's target."""
        return sum(stage.over_target or 0 for stage in self.stages)

    @property
    def amounts(self) -> dict[str, Decimal]:
        """Their money, by currency."""
        sums: dict[str, Decimal] = defaultdict(Decimal)
        for stage in self.stages:
            if stage.amount is not None:
                sums[stage.currency] += stage.amount
            for currency, amount in stage.other_amounts.items():
                sums[currency] += amount
        return dict(sorted(((currency, amount) for currency, amount in sums.items() if amount), key=lambda item: -item[1]))


def _rows(sql: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    with database.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchall()


def _transitions(workflow: Workflow, seen: Sight) -> str:
    """The transitions in sight, as ``t``. A transition's company is its record's, which is asked only where it matters."""
    if seen.is_everything:
        return "workflows_transition t"
    table = mirror.models()[workflow.odoo_model]._meta.db_table
    return (
        f"(workflows_transition t JOIN {table} r ON r.connection_id = t.connection_id AND r.odoo_id = t.odoo_id"
        f" AND {seen.sql('t', company='r.company_id')})"
    )


def stages_of(workflow: Workflow, *, now: datetime, seen: Sight) -> list[StageFigures]:
    """The figures of every stage, in the order of flow: three statements, whatever the number of records."""
    positions, transitions = seen.sql("p"), _transitions(workflow, seen)
    values = {"workflow": workflow.name, "now": now, "since": now - FLOW_WINDOW}
    standing = {row[0]: row[1:] for row in _rows(STAGE_STATISTICS.format(seen=positions), values)}
    money: dict[str, list[tuple[str, Decimal, Decimal]]] = defaultdict(list)
    for stage, currency, amount, late in _rows(STAGE_AMOUNTS.format(seen=positions), values):
        money[stage].append((currency, amount, late))
    arrived: dict[str, int] = defaultdict(int)
    departed: dict[str, int] = defaultdict(int)
    for to_stage, from_stage, count in _rows(STAGE_FLOW.format(transitions=transitions), values):
        arrived[to_stage] += count
        departed[from_stage] += count
    figures = []
    for stage in workflow.stages:
        count, median, oldest, over = standing.get(stage.name, (0, None, None, 0))
        sums = sorted(money[stage.name], key=lambda row: -row[1])
        figures.append(
            StageFigures(
                stage=stage.name, title=stage.title, owner=stage.owner, is_open=stage.is_open,
                target_seconds=int(stage.target.total_seconds()) if stage.target else None,
                count=count if stage.is_open else None,
                amount=(sums[0][1] if sums else Decimal(0)) if stage.is_open else None,
                currency=sums[0][0] if sums else "",
                other_amounts={currency: amount for currency, amount, _ in sums[1:]},
                late_amount=sums[0][2] if sums else Decimal(0),
                median_age_seconds=max(int(median), 0) if median is not None else None,
                oldest_age_seconds=max(int(oldest), 0) if oldest is not None else None,
                over_target=over if stage.is_open else None,
                arrived_24h=arrived[stage.name], departed_24h=departed[stage.name],
            )
        )  # fmt: skip
    return figures


def board(workflow: Workflow, *, now: datetime, seen: Sight) -> Board:
    """One workflow with its bottleneck named, of the records in sight."""
    stages = stages_of(workflow, now=now, seen=seen)
    sentence, worst = name_bottleneck(stages)
    return Board(workflow=workflow, at=now, stages=stages, bottleneck=sentence, is_clear=not worst, worst=worst)


def name_bottleneck(stages: list[StageFigures]) -> tuple[str, str]:
    """The stage that holds most of what is late, in a sentence, and its name; no name where nothing is late.

    Measured by money over target where there is any, else by the number of records over target.
    """
    late = [stage for stage in stages if stage.over_target]
    if not late:
        waiting = sum(stage.count or 0 for stage in stages)
        if not waiting:
            return "Nothing is on its way. The first record that Odoo tells of appears here by itself.", ""
        return "Every record is within its stage's target.", ""
    by_money = sum((stage.late_amount for stage in late), Decimal(0))
    if by_money > 0 and len({stage.currency for stage in late if stage.late_amount}) == 1:
        worst = max(late, key=lambda stage: (stage.late_amount, stage.over_target or 0))
        share = f"{round(worst.late_amount / by_money * 100)} % of the value"
    else:
        worst = max(late, key=lambda stage: stage.over_target or 0)
        share = f"{round(100 * (worst.over_target or 0) / sum(stage.over_target or 0 for stage in late))} % of the records"
    many = worst.over_target or 0
    trend = worst.arrived_24h - worst.departed_24h
    flow = f"in the last 24 hours {worst.arrived_24h} came and {worst.departed_24h} left" + (
        ", so it is filling up." if trend > 0 else ", so it is draining." if trend < 0 else "."
    )
    return f"{worst.title} holds {share} that is over target: {many} of {worst.count} records; {flow}", worst.stage


def flow_by_hour(workflow: Workflow, *, now: datetime, seen: Sight) -> list[Hour]:
    """What came into the workflow and what left it, for each of the last 24 hours."""
    values = {
        "workflow": workflow.name, "now": now, "since": now - FLOW_WINDOW,
        "open": [stage.name for stage in workflow.stages if stage.is_open],
    }  # fmt: skip
    rows = _rows(FLOW_BY_HOUR.format(transitions=_transitions(workflow, seen)), values)
    return [Hour(hour=hour, arrived=arrived, departed=departed) for hour, arrived, departed in rows]


def positions_in(
    workflow: str, stage: str, *, seen: Sight, after: str = "", only_late: bool = False, now: datetime
) -> QuerySet[Position]:
    """The records of one stage, the longest there first, one more than a page; ``after`` is "<since, ISO>~<id>"."""
    found = Position.objects.filter(seen.of_records(), workflow=workflow, stage=stage).select_related("connection")
    found = found.order_by("since", "id")
    if only_late:
        found = found.filter(due_at__lt=now)
    moment, _, last = after.partition("~")
    if last.isdecimal():
        try:
            since = datetime.fromisoformat(moment)
        except ValueError:
            return found[: PAGE + 1]
        found = found.filter(Q(since__gt=since) | Q(since=since, id__gt=int(last)))
    return found[: PAGE + 1]

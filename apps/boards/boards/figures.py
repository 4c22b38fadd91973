"""What a board says of each stage. Every figure is one named statement; ``docs/boards.md`` gives the same as plain queries.

Counts and sums come from tallies (:mod:`apps.workflows.tallies`), which say how many stand where since which day and until
when they are due. What a moment cuts, the day or hour in which it falls, is counted from the rows themselves by an index,
so that every figure is exact and none costs by how many records there are.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection as database
from django.utils.translation import gettext

from apps.accounts.access import AccessScope
from apps.boards.boards.kpi_slices import Part, in_part
from apps.boards.boards.zone import zone_in_sight, zone_midnight
from apps.core import statements
from apps.workflows import parameter_values
from apps.workflows.declare import Workflow

FLOW_WINDOW = timedelta(hours=24)
TREND_DAYS = 14
# Where the age of what stands in a stage is cut, in multiples of the stage's target.
AGE_CUTS = (0.5, 1.0, 2.0)

# Money is summed within a currency, never across. What falls due today is asked of the index positions_open_by_due.
MONEY = """
SELECT stage, currency, sum(amount) AS amount, sum(over_target) AS over_target, sum(late_amount) AS late_amount
  FROM (
    SELECT t.stage, t.currency, t.amount, CASE WHEN t.due_day < %(today)s THEN t.count ELSE 0 END AS over_target,
           CASE WHEN t.due_day < %(today)s THEN t.amount ELSE 0 END AS late_amount
      FROM workflows_standingtally t
     WHERE t.workflow = %(workflow)s AND {tallies}
     UNION ALL
    SELECT p.stage, p.currency, 0, 1, COALESCE(p.amount, 0)
      FROM workflows_position p
     WHERE p.workflow = %(workflow)s AND p.is_open AND p.due_at >= %(midnight)s AND p.due_at < %(now)s AND {positions}) AS one
 GROUP BY stage, currency
"""

# How many of a stage have stood there since before each of its cuts.
OLDER_THAN = """
SELECT cut.stage, cut.since,
       (SELECT COALESCE(sum(t.count), 0)
          FROM workflows_standingtally t
         WHERE t.workflow = %(workflow)s AND t.stage = cut.stage AND {tallies}
           AND t.since_day < (cut.since AT TIME ZONE 'UTC')::date)
       + (SELECT count(*)
            FROM workflows_position p
           WHERE p.workflow = %(workflow)s AND p.stage = cut.stage AND p.is_open AND {positions} AND p.since < cut.since
             AND p.since >= date_trunc('day', cut.since, 'UTC')) AS count
  FROM unnest(%(stages)s::text[], %(cuts)s::timestamptz[]) AS cut(stage, since)
"""

# Whole hours by their tallies, the two that the window cuts by the index transitions_by_time. A record that is first seen
# arrives; it departs from nowhere.
FLOW = """
SELECT to_stage, from_stage, sum(count)
  FROM (
    SELECT t.to_stage, t.from_stage, t.count
      FROM workflows_flowtally t
     WHERE t.workflow = %(workflow)s AND t.hour >= %(first_hour)s AND t.hour < %(last_hour)s AND {tallies}
     UNION ALL
    SELECT t.to_stage, t.from_stage, 1
      FROM workflows_transition t
     WHERE t.workflow = %(workflow)s AND t.at > %(since)s AND t.at < %(first_hour)s AND {tallies}
     UNION ALL
    SELECT t.to_stage, t.from_stage, 1
      FROM workflows_transition t
     WHERE t.workflow = %(workflow)s AND t.at >= %(last_hour)s AND t.at <= %(now)s AND {tallies}) AS moves
 GROUP BY to_stage, from_stage
"""
# The same of a part, whose moves are looked at once.
FLOW_OF_PART = """
SELECT t.to_stage, t.from_stage, count(*)
  FROM workflows_transition t
 WHERE t.workflow = %(workflow)s AND t.at > %(since)s AND t.at <= %(now)s AND {tallies} AND {part}
 GROUP BY t.to_stage, t.from_stage
"""

# What came into each stage less what left it, by the day of the company in sight.
NET_BY_DAY = """
SELECT (t.hour AT TIME ZONE %(zone)s)::date AS day, stage.name, sum(t.count * stage.sign)
  FROM {flow} t
 CROSS JOIN LATERAL (VALUES (t.to_stage, 1), (t.from_stage, -1)) AS stage(name, sign)
 WHERE t.workflow = %(workflow)s AND t.hour >= %(first_day)s AND {tallies}
 GROUP BY 1, 2
"""

# The hours of a part, as the tallies have those of all.
HOURS_OF_PART = """(
    SELECT m.connection_id, m.company_id, m.workflow, m.from_stage, m.to_stage, date_trunc('hour', m.at, 'UTC') AS hour, 1 AS count
      FROM workflows_transition m
     WHERE m.workflow = %(workflow)s AND m.at >= %({since})s AND m.at <= %(now)s AND {part})"""


@dataclass(frozen=True, kw_only=True)
class AgeBand:
    """A part of a stage's records by how long they have stood there, in shares of its target."""

    title: str
    tone: str
    count: int
    share: float


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
        ages: how they spread against the target; empty where there is none.
        trend: how many stood there at the end of each of the last :data:`TREND_DAYS` days, and now.
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
    ages: list[AgeBand] = field(default_factory=list)
    trend: list[int] = field(default_factory=list)

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

    @property
    def share_over(self) -> int | None:
        """The share of its records that are over the target, in percent; None where nothing stands there."""
        return round(100 * (self.over_target or 0) / self.count) if self.count else None


def rows(sql: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    """What a statement finds."""
    with database.cursor() as cursor:
        cursor.execute(sql, values)
        found: list[tuple[Any, ...]] = cursor.fetchall()
        return found


def window(*, now: datetime, back: timedelta) -> dict[str, datetime]:
    """The bounds of the last ``back``, with its whole hours, as :data:`FLOW` asks for them."""
    since, last_hour = now - back, now.replace(minute=0, second=0, microsecond=0)
    whole = since.replace(minute=0, second=0, microsecond=0)
    first_hour = min(whole if whole == since else whole + timedelta(hours=1), last_hour)
    return {"since": since, "first_hour": first_hour, "last_hour": last_hour, "now": now}


def flow_source(workflow: Workflow, part: Part | None, *, since: str) -> str:
    """Return what is read as the tallies of moves: the tallies, or of a part the moves since the value ``since``, by the hour."""
    return HOURS_OF_PART.format(since=since, part=part.sql_of(workflow.odoo_model, "m")) if part else "workflows_flowtally"


def flows(
    workflow: Workflow, *, now: datetime, back: timedelta, access_scope: AccessScope, part: Part | None = None
) -> tuple[dict[str, int], dict[str, int]]:
    """How many came into each stage, and how many left it, in the time ``back`` until ``now``."""
    arrived: dict[str, int] = defaultdict(int)
    departed: dict[str, int] = defaultdict(int)
    values = {"workflow": workflow.name} | window(now=now, back=back)
    of_part = FLOW_OF_PART if part else FLOW
    statement = of_part.format(tallies=access_scope.sql("t"), part=in_part(part, workflow.odoo_model, "t"))
    for to_stage, from_stage, count in rows(statement, values):
        arrived[to_stage] += int(count)
        departed[from_stage] += int(count)
    return arrived, departed


def levels(
    workflow: Workflow, standing: dict[str, int], *, now: datetime, days: int, access_scope: AccessScope, part: Part | None = None
) -> tuple[list[datetime], dict[str, list[int]]]:
    """How many stood in each open stage at the end of each of the last ``days`` days of the company in sight, and now, the last.

    Told backwards from ``standing``: what came after a day's end is taken off, what left is put back.
    """
    zone = zone_in_sight(access_scope)
    # Each day's beginning is the end of the one before.
    ends = [zone_midnight(now, zone=zone, back=back) for back in range(days)]
    net: dict[tuple[Any, str], int] = defaultdict(int)
    values = {"workflow": workflow.name, "first_day": ends[-1], "now": now, "zone": zone.key}
    statement = NET_BY_DAY.format(flow=flow_source(workflow, part, since="first_day"), tallies=access_scope.sql("t"))
    for day, stage, count in rows(statement, values):
        net[day, stage] += int(count)
    found: dict[str, list[int]] = {}
    for stage in workflow.stages:
        if not stage.is_open:
            continue
        level = standing.get(stage.name, 0)
        told = [level]
        for end in ends:
            level -= net[end.date(), stage.name]
            told.append(max(level, 0))
        found[stage.name] = told[::-1]
    return [*reversed(ends), now], found


def _bands(cut: list[int], count: int) -> list[AgeBand]:
    bounds = [count, *cut, 0]
    titles = (
        (gettext("under half the target"), "calm"),
        (gettext("up to the target"), "calm-2"),
        (gettext("up to twice the target"), "risk"),
        (gettext("over twice the target"), "late"),
    )
    return [
        AgeBand(
            title=title,
            tone=tone,
            count=bounds[number] - bounds[number + 1],
            share=round(100 * (bounds[number] - bounds[number + 1]) / count, 1),
        )
        for number, (title, tone) in enumerate(titles)
    ]


def _cuts(workflow: Workflow, targets: Mapping[str, timedelta], now: datetime) -> list[tuple[str, datetime]]:
    """The moments at which the ages of each stage that has a target are cut."""
    stages = [stage.name for stage in workflow.stages if stage.is_open and stage.name in targets]
    return [(stage, now - targets[stage] * cut) for stage in stages for cut in AGE_CUTS]


def _older(workflow: Workflow, cuts: list[tuple[str, datetime]], access_scope: AccessScope) -> dict[tuple[str, datetime], int]:
    values = {"workflow": workflow.name, "stages": [name for name, _ in cuts], "cuts": [since for _, since in cuts]}
    statement = OLDER_THAN.format(tallies=access_scope.sql("t"), positions=access_scope.sql("p"))
    return {(stage, since): int(count) for stage, since, count in (rows(statement, values) if cuts else [])}


def ages_of_stages(access_scope: AccessScope) -> str:
    """Return the statement of how many stand in each stage, and of the ages of the middle and the oldest of them."""
    return statements.load(__file__, "ages", tallies=access_scope.sql("t"), positions=access_scope.sql("p"))


@dataclass(kw_only=True)
class Standing:
    """What stands in the stages now, by stage.

    Attributes:
        counts, medians, oldest: how many stand there, and for how many seconds the middle and the oldest of them have.
        money: currency, sum and late sum, of each currency; ``over``: how many are over the target.
        older: how many have stood there since before each of its cuts.
    """

    counts: dict[str, int] = field(default_factory=dict)
    medians: dict[str, float] = field(default_factory=dict)
    oldest: dict[str, float] = field(default_factory=dict)
    money: dict[str, list[tuple[str, Decimal, Decimal]]] = field(default_factory=lambda: defaultdict(list))
    over: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    older: dict[tuple[str, datetime], int] = field(default_factory=dict)

    def add_money(self, stage: str, currency: str, amount: Decimal, late_amount: Decimal) -> None:
        """Take the sums of one currency, where there are any."""
        if amount or late_amount:
            self.money[stage].append((currency, amount, late_amount))


def standing_of(
    workflow: Workflow, targets: Mapping[str, timedelta], *, now: datetime, access_scope: AccessScope, part: Part | None = None
) -> Standing:
    """What stands in each stage: of all in sight three statements by tallies; of a part one, over its open records."""
    found, cuts = Standing(), _cuts(workflow, targets, now)
    if part:
        statement = statements.load(
            __file__, "standing_of_part", positions=access_scope.sql("p"), part=part.sql_of(workflow.odoo_model, "p")
        )
        values = {"workflow": workflow.name, "now": now, "stages": list(dict.fromkeys(stage for stage, _ in cuts))}
        by_place = {f"cut_{place}": [since for _, since in cuts[place :: len(AGE_CUTS)]] for place in range(len(AGE_CUTS))}
        for stage, is_whole, currency, count, median, oldest, over, amount, late, *older in rows(statement, values | by_place):
            if not is_whole:
                found.add_money(stage, currency, amount, late)
                continue
            found.counts[stage], found.medians[stage], found.oldest[stage], found.over[stage] = count, median, oldest, over
            found.older |= dict(zip([cut for cut in cuts if cut[0] == stage], older, strict=False))
        return found
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    values = {"workflow": workflow.name, "now": now, "today": midnight.date(), "midnight": midnight}
    for stage, total, median, oldest in rows(ages_of_stages(access_scope), values):
        found.counts[stage], found.medians[stage], found.oldest[stage] = int(total), median, oldest
    for stage, currency, amount, late, late_amount in rows(
        MONEY.format(tallies=access_scope.sql("t"), positions=access_scope.sql("p")), values
    ):
        found.over[stage] += int(late)
        found.add_money(stage, currency, amount, late_amount)
    found.older = _older(workflow, [cut for cut in cuts if found.counts.get(cut[0])], access_scope)
    return found


def stages_of(workflow: Workflow, *, now: datetime, access_scope: AccessScope, part: Part | None = None) -> list[StageFigures]:
    """The figures of every stage, in the order of flow: seven statements, whatever the number of records; of a part five."""
    targets = parameter_values.targets_in(workflow, access_scope)
    standing = standing_of(workflow, targets, now=now, access_scope=access_scope, part=part)
    arrived, departed = flows(workflow, now=now, back=FLOW_WINDOW, access_scope=access_scope, part=part)
    _, trends = levels(workflow, standing.counts, now=now, days=TREND_DAYS, access_scope=access_scope, part=part)
    figures = []
    for stage in workflow.stages:
        name = stage.name
        count, median, oldest = standing.counts.get(name, 0), standing.medians.get(name), standing.oldest.get(name)
        sums = sorted(standing.money[name], key=lambda row: -row[1])
        cuts = [standing.older[name, now - targets[name] * cut] for cut in AGE_CUTS] if count and name in targets else None
        figures.append(
            StageFigures(
                stage=name,
                title=gettext(stage.title),
                owner=stage.owner,
                is_open=stage.is_open,
                target_seconds=int(targets[name].total_seconds()) if name in targets else None,
                count=count if stage.is_open else None,
                amount=(sums[0][1] if sums else Decimal(0)) if stage.is_open else None,
                currency=sums[0][0] if sums else "",
                other_amounts={currency: amount for currency, amount, _ in sums[1:]},
                late_amount=sums[0][2] if sums else Decimal(0),
                median_age_seconds=max(int(median), 0) if median is not None else None,
                oldest_age_seconds=max(int(oldest), 0) if oldest is not None else None,
                over_target=standing.over[name] if stage.is_open else None,
                arrived_24h=arrived[name],
                departed_24h=departed[name],
                ages=_bands(cuts, count) if cuts else [],
                trend=trends.get(name, []),
            )
        )
    return figures

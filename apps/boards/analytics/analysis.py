"""How a workflow has flowed: ages, levels, cycle times, paths and throughput, each with the records behind it."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any
from urllib.parse import urlencode

from django.utils.translation import gettext

from apps.accounts.access import AccessScope
from apps.boards.boards.figures import OLDER_THAN, ages_of_stages, levels, rows
from apps.boards.boards.zone import zone_in_sight, zone_midnight
from apps.core.templatetags.show import span
from apps.workflows.declare import Workflow

PERIODS = (7, 28, 84)
MOST_RECORDS = 50
# Where ages and cycle times are cut, in hours, with the words for what lies below each.
CUTS = ((4, "4 h"), (24, "1 d"), (48, "2 d"), (96, "4 d"), (168, "7 d"), (336, "14 d"), (672, "28 d"))

# Whole hours, by their tallies; days of the company in sight.
THROUGHPUT = """
SELECT d.day::date,
       COALESCE(sum(t.count) FILTER (WHERE t.to_stage = ANY(%(open)s) AND NOT t.from_stage = ANY(%(open)s)), 0) AS arrived,
       COALESCE(sum(t.count) FILTER (WHERE t.from_stage = ANY(%(open)s) AND NOT t.to_stage = ANY(%(open)s)), 0) AS departed
  FROM generate_series(%(first)s::timestamptz AT TIME ZONE %(zone)s, %(now)s::timestamptz AT TIME ZONE %(zone)s,
                       interval '1 day') AS d(day)
  LEFT JOIN workflows_flowtally t
    ON t.workflow = %(workflow)s AND t.hour >= d.day AT TIME ZONE %(zone)s
   AND t.hour < (d.day + interval '1 day') AT TIME ZONE %(zone)s AND {tallies}
 GROUP BY 1
 ORDER BY 1
"""

PATHS = """
SELECT t.from_stage, t.to_stage, sum(t.count)
  FROM workflows_flowtally t
 WHERE t.workflow = %(workflow)s AND t.hour >= %(first)s AND {tallies}
 GROUP BY t.from_stage, t.to_stage
HAVING sum(t.count) > 0
"""

# A record's way ends when it leaves the open stages; it began when the tower first knew it, by Odoo's time.
ENDED = """
SELECT t.connection_id, t.odoo_id, t.at, extract(epoch FROM t.at - began.at) / 3600 AS hours
  FROM workflows_transition t
 CROSS JOIN LATERAL (
   SELECT min(b.at) AS at
     FROM workflows_transition b
    WHERE b.connection_id = t.connection_id AND b.model = %(model)s AND b.odoo_id = t.odoo_id AND b.workflow = %(workflow)s
      AND b.at <= t.at) AS began
 WHERE t.workflow = %(workflow)s AND t.at >= %(first)s AND t.at <= %(now)s
   AND t.from_stage = ANY(%(open)s) AND NOT t.to_stage = ANY(%(open)s) AND {seen}
"""
CYCLE_TIMES = f"""
SELECT width_bucket(e.hours::float8, %(cuts)s::float8[]), count(*)
  FROM ({ENDED}) AS e GROUP BY 1
"""
QUANTILES = f"""
SELECT count(*), percentile_cont(ARRAY[0.5, 0.85, 0.95]) WITHIN GROUP (ORDER BY e.hours::float8) FROM ({ENDED}) AS e
"""


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One figure of a heat map: how many, how dark, and where the records are."""

    count: int
    shade: int
    href: str


@dataclass(frozen=True, kw_only=True)
class HeatRow:
    """One stage of the ageing heat map."""

    title: str
    cells: list[Cell]


@dataclass(frozen=True, kw_only=True)
class Bin:
    """A bar of the cycle-time distribution."""

    title: str
    count: int
    href: str


@dataclass(frozen=True, kw_only=True)
class Day:
    """What came into the workflow's open stages from outside, and what left them, on one day."""

    day: date
    arrived: int
    departed: int
    href: str


@dataclass(frozen=True, kw_only=True)
class Path:
    """A way that records really took: ``is_back`` where it leads to an earlier stage."""

    from_stage: str
    to_stage: str
    from_title: str
    to_title: str
    count: int
    is_back: bool
    href: str


@dataclass(frozen=True, kw_only=True)
class Analysis:
    """One workflow over the last ``days``, as the time zone ``zone`` counts them."""

    days: int
    zone: str
    headings: list[str]
    heat: list[HeatRow]
    moments: list[datetime]
    levels: list[tuple[str, list[int]]]
    bins: list[Bin]
    ended: int
    quantiles: list[float]
    paths: list[Path]
    throughput: list[Day]

    @property
    def cycle_seconds(self) -> list[float]:
        """The quantiles of the cycle time, in seconds."""
        return [hours * 3600 for hours in self.quantiles]


def _cuts() -> list[str]:
    """The cuts in the reader's language."""
    return [span(hours * 3600) for hours, _ in CUTS]


def between(words: list[str]) -> list[str]:
    """What lies between cuts, in words: under 4 h, 4 h to 1 d, …, 28 d and more."""
    between = (gettext("%(one)s to %(other)s") % {"one": one, "other": other} for one, other in pairwise(words))
    return [gettext("under %(value)s") % {"value": words[0]}, *between, gettext("over %(value)s") % {"value": words[-1]}]


def analysis_of(workflow: Workflow, *, now: datetime, days: int, access_scope: AccessScope) -> Analysis:
    """Everything on the page; each part is one or two statements."""
    zone = zone_in_sight(access_scope)
    first = zone_midnight(now, zone=zone, back=days - 1)
    opened = [stage.name for stage in workflow.stages if stage.is_open]
    values = {
        "workflow": workflow.name,
        "model": workflow.odoo_model,
        "now": now,
        "first": first,
        "open": opened,
        "cuts": [float(hours) for hours, _ in CUTS],
        "zone": zone.key,
    }
    sights = {"tallies": access_scope.sql("t"), "positions": access_scope.sql("p")}
    standing = {stage: int(total) for stage, total, _, _ in rows(ages_of_stages(access_scope), values)}
    moments, told = levels(workflow, standing, now=now, days=days, access_scope=access_scope)
    titles = {stage.name: gettext(stage.title) for stage in workflow.stages}
    ended, quantiles = rows(QUANTILES.format(seen=access_scope.sql("t")), values)[0]
    return Analysis(
        days=days,
        zone=zone.key,
        headings=between(_cuts()),
        heat=_heat(workflow, standing, sights, now=now),
        moments=moments,
        levels=[(titles[name], counts) for name, counts in told.items()],
        bins=_bins(workflow, values, access_scope),
        ended=int(ended),
        quantiles=[float(one) for one in quantiles or []],
        paths=_paths(workflow, values, access_scope),
        throughput=_throughput(workflow, values, access_scope),
    )


def _heat(workflow: Workflow, standing: dict[str, int], sights: dict[str, str], *, now: datetime) -> list[HeatRow]:
    stages = [stage for stage in workflow.stages if stage.is_open]
    cuts = [(stage.name, now - timedelta(hours=hours)) for stage in stages for hours, _ in CUTS]
    values = {"workflow": workflow.name, "stages": [name for name, _ in cuts], "cuts": [since for _, since in cuts]}
    older = {(stage, since): int(count) for stage, since, count in rows(OLDER_THAN.format(**sights), values)}
    most, found = 0, []
    for stage in stages:
        bounds = [now - timedelta(hours=hours) for hours, _ in CUTS]
        beyond = [standing.get(stage.name, 0), *(older[stage.name, since] for since in bounds), 0]
        counts = [beyond[number] - beyond[number + 1] for number in range(len(bounds) + 1)]
        most = max(most, *counts)
        found.append((stage, bounds, counts))
    return [
        HeatRow(
            title=gettext(stage.title),
            cells=[
                Cell(count=count, shade=_shade(count, most), href=_ages(workflow.name, stage.name, bounds, number))
                for number, count in enumerate(counts)
            ],
        )
        for stage, bounds, counts in found
    ]


def _shade(count: int, most: int) -> int:
    """0 to 5, so that a tenth of the most is still seen."""
    return 0 if not count else min(5, 1 + int(4 * (count / most) ** 0.5)) if most else 0


def _ages(workflow: str, stage: str, bounds: list[datetime], number: int) -> str:
    query = {}
    if number > 0:
        query["since_to"] = bounds[number - 1].isoformat()
    if number < len(bounds):
        query["since_from"] = bounds[number].isoformat()
    return f"/boards/{workflow}/{stage}/?{urlencode(query)}"


def _moves(workflow: str, **query: Any) -> str:
    return f"/boards/{workflow}/moves/?{urlencode({name: value for name, value in query.items() if value is not None})}"


def _bins(workflow: Workflow, values: dict[str, Any], access_scope: AccessScope) -> list[Bin]:
    found = dict(rows(CYCLE_TIMES.format(seen=access_scope.sql("t")), values))
    hours = [number for number, _ in CUTS]
    return [
        Bin(
            title=title,
            count=found.get(number, 0),
            href=_moves(
                workflow.name,
                ended=1,
                first=values["first"].isoformat(),
                took_from=hours[number - 1] if number else None,
                took_to=hours[number] if number < len(hours) else None,
            ),
        )
        for number, title in enumerate(between(_cuts()))
    ]


def _paths(workflow: Workflow, values: dict[str, Any], access_scope: AccessScope) -> list[Path]:
    order = {stage.name: number for number, stage in enumerate(workflow.stages)}
    titles = {stage.name: gettext(stage.title) for stage in workflow.stages}
    titles |= {"": gettext("First seen"), "deleted": gettext("Deleted"), "left": gettext("Out")}
    found = [
        Path(
            from_stage=start,
            to_stage=end,
            from_title=titles.get(start, start),
            to_title=titles.get(end, end),
            count=int(count),
            is_back=order.get(end, 99) < order.get(start, -1),
            href=_moves(workflow.name, **{"from": start, "to": end, "first": values["first"].isoformat()}),
        )
        for start, end, count in rows(PATHS.format(tallies=access_scope.sql("t")), values)
    ]
    return sorted(found, key=lambda path: (-path.count, path.from_title, path.to_title))


def _throughput(workflow: Workflow, values: dict[str, Any], access_scope: AccessScope) -> list[Day]:
    return [
        Day(day=day, arrived=int(arrived), departed=int(departed), href=_moves(workflow.name, ended=1, day=day.isoformat()))
        for day, arrived, departed in rows(THROUGHPUT.format(tallies=access_scope.sql("t")), values)
    ]


@dataclass(frozen=True, kw_only=True)
class Moved:
    """One move of one record, as a list shows it. ``hours`` is how long its whole way took, where it ended."""

    connection: str
    model: str
    odoo_id: int
    name: str
    from_title: str
    to_title: str
    at: datetime
    hours: float | None
    id: int

    @property
    def seconds(self) -> float | None:
        """How long the whole way took, in seconds."""
        return None if self.hours is None else self.hours * 3600


MOVED = """
SELECT k.name, t.model, t.odoo_id, COALESCE(p.name, t.model || ' ' || t.odoo_id), t.from_stage, t.to_stage, t.at,
       {took}, t.id
  FROM workflows_transition t
  JOIN odoo_connection k ON k.id = t.connection_id
  LEFT JOIN workflows_position p ON p.connection_id = t.connection_id AND p.workflow = t.workflow AND p.odoo_id = t.odoo_id
  {began}
 WHERE t.workflow = %(workflow)s AND t.at >= %(first)s AND t.at < %(last)s AND {seen} AND {wanted}
 ORDER BY t.at DESC, t.id DESC
 LIMIT %(limit)s
"""
BEGAN = """
  CROSS JOIN LATERAL (
    SELECT min(b.at) AS at FROM workflows_transition b
     WHERE b.connection_id = t.connection_id AND b.model = t.model AND b.odoo_id = t.odoo_id AND b.workflow = t.workflow
       AND b.at <= t.at) AS began
"""


def moves(
    workflow: Workflow,
    *,
    first: datetime,
    last: datetime,
    access_scope: AccessScope,
    from_stage: str | None = None,
    to_stage: str | None = None,
    is_ended: bool = False,
    took: tuple[float | None, float | None] = (None, None),
    before: tuple[datetime, int] | None = None,
) -> list[Moved]:
    """The moves behind a figure, the newest first, one more than a page."""
    opened = [stage.name for stage in workflow.stages if stage.is_open]
    values: dict[str, Any] = {
        "workflow": workflow.name,
        "first": first,
        "last": last,
        "open": opened,
        "from": from_stage,
        "to": to_stage,
        "took_from": took[0],
        "took_to": took[1],
        "limit": MOST_RECORDS + 1,
    }
    wanted = ["TRUE"]
    if from_stage is not None:
        wanted.append("t.from_stage = %(from)s")
    if to_stage is not None:
        wanted.append("t.to_stage = %(to)s")
    if is_ended:
        wanted.append("t.from_stage = ANY(%(open)s) AND NOT t.to_stage = ANY(%(open)s)")
    hours = "extract(epoch FROM t.at - began.at)::float8 / 3600"
    if took[0] is not None:
        wanted.append(f"{hours} >= %(took_from)s")
    if took[1] is not None:
        wanted.append(f"{hours} < %(took_to)s")
    if before is not None:
        wanted.append("(t.at, t.id) < (%(before)s, %(before_id)s)")
        values |= {"before": before[0], "before_id": before[1]}
    statement = MOVED.format(
        took=hours if is_ended else "NULL::float8",
        began=BEGAN if is_ended or took != (None, None) else "",
        seen=access_scope.sql("t"),
        wanted=" AND ".join(wanted),
    )
    titles: dict[str, str] = defaultdict(str, {stage.name: gettext(stage.title) for stage in workflow.stages})
    return [
        Moved(
            connection=connection,
            model=model,
            odoo_id=odoo_id,
            name=name,
            from_title=titles[start] or start or gettext("First seen"),
            to_title=titles[end] or end,
            at=at,
            hours=hours_taken,
            id=number,
        )
        for connection, model, odoo_id, name, start, end, at, hours_taken, number in rows(statement, values)
    ]

"""The boards: each workflow's stages with its bottleneck named, its flow, and the records behind every figure."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.db.models import BooleanField, Q, QuerySet
from django.db.models.expressions import RawSQL
from django.utils.translation import gettext

from apps.accounts.access import AccessScope
from apps.boards.boards.figures import FLOW_WINDOW, StageFigures, flow_source, rows, stages_of
from apps.boards.boards.kpi_slices import Part
from apps.core.templatetags.show import number
from apps.exceptions.causes import pages
from apps.exceptions.models import ExceptionCase
from apps.workflows.declare import Workflow
from apps.workflows.models import Position

PAGE = 50
# A stage that holds records for longer than its target, or takes in more than it lets go, is told so.
MUCH_SLOWER = 1.2

# Into the workflow's open stages from outside, and out of them, by the hour.
FLOW_BY_HOUR = """
SELECT h.hour,
       COALESCE(sum(t.count) FILTER (WHERE t.to_stage = ANY(%(open)s) AND NOT t.from_stage = ANY(%(open)s)), 0) AS arrived,
       COALESCE(sum(t.count) FILTER (WHERE t.from_stage = ANY(%(open)s) AND NOT t.to_stage = ANY(%(open)s)), 0) AS departed
  FROM generate_series(date_trunc('hour', %(since)s::timestamptz, 'UTC') + interval '1 hour',
                       date_trunc('hour', %(now)s::timestamptz, 'UTC'), interval '1 hour') AS h(hour)
  LEFT JOIN {flow} t ON t.workflow = %(workflow)s AND t.hour = h.hour AND {tallies}
 GROUP BY h.hour
 ORDER BY h.hour
"""


@dataclass(frozen=True, kw_only=True)
class Hour:
    """What came into a workflow and what left it in one hour."""

    hour: datetime
    arrived: int
    departed: int


@dataclass(frozen=True, kw_only=True)
class Reason:
    """One figure that speaks for a stage being the bottleneck, or against it."""

    word: str
    text: str
    is_bad: bool


@dataclass(frozen=True, kw_only=True)
class Board:
    """One workflow at one moment.

    Attributes:
        bottleneck: the stage that holds most of what is late, in a sentence; ``worst`` is its name, "" where all is clear.
        why: age, flow, value and share breached of that stage.
        relief: what would bring it back within its target.
        cause: the record that holds up most of the bottleneck's, in a sentence; "" where none holds up several.
    """

    workflow: Workflow
    at: datetime
    stages: list[StageFigures]
    bottleneck: str
    is_clear: bool
    worst: str
    why: list[Reason]
    relief: str
    cause: str
    cause_href: str

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


def board(workflow: Workflow, *, now: datetime, access_scope: AccessScope, part: Part | None = None) -> Board:
    """One workflow with its bottleneck named, of the records in sight, or of those of them that are of a part of the business."""
    stages = stages_of(workflow, now=now, access_scope=access_scope, part=part)
    sentence, worst = name_bottleneck(stages, is_part=part is not None)
    found = next((stage for stage in stages if stage.stage == worst), None)
    cause, cause_href = _cause(workflow, worst, access_scope, part)
    return Board(
        workflow=workflow,
        at=now,
        stages=stages,
        bottleneck=sentence,
        is_clear=not worst,
        worst=worst,
        why=why(found) if found else [],
        relief=relief(found) if found else "",
        cause=cause,
        cause_href=cause_href,
    )


def _cause(workflow: Workflow, stage: str, access_scope: AccessScope, part: Part | None) -> tuple[str, str]:
    of_part = _of_part(part, workflow, ExceptionCase)
    found = pages.largest_of_stage(workflow.name, stage, access_scope, of_part) if stage else None
    if found is None:
        return "", ""
    group, records = found
    name = ", ".join(filter(None, [group.name, group.about]))
    said = gettext("%(n)s of its records wait for one cause: %(name)s.") % {"n": records, "name": name}
    return said, f"/exceptions/causes/{group.pk}/"


def _of_part(part: Part | None, workflow: Workflow, rows_of: type[Position] | type[ExceptionCase]) -> Q:
    """The filter for rows that name a record of the part; none where none is asked for."""
    if part is None:
        return Q()
    return Q(RawSQL(part.sql_of(workflow.odoo_model, rows_of._meta.db_table), (), output_field=BooleanField()))


def name_bottleneck(stages: list[StageFigures], *, is_part: bool = False) -> tuple[str, str]:
    """The stage that holds most of what is late, in a sentence, and its name; no name where nothing is late.

    Measured by money over target where there is any, else by the number of records over target; either with what a day like the
    last one adds to it or takes from it, so that a stage that fills up comes before one that drains.
    """
    late = [stage for stage in stages if stage.over_target]
    if not late:
        waiting = sum(stage.count or 0 for stage in stages)
        if not waiting and is_part:
            return gettext("No records in progress match these filters."), ""
        if not waiting:
            return gettext("No records in progress. Records from Odoo appear here automatically."), ""
        return gettext("Every record is within its stage's target."), ""
    by_money = sum((stage.late_amount for stage in late), Decimal(0))
    if by_money > 0 and len({stage.currency for stage in late if stage.late_amount}) == 1:
        worst = max(late, key=lambda stage: (_late_tomorrow(stage), stage.late_amount, stage.over_target or 0))
        share = gettext("%(percent)s %% of the value") % {"percent": round(worst.late_amount / by_money * 100)}
    else:
        worst = max(late, key=lambda stage: (max((stage.over_target or 0) + _net(stage), 0), stage.over_target or 0))
        part = round(100 * (worst.over_target or 0) / sum(stage.over_target or 0 for stage in late))
        share = gettext("%(percent)s %% of the records") % {"percent": part}
    many = worst.over_target or 0
    if _net(worst) > 0:
        told = gettext("%(came)s in and %(left)s out in the last 24 hours: the backlog is growing.")
    elif _net(worst) < 0:
        told = gettext("%(came)s in and %(left)s out in the last 24 hours: the backlog is shrinking.")
    else:
        told = gettext("%(came)s in and %(left)s out in the last 24 hours.")
    flow = told % {"came": worst.arrived_24h, "left": worst.departed_24h}
    sentence = gettext("%(stage)s holds %(share)s over target: %(many)s of %(count)s records; %(flow)s") % {
        "stage": worst.title,
        "share": share,
        "many": many,
        "count": worst.count,
        "flow": flow,
    }
    return sentence, worst.stage


def _net(stage: StageFigures) -> int:
    """By how many records the last 24 hours changed the stage."""
    return stage.arrived_24h - stage.departed_24h


def _late_tomorrow(stage: StageFigures) -> Decimal:
    """The stage's late money with what a day like the last one adds or takes, at the mean value of a record there."""
    mean = (stage.amount or Decimal(0)) / stage.count if stage.count else Decimal(0)
    return max(stage.late_amount + _net(stage) * mean, Decimal(0))


def why(stage: StageFigures) -> list[Reason]:
    """The four figures by which a stage is judged, each as it stands."""
    found = []
    if stage.target_seconds and stage.median_age_seconds is not None:
        times = stage.median_age_seconds / stage.target_seconds
        found.append(
            Reason(
                word=gettext("Age"), text=gettext("median %(times)s × the target") % {"times": number(times, 1)}, is_bad=times > 1
            )
        )
    if stage.departed_24h:
        rate = stage.arrived_24h / stage.departed_24h
        found.append(Reason(word=gettext("Inflow / outflow, 24 h"), text=number(rate, 2), is_bad=rate > MUCH_SLOWER))
    else:
        text = (
            gettext("%(arrived_24h)s in, none out") % {"arrived_24h": stage.arrived_24h}
            if stage.arrived_24h
            else gettext("nothing in or out")
        )
        found.append(Reason(word=gettext("Inflow / outflow, 24 h"), text=text, is_bad=stage.arrived_24h > 0))
    if stage.amount:
        percent = round(100 * stage.late_amount / stage.amount)
        text = gettext("%(percent)s %% of the backlog here") % {"percent": percent}
        found.append(Reason(word=gettext("Late value"), text=text, is_bad=stage.late_amount * 4 >= stage.amount))
    found.append(
        Reason(
            word=gettext("Over target"),
            text=gettext("%(share_over)s %% of its records") % {"share_over": stage.share_over},
            is_bad=stage.tone == "late",
        )
    )
    return found


def relief(stage: StageFigures) -> str:
    """What it takes, by the stage's own figures, to hold its level and to clear what is late within a day."""
    owner = gettext(stage.owner.replace("_", " ").capitalize())
    late, growing = stage.over_target or 0, _net(stage)
    clear = gettext("clearing the %(late)s late ones within a day takes %(rate)s a day instead of %(now)s") % {
        "late": late,
        "rate": stage.departed_24h + late,
        "now": stage.departed_24h,
    }
    if growing > 0:
        told = gettext("For %(owner)s: %(growing)s more a day would keep the backlog level; %(clear)s.")
        return told % {"owner": owner, "growing": growing, "clear": clear}
    return gettext("For %(owner)s: the backlog is stable; %(clear)s.") % {"owner": owner, "clear": clear}


def worst_of(boards: list[Board]) -> Board | None:
    """The board on which most late money of one currency stands, or gathers, in one stage. None where none does.

    Currencies are not weighed against each other: the one in which most boards are late is looked at.
    """
    late = [(board, stage) for board in boards for stage in board.stages if stage.stage == board.worst and stage.late_amount]
    if not late:
        return None
    tally: dict[str, int] = defaultdict(int)
    for _, stage in late:
        tally[stage.currency] += 1
    most = max(tally, key=lambda currency: (tally[currency], currency))
    return max((one for one in late if one[1].currency == most), key=lambda one: (_late_tomorrow(one[1]), one[1].late_amount))[0]


def flow_by_hour(workflow: Workflow, *, now: datetime, access_scope: AccessScope, part: Part | None = None) -> list[Hour]:
    """What came into the workflow and what left it, for each of the last 24 hours."""
    values = {
        "workflow": workflow.name,
        "now": now,
        "since": now - FLOW_WINDOW,
        "open": [stage.name for stage in workflow.stages if stage.is_open],
    }
    found = rows(FLOW_BY_HOUR.format(flow=flow_source(workflow, part, since="since"), tallies=access_scope.sql("t")), values)
    return [Hour(hour=hour, arrived=int(arrived), departed=int(departed)) for hour, arrived, departed in found]


@dataclass(frozen=True, kw_only=True)
class Narrowed:
    """Which records of a stage are meant: what a figure of a board stands for.

    Attributes:
        only_late: those over the stage's target.
        due_within: those that are due within so many hours, and not yet late.
        since_from, since_to: those that have stood there since then.
        part: those of a part of the business.
    """

    only_late: bool = False
    due_within: int | None = None
    since_from: datetime | None = None
    since_to: datetime | None = None
    part: Part | None = None


EVERY_RECORD = Narrowed()


def positions_of(
    workflow: Workflow, stage: str, *, access_scope: AccessScope, now: datetime, narrowed: Narrowed = EVERY_RECORD
) -> QuerySet[Position]:
    """The records of one stage, the longest there first."""
    of_part = _of_part(narrowed.part, workflow, Position)
    found = Position.objects.filter(access_scope.of_records(), of_part, workflow=workflow.name, stage=stage).select_related(
        "connection"
    )
    if narrowed.only_late:
        found = found.filter(due_at__lt=now)
    if narrowed.due_within is not None:
        found = found.filter(due_at__gte=now, due_at__lt=now + timedelta(hours=narrowed.due_within))
    if narrowed.since_from is not None:
        found = found.filter(since__gte=narrowed.since_from)
    if narrowed.since_to is not None:
        found = found.filter(since__lt=narrowed.since_to)
    return found.order_by("since", "id")


def positions_in(
    workflow: Workflow, stage: str, *, access_scope: AccessScope, after: str = "", now: datetime, narrowed: Narrowed = EVERY_RECORD
) -> QuerySet[Position]:
    """The same, one more than a page; ``after`` is "<since, ISO>~<id>"."""
    found = positions_of(workflow, stage, access_scope=access_scope, now=now, narrowed=narrowed)
    moment, _, last = after.partition("~")
    if last.isdecimal():
        try:
            since = datetime.fromisoformat(moment)
        except ValueError:
            return found[: PAGE + 1]
        found = found.filter(Q(since__gt=since) | Q(since=since, id__gt=int(last)))
    return found[: PAGE + 1]

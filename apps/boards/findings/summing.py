"""What the findings come to over some days: how many records, what they are worth, how long it took, and which records they are."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import OperationalError
from django.db import connection as database
from django.utils.translation import gettext
from psycopg.errors import QueryCanceled

from apps.accounts.access import AccessScope
from apps.accounts.models import Team, User
from apps.boards.findings import catalogue
from apps.boards.findings.finding import Finding
from apps.boards.findings.worktime import hours_of_teams
from apps.core import statements
from apps.core.refusals import Problem, Refusal
from apps.workflows import registry
from apps.workflows.declare import Workflow

PAGE_SIZE = 50
OF_ALL, OF_SAMPLE = None, ()


class TooMuchToFindError(Refusal):
    """So many records moved that the database ended the statement."""

    problem = Problem(
        code="too_much_to_find",
        status=422,
        title="Too many records moved in these days",
        meaning="The database ended the search, as it took longer than a statement may.",
        remedy="Name fewer days, one workflow or one company.",
    )


@contextmanager
def within_time() -> Iterator[None]:
    """Turn a statement that took too long into a refusal. Raises TooMuchToFindError."""
    try:
        yield
    except OperationalError as error:
        if isinstance(error.__cause__, QueryCanceled):
            raise TooMuchToFindError(
                gettext(
                    "Too many records moved in these days to look at all of them. Choose fewer days, one workflow or one company."
                )
            ) from None
        raise


@dataclass(frozen=True, kw_only=True)
class Sum:
    """What some records come to, each of them once.

    Attributes:
        amounts: by currency of a company, what they are worth.
        times: how often it happened, in the finding's unit.
        seconds: the working time that it took; None where that cannot be said.
        is_by_clock: whether some of that is of a team without working hours, so that nights and weekends count.
    """

    count: int = 0
    amounts: Sequence[tuple[str, Decimal]] = ()
    times: int = 0
    seconds: int | None = None
    is_by_clock: bool = False

    @property
    def each(self) -> int | None:
        """The time of one of them, on average."""
        return None if self.seconds is None or not self.count else round(self.seconds / self.count)

    @property
    def rank(self) -> tuple[Decimal, int, int]:
        """What orders sums: by money, the largest of its currencies, then by time, then by number."""
        return max((amount for _, amount in self.amounts), default=Decimal(0)), self.seconds or 0, self.count


@dataclass(frozen=True, kw_only=True)
class PartSum:
    """One part of a finding: between which steps, of which person, in its words."""

    part: Sequence[str]
    text: str
    sum: Sum

    @property
    def key(self) -> str:
        """The part as addresses carry it."""
        return "~".join(self.part)


@dataclass(frozen=True, kw_only=True)
class Found:
    """One finding in one workflow, of ``sample`` records that were looked at; its parts with the most money first."""

    finding: Finding
    workflow: Workflow
    sample: int
    whole: Sum
    parts: Sequence[PartSum]

    @property
    def share(self) -> float | None:
        """The share of records that were looked at; None where there were none."""
        return self.whole.count / self.sample if self.sample else None


@dataclass(frozen=True, kw_only=True)
class FoundRecord:
    """One record of a finding, with what it adds; its latest time in those days."""

    connection: str
    model: str
    odoo_id: int
    name: str
    partner_name: str
    stage: str
    amount: Decimal | None
    currency: str
    at: datetime
    times: int
    seconds: int | None
    is_by_clock: bool


def sums(
    *,
    since: datetime,
    until: datetime,
    access_scope: AccessScope,
    workflows: Collection[Workflow] = (),
    names: Collection[str] = (),
) -> list[Found]:
    """Return the findings of the workflows after ``since`` and until ``until``, the most money first; one statement a finding.

    What was not looked for, as nothing happened, is left out.

    Args:
        workflows, names: which workflows and findings; all where none is said.
    """
    chosen = {one.name: one for one in workflows or registry.workflows().values()}
    values = _values(chosen.values(), since, until)
    found = [
        one
        for finding in catalogue.FINDINGS
        if not names or finding.name in names
        for one in _sums(finding, chosen, values, access_scope)
    ]
    return sorted(found, key=lambda one: one.whole.rank, reverse=True)


def _sums(finding: Finding, workflows: Mapping[str, Workflow], values: dict[str, Any], access_scope: AccessScope) -> list[Found]:
    statement = statements.load(__file__, "sums", found=finding.found.format(seen=access_scope.sql("p")))
    rows: dict[str, dict[tuple[str, ...] | None, Sum]] = {}
    with within_time(), database.cursor() as cursor:
        cursor.execute(statement, values | dict(finding.values))
        for workflow, part, currency, count, amount, times, seconds, is_by_clock in cursor.fetchall():
            sums_of = rows.setdefault(workflow, {})
            key = None if part is None else tuple(part)
            known = sums_of.get(key, Sum())
            sums_of[key] = Sum(
                count=known.count + count,
                amounts=[*known.amounts, *([(currency, amount)] if amount else [])],
                times=known.times + (times or 0),
                seconds=known.seconds if seconds is None else (known.seconds or 0) + seconds,
                is_by_clock=known.is_by_clock or bool(is_by_clock),
            )
    people = _names({part for of in rows.values() for part in of if part})
    told = []
    for name, sums_of in rows.items():
        parts = [
            PartSum(part=part, text=finding.say(workflows[name], part, one.count, people), sum=one)
            for part, one in sums_of.items()
            if part
        ]
        told.append(
            Found(
                finding=finding,
                workflow=workflows[name],
                sample=sums_of.get(OF_SAMPLE, Sum()).count,
                whole=sums_of.get(OF_ALL, Sum()),
                parts=sorted(parts, key=lambda one: one.sum.rank, reverse=True),
            )
        )
    return told


def records(
    finding: Finding,
    workflow: Workflow,
    *,
    since: datetime,
    until: datetime,
    access_scope: AccessScope,
    part: Sequence[str] | None = None,
    offset: int = 0,
) -> list[FoundRecord]:
    """Return a page of the records of a finding, those with the most money first, and one more if there are more.

    Args:
        part: those of one part of it; all, where none is named.
    """
    statement = statements.load(__file__, "records", found=finding.found.format(seen=access_scope.sql("p")))
    values = _values([workflow], since, until) | dict(finding.values)
    more = {"workflow": workflow.name, "part": list(part) if part else None, "offset": offset, "limit": PAGE_SIZE + 1}
    with within_time(), database.cursor() as cursor:
        cursor.execute(statement, values | more)
        names = [column.name for column in cursor.description]
        return [FoundRecord(**dict(zip(names, row, strict=True))) for row in cursor.fetchall()]


def _values(workflows: Collection[Workflow], since: datetime, until: datetime) -> dict[str, Any]:
    stages = [(workflow.name, place, stage) for workflow in workflows for place, stage in enumerate(workflow.stages)]
    hours = hours_of_teams(since, until)
    return {
        "since": since,
        "until": until,
        "workflows": [name for name, _, _ in stages],
        "stages": [stage.name for _, _, stage in stages],
        "places": [place for _, place, _ in stages],
        "steps": [stage.is_step for _, _, stage in stages],
        "opens": [stage.is_open for _, _, stage in stages],
        "renewing": [
            f"{one.name}/{stage.name}" for one in workflows if one.is_recurring for stage in one.stages if not stage.is_open
        ],
        "owners": [stage.owner for _, _, stage in stages],
        "teams": list(hours),
        "hours": list(hours.values()),
    }


def _names(parts: Collection[Sequence[str]]) -> dict[str, str]:
    """The names of the people and teams in some parts, by their numbers and slugs."""
    words = {one for part in parts for one in part}
    numbers = {int(one) for one in words if one.isdecimal()}
    people = {str(user.pk): str(user) for user in User.objects.filter(pk__in=numbers)} if numbers else {}
    is_of_teams = any(part[0] == "team" for part in parts)
    return people | ({team.slug: str(team) for team in Team.objects.filter(slug__in=words)} if is_of_teams else {})

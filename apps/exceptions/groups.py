"""The queue in groups: what the exceptions have in common, how many there are of each, and the first of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.db.models.expressions import RawSQL
from django.utils.translation import gettext, gettext_noop

from apps.exceptions import integration, types
from apps.exceptions.counts import COUNTED
from apps.exceptions.filters import Known
from apps.exceptions.models import ExceptionCase, Severity
from apps.exceptions.orders import Order
from apps.exceptions.screens import Row, row_of
from apps.workflows import registry

IN_A_GROUP = 5
MOST_GROUPS = 40

# What the queue is grouped by → the column whose values are the groups.
GROUPED = {
    "type": "type", "severity": "severity", "team": "team_id", "owner": "owner_id", "stage": "stage", "workflow": "workflow",
    "customer": "partner_name",
}  # fmt: skip
GROUP_WORDS = {
    "type": gettext_noop("By type"), "severity": gettext_noop("By severity"), "team": gettext_noop("By team"),
    "owner": gettext_noop("By owner"), "stage": gettext_noop("By stage"), "workflow": gettext_noop("By workflow"),
    "customer": gettext_noop("By customer"),
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Group:
    """The exceptions that have something in common: how many (at most :data:`COUNTED`), and the first of them."""

    word: str
    query: str
    count: int
    rows: Sequence[Row]


def sets_of(group: str, cases: QuerySet[ExceptionCase], known: Known) -> dict[Any, QuerySet[ExceptionCase]]:
    """What there is to group by, each with its exceptions.

    Of customers and stages, those of the costliest rows: nobody reads the thousandth.
    """
    if group == "type":
        # One that no workflow declares any more may still be open.
        values: list[Any] = list(dict.fromkeys([*types.titles(), *_of_the_costliest(group, cases)]))
    elif group == "severity":
        values = list(Severity.values)
    elif group == "team":
        values = [team.pk for team in known.teams]
    elif group == "owner":
        values = [None, *(user.pk for user in known.workers)]
    elif group == "workflow":
        values = [*registry.workflows(), integration.WORKFLOW]
    else:
        values = list(dict.fromkeys(_of_the_costliest(group, cases)))[:MOST_GROUPS]
    column = GROUPED[group]
    return {
        value: cases.filter(**{column: value} if value is not None else {f"{column}__isnull": True})
        for value in values
    }


def _of_the_costliest(group: str, cases: QuerySet[ExceptionCase]) -> QuerySet[Any, Any]:
    return cases.order_by("rank", "id").values_list(GROUPED[group], flat=True)[: COUNTED * 2]


def grouped(
    group: str, sets: dict[Any, QuerySet[ExceptionCase]], numbers: Sequence[int],
    filters: dict[str, str], shown_by: dict[str, str], order: Order, known: Known,
) -> list[Group]:  # fmt: skip
    """The groups that hold any, the one with the costliest first row first."""
    counts = {value: count for value, count in zip(sets, numbers, strict=True) if count}
    if not counts:
        return []
    parts: list[str] = []
    given: list[Any] = []
    for value in counts:
        sql, values = order.annotated(sets[value])[:IN_A_GROUP].values("id").query.sql_with_params()
        parts.append(f"(SELECT part.id FROM ({sql}) AS part)")
        given += values
    first = ExceptionCase.objects.filter(id__in=RawSQL(" UNION ALL ".join(parts), given))
    by_value: dict[Any, list[Row]] = {value: [] for value in counts}
    for case in order.annotated(first).select_related("owner", "team", "connection").defer("evidence"):
        by_value.get(getattr(case, GROUPED[group]), []).append(row_of(case))
    rest = {name: value for name, value in shown_by.items() if name != "group"}
    names, slugs = _names(group, list(counts), known)
    groups = [
        Group(
            word=names.get(value, str(value)), count=count, rows=by_value[value],
            query=urlencode(filters | {"q" if group == "customer" else group: slugs.get(value, str(value))} | rest),
        )
        for value, count in counts.items()
    ]  # fmt: skip
    return sorted(groups, key=lambda one: min((row.case.rank for row in one.rows), default=0))


def _names(group: str, values: Sequence[Any], known: Known) -> tuple[dict[Any, str], dict[Any, str]]:
    """The groups as people read them, and as the query string writes them where that is something else."""
    if group == "team":
        return {team.pk: str(team) for team in known.teams}, {team.pk: team.slug for team in known.teams}
    if group == "owner":
        return ({None: gettext("Nobody")} | {user.pk: str(user) for user in known.workers},
                {None: "none"} | {user.pk: user.username for user in known.workers})  # fmt: skip
    if group == "severity":
        return {level: str(Severity(level).label) for level in values}, {level: f"only{level}" for level in values}
    if group == "type":
        return {name: types.title_of(name) for name in values}, {}
    if group == "workflow":
        workflows = {name: gettext(workflow.title) for name, workflow in registry.workflows().items()}
        return workflows | {integration.WORKFLOW: gettext("Integration")}, {}
    if group == "stage":
        titles = {stage.name: gettext(stage.title) for workflow in registry.workflows().values() for stage in workflow.stages}
        return {name: titles.get(name, name) or gettext("No stage") for name in values}, {}
    return {name: name or gettext("No customer") for name in values}, {}

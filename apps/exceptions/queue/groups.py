"""The queue in groups: what the exceptions have in common, how many there are of each, and the first of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.core.exceptions import EmptyResultSet
from django.db import connection as database
from django.db.models import F, QuerySet
from django.utils.translation import gettext, gettext_noop

from apps.accounts import access
from apps.core.indexes import same_text
from apps.exceptions import integration, types
from apps.exceptions.models import ExceptionCase, Severity
from apps.exceptions.queue import counts
from apps.exceptions.queue.filters import NONE, Known
from apps.exceptions.queue.orders import Order
from apps.exceptions.queue.screens import Row, rows_of
from apps.workflows import registry

# Of few groups the first five rows each; of many fewer, so that all of them are still one page.
IN_A_GROUP, LEAST_IN_A_GROUP, MOST_ROWS = 5, 2, 100
MOST_GROUPS = 40
# Which customers and stages there are is seen from so many of the costliest.
LOOKED_THROUGH = 500

# What the queue is grouped by → the column whose values are the groups.
GROUPED = {
    "type": "type",
    "severity": "severity",
    "team": "team_id",
    "owner": "owner_id",
    "stage": "stage",
    "workflow": "workflow",
    "customer": "partner_name",
}
KINDS = {"severity": "smallint", "team": "bigint", "owner": "bigint"}
GROUP_WORDS = {
    "type": gettext_noop("By type"),
    "severity": gettext_noop("By severity"),
    "team": gettext_noop("By team"),
    "owner": gettext_noop("By owner"),
    "stage": gettext_noop("By stage"),
    "workflow": gettext_noop("By workflow"),
    "customer": gettext_noop("By customer"),
}


@dataclass(frozen=True, kw_only=True)
class Group:
    """The exceptions that have something in common: how many (at most :data:`~counts.COUNTED`), and the first of them."""

    word: str
    query: str
    count: int
    rows: Sequence[Row]


def grouped(
    group: str, cases: QuerySet[ExceptionCase], filters: dict[str, str], shown_by: dict[str, str], order: Order, known: Known
) -> list[Group]:
    """The groups that hold any, the one with the costliest first row first."""
    values = _values(group, cases, known)
    found = _counted(group, cases, values, order)
    by_value: dict[Any, list[Row]] = {value: [] for value in found}
    first = ExceptionCase.objects.filter(id__in=[case_id for _, ids in found.values() for case_id in ids])
    for row in rows_of(list(order.rows(first, access.scope_of(known.user)))):
        by_value[getattr(row.case, GROUPED[group])].append(row)
    rest = {name: value for name, value in shown_by.items() if name != "group"}
    names, slugs = _names(group, list(found), known)
    groups = [
        Group(
            word=names.get(value, str(value)),
            count=count,
            rows=by_value[value],
            query=urlencode(filters | {group: slugs.get(value, str(value))} | rest),
        )
        for value, (count, _) in found.items()
    ]
    return sorted(groups, key=lambda one: min((row.case.rank for row in one.rows), default=0))


def _values(group: str, cases: QuerySet[ExceptionCase], known: Known) -> list[Any]:
    """What there is to group by. Of customers and stages, those of the costliest rows: nobody reads the thousandth."""
    if group == "type":
        # One that no workflow declares any more may still be open.
        return list(dict.fromkeys([*types.titles(), *_of_the_costliest(group, cases)]))
    if group == "severity":
        return list(Severity.values)
    if group == "team":
        return [team.pk for team in known.teams]
    if group == "owner":
        return [None, *(user.pk for user in known.workers)]
    if group == "workflow":
        return [*registry.workflows(), integration.WORKFLOW]
    return list(dict.fromkeys(_of_the_costliest(group, cases)))[:MOST_GROUPS]


def _of_the_costliest(group: str, cases: QuerySet[ExceptionCase]) -> QuerySet[Any, Any]:
    return cases.order_by("rank", "id").values_list(GROUPED[group], flat=True)[:LOOKED_THROUGH]


# Each value on its own, so that each count stops and each first rows are found by the index of what is grouped by.
EACH = """
SELECT given.number - 1, counted.many,
       ARRAY(SELECT one.id FROM ({cases}) AS one WHERE {matches} ORDER BY one.key {way}, one.id {way} LIMIT %s)
  FROM unnest(%s::{kind}[]) WITH ORDINALITY AS given(value, number)
 CROSS JOIN LATERAL (SELECT count(*) AS many FROM (SELECT 1 FROM ({cases}) AS one WHERE {matches} LIMIT %s) AS counts) AS counted
 WHERE counted.many > 0
"""


def _counted(group: str, cases: QuerySet[ExceptionCase], values: Sequence[Any], order: Order) -> dict[Any, tuple[int, list[int]]]:
    """How many there are of each value, and the first of them; one statement for all, without those of which there are none."""
    try:
        sql, given = (
            order.annotated(cases).order_by().annotate(value=F(GROUPED[group])).values("id", "key", "value").query.sql_with_params()
        )
    except EmptyResultSet:
        return {}
    in_each = max(LEAST_IN_A_GROUP, min(IN_A_GROUP, MOST_ROWS // max(len(values), 1)))
    found: dict[Any, tuple[int, list[int]]] = {}
    with database.cursor() as cursor:
        for some, matches in (
            ([value for value in values if value is None], "one.value IS NULL"),
            ([value for value in values if value is not None], "one.value = given.value"),
        ):
            if not some:
                continue
            if group == "customer":
                # Found by its beginning, which the index open_of_customer holds.
                matches = matches.replace("one.value = given.value", same_text("one.value", "given.value"))
            statement = EACH.format(cases=sql, matches=matches, way="DESC" if order.falls else "ASC", kind=KINDS.get(group, "text"))
            cursor.execute(statement, [*given, in_each, some, *given, counts.COUNTED + 1])
            found |= {some[number]: (count, ids) for number, count, ids in cursor.fetchall()}
    return found


def _names(group: str, values: Sequence[Any], known: Known) -> tuple[dict[Any, str], dict[Any, str]]:
    """The groups as people read them, and as the query string writes them where that is something else."""
    if group == "team":
        return {team.pk: str(team) for team in known.teams}, {team.pk: team.slug for team in known.teams}
    if group == "owner":
        return (
            {None: gettext("Unassigned")} | {user.pk: str(user) for user in known.workers},
            {None: NONE} | {user.pk: user.username for user in known.workers},
        )
    if group == "severity":
        return {level: str(Severity(level).label) for level in values}, {level: f"only{level}" for level in values}
    if group == "type":
        return {name: types.title_of(name) for name in values}, {}
    if group == "workflow":
        workflows = {name: gettext(workflow.title) for name, workflow in registry.workflows().items()}
        return workflows | {integration.WORKFLOW: gettext("Integration")}, {}
    if group == "stage":
        titles = {stage.name: gettext(stage.title) for workflow in registry.workflows().values() for stage in workflow.stages}
        return {name: titles.get(name, name) or gettext("No stage") for name in values}, {"": NONE}
    return {name: name or gettext("No customer") for name in values}, {"": NONE}

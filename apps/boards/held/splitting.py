"""Who held it: the time of records, approval requests and exception cases, split by who had them, in sets.

One rule of precedence holds for all of them. A moment counts for the first of these that there is:

1. the approver, while an approval about it is pending and no changes are wanted first;
2. Odoo, while a command that follows from a decision waits for it;
3. the carrier, from when one reports a delay until it reports the delivery;
4. whoever holds the stage of the record (:attr:`apps.workflows.declare.Stage.held_by`), or the team of the case's owner;
5. nobody.

So the parts add up to the whole to the second (``split.sql``). ``docs/who-held-it.md`` says what each holder means.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection as database
from psycopg import sql

from apps.accounts.access import AccessScope
from apps.accounts.models import Team
from apps.core import statements
from apps.mirror import registry as mirror
from apps.workflows import compile as compiled
from apps.workflows import registry
from apps.workflows.declare import Workflow
from apps.workflows.holders import HeldBy, Holder

RECORDS, REQUESTS, CASES = "records", "requests", "cases"
WORKFLOW, PARTNER = "workflow", "partner"

# A command about it is Odoo's to carry out, from when it is enqueued until it ends: done, refused, given up or cancelled.
WAITING = sql.SQL("""int8multirange(int8range(
           floor(extract(epoch FROM o.created_at))::bigint,
           floor(extract(epoch FROM GREATEST(o.created_at, COALESCE(o.done_at, %(now)s))))::bigint))""")
WANTED = sql.SQL("""int8multirange(int8range(
           floor(extract(epoch FROM i.asked_at))::bigint,
           floor(extract(epoch FROM GREATEST(i.asked_at, COALESCE(i.answered_at, q.decided_at, %(now)s))))::bigint))""")
ASKED = sql.SQL("""int8multirange(int8range(
           floor(extract(epoch FROM q.requested_at))::bigint,
           floor(extract(epoch FROM GREATEST(q.requested_at, COALESCE(q.decided_at, %(now)s))))::bigint))
         - COALESCE((SELECT range_agg({wanted}) FROM approvals_inquiry i WHERE i.request_id = q.id AND i.wants_changes), '{{}}')""")
DELAYED = sql.SQL("""int8multirange(int8range(
           floor(extract(epoch FROM LEAST(e.occurred_at, %(now)s)))::bigint,
           floor(extract(epoch FROM LEAST(%(now)s, (
             SELECT min(d.occurred_at) FROM events_event d
              WHERE d.connection_id = e.connection_id AND d.model = e.model AND d.odoo_id = e.odoo_id AND d.status = 'matched'
                AND d.kind = 'shipment_delivered' AND d.occurred_at >= e.occurred_at))))::bigint))""")
OUTSIDE = ("deleted", "left")

# Index transitions_by_time: those that came to an end in the time. What they did before and after is looked at of them alone.
ENDED_RECORDS = sql.SQL("""
SELECT DISTINCT t.connection_id, t.odoo_id
    FROM workflows_transition t
   WHERE t.workflow = {workflow} AND t.at > %(since)s AND t.at <= %(until)s AND t.to_stage = ANY({ends}) AND {seen}""")
THEIRS = sql.SQL("""
     AND t.connection_id = %(connection)s AND EXISTS (
       SELECT FROM workflows_position p
        WHERE p.connection_id = t.connection_id AND p.workflow = {workflow} AND p.odoo_id = t.odoo_id
          AND p.partner_id = ANY(%(members)s))""")
ONE_RECORD = sql.SQL("SELECT %(connection)s::bigint AS connection_id, %(odoo_id)s::bigint AS odoo_id")
# Index requests_by_decision.
ENDED_REQUESTS = sql.SQL("""
SELECT q.* FROM approvals_request q WHERE q.decided_at > %(since)s AND q.decided_at <= %(until)s AND {seen}""")
ONE_REQUEST = sql.SQL("SELECT q.* FROM approvals_request q WHERE q.id = %(id)s")
# Index exceptions_by_end.
ENDED_CASES = sql.SQL("""
SELECT c.* FROM exceptions_exceptioncase c
   WHERE c.status = 'resolved' AND c.resolved_at > %(since)s AND c.resolved_at <= %(until)s AND {seen}""")
ONE_CASE = sql.SQL("SELECT c.* FROM exceptions_exceptioncase c WHERE c.id = %(id)s")
ALL = sql.SQL("TRUE")
ENDED = sql.SQL("""
is_ended AND until > floor(extract(epoch FROM %(since)s)) AND until <= floor(extract(epoch FROM %(until)s))""")


@dataclass(frozen=True, kw_only=True)
class Part:
    """The time that one holder had it; of us, one team. ``team`` is its slug, empty where it is no team's."""

    holder: Holder
    team: str
    team_name: str
    seconds: int
    share: float


@dataclass(frozen=True, kw_only=True)
class Split:
    """The time of one or many, split among those who held them; ``whole`` is the sum of the parts."""

    key: str
    count: int
    whole: int
    parts: Sequence[Part] = field(default_factory=list)

    @property
    def mean(self) -> int:
        """The whole time of one of them, on average."""
        return round(self.whole / self.count) if self.count else 0


def of_record(workflow: Workflow, *, connection_id: int, odoo_id: int, now: datetime) -> Split | None:
    """Split the time of one record in one workflow; None where it was never seen there."""
    statement = _records(workflow, ONE_RECORD, sql.SQL("subject"), ALL)
    return next(iter(_splits(statement, {"connection": connection_id, "odoo_id": odoo_id, "now": now})), None)


def of_request(request_id: int, *, now: datetime) -> Split | None:
    """Split the time of one approval request; None where there is none of that number."""
    statement = _requests(ONE_REQUEST, sql.SQL("q.id::text"), ALL)
    return next(iter(_splits(statement, {"id": request_id, "now": now})), None)


def of_case(case_id: int, *, now: datetime) -> Split | None:
    """Split the time of one exception case; None where there is none of that number."""
    statement = _cases(ONE_CASE, sql.SQL("c.id::text"), ALL)
    return next(iter(_splits(statement, {"id": case_id, "now": now})), None)


def of_partner(
    workflow: Workflow, *, connection_id: int, members: Sequence[int], since: datetime, until: datetime, access_scope: AccessScope
) -> Split | None:
    """Split the time of a partner's records that ended after ``since`` and until ``until``; None where none did.

    Args:
        members: the ids of all addresses of the partner.
    """
    theirs = sql.SQL(access_scope.sql("t")) + THEIRS.format(workflow=sql.Literal(workflow.name))
    chosen = ENDED_RECORDS.format(workflow=sql.Literal(workflow.name), ends=_ends(workflow), seen=theirs)
    times = {"since": since, "until": until, "now": until, "connection": connection_id, "members": list(members)}
    return next(iter(_splits(_records(workflow, chosen, sql.Literal(workflow.name), ENDED), times)), None)


def sums(of: str, *, by: str, since: datetime, until: datetime, access_scope: AccessScope, workflow: str = "") -> list[Split]:
    """Split the time of all that ended after ``since`` and until ``until``, the longest sum first.

    Args:
        of: records, requests or cases.
        by: workflow, or partner: the customer or vendor, by name.
        workflow: of one workflow alone; of all, where none is named.
    """
    times = {"since": since, "until": until, "now": until}
    found: list[Split] = []
    if of == RECORDS:
        for one in registry.workflows().values():
            if workflow in ("", one.name):
                key = sql.Literal(one.name) if by == WORKFLOW else sql.SQL("COALESCE(p.partner_name, '')")
                chosen = ENDED_RECORDS.format(workflow=sql.Literal(one.name), ends=_ends(one), seen=sql.SQL(access_scope.sql("t")))
                found += _splits(_records(one, chosen, key, ENDED), times)
    else:
        alias, ended, made = ("q", ENDED_REQUESTS, _requests) if of == REQUESTS else ("c", ENDED_CASES, _cases)
        chosen = ended.format(seen=sql.SQL(access_scope.sql(alias)))
        if workflow:
            chosen += sql.SQL(" AND {}.workflow = {}").format(sql.SQL(alias), sql.Literal(workflow))
        key = sql.SQL(f"{alias}.workflow" if by == WORKFLOW else f"{alias}.partner_name")
        found = _splits(made(chosen, key, ENDED if of == CASES else sql.SQL("is_ended")), times)
    return sorted(_together(found), key=lambda split: (-split.whole, split.key))


def _together(splits: Sequence[Split]) -> list[Split]:
    """Those of one key as one: a customer's orders and invoices are of two workflows."""
    by_key: dict[str, list[Split]] = {}
    for split in splits:
        by_key.setdefault(split.key, []).append(split)
    return [
        some[0]
        if len(some) == 1
        else _split(
            key,
            sum(one.count for one in some),
            sum(one.whole for one in some),
            [(part.holder, part.team, part.seconds) for one in some for part in one.parts],
            {part.team: part.team_name for one in some for part in one.parts},
        )
        for key, some in by_key.items()
    ]


def statement_of(workflow: Workflow) -> sql.Composed:
    """Return the statement that splits the time of all records of ``workflow`` that ended in a time, as the docs show it."""
    chosen = ENDED_RECORDS.format(workflow=sql.Literal(workflow.name), ends=_ends(workflow), seen=sql.SQL("{seen}"))
    return _records(workflow, chosen, sql.Literal(workflow.name), ENDED)


def _ends(workflow: Workflow) -> sql.Composable:
    return sql.SQL("{}::text[]").format(sql.Literal([*(one.name for one in workflow.stages if not one.is_open), *OUTSIDE]))


def _holder(workflow: Workflow, held: HeldBy) -> sql.Composable:
    whens = [sql.SQL("WHEN {} THEN {}").format(compiled.predicate(workflow, when), _named(who)) for when, who in held.where]
    if not whens:
        return _named(held.holder)
    return sql.SQL("CASE {} ELSE {} END").format(sql.SQL(" ").join(whens), _named(held.holder))


def _named(holder: Holder) -> sql.Composable:
    return sql.Literal(str(holder.value)) if holder != Holder.NOBODY else sql.SQL("NULL")


def _records(workflow: Workflow, chosen: sql.Composable, key: sql.Composable, counted: sql.Composable) -> sql.Composed:
    stage = sql.SQL("m.to_stage")
    opened = [one for one in workflow.stages if one.is_open]
    subjects = statements.compose(
        __file__,
        "records",
        workflow=sql.Literal(workflow.name),
        model=sql.Literal(workflow.odoo_model),
        table=sql.Identifier(mirror.models()[workflow.odoo_model]._meta.db_table),
        chosen=chosen,
        ends=_ends(workflow),
        holder=compiled.by_stage(workflow, stage, [(one.name, _holder(workflow, one.held_by)) for one in opened], "text"),
        team=compiled.by_stage(workflow, stage, [(one.name, one.owner) for one in opened], "text"),
        key=key,
        asked=ASKED.format(wanted=WANTED),
        waiting=WAITING,
        delayed=DELAYED,
    )
    return statements.compose(__file__, "split", subjects=subjects, counted=counted)


def _requests(chosen: sql.Composable, key: sql.Composable, counted: sql.Composable) -> sql.Composed:
    subjects = statements.compose(
        __file__, "requests", chosen=chosen, key=key, asked=ASKED.format(wanted=WANTED), waiting=WAITING, wanted=WANTED
    )
    return statements.compose(__file__, "split", subjects=subjects, counted=counted)


def _cases(chosen: sql.Composable, key: sql.Composable, counted: sql.Composable) -> sql.Composed:
    kinds = {(kind.name, kind.exception) for one in registry.workflows().values() for kind in one.approvals if kind.exception}
    answered = [sql.SQL("({}, {})").format(sql.Literal(name), sql.Literal(answers)) for name, answers in sorted(kinds)]
    subjects = statements.compose(
        __file__,
        "cases",
        chosen=chosen,
        key=key,
        answered=sql.SQL(", ").join(answered),
        asked=ASKED.format(wanted=WANTED),
        waiting=WAITING,
    )
    return statements.compose(__file__, "split", subjects=subjects, counted=counted)


def _splits(statement: sql.Composed, parameters: Mapping[str, Any]) -> list[Split]:
    with database.cursor() as cursor:
        cursor.execute(statement, parameters)
        rows = cursor.fetchall()
    names = {team.slug: str(team) for team in Team.objects.all()} if any(team for _, _, team, *_ in rows) else {}
    found: dict[str, list[tuple[Holder, str, int]]] = {}
    wholes: dict[str, tuple[int, int]] = {}
    for key, holder, team, seconds, count, whole in rows:
        found.setdefault(key, []).append((Holder(holder), team, seconds))
        wholes[key] = count, whole
    return [_split(key, *wholes[key], parts, names) for key, parts in found.items()]


def _split(key: str, count: int, whole: int, parts: Sequence[tuple[Holder, str, int]], names: Mapping[str, str]) -> Split:
    seconds: dict[tuple[Holder, str], int] = {}
    for holder, team, length in parts:
        seconds[holder, team] = seconds.get((holder, team), 0) + length
    told = [
        Part(holder=holder, team=team, team_name=names.get(team, team), seconds=length, share=length / whole)
        for (holder, team), length in sorted(
            seconds.items(), key=lambda item: (-item[1], list(Holder).index(item[0][0]), item[0][1])
        )
        if length
    ]
    return Split(key=key, count=count, whole=whole, parts=told)

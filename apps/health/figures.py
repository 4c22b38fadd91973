"""How well each link and each workflow is served, in figures of the last 24 hours.

All of them come from small tables: the tally of what came (:mod:`apps.intake.tally`), the histograms of Odoo's answers
(:mod:`apps.odoo.timing`), and what is open now. So the page costs the same however much history there is.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from apps.accounts.access import AccessScope
from apps.health import queries
from apps.intake import tally, waits
from apps.intake.models import Tally
from apps.mirror.freshness import mirrored_until
from apps.mirror.models import SyncState
from apps.odoo import timing
from apps.odoo.models import Connection, ScheduledJob
from apps.workflows import registry
from apps.workflows.declare import Workflow

DAY = timedelta(hours=24)
WAYS = ("webhook", "poll", "reconcile")
OUTCOMES = ("received", "duplicate", "done", "failed", "dead", "replayed")
# Of so many live moves of the last day the latency is taken, the newest first.
SAMPLED = 5_000

# Index transitions_by_time.
SEEN_AFTER = """
SELECT percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY took) AS took, count(*)
  FROM (SELECT greatest(extract(epoch FROM t.seen_at - t.at), 0) AS took
          FROM workflows_transition t
         WHERE t.workflow = %(workflow)s AND t.at > %(since)s AND t.at <= %(now)s AND t.tracking_id IS NULL AND t.from_stage <> ''
           AND t.connection_id = ANY(%(whole)s)
         ORDER BY t.at DESC LIMIT %(limit)s) AS newest
"""

# Partial indexes of what is open: open_by_due, inbox_by_due.
OPEN_CASES = """
SELECT c.workflow, count(*) AS open, count(*) FILTER (WHERE c.owner_id IS NULL) AS unowned,
       min(c.opened_at) FILTER (WHERE c.owner_id IS NULL) AS unowned_since
  FROM exceptions_exceptioncase c
 WHERE c.status <> 'resolved' AND {seen}
 GROUP BY c.workflow
"""

# Moved is when somebody was last asked, reminded, escalated to, or decided a step.
STANDING_APPROVALS = """
SELECT r.workflow, count(*) AS pending, min(moved.at) AS still_since
  FROM approvals_request r
 CROSS JOIN LATERAL (
   SELECT greatest(r.requested_at, r.escalated_at, max(s.reminded_at), max(a.decided_at)) AS at
     FROM approvals_step s LEFT JOIN approvals_assignment a ON a.step_id = s.id
    WHERE s.request_id = r.id) AS moved
 WHERE r.status = 'pending' AND {seen}
 GROUP BY r.workflow
"""


# Indexes commands_by_end, commands_by_stop. A command is of the workflow of its decision, else of the record whose lane it
# runs in.
COMMANDS_OF_WORKFLOWS = """
SELECT coalesce(q.workflow, e.workflow, %(others)s::jsonb ->> split_part(c.lane, ':', 2)) AS workflow,
       count(*) FILTER (WHERE c.status = 'done') AS done, count(*) AS ended
  FROM outbox_command c
  LEFT JOIN approvals_request q
    ON q.id = CASE WHEN c.decision ~ '^approval:[0-9]+' THEN split_part(c.decision, ':', 2)::bigint END
  LEFT JOIN exceptions_exceptioncase e
    ON e.id = CASE WHEN c.decision ~ '^exception:[0-9]+' THEN split_part(c.decision, ':', 2)::bigint END
 WHERE c.done_at > %(since)s AND c.done_at <= %(now)s AND c.status IN ('done', 'refused', 'dead') AND {seen}
 GROUP BY 1
"""


@dataclass(frozen=True, kw_only=True)
class Spread:
    """How long things took: how many there were, and within how many seconds half, 95 and 99 of a hundred were done."""

    count: int = 0
    p50: float | None = None
    p95: float | None = None
    p99: float | None = None


@dataclass(frozen=True, kw_only=True)
class Source:
    """What came from one source in the last 24 hours, and what became of it."""

    name: str
    received: int
    duplicate: int
    done: int
    failed: int
    dead: int
    replayed: int


@dataclass(frozen=True, kw_only=True)
class LinkFigures:
    """One connection in the last 24 hours.

    Attributes:
        told: of the changes of models that Odoo sends webhooks of, the share that a webhook announced before polling or
            comparing found them; None where there were none.
        by_way: how many changes came by each way.
        latency: of Odoo's webhooks, from arrival to committed effect.
        waited: how long Odoo's users waited for the answers to their webhooks.
        succeeded: the share of commands that took effect, of those that ended; None where none ended.
        answers: Odoo's answering times, by kind of call.
        errors: calls that failed, by the error's name, the most frequent first.
        jobs_late, jobs_failing: Odoo's own scheduled actions; ``jobs`` is None where they may not be read.
    """

    connection: Connection
    sources: list[Source]
    told: float | None
    by_way: dict[str, int]
    latency: Spread
    waited: waits.Waited
    commands: dict[str, int]
    commands_took: Spread
    succeeded: float | None
    retries: int
    answers: dict[str, Spread]
    errors: list[tuple[str, int]]
    jobs: int | None
    jobs_late: int
    jobs_failing: int

    @property
    def commands_ended(self) -> int:
        """How many commands took effect, were refused or were given up."""
        return sum(self.commands.values())


@dataclass(frozen=True, kw_only=True)
class WorkflowFigures:
    """One workflow now.

    Attributes:
        mirrored_until: all that Odoo had committed by then of all models that it is made of is mirrored.
        seen_after: how long after it happened in Odoo the tower knew of a move, in the last 24 hours.
        still_since: when the approval that has stood still for longest last moved.
        commands_done, commands_ended: of the commands that followed from it and ended in the last 24 hours, how many took
            effect in Odoo.
    """

    workflow: Workflow
    mirrored_until: datetime | None
    is_late: bool
    seen_after: Spread
    cases: int = 0
    unowned: int = 0
    unowned_since: datetime | None = None
    pending: int = 0
    still_since: datetime | None = None
    commands_done: int = 0
    commands_ended: int = 0

    @property
    def succeeded(self) -> float | None:
        """The share of commands that took effect, of those that ended; None where none ended."""
        return self.commands_done / self.commands_ended if self.commands_ended else None


@dataclass(kw_only=True)
class _Counted:
    counts: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    buckets: dict[str, list[int]] = field(default_factory=lambda: defaultdict(lambda: [0] * (len(tally.BOUNDS) + 1)))


def quantile(share: float, buckets: Sequence[int], bounds: Sequence[float]) -> float | None:
    """Within how many seconds ``share`` of what the histogram counted was done, between the bounds by a straight line."""
    rank, before = share * sum(buckets), 0
    if not rank:
        return None
    for number, count in enumerate(buckets):
        if count and before + count >= rank:
            if number >= len(bounds):
                return float(bounds[-1])
            low = bounds[number - 1] if number else 0.0
            return low + (bounds[number] - low) * (rank - before) / count
        before += count
    return float(bounds[-1])


def spread(buckets: Sequence[int], bounds: Sequence[float]) -> Spread:
    """The spread that a histogram shows."""
    p50, p95, p99 = (quantile(share, buckets, bounds) for share in (0.5, 0.95, 0.99))
    return Spread(count=sum(buckets), p50=p50, p95=p95, p99=p99)


def links(connections: Iterable[Connection], *, now: datetime) -> list[LinkFigures]:
    """The figures of connections, of all companies of each."""
    wanted = list(connections)
    counted: dict[int, dict[str, _Counted]] = defaultdict(lambda: defaultdict(_Counted))
    rows = Tally.objects.filter(hour__gt=now - DAY, connection_id__in=[one.pk for one in wanted])
    for connection_id, source, what, bucket, count in rows.values_list("connection_id", "source", "what", "bucket", "count"):
        of = counted[connection_id][source]
        of.counts[what] += count
        of.buckets[what][bucket] += count
    jobs: dict[int, list[ScheduledJob]] = defaultdict(list)
    for job in ScheduledJob.objects.filter(connection_id__in=[one.pk for one in wanted]):
        jobs[job.connection_id].append(job)
    waited = waits.since(now - DAY, connection_ids=[one.pk for one in wanted], now=now)
    return [_link(one, counted[one.pk], jobs.get(one.pk), waited.get(one.pk, waits.Waited()), now) for one in wanted]


def _link(
    connection: Connection, counted: dict[str, _Counted], jobs: list[ScheduledJob] | None, waited: waits.Waited, now: datetime
) -> LinkFigures:
    by_way = {way: counted[way].counts["changed"] for way in WAYS if way in counted}
    changes, commands = sum(by_way.values()), counted.get(tally.COMMANDS, _Counted())
    ended = {what: commands.counts[what] for what in ("done", "refused", "dead")}
    timed = timing.lately(connection.pk, now=now)
    return LinkFigures(
        connection=connection,
        sources=[
            Source(name=name, **{what: of.counts[what] for what in OUTCOMES})
            for name, of in sorted(counted.items())
            if name != tally.COMMANDS and any(of.counts[what] for what in OUTCOMES)
        ],
        told=by_way.get("webhook", 0) / changes if changes and connection.is_provisioned and not connection.hooks_off_at else None,
        by_way={way: by_way.get(way, 0) for way in WAYS},
        waited=waited,
        latency=spread(counted["odoo"].buckets["done"] if "odoo" in counted else (), tally.BOUNDS),
        commands=ended,
        commands_took=spread(commands.buckets["done"], tally.BOUNDS),
        succeeded=ended["done"] / sum(ended.values()) if sum(ended.values()) else None,
        retries=commands.counts["retried"],
        answers={kind: spread(answers.buckets, timing.BOUNDS) for kind, answers in timed.answers.items()},
        errors=sorted(timed.errors.items(), key=lambda error: -error[1]),
        jobs=len([job for job in jobs if job.is_active]) if jobs else None,
        jobs_late=sum(job.is_late for job in jobs or ()),
        jobs_failing=sum(job.is_failing for job in jobs or ()),
    )


def models_of(workflow: Workflow) -> set[str]:
    """The mirrored models that a workflow's stages, exceptions and approvals rest on."""
    return {workflow.odoo_model, *(dependency.model for dependency in workflow.dependencies)}


def workflows(*, now: datetime, access_scope: AccessScope) -> list[WorkflowFigures]:
    """The figures of all workflows that some connection in sight has."""
    read: dict[str, datetime] = {}
    connections = Connection.objects.in_bulk()
    for state in SyncState.objects.filter(access_scope.of_connections("connection_id"), connection__is_active=True):
        if state.increment_at and not connections[state.connection_id].lacks(state.odoo_model):
            at = mirrored_until(state)
            read[state.odoo_model] = min(at, read.get(state.odoo_model, at))
    cases = {row["workflow"]: row for row in queries.rows(OPEN_CASES.format(seen=access_scope.sql("c")), {})}
    approvals = {row["workflow"]: row for row in queries.rows(STANDING_APPROVALS.format(seen=access_scope.sql("r")), {})}
    # A record of several workflows is the first one's: the later ones only look at it too.
    others = {workflow.odoo_model: workflow.name for workflow in reversed(registry.workflows().values())}
    commands = {
        row["workflow"]: row
        for row in queries.rows(
            COMMANDS_OF_WORKFLOWS.format(seen=access_scope.sql("c")), {"since": now - DAY, "now": now, "others": json.dumps(others)}
        )
    }
    # A move's company is its record's; how fast moves are seen is told to those who see the whole connection.
    whole = [number for number in connections if access_scope.sees_whole(number)]
    found = []
    for workflow in registry.workflows().values():
        if workflow.odoo_model not in read:
            continue
        until = min(read[model] for model in models_of(workflow) if model in read)
        (took,) = queries.rows(
            SEEN_AFTER, {"workflow": workflow.name, "since": now - DAY, "now": now, "whole": whole, "limit": SAMPLED}
        )
        p50, p95 = took["took"] or (None, None)
        ended = commands.get(workflow.name, {})
        open_cases, open_requests = cases.get(workflow.name, {}), approvals.get(workflow.name, {})
        found.append(
            WorkflowFigures(
                workflow=workflow,
                mirrored_until=until,
                is_late=now - until > queries.LINK_LATE,
                seen_after=Spread(count=took["count"], p50=p50, p95=p95),
                cases=open_cases.get("open", 0),
                unowned=open_cases.get("unowned", 0),
                unowned_since=open_cases.get("unowned_since"),
                pending=open_requests.get("pending", 0),
                still_since=open_requests.get("still_since"),
                commands_done=ended.get("done", 0),
                commands_ended=ended.get("ended", 0),
            )
        )
    return found

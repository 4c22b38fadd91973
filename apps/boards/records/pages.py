"""The pages of one record and of one supplier: where it stands, what holds it up, what it hangs in, and what happened to it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext

from apps.accounts.access import AccessScope
from apps.approvals import queries as approvals
from apps.approvals.inbox.screens import kind_title
from apps.approvals.models import Request
from apps.audit.models import Entry
from apps.boards.boards import promise_and_value
from apps.boards.boards.promise_and_value import Money, Promise
from apps.boards.records import graph, timeline
from apps.boards.records.graph import Graph
from apps.boards.records.timeline import Folded, TimelineEntry
from apps.exceptions import queries as exceptions
from apps.exceptions.causes.pages import open_groups_of
from apps.exceptions.models import CauseGroup, Comment, ExceptionCase
from apps.exceptions.types import title_of as type_title
from apps.mirror.tracked import TrackedChange
from apps.odoo.models import Connection
from apps.outbox.models import Command
from apps.workflows import blockers, impact, registry, subjects, supply_chain
from apps.workflows.blockers import Blocker
from apps.workflows.declare import Stage
from apps.workflows.impact import Impact
from apps.workflows.intercompany import Counterpart, counterparts_of
from apps.workflows.lines import Table, lines_of
from apps.workflows.models import NEWEST_FIRST, Position, Transition

TIMELINE = 200


@dataclass(frozen=True, kw_only=True)
class Track:
    """One stage on the record's way."""

    stage: Stage
    is_here: bool
    was_there: bool


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Where the record stands in one workflow."""

    position: Position
    title: str
    stage: Stage
    track: list[Track]
    blockers: list[Blocker]
    graph: Graph


@dataclass(frozen=True, kw_only=True)
class RecordPage:
    """Everything on the page of one record.

    Attributes:
        may_be_asked: whether there are approvals that somebody may ask for, though not now.
    """

    connection: Connection
    model: str
    odoo_id: int
    name: str
    odoo_url: str
    topic: str
    may_be_asked: bool
    standings: list[Standing]
    impact: Impact
    promise: Promise | None
    money: Money | None
    counterparts: list[Counterpart]
    lines: list[Table]
    cases: list[tuple[ExceptionCase, str]]
    causes: list[CauseGroup]
    requests: list[tuple[Request, str]]
    commands: list[Command]
    timeline: list[TimelineEntry | Folded]


def _standing(position: Position, transitions: list[Transition], felt: Impact, *, now: datetime) -> Standing | None:
    workflow = registry.workflows().get(position.workflow)
    if workflow is None:
        return None
    seen = {move.to_stage for move in transitions if move.workflow == position.workflow}
    seen |= {move.from_stage for move in transitions if move.workflow == position.workflow}
    # Closed stages are ends: one is shown, the one that was reached or else the first, which is the way things should go.
    ends = [stage.name for stage in workflow.stages if not stage.is_open]
    end = position.stage if position.stage in ends else ends[0] if ends else ""
    shown = [stage for stage in workflow.stages if stage.is_open or stage.name == end]
    held = blockers.blockers_of(position, now=now)
    deliveries, supplies = supply_chain.deliveries_of(position), supply_chain.supplies_of(position, now=now)
    return Standing(
        position=position,
        title=gettext(workflow.title),
        stage=workflow.stage(position.stage),
        track=[
            Track(stage=stage, is_here=stage.name == position.stage, was_there=stage.name in seen and stage.name != position.stage)
            for stage in shown
        ],
        blockers=held,
        graph=graph.dependencies_of(
            model=position.model, odoo_id=position.odoo_id, blockers=held, supplies=supplies, deliveries=deliveries, impact=felt
        ),
    )


def page_of(connection: Connection, model: str, odoo_id: int, *, access_scope: AccessScope, now: datetime) -> RecordPage | None:
    """Everything about one record; None where the tower knows nothing of it, or it is out of sight."""
    here: dict[str, Any] = {"connection_id": connection.id, "model": model, "odoo_id": odoo_id}
    positions = list(Position.objects.filter(access_scope.of_records(), **here).order_by("workflow"))
    if not positions:
        return None
    transitions = list(Transition.objects.filter(**here).order_by(*NEWEST_FIRST)[:TIMELINE])
    cases = list(exceptions.of_record(connection.id, model, odoo_id, access_scope))
    requests = list(approvals.of_record(connection.id, model, odoo_id, access_scope))
    commands = list(Command.objects.filter(access_scope.of_records(), **here).order_by("-sequence")[:50])
    told = [subjects.audit_subject(connection.name, model, odoo_id)]
    told += [f"exception:{case.id}" for case in cases] + [f"approval:{request.id}" for request in requests]
    told += [f"command:{command.id}" for command in commands]
    entries = timeline.merge(
        transitions=transitions,
        entries=list(Entry.objects.filter(subject__in=told).order_by("-sequence")[:TIMELINE]),
        comments=list(Comment.objects.filter(case__in=cases).select_related("author")),
        commands=commands,
        titles={f"exception:{case.id}": type_title(case.type) for case in cases}
        | {f"approval:{request.id}": kind_title(request.kind) for request in requests},
        changes=list(TrackedChange.objects.filter(**here).order_by("-tracking_id")[:TIMELINE]),
    )
    felt = impact.impact_of(connection.id, model, odoo_id, now=now)
    return RecordPage(
        connection=connection,
        model=model,
        odoo_id=odoo_id,
        name=positions[0].name,
        odoo_url=connection.record_url(model, odoo_id),
        topic=subjects.topic(connection.id, model, odoo_id),
        may_be_asked=any(
            position.is_open and registry.workflows()[position.workflow].approvals
            for position in positions
            if position.workflow in registry.workflows()
        ),
        standings=[found for position in positions if (found := _standing(position, transitions, felt, now=now))],
        impact=felt,
        promise=promise_and_value.promise_of(connection.id, model, odoo_id, now=now),
        money=promise_and_value.money_of(connection.id, model, odoo_id),
        counterparts=_counterparts(connection.id, model, odoo_id, access_scope),
        lines=[
            table for position in positions if (table := lines_of(position.workflow, connection_id=connection.id, odoo_id=odoo_id))
        ],
        cases=[(case, type_title(case.type)) for case in cases],
        causes=open_groups_of(connection, model, odoo_id, access_scope),
        requests=[(request, kind_title(request.kind)) for request in requests],
        commands=commands,
        timeline=timeline.fold(entries),
    )


def _counterparts(connection_id: int, model: str, odoo_id: int, access_scope: AccessScope) -> list[Counterpart]:
    """The orders of other companies that belong to this one and are in sight."""
    found = counterparts_of(connection_id, model, odoo_id)
    ids = [other.odoo_id for other in found]
    visible = set(
        Position.objects.filter(
            access_scope.of_records(), connection_id=connection_id, model__in={other.model for other in found}, odoo_id__in=ids
        ).values_list("model", "odoo_id")
    )
    return [other for other in found if (other.model, other.odoo_id) in visible]

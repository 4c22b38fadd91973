"""What another value of a parameter would change, before it is set: the workflows' own statements, over what is open now.

The value is written as it would be, the records are judged with it, and the transaction is rolled back: nobody else sees it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext, ngettext

from apps.accounts.access import AccessScope
from apps.exceptions.cases import case_reconcile
from apps.workflows import engine, parameter_values
from apps.workflows.declare import ApprovalKind, ExceptionType, Workflow
from apps.workflows.models import Position
from apps.workflows.scopes import Scope

# So many records of a workflow are judged, the newest first: a page answers in seconds.
MOST = 5_000

type _Key = tuple[int, int, str, str]


@dataclass(frozen=True, kw_only=True)
class Judged:
    """What is to be said about the records: by record and kind its severity, and which are over their stage's target."""

    cases: Mapping[_Key, int] = field(default_factory=dict)
    requests: frozenset[_Key] = frozenset()
    late: frozenset[tuple[int, int, str]] = frozenset()


@dataclass(frozen=True, kw_only=True)
class Preview:
    """What would change among the records that are open now.

    Attributes:
        records: how many were judged.
        opened, closed: exceptions that would open and close.
        raised, lowered: those that would become more and less severe.
        asked, withdrawn: approvals that would be asked for and withdrawn.
        late, in_time: records that would come to be over their stage's target, and those that would be no longer.
        examples: names of records on which something would open or close.
        is_cut: not all could be judged.
    """

    number: Decimal | None
    records: int
    opened: int
    closed: int
    raised: int
    lowered: int
    asked: int
    withdrawn: int
    late: int
    in_time: int
    examples: Sequence[str]
    is_cut: bool

    @property
    def sentence(self) -> str:
        """The whole of it in one sentence."""
        parts = [
            (self.opened, ngettext("%(n)s exception would open", "%(n)s exceptions would open", self.opened)),
            (self.closed, ngettext("%(n)s exception would close", "%(n)s exceptions would close", self.closed)),
            (self.raised, ngettext("%(n)s would become more severe", "%(n)s would become more severe", self.raised)),
            (self.lowered, ngettext("%(n)s would become less severe", "%(n)s would become less severe", self.lowered)),
            (self.asked, ngettext("%(n)s approval would be requested", "%(n)s approvals would be requested", self.asked)),
            (self.withdrawn, ngettext("%(n)s request would be withdrawn", "%(n)s requests would be withdrawn", self.withdrawn)),
            (self.late, ngettext("%(n)s record would be over its target", "%(n)s records would be over their target", self.late)),
            (self.in_time, ngettext("%(n)s record would be on target", "%(n)s records would be on target", self.in_time)),
        ]
        said = [words % {"n": f"{count:,}"} for count, words in parts if count]
        if not said:
            return gettext("Nothing would change among the %(records)s open records.") % {"records": f"{self.records:,}"}
        return gettext("Of %(records)s open records: %(changes)s.") % {"records": f"{self.records:,}", "changes": ", ".join(said)}

    @property
    def figures(self) -> dict[str, Any]:
        """The figures with the sentence, as programs read them."""
        names = ("records", "opened", "closed", "raised", "lowered", "asked", "withdrawn", "late", "in_time", "is_cut")
        return {"sentence": self.sentence, **{name: getattr(self, name) for name in names}, "examples": list(self.examples)}


def preview(name: str, value: object, *, scope: Scope, access_scope: AccessScope, now: datetime) -> Preview:
    """Say what would change within ``access_scope`` if ``value`` counted in ``scope``; None is the value without one set there.

    Raises ParameterRefusedError where there is no such parameter, or that cannot be its value.
    """
    declared = parameter_values.declared_as(name)
    places, cut = _places(declared.workflows, scope, access_scope)
    before = _judge(places, now)
    with transaction.atomic():
        parameter_values.append(name, value, scope=scope, by=None, now=now)
        after = _judge(places, now)
        transaction.set_rollback(True)
    both = before.cases.keys() & after.cases.keys()
    opened, closed = after.cases.keys() - before.cases.keys(), before.cases.keys() - after.cases.keys()
    asked, withdrawn = after.requests - before.requests, before.requests - after.requests
    changed = {(workflow, odoo_id) for _, odoo_id, workflow, _ in [*opened, *closed, *asked, *withdrawn]}
    named = Position.objects.filter(odoo_id__in={odoo_id for _, odoo_id in changed}, workflow__in={one for one, _ in changed})
    names = sorted({position.name for position in named if (position.workflow, position.odoo_id) in changed})[:5]
    return Preview(
        number=None if value is None else declared.parameter.checked(value),
        records=sum(len(ids) for _, _, ids in places),
        opened=len(opened),
        closed=len(closed),
        raised=sum(after.cases[one] > before.cases[one] for one in both),
        lowered=sum(after.cases[one] < before.cases[one] for one in both),
        asked=len(asked),
        withdrawn=len(withdrawn),
        late=len(after.late - before.late),
        in_time=len(before.late - after.late),
        examples=names,
        is_cut=cut,
    )


type _Place = tuple[Workflow, int, list[int]]


def _places(workflows: Sequence[Workflow], scope: Scope, access_scope: AccessScope) -> tuple[list[_Place], bool]:
    """The records to judge, by workflow and connection, and whether there are more than :data:`MOST` of one workflow."""
    found: list[_Place] = []
    is_cut = False
    connection_id, company_id = scope.key
    for workflow in workflows:
        rows = Position.objects.filter(access_scope.of_records(), workflow=workflow.name, is_open=True)
        if connection_id is not None:
            rows = rows.filter(connection_id=connection_id)
        if company_id is not None:
            rows = rows.filter(company_id=company_id)
        newest = list(rows.order_by("-since", "-pk").values_list("connection_id", "odoo_id")[: MOST + 1])
        is_cut = is_cut or len(newest) > MOST
        by_connection: dict[int, list[int]] = {}
        for place, odoo_id in newest[:MOST]:
            by_connection.setdefault(place, []).append(odoo_id)
        found += [(workflow, place, ids) for place, ids in by_connection.items()]
    return found, is_cut


def _judge(places: Sequence[_Place], now: datetime) -> Judged:
    cases: dict[_Key, int] = {}
    requests: set[_Key] = set()
    late: set[tuple[int, int, str]] = set()
    for workflow, connection_id, ids in places:
        for finding in engine.find(workflow, connection_id=connection_id, odoo_ids=ids, now=now):
            key = (connection_id, finding.odoo_id, workflow.name, finding.kind.name)
            if isinstance(finding.kind, ExceptionType):
                cases[key] = int(case_reconcile.severity_of(finding))
            elif isinstance(finding.kind, ApprovalKind):
                requests.add(key)
        over = engine.over_target(workflow, connection_id=connection_id, odoo_ids=ids, now=now)
        late |= {(connection_id, odoo_id, workflow.name) for odoo_id in over}
    return Judged(cases=cases, requests=frozenset(requests), late=frozenset(late))

"""The figures with which Odoo's guard refused, beside those that the tower counts from its mirror.

The guard decides in Odoo's own transaction, so what it counted is what a person is asked about. The tower counts the same
from mirrored rows. Where the two differ (rows that are hidden from the tower's login, a change that it has not read yet)
the request has the guard's figures, says what the tower counts, and follows the tower's figures by that difference. So an ask
never goes unanswered for a figure that the mirror lacks, and a request still ends when its reason does. A record that was changed
between the asking and the reading is asked about as it stands.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_noop

from apps.approvals.models import Request, Status
from apps.approvals.policies import cumulation
from apps.approvals.requests import decision_commands, facts
from apps.audit import trail
from apps.core import sentences
from apps.core.actor import Actor
from apps.outbox import enqueue
from apps.outbox.models import Command
from apps.workflows import engine, guard_requests
from apps.workflows.counted_by_guards import GuardFigures
from apps.workflows.declare import ApprovalKind, OdooCall
from apps.workflows.engine import Evaluation, Finding

# Kept in a request's context beside its facts: by how much the guard's measure and limit were beyond the tower's, of which
# asking that is, and the sentence that names it.
DIFFERENCE, NAMED = "guard_difference", facts.NAMED
DIFFERS = gettext_noop(
    "Odoo's figure: {guard:money} {currency}, limit {guard_limit:money}; the tower's: {own:money}, limit "
    "{own_limit:money}. The decision is on Odoo's figure."
)
REASON_GONE = gettext_noop("Within the limit: {measure:money} {currency} of {limit:money}.")


def agreed(finding: Finding, request: Request | None) -> Finding | None:
    """The finding with the guard's figures where they differ; None where its reason is gone and nobody has to decide.

    Args:
        request: the pending request about it; none where it is to be opened.
    """
    kind = finding.kind
    assert isinstance(kind, ApprovalKind)
    figures = kind.figures
    if figures is None:
        return finding
    difference = _difference(figures, finding.columns, _known(request) if request else "")
    columns = _corrected(figures, finding.columns, difference)
    if request is not None and not _is_beyond(figures, columns) and finding.columns.get(figures.is_asked):
        return None
    named: dict[str, Any] = {DIFFERENCE: difference} if difference else {}
    if difference and not difference.endswith("|0|0"):
        own, own_limit = _numbers(figures, finding.columns)
        guard, guard_limit = _numbers(figures, columns)
        named = {
            DIFFERENCE: difference,
            NAMED: sentences.compose(
                DIFFERS,
                {
                    "guard": guard,
                    "guard_limit": guard_limit,
                    "own": own,
                    "own_limit": own_limit,
                    "currency": columns.get("currency") or "",
                },
            ),
        }
    elif request is not None and request.context.get(NAMED):
        named = {DIFFERENCE: difference, NAMED: ""}
    return replace(finding, columns={**columns, **named})


def kept(columns: Mapping[str, Any]) -> dict[str, Any]:
    """What of ``columns`` a request's context keeps beside its facts."""
    return {name: columns[name] for name in (DIFFERENCE, NAMED) if name in columns}


def refresh_hold(request: Request, before: Mapping[str, Any], *, by: Actor, now: datetime) -> None:
    """Write the reason of the hold in Odoo anew where the figures in its text have changed since ``before``."""
    calls = [call for call in decision_commands.kind_of(request).on_asked if _reason_of(call)]
    stale = [call for call in calls if _text(call, request, before) != _text(call, request, request.context)]
    if stale:
        decision_commands.tell_odoo(request, stale, by=by, reason="", now=now)


def lift_rejected(evaluation: Evaluation, *, by: Actor, now: datetime) -> None:
    """Lift the hold of records that were rejected and break no limit any more: another customer, a higher limit, less ordered."""
    kinds = {kind.name: kind for kind in evaluation.workflow.approvals if kind.figures is not None}
    if not kinds:
        return
    rejected: dict[tuple[int, str], Request] = {}
    found = Request.objects.filter(
        connection_id=evaluation.connection_id,
        model=evaluation.workflow.odoo_model,
        odoo_id__in=evaluation.evaluated,
        kind__in=kinds,
        status__in=[Status.REJECTED, Status.PENDING],
    ).order_by("id")
    for request in found:
        rejected[request.odoo_id, request.kind] = request
    pending = {odoo_id for (odoo_id, _), request in rejected.items() if request.status == Status.PENDING}
    held = {key: one for key, one in rejected.items() if one.status == Status.REJECTED and one.odoo_id not in pending}
    for name in {kind for _, kind in held}:
        kind = kinds[name]
        assert kind.figures is not None
        ids = [odoo_id for odoo_id, of in held if of == name]
        rows = engine.look(
            evaluation.workflow,
            connection_id=evaluation.connection_id,
            odoo_ids=ids,
            now=now,
            condition=kind.possible & kind.figures.is_held(name),
        )
        for odoo_id, row in rows.items():
            request = held[odoo_id, name]
            whole = cumulation.summed(
                row,
                kind,
                evaluation.workflow,
                request.policy.rules,
                connection_id=evaluation.connection_id,
                odoo_id=odoo_id,
                now=now,
            )
            columns = _corrected(kind.figures, whole, _known(request))
            if not _is_beyond(kind.figures, columns):
                _lift(request, kind.figures, columns, by=by, now=now)


def _lift(request: Request, figures: GuardFigures, columns: Mapping[str, Any], *, by: Actor, now: datetime) -> None:
    decision = f"approval:{request.pk}"
    if Command.objects.filter(decision=decision, title=guard_requests.LIFT.title).exists():
        return
    measure, limit = _numbers(figures, columns)
    values = {"measure": measure, "limit": limit, "currency": columns.get("currency") or ""}
    reason = sentences.filled(REASON_GONE, values)
    decision_commands.tell_odoo(
        request,
        [
            guard_requests.LIFT,
            guard_requests.note("The hold is lifted by Control Tower. {reason}", title="Note that the hold is lifted"),
        ],
        by=by,
        reason=reason,
        now=now,
    )
    trail.record(
        trail.Event(
            action="approval.hold_lifted",
            actor=by,
            subject=decision,
            data={"reason": reason, "record": request.record_name},
            about=(request.connection_id, request.company_id),
        ),
        now=now,
    )


def _difference(figures: GuardFigures, columns: Mapping[str, Any], known: str) -> str:
    """By how much the guard's figures are beyond the tower's, of this asking, as it was first seen; "" where it has no figures.

    Text of what was asked, and by how much measure and limit differ: ``571.43/500|0.01|0``.
    """
    asked, asked_limit = columns.get(figures.asked), columns.get(figures.asked_limit)
    if not columns.get(figures.is_asked) or not asked:
        return ""
    of = f"{asked}/{asked_limit}"
    own, own_limit = _numbers(figures, columns)
    if (own, own_limit) == (asked, asked_limit):
        # What the tower had not read yet when it was asked has come.
        return f"{of}|0|0"
    if known.startswith(f"{of}|"):
        return known
    if figures.outdated and columns.get(figures.outdated) and _is_beyond(figures, columns):
        # It was changed before the tower read what was asked: what the guard counted is true no more.
        return f"{of}|0|0"
    difference = asked - own
    limit_difference = asked_limit - own_limit if asked_limit else Decimal(0)
    # That they agree is kept as well: what the tower counts later is no difference of this asking.
    return f"{of}|{difference.normalize():f}|{limit_difference.normalize():f}"


def _known(request: Request) -> str:
    return str(request.context.get(DIFFERENCE) or "")


def _corrected(figures: GuardFigures, columns: Mapping[str, Any], difference: str) -> dict[str, Any]:
    if not difference:
        return dict(columns)
    measure, limit = _numbers(figures, columns)
    _, more, more_limit = difference.split("|")
    changed = {figures.measure: measure + Decimal(more), figures.limit: limit + Decimal(more_limit)}
    if figures.excess:
        changed[figures.excess] = changed[figures.measure] - changed[figures.limit]
    if figures.alone and not columns.get(cumulation.TOGETHER):
        changed[figures.alone] = changed[figures.measure]
    return {**columns, **changed}


def _is_beyond(figures: GuardFigures, columns: Mapping[str, Any]) -> bool:
    measure, limit = _numbers(figures, columns)
    if figures.no_limit_is_none and not limit:
        return False
    return measure >= limit if figures.from_limit else measure > limit


def _numbers(figures: GuardFigures, columns: Mapping[str, Any]) -> tuple[Decimal, Decimal]:
    return Decimal(columns.get(figures.measure) or 0), Decimal(columns.get(figures.limit) or 0)


def _reason_of(call: OdooCall) -> str:
    return str(call.arguments.get("vals", {}).get("x_ct_hold_reason") or "")


def _text(call: OdooCall, request: Request, context: Mapping[str, Any]) -> str:
    try:
        return str(enqueue.fill(_reason_of(call), {**context, "record_name": request.record_name, "decided_by": "", "reason": ""}))
    except enqueue.ContextMissingError:
        return ""

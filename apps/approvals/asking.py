"""What the machine asks: opening requests for what an evaluation found, and withdrawing those no longer needed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext

from apps.accounts.models import User
from apps.approvals import inquiries, outcomes, policy, reasons, settling, steps
from apps.approvals.models import Request, Status
from apps.audit import trail
from apps.core import actor, sentences
from apps.core.actor import Actor
from apps.core.words import money
from apps.notifications.tell import Message, tell
from apps.odoo.models import Connection
from apps.outbox.models import Command
from apps.outbox.models import Status as CommandStatus
from apps.workflows import engine, placeholders, subjects
from apps.workflows.declare import ApprovalKind, Workflow
from apps.workflows.engine import Evaluation, Finding

MACHINE = actor.system("pipeline")
# Begins the cause of a request that was asked for in the tower rather than in Odoo.
ASKED_HERE = "here:"


@dataclass(frozen=True, kw_only=True)
class Asking:
    """Everything a new request is made from."""

    workflow: Workflow
    kind: ApprovalKind
    connection: Connection
    odoo_id: int
    columns: Mapping[str, Any]
    cause: str
    asked_by: str
    user: User | None = None
    reason: str = ""
    chosen: Mapping[str, Any] = field(default_factory=dict)


def reconcile(evaluation: Evaluation, *, now: datetime) -> list[Request]:
    """Bring the inbox in line with one evaluation, in the caller's transaction; the requests that were opened.

    1. Ask for each finding that nobody has been asked about yet.
    2. Bring the figures of those that wait up to date.
    3. Withdraw those of the evaluated records that are no longer needed, saying why.
    """
    kinds = {kind.name: kind for kind in evaluation.workflow.approvals}
    if not kinds:
        return []
    pending = {
        (request.odoo_id, request.kind): request
        for request in Request.objects.select_for_update()
        .filter(connection_id=evaluation.connection_id, model=evaluation.workflow.odoo_model,
                odoo_id__in=evaluation.evaluated, kind__in=kinds, status=Status.PENDING)
        .order_by("id")
    }  # fmt: skip
    found = {(finding.odoo_id, finding.kind.name): finding for finding in evaluation.approvals}
    fresh = [finding for key, finding in found.items() if key not in pending]
    opened = _open(fresh, evaluation, now) if fresh else []
    for key, request in pending.items():
        if key in found:
            _bring_up_to_date(request, found[key], now)
    _withdraw([request for key, request in pending.items() if key not in found], evaluation, now)
    return opened


def _open(findings: Sequence[Finding], evaluation: Evaluation, now: datetime) -> list[Request]:
    connection = Connection.objects.get(pk=evaluation.connection_id)
    settled = set(
        Request.objects.filter(connection=connection, model=evaluation.workflow.odoo_model,
                               odoo_id__in=[finding.odoo_id for finding in findings])
        .values_list("odoo_id", "kind", "cause")
    )  # fmt: skip
    under_way = _being_carried_out(connection, evaluation.workflow, findings)
    opened = []
    for finding in findings:
        kind = finding.kind
        assert isinstance(kind, ApprovalKind)
        cause = str(finding.columns[kind.cause] or "")
        if (finding.odoo_id, kind.name, cause) in settled or (finding.odoo_id, kind.name) in under_way:
            continue
        opened.append(
            open_request(
                Asking(workflow=evaluation.workflow, kind=kind, connection=connection, odoo_id=finding.odoo_id,
                       columns=finding.columns, cause=cause, asked_by=str(finding.columns[kind.asked_by] or "")),
                now=now,
            )
        )  # fmt: skip
    return opened


def _being_carried_out(
    connection: Connection, workflow: Workflow, findings: Sequence[Finding]
) -> set[tuple[int, str]]:
    """Records and kinds of approval whose yes is still on its way: what it settles must not be asked once more meanwhile."""
    lanes = {f"{connection.pk}:{workflow.odoo_model}:{finding.odoo_id}": finding.odoo_id for finding in findings}
    waiting = Command.objects.filter(
        lane__in=lanes, status__in=[CommandStatus.QUEUED, CommandStatus.UNKNOWN], decision__startswith="approval:"
    )
    decided = Request.objects.filter(
        pk__in=[int(decision.split(":")[1]) for decision in waiting.values_list("decision", flat=True)],
        status=Status.APPROVED,
    )
    return set(decided.values_list("odoo_id", "kind"))


def open_request(asking: Asking, *, now: datetime) -> Request:
    """Open one request: its steps, its first level's people, its timers, the hold in Odoo, and the account owner told."""
    kind, columns = asking.kind, asking.columns
    in_force = policy.active(kind.name, now=now)
    amount = columns[kind.amount]
    user = asking.user
    request = Request.objects.create(
        connection=asking.connection, kind=kind.name, workflow=asking.workflow.name, model=asking.workflow.odoo_model,
        odoo_id=asking.odoo_id, company_id=columns["company_id"], record_name=columns["record_name"],
        partner_name=columns["partner_name"] or "",
        cause=asking.cause, requested_by=asking.asked_by[:200], requested_by_user=user,
        involved_logins=sorted({str(columns[name]) for name in kind.involved if columns[name]}),
        amount=amount, currency=columns[asking.workflow.currency] or "", context=context_of(asking),
        policy=in_force, requested_at=now, due_at=now,
    )  # fmt: skip
    steps.lay_out(request, policy.steps_for(in_force.rules, amount, request.context))
    trail.record(
        trail.Event(action="approval.requested", actor=MACHINE if user is None else _person(user),
                    subject=f"approval:{request.pk}",
                    data={"kind": kind.name, "record": request.record_name, "amount": amount, "asked_by": asking.asked_by,
                          "policy": in_force.version, "cause": asking.cause},
                    about=(request.connection_id, request.company_id)),
        now=now,
    )  # fmt: skip
    steps.begin_next(request, now=now)
    outcomes.tell_odoo(request, kind.on_asked, by=MACHINE, reason=asking.reason, now=now)
    people, addresses = settling.account_owner(request)
    tell(
        Message(kind="approval.requested", key=f"approval:{request.pk}:requested",
                about=(request.connection_id, request.company_id),
                title=lambda: gettext("%(kind)s asked for: %(record)s, %(partner)s") % {
                    "kind": gettext(kind.title), "record": request.record_name, "partner": request.partner_name},
                body=lambda: gettext("%(amount)s, asked by %(by)s. You look after this customer.") % {
                    "amount": money(amount, request.currency), "by": asking.asked_by},
                path=f"/approvals/{request.pk}/"),
        people=people, addresses=addresses, now=now,
    )  # fmt: skip
    settling.announce(request)
    return request


def _person(user: User) -> Actor:
    return Actor(kind="user", id=str(user.pk), name=str(user))


def context_of(asking: Asking) -> dict[str, Any]:
    """What the one who decides is shown, and what the commands that follow need. Money is text."""
    kind, columns = asking.kind, asking.columns
    owner_login, owner_email = kind.account_owner
    unchosen: dict[str, Any] = dict.fromkeys(kind.choice.columns if kind.choice else ())
    context = _facts(kind, {**unchosen, **columns, **asking.chosen})
    context["account_owner_login"], context["account_owner_email"] = columns[owner_login], columns[owner_email]
    context["record_url"] = subjects.url(asking.connection.name, asking.workflow.odoo_model, asking.odoo_id)
    if asking.reason:
        context["asked_because"] = asking.reason
    return context


def _facts(kind: ApprovalKind, columns: Mapping[str, Any]) -> dict[str, Any]:
    named = {*kind.context, *placeholders.columns_of(kind)}
    return {name: _plain(columns[name]) for name in sorted(named & columns.keys())}


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        # As money is written: two decimals, more only where they say something.
        return f"{value:.2f}" if value == round(value, 2) else f"{value.normalize():f}"
    if isinstance(value, int | str | bool) or value is None or sentences.is_sentence(value):
        return value
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _bring_up_to_date(request: Request, finding: Finding, now: datetime) -> None:
    kind = finding.kind
    assert isinstance(kind, ApprovalKind)
    amount = finding.columns[kind.amount]
    figures = _facts(kind, finding.columns)
    company_id = finding.columns["company_id"]
    is_known = (amount, company_id) == (request.amount, request.company_id)
    if is_known and all(request.context.get(name) == value for name, value in figures.items()):
        return
    was, said = request.amount, sentences.plain(request.context)
    request.amount, request.company_id, request.context = amount, company_id, {**request.context, **figures}
    request.save(update_fields=["amount", "company_id", "context"])
    # What reads as before, and is only kept in another form since an update, is no change that somebody waits for.
    reads_differently = any(said.get(name) != sentences.plain(value) for name, value in figures.items())
    if request.paused_at and (reads_differently or not is_known):
        inquiries.answer_by_change(request, reasons.of_change(was, amount, request.currency), now=now)
    settling.announce(request)


def _withdraw(requests: Sequence[Request], evaluation: Evaluation, now: datetime) -> None:
    for request in requests:
        kind = evaluation.workflow.approval(request.kind)
        if request.cause.startswith(ASKED_HERE):
            still_possible = engine.look(
                evaluation.workflow, connection_id=evaluation.connection_id, odoo_ids=[request.odoo_id],
                now=now, condition=kind.possible,
            )  # fmt: skip
            if still_possible:
                continue
        reason = (
            reasons.DELETED
            if request.odoo_id in evaluation.vanished
            else reasons.MOVED_ON.format(record=request.record_name)
        )
        settling.settle(request, Status.CANCELLED, by=MACHINE, reason=reason, now=now)

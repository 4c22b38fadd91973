"""What the approval screens show: read for one page, computed once, drawn by templates that only draw."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from django.utils.translation import gettext, ngettext

from apps.accounts import access
from apps.accounts.access import AccessScope
from apps.accounts.models import User
from apps.accounts.permissions import DECIDERS
from apps.approvals import queries
from apps.approvals.inbox import customer_history
from apps.approvals.models import Assignment, Inquiry, ReasonTemplate, Request, Status, Step, StepStatus
from apps.approvals.policies import cumulation, limits, policy
from apps.approvals.requests import bulk, decision_commands, facts, inquiries, permissions, undoing
from apps.core.figures import Value
from apps.core.templatetags.show import number
from apps.outbox.models import Command
from apps.workflows import cause_notes, registry
from apps.workflows.cause_notes import CauseNote
from apps.workflows.lines import Table, lines_of

BAR_WIDTH = 1000  # units of the drawing, stretched to the page's width

IN_BAR = ("credit_limit", "open_invoices", "draft_invoices", "open_orders", "this_order", "exposure", "excess")


def _decimal(value: Any) -> Decimal | None:
    try:
        return Decimal(str(value))
    except (InvalidOperation, ValueError):
        return None


@dataclass(frozen=True, kw_only=True)
class Segment:
    """One part of the exposure bar, from ``x`` on, ``width`` wide, of :data:`BAR_WIDTH`."""

    name: str
    words: str
    amount: Decimal
    x: float
    width: float


@dataclass(frozen=True, kw_only=True)
class Exposure:
    """The rule that was broken, in numbers."""

    limit: Decimal
    exposure: Decimal
    excess: Decimal
    share: int | None  # per cent of the limit; none where the limit is zero
    limit_x: float
    segments: list[Segment]


@dataclass(frozen=True, kw_only=True)
class Card:
    """One request as the inbox shows it."""

    request: Request
    kind: str
    headline: str
    line: str
    excess: Decimal | None
    flags: list[str]
    bulk_key: str  # what ticking it sends; empty where its policy wants it decided alone
    cause: CauseNote | None = None


@dataclass(frozen=True, kw_only=True)
class Page:
    """Everything on the page of one request."""

    request: Request
    kind: str
    question: str
    exposure: Exposure | None
    figures: list[Value]
    lines: Table | None
    customer: customer_history.Customer | None
    earlier: list[Request]
    steps: list[tuple[Step, str]]
    on_yes: list[str]
    on_no: list[str]
    why_not: str | None
    may_decide: bool
    may_recall: bool
    reasons: list[ReasonTemplate]
    colleagues: list[User]
    commands: list[Command]
    together: cumulation.Together | None
    facts: str
    progress: str
    odoo_url: str
    undo_until: datetime | None
    changes: list[tuple[str, str, str]]
    lapsed: list[Assignment]
    next_for_you: Request | None
    inquiries: list[tuple[Inquiry, bool]]
    cause: CauseNote | None


def kind_title(kind: str) -> str:
    """The approval kind as people read it; its own name if no workflow declares it any more."""
    found = registry.approval_kinds().get(kind)
    return gettext(found[1].title) if found else kind


def question_of(request: Request) -> str:
    """What is asked, in one sentence; also of a kind that no workflow declares any more."""
    if not decision_commands.is_declared(request):
        return gettext("Release %(record_name)s?") % {"record_name": request.record_name}
    return decision_commands.question(request)


def exposure_of(context: dict[str, Any]) -> Exposure | None:
    """The credit rule as a bar; none where the context does not hold one."""
    limit, exposure = _decimal(context.get("credit_limit")), _decimal(context.get("exposure"))
    if limit is None or exposure is None:
        return None
    parts = [
        (
            "invoices",
            gettext("Open invoices"),
            sum((_decimal(context.get(name)) or Decimal(0) for name in ("open_invoices", "draft_invoices")), Decimal(0)),
        ),
        ("orders", gettext("Confirmed, not yet invoiced"), _decimal(context.get("open_orders")) or Decimal(0)),
        ("this", gettext("This order"), _decimal(context.get("this_order")) or Decimal(0)),
    ]
    whole = max(limit, sum((max(amount, Decimal(0)) for _, _, amount in parts), Decimal(0)), Decimal(1)) * Decimal("1.02")
    segments, x = [], 0.0
    for name, words, amount in parts:
        width = float(max(amount, Decimal(0)) / whole * BAR_WIDTH)
        segments.append(Segment(name=name, words=words, amount=Decimal(amount), x=round(x, 1), width=round(width, 1)))
        x += width
    return Exposure(
        limit=limit,
        exposure=exposure,
        excess=exposure - limit,
        segments=segments,
        share=int(exposure / limit * 100) if limit > 0 else None,
        limit_x=round(float(max(limit, Decimal(0)) / whole * BAR_WIDTH), 1),
    )


def figures_of(request: Request) -> list[Value]:
    """The facts that the bar does not show, as they are declared; as text, where nothing declares the kind any more."""
    return [one for one in facts.values(request) if one.name not in IN_BAR]


def flags_of(request: Request) -> list[str]:
    """What makes this one riskier than its amount says, each in a few words."""
    context, flags = request.context, []
    overdue = _decimal(context.get("overdue_days"))
    if overdue and overdue > 0:
        flags.append(ngettext("%(days)s day overdue", "%(days)s days overdue", int(overdue)) % {"days": int(overdue)})
    limit, exposure = _decimal(context.get("credit_limit")), _decimal(context.get("exposure"))
    if limit is not None and exposure is not None and limit > 0 and exposure >= 2 * limit:
        flags.append(gettext("%(times)s × the limit") % {"times": number(exposure / limit, 1)})
    whole = limits.amount_of(request)
    if whole.others:
        flags.append(whole.text())
    if asked_again := lapsed_answers(request):
        flags.append(asked_again[-1].lapse_text)
    if request.escalated_at:
        flags.append(gettext("escalated"))
    return flags


def lapsed_answers(request: Request) -> list[Assignment]:
    """Return the answers that no longer count, the oldest first; of a step that was answered anew since, none."""
    return sorted(
        (
            row
            for step in request.steps.all()
            if step.status not in (StepStatus.APPROVED, StepStatus.SKIPPED)
            for row in step.assignments.all()
            if row.decision and row.lapsed_at
        ),
        key=lambda row: row.pk,
    )


def cards_of(requests: Iterable[Request], access_scope: AccessScope) -> list[Card]:
    """Return the requests as the inbox shows them, each with what holds up its record and others."""
    shown = list(requests)
    causes = cause_notes.of_records([key_of(request) for request in shown], access_scope)
    return [card_of(request, causes.get(key_of(request))) for request in shown]


def key_of(request: Request) -> cause_notes.RecordKey:
    """What tells the request's record from all others."""
    return request.connection_id, request.model, request.odoo_id


def card_of(request: Request, cause: CauseNote | None = None) -> Card:
    """One request as the inbox shows it."""
    return Card(
        request=request,
        cause=cause,
        kind=kind_title(request.kind),
        flags=flags_of(request),
        headline=f"{request.record_name} · {request.partner_name}" if request.partner_name else request.record_name,
        excess=_decimal(request.context.get("excess")),
        line=decision_commands.matters(request) if decision_commands.is_declared(request) else question_of(request),
        bulk_key=f"{request.pk}:{facts.digest(request)}" if bulk.is_safe(request) else "",
    )


def progress_of(commands: Iterable[Command]) -> str:
    """How far the decision has come in Odoo: ``none``, ``queued``, ``sent``, ``seen`` or ``stopped``."""
    states = [command.status for command in commands]
    if not states:
        return "none"
    if any(state in ("refused", "dead") for state in states):
        return "stopped"
    if all(state in ("done", "cancelled") for state in states):
        return "seen"
    return "sent" if any(command.sent_at for command in commands) else "queued"


def page_of(request: Request, *, user: User, now: datetime) -> Page:
    """Everything on the page of one request. The caller has checked that this person may see it."""
    own = access.scope_of(user)
    target: dict[str, Any] = {"connection_id": request.connection_id, "model": request.model, "odoo_id": request.odoo_id}
    declared = registry.approval_kind(request.kind, request.model)
    on_yes, on_no = decision_commands.describe(request) if declared else ([], [])
    told = Command.objects.filter(decision=f"approval:{request.id}").exclude(undoing.was_undone())
    commands = list(told.order_by("sequence"))
    why_not = permissions.why_not(request, user)
    earlier = queries.in_sight(own).filter(partner_name=request.partner_name, kind=request.kind)
    return Page(
        request=request,
        cause=cause_notes.of_records([key_of(request)], own).get(key_of(request)),
        kind=kind_title(request.kind),
        question=question_of(request),
        exposure=exposure_of(request.context),
        figures=figures_of(request),
        lines=lines_of(request.workflow, connection_id=request.connection_id, odoo_id=request.odoo_id),
        customer=customer_history.customer_of(**target, access_scope=own, since=now - timedelta(days=365)),
        earlier=list(
            earlier.filter(status__in=[Status.APPROVED, Status.REJECTED])
            .exclude(id=request.id)
            .select_related("decided_by")
            .order_by("-decided_at")[:3]
        )
        if request.partner_name
        else [],
        steps=[
            (step, policy.why_step(request.policy.rules, step.name, facts.declared_of(request))) for step in request.steps.all()
        ],
        on_yes=on_yes,
        on_no=on_no,
        why_not=why_not,
        may_decide=why_not is None and request.status == Status.PENDING,
        may_recall=not permissions.why_not_recall(request, user),
        reasons=list(ReasonTemplate.objects.filter(kind__in=["", request.kind]).order_by("decision", "id")),
        colleagues=access.those_who_see(
            User.objects.filter(role__in=DECIDERS, is_active=True).exclude(id=user.id).order_by("first_name", "username"),
            request.connection_id,
            request.company_id,
        ),
        commands=commands,
        together=cumulation.together_of(request),
        facts=facts.digest(request),
        # What was told when it was asked for says nothing of how far the decision has come.
        progress=progress_of([one for one in commands if request.decided_at and one.created_at >= request.decided_at]),
        odoo_url=request.connection.record_url(request.model, request.odoo_id),
        undo_until=undo_until(request, user, now=now),
        changes=facts.named_changes(request, request.earlier_facts[0]) if request.earlier_facts else [],
        lapsed=lapsed_answers(request),
        inquiries=[
            (one, one.answered_at is None and request.status == Status.PENDING and inquiries.why_not_answer(one, user) is None)
            for one in request.inquiries.select_related("asked_by", "request")
        ],
        next_for_you=queries.inbox_of(user, own).exclude(id=request.id).first() if why_not is not None else None,
    )


def undo_until(request: Request, user: User, *, now: datetime) -> datetime | None:
    """Until when the page offers the person to take their decision back: less than there is, for the way of the press."""
    said = undoing.undoable(request, user, now=now)
    if said is None or said.undo_until is None:
        return None
    return said.undo_until - (undoing.UNDO_FOR - undoing.SHOWN_FOR)

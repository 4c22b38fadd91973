"""What the machine asks: opening requests for what an evaluation found, and withdrawing those no longer needed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.utils.translation import gettext

from apps.accounts.models import User
from apps.approvals import reasons
from apps.approvals.models import Request, Status
from apps.approvals.policies import conditions, cumulation, limits, policy, segregation
from apps.approvals.requests import closing, decision_commands, facts, guard_figures, inquiries, reevaluation, steps
from apps.audit import trail
from apps.core import actor, sentences
from apps.core.figures import units_of
from apps.core.words import money
from apps.notifications.notify import Message, notify
from apps.odoo.models import Connection
from apps.outbox import enqueue
from apps.outbox.models import Command
from apps.outbox.models import Status as CommandStatus
from apps.workflows import engine, placeholders, subjects
from apps.workflows.declare import ApprovalKind, Workflow
from apps.workflows.engine import Evaluation, Finding

MACHINE = actor.system("pipeline")
# A currency's code has three letters; one that somebody made up is cut.
LONGEST_CURRENCY = 10
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
        .filter(
            connection_id=evaluation.connection_id,
            model=evaluation.workflow.odoo_model,
            odoo_id__in=evaluation.evaluated,
            kind__in=kinds,
            status=Status.PENDING,
        )
        .order_by("id")
    }
    found = {}
    for finding in evaluation.approvals:
        key = (finding.odoo_id, finding.kind.name)
        whole = cumulation.summed_finding(finding, pending.get(key), evaluation.workflow, evaluation.connection_id, now)
        if agreed := guard_figures.agreed(whole, pending.get(key)):
            found[key] = agreed
    fresh = [finding for key, finding in found.items() if key not in pending]
    opened = _open(fresh, evaluation, now) if fresh else []
    for key, request in pending.items():
        if key in found:
            _bring_up_to_date(request, kinds[request.kind], evaluation.workflow, found[key].columns, now)
    _withdraw([request for key, request in pending.items() if key not in found], evaluation, now)
    guard_figures.lift_rejected(evaluation, by=MACHINE, now=now)
    return opened


def _open(findings: Sequence[Finding], evaluation: Evaluation, now: datetime) -> list[Request]:
    connection = Connection.objects.get(pk=evaluation.connection_id)
    settled = set(
        Request.objects.filter(
            connection=connection, model=evaluation.workflow.odoo_model, odoo_id__in=[finding.odoo_id for finding in findings]
        ).values_list("odoo_id", "kind", "cause")
    )
    under_way = _being_carried_out(connection, evaluation.workflow, findings)
    opened = []
    for finding in findings:
        kind = finding.kind
        assert isinstance(kind, ApprovalKind)
        cause = str(finding.columns[kind.cause] or "")
        if (finding.odoo_id, kind.name, cause) in settled:
            continue
        on_its_way = under_way.get((finding.odoo_id, kind.name))
        if on_its_way and (on_its_way.status == Status.APPROVED or _is_same_ask(on_its_way, cause, finding.columns[kind.amount])):
            continue
        opened.append(
            open_request(
                Asking(
                    workflow=evaluation.workflow,
                    kind=kind,
                    connection=connection,
                    odoo_id=finding.odoo_id,
                    columns=finding.columns,
                    cause=cause,
                    asked_by=str(finding.columns[kind.asked_by] or ""),
                ),
                now=now,
            )
        )
    return opened


def _being_carried_out(connection: Connection, workflow: Workflow, findings: Sequence[Finding]) -> dict[tuple[int, str], Request]:
    """Return, by record and kind, the decision that is on its way: what it settles is not asked once more meanwhile."""
    lanes = {f"{connection.pk}:{workflow.odoo_model}:{finding.odoo_id}": finding.odoo_id for finding in findings}
    waiting = Command.objects.filter(
        lane__in=lanes, status__in=[CommandStatus.QUEUED, CommandStatus.UNKNOWN], decision__startswith="approval:"
    )
    decided = Request.objects.filter(
        pk__in=[int(decision.split(":")[1]) for decision in waiting.values_list("decision", flat=True)],
        status__in=[Status.APPROVED, Status.REJECTED],
    ).order_by("decided_at", "pk")
    return {(request.odoo_id, request.kind): request for request in decided}


def _is_same_ask(decided: Request, cause: str, amount: Decimal | None) -> bool:
    """Return whether somebody only tried again what was decided: the same ask, for the same amount."""
    ask = cause.split("@")[0]
    return bool(ask) and ask == decided.cause.split("@")[0] and _rounded(amount) == decided.amount


def draft(asking: Asking, *, now: datetime) -> Request:
    """Return the request as it would be opened now, unsaved."""
    kind, columns, user = asking.kind, asking.columns, asking.user
    in_force = policy.active(kind.name, now=now, connection_id=asking.connection.pk, company_id=asking.columns["company_id"])
    amount = columns[kind.amount]
    hands = segregation.involved_in(asking.connection.pk, columns, kind.involved, user)
    together = cumulation.summed(
        columns,
        kind,
        asking.workflow,
        policy.usable_rules(in_force),
        connection_id=asking.connection.pk,
        odoo_id=asking.odoo_id,
        now=now,
    )
    return Request(
        connection=asking.connection,
        kind=kind.name,
        workflow=asking.workflow.name,
        model=asking.workflow.odoo_model,
        odoo_id=asking.odoo_id,
        company_id=columns["company_id"],
        record_name=columns["record_name"],
        partner_name=columns["partner_name"] or "",
        cause=asking.cause,
        requested_by=asking.asked_by,
        requested_by_user=user,
        involved_uids=sorted(hands),
        owner_uids=sorted(segregation.involved_in(asking.connection.pk, columns, cumulation.owners(kind), user)),
        involved_logins=segregation.logins_of(asking.connection.pk, hands),
        amount=amount,
        currency=(columns[asking.workflow.currency] or "")[:LONGEST_CURRENCY],
        context=context_of(asking) | cumulation.kept(together, amount, columns[asking.workflow.currency] or ""),
        policy=in_force,
        requested_at=now,
        due_at=now,
    )


def open_request(asking: Asking, *, now: datetime) -> Request:
    """Open one request: its steps, its first level's people, its timers, the hold in Odoo, and the account owner told."""
    kind, user = asking.kind, asking.user
    request = draft(asking, now=now)
    request.save(force_insert=True)
    rules, amount = policy.usable_rules(request.policy), asking.columns[kind.amount]
    steps.lay_out(request, policy.demanded(rules, limits.amount_of(request), conditions.facts_of(request)))
    trail.record(
        trail.Event(
            action="approval.requested",
            actor=MACHINE if user is None else user.actor,
            subject=f"approval:{request.pk}",
            data={
                "kind": kind.name,
                "record": request.record_name,
                "amount": amount,
                "asked_by": asking.asked_by,
                "policy": request.policy.version,
                "cause": asking.cause,
            },
            about=(request.connection_id, request.company_id),
        ),
        now=now,
    )
    steps.begin_next(request, now=now)
    decision_commands.tell_odoo(request, kind.on_asked, by=MACHINE, reason=asking.reason, now=now)
    people, addresses = closing.account_owner(request)
    notify(
        Message(
            kind="approval.requested",
            key=f"approval:{request.pk}:requested",
            about=(request.connection_id, request.company_id),
            title=lambda: (
                gettext("%(kind)s requested: %(record)s, %(partner)s")
                % {"kind": gettext(kind.title), "record": request.record_name, "partner": request.partner_name}
            ),
            body=lambda: (
                gettext("%(amount)s, requested by %(by)s. You are the account owner.")
                % {"amount": money(amount, request.currency), "by": asking.asked_by}
            ),
            path=f"/approvals/{request.pk}/",
        ),
        people=people,
        addresses=addresses,
        now=now,
    )
    closing.announce(request)
    return request


def context_of(asking: Asking) -> dict[str, Any]:
    """What the one who decides is shown, and what the commands that follow need. Money is text."""
    kind, columns = asking.kind, asking.columns
    unchosen: dict[str, Any] = dict.fromkeys(kind.choice.columns if kind.choice else ())
    context = _facts(kind, {**unchosen, **columns, **asking.chosen}) | guard_figures.kept(columns)
    context |= _owner(kind, columns)
    context["record_url"] = subjects.url(asking.connection.name, asking.workflow.odoo_model, asking.odoo_id)
    if asking.reason:
        context["asked_because"] = asking.reason
    return context


def _owner(kind: ApprovalKind, columns: Mapping[str, Any]) -> dict[str, Any]:
    """Who looks after the record: whom steps ask the manager of, and who is told what becomes of the request."""
    login, email = kind.account_owner
    return {"account_owner_login": columns[login], "account_owner_email": columns[email]}


def _facts(kind: ApprovalKind, columns: Mapping[str, Any]) -> dict[str, Any]:
    named = {*kind.context, *units_of(kind.context), *placeholders.columns_of(kind)}
    return {name: facts.plain(columns[name]) for name in sorted(named & columns.keys())}


def _bring_up_to_date(request: Request, kind: ApprovalKind, workflow: Workflow, columns: Mapping[str, Any], now: datetime) -> None:
    """Bring the amount, the facts and the hands in the record up to date; where they changed, evaluate the steps anew."""
    has_new_hands = _add_hands(request, kind, columns)
    chosen = set(kind.choice.columns) if kind.choice else set()
    # What was chosen when it was asked for stays as it was chosen.
    figures = {name: value for name, value in _facts(kind, columns).items() if name not in chosen}
    together = cumulation.summed(
        columns,
        kind,
        workflow,
        request.policy.rules,
        connection_id=request.connection_id,
        odoo_id=request.odoo_id,
        now=now,
        request=request,
    )
    figures |= guard_figures.kept(columns)
    figures |= cumulation.kept(together, columns[kind.amount], columns[workflow.currency] or "")
    owner = _owner(kind, columns)
    before, was, said = facts.snapshot(request), request.amount, sentences.plain(request.context)
    shown = request.context
    fresh = {
        "amount": _rounded(columns[kind.amount]),
        "currency": columns[workflow.currency] or "",
        "company_id": columns["company_id"],
        "partner_name": columns["partner_name"] or "",
    }
    is_known = all(getattr(request, name) == value for name, value in fresh.items())
    # What the record is called, and who looks after it, is nothing that somebody decides on.
    is_same = request.record_name == columns["record_name"] and not has_new_hands
    if is_known and is_same and all(request.context.get(name) == value for name, value in (figures | owner).items()):
        return
    for name, value in fresh.items():
        setattr(request, name, value)
    request.record_name = columns["record_name"]
    request.context = {**request.context, **figures, **owner}
    facts.keep_earlier(request, before, now=now)
    request.save(update_fields=[*fresh, "record_name", "context", "facts_changed_at", "earlier_facts"])
    guard_figures.refresh_hold(request, shown, by=MACHINE, now=now)
    # What reads as before, and is only kept in another form since an update, is no change that somebody waits for.
    reads_differently = any(
        said.get(name) != sentences.plain(value) for name, value in figures.items() if name not in units_of(kind.context)
    )
    if request.paused_at and (reads_differently or not is_known):
        inquiries.answer_by_change(request, reasons.of_change(was, request.amount, request.currency), now=now)
    reevaluation.reevaluate(request, before=before, now=now)
    closing.announce(request)


def _add_hands(request: Request, kind: ApprovalKind, columns: Mapping[str, Any]) -> bool:
    """Add who had a hand in the record since; whether anybody had.

    Odoo keeps the last editor alone, so those who were seen before stay.
    """
    seen = segregation.involved_in(request.connection_id, columns, kind.involved, None)
    theirs = segregation.involved_in(request.connection_id, columns, cumulation.owners(kind), None)
    if seen <= set(request.involved_uids) and theirs <= set(request.owner_uids):
        return False
    request.involved_uids = sorted(seen.union(request.involved_uids))
    request.owner_uids = sorted(theirs.union(request.owner_uids))
    request.involved_logins = segregation.logins_of(request.connection_id, request.involved_uids)
    request.save(update_fields=["involved_uids", "owner_uids", "involved_logins"])
    return True


def _rounded(amount: Decimal | None) -> Decimal | None:
    """The amount as its column keeps it, so that what was kept is not taken for a change."""
    places = Request._meta.get_field("amount").decimal_places
    return None if amount is None else Decimal(amount).quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)


def _withdraw(requests: Sequence[Request], evaluation: Evaluation, now: datetime) -> None:
    for request in requests:
        kind = evaluation.workflow.approval(request.kind)
        if request.cause.startswith(ASKED_HERE):
            still_possible = engine.look(
                evaluation.workflow,
                connection_id=evaluation.connection_id,
                odoo_ids=[request.odoo_id],
                now=now,
                condition=kind.possible,
            )
            if still_possible:
                _bring_up_to_date(request, kind, evaluation.workflow, still_possible[request.odoo_id], now)
                continue
        is_deleted = request.odoo_id in evaluation.vanished
        reason = sentences.in_english(reasons.DELETED if is_deleted else reasons.MOVED_ON, record=request.record_name)
        if is_deleted:
            # What was asked for and never sent speaks of a record that is gone.
            enqueue.withdraw([f"approval:{request.pk}"], because=reason, now=now)
        closing.close_request(request, Status.CANCELLED, by=MACHINE, reason=reason, now=now)

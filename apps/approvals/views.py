"""The approval inbox and the page that decides. Reading is GET; deciding is POST, never anything else."""

import uuid
from datetime import date, datetime, time, timedelta
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.accounts import access
from apps.accounts.models import User
from apps.accounts.permissions import DECIDERS
from apps.accounts.requests import PersonsRequest
from apps.approvals import (
    absence,
    available_requests,
    bulk,
    distinct,
    editing,
    inquiries,
    listing,
    moves,
    permissions,
    policy,
    preview,
    queries,
    screens,
    undoing,
)
from apps.approvals.errors import NotAskedError
from apps.approvals.facts import Seen
from apps.approvals.models import Request
from apps.core import clock
from apps.core.query_strings import without_empty
from apps.core.refusal_pages import wants_json
from apps.core.refusals import Refusal
from apps.odoo import request_scope
from apps.odoo.models import Connection
from apps.workflows import registry, scopes
from apps.workflows.models import Position
from apps.workflows.scopes import EVERYBODY


def _visible(request: PersonsRequest, request_id: int) -> Request:
    found = queries.in_sight(access.scope_of(request.user))
    try:
        return found.get(id=request_id)
    except Request.DoesNotExist as error:
        raise Http404(
            gettext("Approval request %(request_id)s does not exist, or you have no access to it.") % {"request_id": request_id}
        ) from error


def _part(request: PersonsRequest, template: str, part: str) -> str:
    """The page, or only the part of it that a live update asks for."""
    return f"{template}#{part}" if request.headers.get("X-Fragment") else template


def _page(request: PersonsRequest, asked: Request, *, problem: str = "", status: int = 200, reason: str = "") -> HttpResponse:
    page = screens.page_of(asked, user=request.user, now=clock.now())
    context = {"page": page, "problem": problem, "reason": reason, "token": uuid.uuid4()}
    return render(request, _part(request, "approvals/detail.html", "body"), context, status=status)


@login_required
@require_safe
def inbox(request: PersonsRequest) -> HttpResponse:
    """Show a page of what waits for this person, and below it what waits for somebody else."""
    return without_empty(request) or _inbox(request)


def _inbox(request: PersonsRequest, **more: Any) -> HttpResponse:
    found = listing.inbox(request.GET.dict(), request.user, request_scope.scope_of(request, request.user), now=clock.now())
    context = {
        "inbox": found,
        "tab": "inbox",
        "token": uuid.uuid4(),
        "bulk_count": sum(bool(card.bulk_key) for card in found.cards),
        **listing.choices(),
        **more,
    }
    return render(request, _part(request, "approvals/inbox.html", "list"), context, status=400 if found.problems else 200)


@login_required
@require_POST
def approve_many(request: PersonsRequest) -> HttpResponse:
    """Approve what was ticked, as far as each one's policy lets it be approved together with others."""
    ticked = dict(pair.split(":", 1) for pair in request.POST.getlist("chosen") if ":" in pair)
    chosen = {int(number): digest for number, digest in ticked.items() if number.isdecimal() and len(number) < 19}
    shown = queries.in_sight(access.scope_of(request.user)).filter(id__in=chosen)
    outcomes = bulk.approve(
        {one.id: chosen[one.id] for one in shown},
        by=request.user,
        key=request.POST.get("token", "")[:40],
        now=clock.now(),
        undo_for=undoing.UNDO_FOR,
    )
    return _inbox(request, outcomes=outcomes, undo_until=clock.now() + undoing.SHOWN_FOR)


@login_required
@require_POST
def undo_many(request: PersonsRequest) -> HttpResponse:
    """Take back what was just approved together, as far as it still can be."""
    numbers = [int(number) for number in request.POST.getlist("request") if number.isdecimal() and len(number) < 19]
    shown = queries.in_sight(access.scope_of(request.user)).filter(id__in=numbers)
    outcomes = bulk.undo([one.id for one in shown], by=request.user, now=clock.now())
    done = sum(not one.problem for one in outcomes)
    messages.success(
        request,
        gettext("%(done)s of %(count)s undone.") % {"done": done, "count": len(outcomes)},
        extra_tags="done" if done == len(outcomes) else "late",
    )
    return redirect("approvals:inbox")


@login_required
@require_safe
def history(request: PersonsRequest) -> HttpResponse:
    """Show what has been decided, the latest decision first."""
    if redirected := without_empty(request):
        return redirected
    found = listing.decided(request.GET.dict(), request.user, request_scope.scope_of(request, request.user))
    context = {"page": found, "tab": "history", **listing.choices()}
    return render(request, "approvals/history.html", context, status=400 if found.problems else 200)


@login_required
@require_safe
def detail(request: PersonsRequest, request_id: int) -> HttpResponse:
    """One request: what is asked, on which facts, and what follows from each answer."""
    return _page(request, _visible(request, request_id))


@login_required
@require_POST
def decide(request: PersonsRequest, request_id: int) -> HttpResponse:
    """Approve or reject. The same form sent twice, however much later, has no second effect.

    A page that sends it by script (a decision taken without a connection) asks for JSON: what became of it, in words.
    """
    asked = _visible(request, request_id)
    reason, key = request.POST.get("reason", "").strip()[:1_000], request.POST.get("token", "")[:64]
    decision = request.POST.get("decision")
    # A page always says what it showed; a form without it showed nothing.
    shown = Seen(digest=request.POST.get("facts") or "none")
    try:
        if request.POST.get("person", str(request.user.pk)) != str(request.user.pk):
            said = gettext("This was decided by somebody else than %(user)s, on the same device.")
            raise NotAskedError(said % {"user": request.user})
        if decision not in ("approve", "reject"):
            raise moves.DecisionRefusedError(gettext("Choose Approve or Reject."))
        if decision == "reject" and not reason:
            raise moves.DecisionRefusedError(gettext("Enter a reason: a rejection needs one."))
        move = moves.approve if decision == "approve" else moves.reject
        move(request_id, by=request.user, reason=reason, now=clock.now(), undo_for=undoing.UNDO_FOR, key=key, seen=shown)
    except Refusal as error:
        if wants_json(request):
            raise
        return _page(request, _visible(request, request_id), problem=str(error), status=error.status, reason=reason)
    if wants_json(request):
        return JsonResponse({"detail": gettext("%(record_name)s: your decision is saved.") % {"record_name": asked.record_name}})
    return redirect("approvals:detail", request_id)


@login_required
@require_POST
def undo(request: PersonsRequest, request_id: int) -> HttpResponse:
    """Take one's own decision back, while it may be."""
    asked = _visible(request, request_id)
    try:
        undoing.undo(request_id, by=request.user, now=clock.now())
    except Refusal as error:
        return _page(request, _visible(request, request_id), problem=str(error), status=error.status)
    messages.success(
        request,
        gettext("Undone. %(record_name)s is waiting for your decision again; nothing was sent to Odoo.")
        % {"record_name": asked.record_name},
        extra_tags="done",
    )
    return redirect("approvals:detail", request_id)


@login_required
@require_POST
def delegate(request: PersonsRequest, request_id: int) -> HttpResponse:
    """Hand the decision to a colleague, who must be allowed to take it."""
    asked = _visible(request, request_id)
    chosen = request.POST.get("to", "")
    to = User.objects.filter(pk=int(chosen), is_active=True).first() if chosen.isdecimal() else None
    if to is None:
        return _page(request, asked, problem=gettext("Choose a colleague to delegate to."), status=422)
    try:
        moves.delegate(request_id, to=to, by=request.user, reason=request.POST.get("reason", "").strip(), now=clock.now())
    except Refusal as error:
        return _page(request, asked, problem=str(error), status=error.status)
    done = gettext("%(record_name)s is delegated to %(to)s.") % {"record_name": asked.record_name, "to": to}
    messages.success(request, done, extra_tags="done")
    return redirect("approvals:inbox")


@login_required
@require_POST
def request_information(request: PersonsRequest, request_id: int) -> HttpResponse:
    """Ask a question, or want something changed, before deciding."""
    asked = _visible(request, request_id)
    try:
        inquiries.request_information(
            request_id,
            wants_changes=request.POST.get("wants") == "changes",
            text=request.POST.get("text", "")[:1_000],
            by=request.user,
            now=clock.now(),
        )
    except Refusal as error:
        return _page(request, asked, problem=str(error), status=error.status)
    sent = gettext("%(record_name)s: your request was sent.") % {"record_name": asked.record_name}
    messages.success(request, sent, extra_tags="done")
    return redirect("approvals:detail", request_id)


@login_required
@require_POST
def answer(request: PersonsRequest, request_id: int, inquiry_id: int) -> HttpResponse:
    """Answer what was asked back."""
    asked = _visible(request, request_id)
    get_object_or_404(asked.inquiries, id=inquiry_id)
    try:
        inquiries.answer(inquiry_id, text=request.POST.get("text", "")[:1_000], by=request.user, now=clock.now())
    except Refusal as error:
        return _page(request, asked, problem=str(error), status=error.status)
    return redirect("approvals:detail", request_id)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def away(request: PersonsRequest) -> HttpResponse:
    """Being out of office: from when to when, and who is asked instead."""
    problem, status, now = "", 200, clock.now()
    if request.method == "POST" and request.POST.get("back"):
        absence.end(request.user, now=now)
        messages.success(request, gettext("Out of office ended. New requests come to you again."), extra_tags="done")
        return redirect("approvals:away")
    if request.method == "POST":
        try:
            first, last = (date.fromisoformat(request.POST.get(name, "")) for name in ("first", "last"))
            deputy = User.objects.get(pk=int(request.POST.get("deputy", "")), is_active=True)
        except (ValueError, User.DoesNotExist):
            problem, status = gettext("Choose a colleague, the first day and the last."), 422
        else:
            zone = timezone.get_current_timezone()
            starts, until = datetime.combine(first, time.min, zone), datetime.combine(last + timedelta(days=1), time.min, zone)
            try:
                absence.begin(request.user, deputy=deputy, starts_at=starts, until=until, now=now)
            except Refusal as error:
                problem, status = str(error), error.status
            else:
                return redirect("approvals:away")
    context = {
        "absence": absence.current(request.user, now=now),
        "problem": problem,
        "today": timezone.localdate(now),
        "colleagues": User.objects.filter(role__in=DECIDERS, is_active=True).exclude(id=request.user.pk).order_by("first_name"),
    }
    return render(request, "approvals/away.html", context, status=status)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def ask(request: PersonsRequest, connection: str, model: str, odoo_id: int) -> HttpResponse:
    """What may be asked for about a record, and asking for it."""
    mine = access.scope_of(request.user)
    of = get_object_or_404(Connection.objects.filter(mine.of_connections()), name=connection)
    position = Position.objects.filter(mine.of_records(), connection=of, model=model, odoo_id=odoo_id).first()
    if position is None:
        raise Http404(
            gettext("%(model)s %(odoo_id)s of %(connection)s is not tracked.")
            % {"model": model, "odoo_id": odoo_id, "connection": connection}
        )
    problem, status, now = "", 200, clock.now()
    kind, reason, option = (request.POST.get(name, "").strip()[:1_000] for name in ("kind", "reason", "option"))
    if request.method == "POST" and not reason:
        problem, status = gettext("Enter a reason for the approver."), 422
    elif request.method == "POST":
        try:
            asked = moves.ask(
                connection_id=of.pk,
                kind=kind,
                model=model,
                odoo_id=odoo_id,
                option=option,
                by=request.user,
                reason=reason,
                now=now,
            )
        except Refusal as error:
            problem, status = str(error), error.status
        else:
            return redirect("approvals:detail", asked.pk)
    context = {
        "connection": of,
        "position": position,
        "problem": problem,
        "kind": kind,
        "reason": reason,
        "chosen": option,
        "available": available_requests.of_record(of.pk, model, odoo_id, seen=mine, now=now),
    }
    return render(request, "approvals/ask.html", context, status=status)


@login_required
@require_safe
def policies(request: PersonsRequest) -> HttpResponse:
    """The policy in force for each kind of approval."""
    now = clock.now()
    scope, places = scopes.chosen_in(request, request.user)
    connection_id, company_id = scope.key
    found = [
        (declared, in_force, (in_force.connection_id, in_force.company_id) == scope.key)
        for kind, (_, declared) in registry.approval_kinds().items()
        for in_force in [policy.active(kind, now=now, connection_id=connection_id, company_id=company_id)]
    ]
    context = {"found": found, "tab": "policies", "places": places, "query": f"?{scope.query}", "is_general": scope == EVERYBODY}
    return render(request, "approvals/policies.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def edit_policy(request: PersonsRequest, kind: str) -> HttpResponse:
    """A policy as a form, with what it would have meant for the last month before it becomes a new version."""
    if kind not in registry.approval_kinds():
        raise Http404(gettext("There is no approval kind %(kind)s.") % {"kind": kind})
    now, problem, status, shown = clock.now(), "", 200, None
    warned: list[str] = []
    scope, places = scopes.chosen_in(request, request.user)
    connection_id, company_id = scope.key
    in_force = policy.active(kind, now=now, connection_id=connection_id, company_id=company_id)
    here = f"{reverse('approvals:policy', args=[kind])}?{scope.query}"
    rules, act = in_force.rules, request.POST.get("act", "")
    why_not = permissions.why_not_make_policy(request.user)
    if act == "reasons":
        texts = {decision: request.POST.get(f"reasons-{decision}", "").splitlines() for decision in policy.DECISIONS}
        policy.save_reasons(kind, texts, by=request.user, now=now)
        messages.success(request, gettext("Templates saved."), extra_tags="done")
        return redirect(here)
    if act == "withdraw":
        try:
            policy.withdraw(kind, scope=scope, by=request.user, now=now)
        except policy.PolicyError as error:
            problem, status = str(error), error.status
        else:
            messages.success(request, gettext("Withdrawn. Pending requests keep their version."), extra_tags="done")
            return redirect(here)
    if request.method == "POST" and act != "withdraw":
        rules = editing.changed(editing.rules_of(request.POST), act)
    if act in ("preview", "save") or request.method != "POST":
        try:
            policy.check(kind, rules)
            if act == "save":
                if request.POST.get("version") != str(in_force.version):
                    raise policy.PolicyError(
                        gettext("Version %(version)s was saved meanwhile. Compare, then save again.")
                        % {"version": in_force.version}
                    )
                policy.save(kind, rules, by=request.user, now=now, note=request.POST.get("note", "").strip()[:300], scope=scope)
                done = gettext("Saved as a new version. Pending requests keep their version.")
                messages.success(request, done, extra_tags="done")
                for warning in distinct.warnings(rules):
                    messages.warning(request, warning, extra_tags="risk")
                return redirect(here)
            warned = distinct.warnings(rules)
            shown = preview.preview(kind, rules, seen=scope.within(access.scope_of(request.user)), now=now)
        except Refusal as error:
            problem, status = str(error), error.status
    context = screens.policy_form(kind, rules, in_force, access.scope_of(request.user)) | {
        "problem": problem,
        "warnings": warned,
        "preview": shown,
        "why_not": why_not,
        "note": request.POST.get("note", ""),
        "tab": "policies",
        "places": places,
        "query": f"?{scope.query}",
        "where": scopes.words_of(places),
        "is_own": (in_force.connection_id, in_force.company_id) == scope.key,
        "is_general": scope == EVERYBODY,
    }
    return render(request, "approvals/policy.html", context, status=status)

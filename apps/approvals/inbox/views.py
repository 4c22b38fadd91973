"""The approval inbox and the page that decides. Reading is GET; deciding is POST, never anything else."""

import uuid
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.accounts import access
from apps.accounts.models import User
from apps.accounts.requests import PersonsRequest
from apps.approvals import queries
from apps.approvals.errors import DecisionRefusedError, NotAskedError
from apps.approvals.inbox import listing, screens
from apps.approvals.models import Request
from apps.approvals.requests import available_requests, bulk, inquiries, moves, undoing
from apps.approvals.requests.facts import Seen
from apps.core import clock
from apps.core.fragments import part
from apps.core.query_strings import without_empty
from apps.core.refusal_pages import wants_json
from apps.core.refusals import Refusal
from apps.odoo import request_scope
from apps.odoo.models import Connection
from apps.workflows.models import Position


def _visible(request: PersonsRequest, request_id: int) -> Request:
    found = queries.in_sight(access.scope_of(request.user))
    try:
        return found.get(id=request_id)
    except Request.DoesNotExist as error:
        raise Http404(
            gettext("Approval request %(request_id)s does not exist, or you have no access to it.") % {"request_id": request_id}
        ) from error


def _page(request: PersonsRequest, asked: Request, *, problem: str = "", status: int = 200, reason: str = "") -> HttpResponse:
    page = screens.page_of(asked, user=request.user, now=clock.now())
    context = {"page": page, "problem": problem, "reason": reason, "token": uuid.uuid4()}
    return render(request, part(request, "approvals/detail.html", "body"), context, status=status)


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
    return render(request, part(request, "approvals/inbox.html", "list"), context, status=400 if found.problems else 200)


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
            raise DecisionRefusedError(gettext("Choose Approve or Reject."))
        if decision == "reject" and not reason:
            raise DecisionRefusedError(gettext("Enter a reason: a rejection needs one."))
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
def recall(request: PersonsRequest, request_id: int) -> HttpResponse:
    """Take back what one asked for oneself, as long as nobody has decided it."""
    asked = _visible(request, request_id)
    try:
        moves.recall(request_id, by=request.user, reason=request.POST.get("reason", "").strip()[:1_000], now=clock.now())
    except Refusal as error:
        return _page(request, _visible(request, request_id), problem=str(error), status=error.status)
    done = gettext("%(record_name)s: your request was recalled.") % {"record_name": asked.record_name}
    messages.success(request, done, extra_tags="done")
    return redirect("approvals:detail", request_id)


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
        "available": available_requests.of_record(of, model, odoo_id, by=request.user, now=now),
    }
    return render(request, "approvals/ask.html", context, status=status)

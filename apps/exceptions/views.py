"""The exception queue, one exception, and what a person does with it."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.accounts import sight
from apps.accounts.models import User
from apps.accounts.permissions import EXCEPTION_WORKERS, INTEGRATORS, NotAllowedError, may_work_exceptions
from apps.accounts.requests import PersonsRequest
from apps.core import clock
from apps.exceptions import integration, moves, queries, remedies, screens, types
from apps.exceptions.models import ExceptionCase, Severity, Status
from apps.odoo import seen
from apps.odoo.models import Connection
from apps.workflows import registry

SNOOZES = (("1", "1 hour"), ("4", "4 hours"), ("24", "1 day"), ("72", "3 days"))


def _part(request: PersonsRequest, template: str, part: str) -> str:
    """The page, or only the part of it that a live update asks for."""
    return f"{template}#{part}" if request.headers.get("X-Fragment") else template


@login_required
@require_safe
def queue(request: PersonsRequest) -> HttpResponse:
    """The queue, as the query string says."""
    context = {
        "queue": screens.queue(request.GET.dict(), user=request.user, seen=seen.on(request, request.user), now=clock.now()),
        "may_work": request.user.role in EXCEPTION_WORKERS,
    }
    if not request.headers.get("X-Fragment"):
        context |= screens.choices()
    return render(request, _part(request, "exceptions/queue.html", "list"), context)


def _page(request: PersonsRequest, case: ExceptionCase, *, problem: str = "", status: int = 200) -> HttpResponse:
    is_of_integration = case.type in integration.TYPES
    may_work = may_work_exceptions(request.user, of_integration=is_of_integration)
    context = {
        "case": case, "type": types.title_of(case.type), "is_of_integration": is_of_integration,
        "evidence": screens.evidence_of(case), "timeline": screens.timeline_of(case), "problem": problem, "snoozes": SNOOZES,
        "odoo_url": case.url,
        "offers": remedies.offered(case, now=clock.now()), "commands": remedies.commands_of(case),
        "decisions": [
            kind.title for _, kind in registry.approval_kinds().values()
            if kind.exception == case.type and may_work and case.status != Status.RESOLVED
        ],
        "may_work": may_work, "people": screens.workers_for(case) if may_work else [],
    }  # fmt: skip
    return render(request, _part(request, "exceptions/detail.html", "body"), context, status=status)


@login_required
@require_safe
def detail(request: PersonsRequest, case_id: int) -> HttpResponse:
    """One exception: evidence, who owns it, what happened, what can be done."""
    return _page(request, _case(request, case_id))


def _case(request: PersonsRequest, case_id: int) -> ExceptionCase:
    return get_object_or_404(queries.queue(sight.of(request.user)), id=case_id)


def _assign(case_id: int, request: PersonsRequest, now: datetime) -> None:
    chosen = request.POST.get("owner", "")
    owner = User.objects.filter(pk=int(chosen), is_active=True).first() if chosen.isdecimal() else None
    if owner is None:
        raise moves.MoveRefusedError("Choose a colleague to assign this to.")
    moves.assign(case_id, owner=owner, by=request.user, now=now)


def _snooze(case_id: int, request: PersonsRequest, now: datetime) -> None:
    hours = request.POST.get("hours", "")
    until = now + timedelta(hours=min(int(hours), 24 * 90)) if hours.isdecimal() else parse_datetime(request.POST.get("until", ""))
    if until is None:
        raise moves.MoveRefusedError("Say until when to snooze it.")
    if timezone.is_naive(until):
        until = timezone.make_aware(until)
    moves.snooze(case_id, until=until, by=request.user, now=now)


# What each button does; the moves check the right and the state.
ACTIONS: dict[str, tuple[str, Callable[[int, PersonsRequest, datetime], Any]]] = {
    "take": ("is yours", lambda case_id, request, now: moves.assign(case_id, owner=request.user, by=request.user, now=now)),
    "assign": ("was assigned", _assign),
    "acknowledge": ("was acknowledged", lambda case_id, request, now: moves.acknowledge(case_id, by=request.user, now=now)),
    "snooze": ("was snoozed", _snooze),
    "resolve": (
        "was resolved",
        lambda case_id, request, now: moves.resolve(
            case_id, resolution=request.POST.get("resolution", "").strip(), by=request.user, now=now
        ),
    ),
    "take-remedy": (
        "is on its way in Odoo",
        lambda case_id, request, now: moves.take(
            case_id, remedy=request.POST.get("remedy", ""), option=request.POST.get("option", ""), by=request.user, now=now
        ),
    ),
    "comment": (
        "has your comment",
        lambda case_id, request, now: moves.comment(
            case_id, text=request.POST.get("text", "").strip(), by=request.user, now=now
        ),
    ),
}


@login_required
@require_POST
def act(request: PersonsRequest, case_id: int, action: str) -> HttpResponse:
    """Do what a button says, and show the exception as it is then."""
    if action not in ACTIONS:
        raise Http404(f"There is no {action} for an exception.")
    case = _case(request, case_id)
    done, move = ACTIONS[action]
    try:
        move(case_id, request, clock.now())
    except NotAllowedError as error:
        return _page(request, case, problem=str(error), status=403)
    except moves.MoveRefusedError as error:
        return _page(request, _case(request, case_id), problem=str(error), status=409)
    messages.success(request, f"{case.record_name} {done}.", extra_tags="done")
    back = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(back, allowed_hosts=None):
        back = reverse("exceptions:detail", args=[case_id])
    return redirect(back)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def in_odoo(request: PersonsRequest, name: str) -> HttpResponse:
    """What of the queue one Odoo shows, as a part of its connection's page, and changing that."""
    mine = sight.of(request.user)
    connection = get_object_or_404(Connection.objects.filter(mine.of_whole_connections("id")), name=name)
    if request.method == "POST":
        try:
            severity = Severity(int(request.POST.get("severity", "")))
            an_hour = min(max(int(request.POST.get("an_hour", "")), 0), 10_000)
        except ValueError:
            messages.error(request, "Choose a severity, and a number of new ones an hour.")
            return redirect("connections:detail", connection.name)
        shown = set(request.POST.getlist("types"))
        try:
            moves.show_in_odoo(
                connection, is_on="is_on" in request.POST, severity=severity, an_hour=an_hour, by=request.user, now=clock.now(),
                types_off=[kind for kind in registry.exception_types() if kind not in shown],
            )  # fmt: skip
        except NotAllowedError as error:
            return render(request, "403.html", {"reason": str(error)}, status=403)
        messages.success(request, "Saved. It holds for exceptions from now on.", extra_tags="done")
        return redirect("connections:detail", connection.name)
    return render(request, "exceptions/in_odoo.html", screens.in_odoo(connection) | {
        "connection": connection, "may_integrate": request.user.role in INTEGRATORS,
    })  # fmt: skip

"""The exception queue, one exception, and what a person does with them."""

from datetime import datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse, JsonResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext, gettext_noop
from django.views.decorators.http import require_POST, require_safe

from apps.accounts import access
from apps.accounts.models import Team, User
from apps.accounts.permissions import may_work_exceptions
from apps.accounts.requests import PersonsRequest
from apps.core import clock, sheets
from apps.core.fragments import part
from apps.core.query_strings import without_empty
from apps.core.refusal_pages import wants_json
from apps.core.refusals import Refusal
from apps.exceptions import integration, queries, resolutions, types
from apps.exceptions.bulk import jobs
from apps.exceptions.bulk.links import links_of
from apps.exceptions.cases import actions, applying, moves
from apps.exceptions.choices import SNOOZES
from apps.exceptions.models import BulkJob, ExceptionCase, Status
from apps.exceptions.queue import by_cause, columns, listing, saved, screens
from apps.exceptions.queue.filters import Known, matching
from apps.odoo import request_scope
from apps.workflows import registry

MORNING = 8
MOST_CHOSEN = 1_000


@login_required
@require_safe
def queue(request: PersonsRequest) -> HttpResponse:
    """The queue, as the query string says; with the side panel where it names an exception."""
    if redirected := without_empty(request):
        return redirected
    now, shown, known = clock.now(), request_scope.scope_of(request, request.user), Known(request.user)
    problems = listing.problems_of(request.GET.dict(), known)
    context: dict[str, Any] = {
        "queue": listing.queue(request.GET.dict(), known=known, access_scope=shown, now=now, problems=problems),
        "may_work": may_work_exceptions(request.user, of_integration=True),
        "hidden": columns.hidden_of(request.COOKIES.get(columns.COOKIE)),
        "columns": columns.titles(),
    }
    if not request.headers.get("X-Fragment"):
        context |= listing.choices(known) | {"snoozes": SNOOZES, "endings": resolutions.SUGGESTED}
        case = request.GET.get("case", "")
        if case.isascii() and case.isdecimal() and len(case) < 19:
            found = queries.queue(access.scope_of(request.user)).filter(id=int(case)).first()
            context |= {"panel": found, "opened": case} | (_context(request, found) if found else {})
        elif by_cause.read_ids([case])[1]:
            # Its panel is fetched once the page is there: what it shows stands on the queue.
            context["opened"] = case
    return render(request, part(request, "exceptions/queue.html", "list"), context, status=400 if problems else 200)


@login_required
@require_safe
def export(request: PersonsRequest) -> HttpResponseBase:
    """Send what the query string asks for as CSV, with the columns that the person shows."""
    now, shown, known = clock.now(), request_scope.scope_of(request, request.user), Known(request.user)
    if problems := listing.problems_of(request.GET.dict(), known):
        return HttpResponse("\n".join(problems), status=400, content_type="text/plain; charset=utf-8")
    chosen = columns.shown(request.COOKIES.get(columns.COOKIE))
    rows = listing.export(request.GET.dict(), known=known, access_scope=shown, now=now)
    cells = ([cell for column in chosen for cell in column.cells(row)] for row in rows)
    headings = [heading for column in chosen for heading in column.headings()]
    return sheets.answer(request, f"exceptions-{timezone.localdate(now):%Y-%m-%d}", headings, cells)


def _context(request: PersonsRequest, case: ExceptionCase, problem: str = "") -> dict[str, Any]:
    now, is_of_integration = clock.now(), case.type in integration.TYPES
    may_work = may_work_exceptions(request.user, of_integration=is_of_integration)
    return {
        "case": case,
        "type": types.title_of(case.type),
        "is_of_integration": is_of_integration,
        "evidence": types.evidence_of(case),
        "timeline": screens.timeline_of(case),
        "problem": problem,
        "ended_by": screens.ended_by([case]).get(case.pk),
        "snoozes": SNOOZES,
        "endings": resolutions.SUGGESTED,
        "odoo_url": case.url,
        "seen": moves.as_seen(case),
        "offers": actions.offered(case, now=now, by=request.user),
        "commands": actions.commands_of(case),
        "undoable": actions.undoable(case, by=request.user, now=now) if may_work else [],
        "stage": screens.stage_title(case.workflow, case.stage),
        "has_approvals": case.status != Status.RESOLVED
        and any(kind.exception == case.type for _, kind in registry.approvals_over(case.model)),
        "may_work": may_work,
        "people": screens.workers_for(case) if may_work else [],
        "teams": Team.objects.order_by("name") if may_work else [],
    }


def _page(request: PersonsRequest, case: ExceptionCase, *, problem: str = "", status: int = 200) -> HttpResponse:
    context = _context(request, case, problem)
    if request.headers.get("X-Fragment") == "panel":
        return render(request, "exceptions/panel.html", context, status=status)
    return render(request, part(request, "exceptions/detail.html", "body"), context, status=status)


@login_required
@require_safe
def detail(request: PersonsRequest, case_id: int) -> HttpResponse:
    """One exception: evidence, who owns it, what happened, what can be done."""
    return _page(request, _case(request, case_id))


@login_required
@require_safe
def around(request: PersonsRequest, case_id: int) -> HttpResponse:
    """What holds the record up, what it puts at risk, and how others like it ended: a part that is fetched by itself."""
    case = _case(request, case_id)
    context = {"case": case} | screens.around(case, access.scope_of(request.user), now=clock.now())
    return render(request, "exceptions/around.html", context)


@login_required
@require_safe
def effect(request: PersonsRequest, case_id: int) -> HttpResponse:
    """What a suggested action would do to sales orders: a part that is fetched by itself, before anybody applies it."""
    case, now, mine = _case(request, case_id), clock.now(), access.scope_of(request.user)
    given = (request.GET.get("action", ""), request.GET.get("option", ""))
    return render(request, "exceptions/effect.html", {"preview": actions.effect_of(case, *given, access_scope=mine, now=now)})


@login_required
@require_safe
def people(request: PersonsRequest, case_id: int) -> HttpResponse:
    """Return who can be mentioned on the exception: those who may see it, whose name begins with what was typed."""
    found = screens.mentionable(_case(request, case_id), request.GET.get("q", "")[:60])
    return JsonResponse({"people": [{"username": one.username, "name": str(one), "role": one.get_role_display()} for one in found]})


def _case(request: PersonsRequest, case_id: int) -> ExceptionCase:
    return get_object_or_404(queries.queue(access.scope_of(request.user)), id=case_id)


# ---- What is done from a page: one exception or many ------------------------------------------------------------------


def _arguments(move: str, request: PersonsRequest, now: datetime) -> dict[str, Any]:
    """What the form says of the move. Raises MoveRefusedError."""
    given = request.POST
    if move == "take":
        return {"owner": request.user.pk}
    if move == "assign":
        return _new_owner(given)
    if move == "snooze":
        return {"until": _until(given.get("hours", ""), given.get("until", ""), now).isoformat()}
    if move == "resolve":
        return {"resolution": given.get("resolution", "").strip()}
    return {}


def _new_owner(given: QueryDict) -> dict[str, Any]:
    chosen, team = given.get("owner", ""), given.get("team", "")
    owner = User.objects.filter(pk=int(chosen), is_active=True).first() if chosen.isdecimal() and len(chosen) < 19 else None
    to_team = Team.objects.filter(slug=team).first() if team else None
    if owner is None and to_team is None and chosen != "none":
        raise moves.MoveRefusedError(gettext("Choose a colleague to assign this to, or a team."))
    return {"owner": owner.pk if owner else None, "team": to_team.pk if to_team else None, "note": given.get("note", "")}


def _until(hours: str, until: str, now: datetime) -> datetime:
    if hours.isascii() and hours.isdecimal():
        return now + timedelta(hours=min(int(hours[:6]), 24 * 90))
    if hours in ("tomorrow", "monday"):
        here = timezone.localtime(now)
        days = 1 if hours == "tomorrow" else 7 - here.weekday()
        return timezone.make_aware(datetime.combine((here + timedelta(days=days)).date(), time(MORNING)), here.tzinfo)
    try:
        moment = parse_datetime(until)
    except ValueError:
        moment = None
    if moment is None:
        raise moves.MoveRefusedError(gettext("Choose when the snooze ends."))
    return timezone.make_aware(moment) if timezone.is_naive(moment) else moment


def _act(case_id: int, action: str, request: PersonsRequest, now: datetime) -> BulkJob | None:
    """Do what a button says to one exception. Return the job by which it can be undone, if it can."""
    given = request.POST
    if action == "comment":
        moves.comment(case_id, text=given.get("text", "").strip(), by=request.user, now=now)
        return None
    if action == "apply":
        applying.apply(
            case_id,
            action=given.get("action", ""),
            option=given.get("option", ""),
            is_confirmed="confirmed" in given,
            by=request.user,
            now=now,
            undo_for=applying.UNDO_FOR,
        )
        return None
    if action == "undo-apply":
        # What is undone stands in the address, where the page has a button only.
        asked = {name: given.get(name) or request.GET.get(name, "") for name in ("action", "option")}
        applying.undo_apply(case_id, **asked, by=request.user, now=now)
        return None
    move = "assign" if action == "take" else action
    return jobs.do_one(
        case_id, move=move, arguments=_arguments(action, request, now), by=request.user, now=now, seen=given.get("seen", "")
    )


# What each button did, in words; the moves check the right and the state.
DONE = {
    "take": gettext_noop("%(record)s: assigned to you."),
    "assign": gettext_noop("%(record)s: assigned."),
    "acknowledge": gettext_noop("%(record)s: acknowledged."),
    "snooze": gettext_noop("%(record)s: snoozed."),
    "resolve": gettext_noop("%(record)s: resolved."),
    "apply": gettext_noop("%(record)s: applied."),
    "undo-apply": gettext_noop("%(record)s: undone."),
    "comment": gettext_noop("%(record)s: comment added."),
}


def _said(action: str, case: ExceptionCase) -> str:
    return gettext(DONE[action]) % {"record": case.record_name}


def _undo_of(request: PersonsRequest, case: ExceptionCase) -> dict[str, str]:
    """The address at which the action that was just applied can be undone; none where Odoo is told nothing by it."""
    chosen = {name: request.POST.get(name, "") for name in ("action", "option")}
    undoable = actions.undoable(case, by=request.user, now=clock.now())
    if chosen not in [{"action": one.action, "option": one.option} for one in undoable]:
        return {}
    return {"undo": f"{reverse('exceptions:act', args=[case.pk, 'undo-apply'])}?{urlencode(chosen)}"}


@login_required
@require_POST
def act(request: PersonsRequest, case_id: int, action: str) -> HttpResponse:
    """Do what a button says, and show the exception as it is then."""
    if action not in DONE:
        raise Http404(gettext("There is no %(action)s for an exception.") % {"action": action})
    case = _case(request, case_id)
    try:
        job = _act(case_id, action, request, clock.now())
    except Refusal as error:
        if wants_json(request):
            raise
        return _page(request, _case(request, case_id), problem=str(error), status=error.status)
    said = _said(action, case)
    if wants_json(request):
        links = links_of(job) if job else _undo_of(request, case) if action == "apply" else {}
        return JsonResponse({"said": said, "ids": [case_id]} | links)
    messages.success(request, said, extra_tags="done")
    back = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(back, allowed_hosts=None):
        back = reverse("exceptions:detail", args=[case_id])
    return redirect(back)


@login_required
@require_POST
def do(request: PersonsRequest) -> HttpResponse:
    """Do one thing to the chosen exceptions, or to all that a view holds: one at once, more as a job."""
    now, action = clock.now(), request.POST.get("move", "")
    if action not in ("take", "assign", "acknowledge", "snooze", "resolve"):
        raise Http404(gettext("There is no %(action)s for exceptions.") % {"action": action})
    move = "assign" if action == "take" else action
    named = request.POST.getlist("ids")[:MOST_CHOSEN]
    ids, groups = by_cause.read_ids(named)
    arguments = _arguments(action, request, now)
    if len(ids) == 1 and not groups and "all" not in request.POST:
        case = _case(request, ids[0])
        job = jobs.do_one(case.pk, move=move, arguments=arguments, by=request.user, now=now, seen=request.POST.get("seen", ""))
        return JsonResponse({"said": _said(action, case), "ids": named} | links_of(job))
    shown = request_scope.scope_of(request, request.user)
    if "all" in request.POST:
        query = QueryDict(request.POST.get("query", ""))
        shown = request_scope.narrow(shown, request_scope.choice_in(query.dict()))
        chosen = matching(query.dict(), known=Known(request.user), access_scope=shown, now=now)
    else:
        chosen = ExceptionCase.objects.filter(shown.of_records(), by_cause.chosen_by((ids, groups)))
    job = jobs.begin(chosen, move=move, arguments=arguments, by=request.user, now=now, groups=groups)
    if not wants_json(request):
        return redirect("exceptions:bulk-job", job.pk)
    return JsonResponse(
        {
            "said": gettext("%(total)s exceptions are being %(value)s.") % {"total": job.total, "value": gettext(jobs.DONE[move])},
            "ids": named,
            "runs": True,
        }
        | links_of(job)
    )


@login_required
@require_POST
def save_view(request: PersonsRequest) -> HttpResponse:
    """Keep what is shown under a name, for oneself or for a team."""
    query = QueryDict(request.POST.get("query", ""))
    try:
        saved.save(
            request.POST.get("name", ""), query=query.dict(), team=request.POST.get("team", ""), by=request.user, now=clock.now()
        )
    except moves.MoveRefusedError as error:
        messages.error(request, str(error), extra_tags="risk")
    return redirect(f"{reverse('exceptions:queue')}?{query.urlencode()}")


@login_required
@require_POST
def forget_view(request: PersonsRequest, view_id: int) -> HttpResponse:
    """Take a saved view away."""
    try:
        saved.forget(view_id, by=request.user)
    except moves.MoveRefusedError as error:
        messages.error(request, str(error), extra_tags="risk")
    return redirect("exceptions:queue")

"""The playbook of a case as a part of its page, and the page on which playbooks are written."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.accounts import access
from apps.accounts.permissions import POLICY_MAKERS, may_work_exceptions
from apps.accounts.requests import PersonsRequest
from apps.core import clock
from apps.core.refusals import Refusal
from apps.exceptions import integration, types
from apps.exceptions.models import ExceptionCase, Playbook, Status
from apps.exceptions.playbooks import figures, progress, versions
from apps.odoo import request_scope
from apps.workflows.playbooks import Shows, StepKind

# Empty lines below the steps that there are, for new ones.
NEW_LINES = 3


@login_required
@require_safe
def of_case(request: PersonsRequest, case_id: int) -> HttpResponse:
    """How far a case has come in its playbook: a part that is fetched by itself."""
    return _part(request, _case(request, case_id))


@login_required
@require_POST
def take(request: PersonsRequest, case_id: int, step: str) -> HttpResponse:
    """Tick a step off, skip it, or open it again."""
    case = _case(request, case_id)
    outcome = request.POST.get("outcome", "")
    if outcome not in ("done", "skipped", "open"):
        raise Http404(gettext("A step is done, skipped or open."))
    problem = ""
    try:
        progress.take(case.pk, step, outcome=outcome, note=request.POST.get("note", ""), by=request.user, now=clock.now())
    except Refusal as refusal:
        problem = str(refusal)
    if request.headers.get("X-Fragment"):
        return _part(request, case, problem=problem)
    if problem:
        messages.error(request, problem)
    return redirect("exceptions:detail", case_id)


def _case(request: PersonsRequest, case_id: int) -> ExceptionCase:
    return get_object_or_404(ExceptionCase.objects.filter(access.scope_of(request.user).of_records()), pk=case_id)


def _part(request: PersonsRequest, case: ExceptionCase, *, problem: str = "") -> HttpResponse:
    may_work = may_work_exceptions(request.user, of_integration=case.type in integration.TYPES)
    context = {
        "case": case,
        "progress": progress.of_case(case),
        "may_take": may_work and case.status != Status.RESOLVED,
        "problem": problem,
    }
    return render(request, "exceptions/playbook_part.html", context, status=422 if problem else 200)


@login_required
@require_safe
def listing(request: PersonsRequest) -> HttpResponse:
    """Every type of exception, with the version of its playbook."""
    # The newest of a type comes last, and stays.
    written = {row.type: row for row in Playbook.objects.order_by("type", "version")}
    rows = [
        (name, title, written[name].version, len(written[name].steps))
        if name in written
        else (name, title, 0, len(versions.declared(name).steps))
        for name, title in sorted(types.titles().items(), key=lambda one: one[1])
    ]
    return render(request, "exceptions/playbooks.html", {"rows": rows})


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def one(request: PersonsRequest, type_name: str) -> HttpResponse:
    """One type's playbook: its steps, what its figures say, its versions, and writing the next."""
    if type_name not in types.titles():
        raise Http404(gettext("There is no exception type %(type)s.") % {"type": type_name[:80]})
    problem, status = "", 200
    if request.method == "POST":
        try:
            based_on = request.POST.get("based_on", "")
            versions.write(
                type_name,
                _steps_in(request.POST),
                by=request.user,
                now=clock.now(),
                note=request.POST.get("note", ""),
                based_on=int(based_on) if based_on.isdecimal() and len(based_on) < 9 else 0,
            )
        except Refusal as refusal:
            problem, status = str(refusal), refusal.problem.status
        else:
            messages.success(request, gettext("Saved. Exceptions that are open keep the version that they began with."))
            return redirect("exceptions:playbook", type_name)
    found = versions.of_type(type_name)
    current = found[0]
    lines: list[dict[str, Any]] = (
        _steps_in(request.POST) if problem else [versions.kept(step) | {"title": current.title_of(step)} for step in current.steps]
    )
    context = {
        "type_name": type_name,
        "title": types.title_of(type_name),
        "current": current,
        "versions": found,
        "figures": figures.of_version(current, None, access_scope=request_scope.scope_of(request, request.user)),
        "lines": [*lines, *({"name": "", "title": "", "kind": "check", "done_when": ""} for _ in range(NEW_LINES))],
        "kinds": StepKind.choices,
        "shows": Shows.choices,
        "may_write": request.user.role in POLICY_MAKERS,
        "problem": problem,
    }
    return render(request, "exceptions/playbook.html", context, status=status)


def _steps_in(form: QueryDict) -> list[dict[str, str]]:
    """The steps of the form in the order of their numbers; a line without a title is none."""
    names = ("order", "name", "title", "kind", "done_when")
    values = zip(*(form.getlist(name) for name in names), strict=False)
    lines = [dict(zip(names, one, strict=True)) for one in values]
    filled = [line for line in lines if line["title"].strip()]
    filled.sort(key=lambda line: int(line["order"]) if line["order"].isdecimal() and len(line["order"]) < 6 else 999)
    return [{name: value for name, value in line.items() if name != "order"} for line in filled]

"""Showing and setting the parameters of rules, with what another value would change."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_safe

from apps.accounts import access
from apps.accounts.permissions import NotAllowedError, check_may_make_policy
from apps.accounts.requests import PersonsRequest
from apps.core import clock
from apps.pipeline import parameter_preview
from apps.workflows import parameter_values, registry, scopes
from apps.workflows.parameters import ParameterRefusedError, plain


@login_required
@require_safe
def listing(request: PersonsRequest) -> HttpResponse:
    """Every parameter, by workflow, as it stands for everybody or where one looks."""
    scope, places = scopes.chosen_in(request, request.user)
    found = parameter_values.standing_in(scope)
    groups = [(area, [one for one in found if one.declared.readers[0] is area]) for area in registry.parameter_areas().values()]
    context = {
        "groups": [(area, _sections(rows)) for area, rows in groups if rows],
        "places": places,
        "tab": "parameters",
        "query": f"?{scope.query}",
        "where": scopes.words_of(places),
        "set_count": sum(one.own is not None for one in found),
    }
    return render(request, "boards/parameters.html", context)


def _sections(rows: list[Any]) -> list[tuple[str, list[Any], bool]]:
    """The rows by what they are about, a rule's own first."""
    sections: dict[str, list[Any]] = {}
    for row in rows:
        sections.setdefault(row.declared.part, []).append(row)
    return [(part, found, any(row.own is not None for row in found)) for part, found in sections.items()]


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def one(request: PersonsRequest, parameter: str) -> HttpResponse:
    """One parameter: what counts, what another value would change, setting it, and every version."""
    name = parameter
    if name not in registry.parameters():
        raise Http404(gettext("There is no parameter %(name)s.") % {"name": name[:120]})
    scope, places = scopes.chosen_in(request, request.user)
    now, problem, status, shown = clock.now(), "", 200, None
    act, value = request.POST.get("act", ""), request.POST.get("value", "").strip().replace(",", ".")
    (standing,) = parameter_values.standing_in(scope, [name])
    here = f"{reverse('boards:parameter', args=[name])}?{scope.query}"
    try:
        check_may_make_policy(request.user)
        scopes.check_in_sight(request.user, scope)
        why_not = ""
    except NotAllowedError as error:
        why_not = str(error)
    if request.method == "POST":
        wanted: str | None = None if act in ("reset", "preview-reset") or not value else value
        try:
            if act in ("set", "reset"):
                seen = request.POST.get("version", "")
                parameter_values.set_value(
                    name,
                    wanted,
                    scope=scope,
                    by=request.user,
                    now=now,
                    note=request.POST.get("note", "").strip(),
                    version=int(seen) if seen.isascii() and seen.isdecimal() else None,
                )
                messages.success(
                    request, gettext("Set. What it concerns is evaluated now, and Odoo's guards are told."), extra_tags="done"
                )
                return redirect(here)
            shown = parameter_preview.preview(name, wanted, scope=scope, access_scope=access.scope_of(request.user), now=now)
        except NotAllowedError as error:
            problem, status = str(error), 403
        except ParameterRefusedError as error:
            problem, status = str(error), 422
    seen_of = access.scope_of(request.user)
    context = {
        "one": standing,
        "parameter": standing.declared.parameter,
        "places": places,
        "query": f"?{scope.query}",
        "here": here,
        "where": scopes.words_of(places),
        "value": value if request.method == "POST" else plain(standing.number),
        "problem": problem,
        "why_not": why_not,
        "preview": shown,
        "note": request.POST.get("note", ""),
        "versions": parameter_values.history_of(name, seen_of),
        "tab": "parameters",
    }
    return render(request, "boards/parameter.html", context, status=status)

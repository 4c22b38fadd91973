"""Home, and the pages of one record or supplier. Each is one read and one drawing."""

from urllib.parse import parse_qsl, urlencode

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe

from apps.accounts import access
from apps.accounts.requests import PersonsRequest
from apps.boards.records import layout
from apps.boards.shell import home as homes
from apps.core import clock
from apps.core.fragments import part
from apps.odoo import request_scope


@login_required
@require_safe
def home(request: PersonsRequest) -> HttpResponse:
    """What needs this person now, by their role."""
    context = {"home": homes.home_of(request.user, access_scope=request_scope.scope_of(request, request.user), now=clock.now())}
    return render(request, part(request, "boards/home.html", "body"), context)


@login_required
@require_safe
def fresh(request: PersonsRequest) -> HttpResponse:
    """How fresh the data is, for a page that has been open for long."""
    own = access.scope_of(request.user)
    fresh = layout.freshness(layout.connections_of(own), request_scope.narrow(own, request_scope.choice_of(request)))
    return render(request, "parts/fresh.html", {"fresh": fresh})


@login_required
@require_POST
def place(request: PersonsRequest) -> HttpResponse:
    """Narrow all pages to one connection, or to one company of it, or to nothing less than all; back to where one was."""
    connection, _, company = request.POST.get("place", "").partition(":")
    chosen = [connection, company] if company else [connection]
    if all(request_scope.is_number(number) for number in chosen) and access.scope_of(request.user).sees(*map(int, chosen)):
        request.session[request_scope.CHOICE] = [int(connection), int(company) if company else None]
    else:
        request.session.pop(request_scope.CHOICE, None)
    path, _, query = request.POST.get("next", "").partition("?")
    if not url_has_allowed_host_and_scheme(path, allowed_hosts=None):
        return redirect("boards:home")
    # The address spoke for one page; the choice speaks for all. A page further on may not exist in the new list.
    kept = [(name, value) for name, value in parse_qsl(query) if name not in ("connection", "company", "after", "before")]
    return redirect(f"{path}?{urlencode(kept)}" if kept else path)

"""Home, and the pages of one record or supplier. Each is one read and one drawing."""

from urllib.parse import parse_qsl, urlencode

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext
from django.views.decorators.http import require_POST, require_safe

from apps.accounts import access
from apps.accounts.permissions import EXCEPTION_WORKERS
from apps.accounts.requests import PersonsRequest
from apps.approvals import guard_policy
from apps.boards import home as homes
from apps.boards import layout, records
from apps.boards.views.parts import part
from apps.core import clock
from apps.odoo import request_scope
from apps.odoo.models import Connection


@login_required
@require_safe
def home(request: PersonsRequest) -> HttpResponse:
    """What needs this person now, by their role."""
    context = {"home": homes.home_of(request.user, seen=request_scope.scope_of(request, request.user), now=clock.now())}
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


def _record(request: PersonsRequest, connection: str, model: str, odoo_id: int) -> records.RecordPage:
    mine = access.scope_of(request.user)
    found = get_object_or_404(Connection.objects.filter(mine.of_connections()), name=connection)
    page = records.page_of(found, model, odoo_id, seen=mine, now=clock.now())
    if page is None:
        raise Http404(
            gettext("%(model)s %(odoo_id)s of %(connection)s is not tracked.")
            % {"model": model, "odoo_id": odoo_id, "connection": connection}
        )
    return page


@login_required
@require_safe
def record(request: PersonsRequest, connection: str, model: str, odoo_id: int) -> HttpResponse:
    """One record: stage, blockers, chain, money, decisions, and everything that happened."""
    page = _record(request, connection, model, odoo_id)
    context = {"page": page, "may_ask": page.may_be_asked and request.user.role in EXCEPTION_WORKERS}
    return render(request, part(request, "boards/record.html", "body"), context)


@login_required
@require_safe
def decisions(request: PersonsRequest, connection: str, model: str, odoo_id: int) -> HttpResponse:
    """What the record waits for, as a part of other pages."""
    return render(request, "boards/decisions.html", {"page": _record(request, connection, model, odoo_id)})


@login_required
@require_safe
def supplier(request: PersonsRequest, connection: str, odoo_id: int) -> HttpResponse:
    """What is open with one supplier, and the sales orders that wait for it."""
    # All companies buy from a supplier: only who sees the whole connection is told.
    mine = access.scope_of(request.user)
    of = get_object_or_404(Connection.objects.filter(mine.of_whole_connections("id")), name=connection)
    page = records.supplier_of(of, odoo_id, now=clock.now())
    if page is None:
        raise Http404(gettext("%(of)s has no partner %(odoo_id)s.") % {"of": of.name, "odoo_id": odoo_id})
    return render(request, "boards/supplier.html", {"page": page})


@login_required
@require_safe
def mirrored(request: PersonsRequest, connection: str) -> HttpResponse:
    """How many records of each model the mirror holds of one connection, as a part of its page."""
    mine = access.scope_of(request.user)
    found = get_object_or_404(Connection.objects.filter(mine.of_whole_connections("id")), name=connection)
    context = {
        "counts": records.mirrored(found),
        "past": records.past_read(found),
        "guard_problems": guard_policy.problems(found.pk).get(found.pk, []),
        "is_provisioned": found.is_provisioned,
    }
    return render(request, "boards/mirrored.html", context)

"""The pages of one record, and of what is mirrored."""

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from apps.accounts import access
from apps.accounts.permissions import EXCEPTION_WORKERS
from apps.accounts.requests import PersonsRequest
from apps.approvals.policies import guard_policy
from apps.boards.records import case_approvals, coverage, pages, what_if
from apps.core import clock
from apps.core.fragments import part
from apps.exceptions import queries as exceptions
from apps.odoo.models import Connection


def _record(request: PersonsRequest, connection: str, model: str, odoo_id: int) -> pages.RecordPage:
    mine = access.scope_of(request.user)
    found = get_object_or_404(Connection.objects.filter(mine.of_connections()), name=connection)
    page = pages.page_of(found, model, odoo_id, access_scope=mine, now=clock.now())
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
    context = {
        "page": page,
        "may_ask": page.may_be_asked and request.user.role in EXCEPTION_WORKERS,
        "open_lines": what_if.open_lines(page.connection.pk, odoo_id) if model == "purchase.order" else [],
    }
    return render(request, part(request, "boards/record.html", "body"), context)


@login_required
@require_safe
def decisions(request: PersonsRequest, connection: str, model: str, odoo_id: int) -> HttpResponse:
    """What the record waits for, as a part of other pages."""
    return render(request, "boards/decisions.html", {"page": _record(request, connection, model, odoo_id)})


@login_required
@require_safe
def approvals_of_case(request: PersonsRequest, case_id: int) -> HttpResponse:
    """The approvals that answer an exception: those that wait, and those that could be asked for. A part of its page."""
    case = get_object_or_404(exceptions.queue(access.scope_of(request.user)), id=case_id)
    context = {"case": case, "approvals": case_approvals.of_case(case, by=request.user, now=clock.now())}
    return render(request, "boards/case_approvals.html", context)


@login_required
@require_safe
def mirrored(request: PersonsRequest, connection: str) -> HttpResponse:
    """How many records of each model the mirror holds of one connection, as a part of its page."""
    mine = access.scope_of(request.user)
    found = get_object_or_404(Connection.objects.filter(mine.of_whole_connections("id")), name=connection)
    context = {
        "counts": coverage.by_model(found),
        "past": coverage.of_past(found),
        "guard_problems": guard_policy.problems(found.pk).get(found.pk, []),
        "is_provisioned": found.is_provisioned,
    }
    return render(request, "boards/mirrored.html", context)

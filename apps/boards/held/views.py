"""Who held it, as pages: of one record, request or case as a part of its page, and of all that ended in a time."""

from datetime import timedelta

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext, gettext_noop
from django.views.decorators.http import require_safe

from apps.accounts import access
from apps.accounts.requests import PersonsRequest
from apps.approvals.models import Request
from apps.boards.boards.date_range import DateRangeError, date_range
from apps.boards.held import splitting
from apps.boards.parts import is_workflow
from apps.boards.profiles.family import family_of
from apps.core import clock, sheets
from apps.core.query_strings import one_of
from apps.exceptions.models import ExceptionCase
from apps.odoo import request_scope
from apps.odoo.models import Connection
from apps.odoo.page_queries import is_day, knows
from apps.workflows import registry
from apps.workflows.models import Position

KINDS = {
    splitting.RECORDS: gettext_noop("Records"),
    splitting.REQUESTS: gettext_noop("Approvals"),
    splitting.CASES: gettext_noop("Exceptions"),
}
GROUPS = {splitting.WORKFLOW: gettext_noop("Workflow"), splitting.PARTNER: gettext_noop("Customer or vendor")}
# So many customers or vendors, those with the most time first.
MOST_SHOWN = 100
# Of a customer or vendor: the orders of a quarter.
HELD_WITHIN = timedelta(days=90)


@login_required
@require_safe
def record(request: PersonsRequest, connection: str, model: str, odoo_id: int) -> HttpResponse:
    """Who held one record, in each of its workflows."""
    mine, now = access.scope_of(request.user), clock.now()
    found = get_object_or_404(Connection.objects.filter(mine.of_connections()), name=connection)
    positions = Position.objects.filter(mine.of_records(), connection=found, model=model, odoo_id=odoo_id).order_by("workflow")
    get_object_or_404(positions[:1])
    workflows = [registry.workflows()[one.workflow] for one in positions if one.workflow in registry.workflows()]
    splits = [
        (gettext(workflow.title) if len(workflows) > 1 else "", split)
        for workflow in workflows
        if (split := splitting.of_record(workflow, connection_id=found.pk, odoo_id=odoo_id, now=now))
    ]
    return render(request, "boards/held_part.html", {"splits": splits})


@login_required
@require_safe
def partner(request: PersonsRequest, connection: str, odoo_id: int, workflow: str) -> HttpResponse:
    """Who held the orders of a customer, or the purchases of a vendor, that ended lately; a part of its page."""
    mine, now = access.scope_of(request.user), clock.now()
    of = get_object_or_404(Connection.objects.filter(mine.of_connections()), name=connection)
    found, family = registry.workflows().get(workflow), family_of(of, odoo_id, access_scope=mine)
    if family is None or found is None:
        raise Http404(gettext("%(of)s has no partner %(odoo_id)s.") % {"of": of.name, "odoo_id": odoo_id})
    split = splitting.of_partner(
        found, connection_id=of.pk, members=family.members, since=now - HELD_WITHIN, until=now, access_scope=mine
    )
    context = {"split": split, "title": gettext(found.title), "days": HELD_WITHIN.days}
    return render(request, "boards/held_of_partner.html", context)


@login_required
@require_safe
def approval(request: PersonsRequest, request_id: int) -> HttpResponse:
    """Who held one approval request."""
    get_object_or_404(Request.objects.filter(access.scope_of(request.user).of_records()), pk=request_id)
    return render(request, "boards/held_part.html", {"splits": [("", splitting.of_request(request_id, now=clock.now()))]})


@login_required
@require_safe
def case(request: PersonsRequest, case_id: int) -> HttpResponse:
    """Who held one exception case."""
    get_object_or_404(ExceptionCase.objects.filter(access.scope_of(request.user).of_records()), pk=case_id)
    return render(request, "boards/held_part.html", {"splits": [("", splitting.of_case(case_id, now=clock.now()))]})


@login_required
@require_safe
@knows(of=one_of(KINDS), by=one_of(GROUPS), workflow=is_workflow, since=is_day, until=is_day, format=one_of(["csv"]))
def sums(request: PersonsRequest) -> HttpResponseBase:
    """Who held what ended in a time, by workflow or by customer and vendor."""
    asked, shown = request.GET, request_scope.scope_of(request, request.user)
    now, problem = clock.now(), ""
    try:
        days = date_range(asked, access_scope=shown, now=now)
    except DateRangeError as error:
        days, problem = date_range({}, access_scope=shown, now=now), str(error)
    of, by = asked.get("of") or splitting.RECORDS, asked.get("by") or splitting.WORKFLOW
    found = splitting.sums(
        of,
        by=by,
        since=days.since,
        until=days.until,
        access_scope=shown,
        workflow=asked.get("workflow", ""),
    )
    titles = {name: gettext(workflow.title) for name, workflow in registry.workflows().items()}
    titles["integration"] = gettext("Integration")
    rows = [(titles.get(split.key, split.key) if by == splitting.WORKFLOW else split.key, split) for split in found]
    if asked.get("format") == "csv" and not problem:
        headings = [gettext(GROUPS[by]), gettext("Sample"), gettext("Holder"), gettext("Team"), gettext("Seconds")]
        cells = (
            [title, split.count, str(part.holder.label), part.team_name, part.seconds]
            for title, split in rows
            for part in split.parts
        )
        return sheets.answer(request, f"who-held-it-{of}-by-{by}-{days.first}-{days.last}", headings, cells)
    context = {
        "rows": rows[:MOST_SHOWN],
        "more": max(len(rows) - MOST_SHOWN, 0),
        "kinds": KINDS,
        "groups": GROUPS,
        "workflows": registry.workflows().values(),
        "of": of,
        "by": by,
        "workflow": asked.get("workflow", ""),
        "days": days,
        "problem": problem,
    }
    return render(request, "boards/held.html", context, status=400 if problem else 200)

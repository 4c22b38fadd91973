"""Home, the boards, and the page of one record. Each is one read and one drawing."""

from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from apps.accounts.requests import PersonsRequest
from apps.boards import frame, queries, records
from apps.boards import home as homes
from apps.core import clock
from apps.odoo.models import Connection
from apps.workflows import registry
from apps.workflows.declare import Stage, Workflow


def _part(request: PersonsRequest, template: str, part: str) -> str:
    """The page, or only the part of it that a live update asks for."""
    return f"{template}#{part}" if request.headers.get("X-Fragment") else template


def _workflow(name: str) -> Workflow:
    found = registry.workflows().get(name)
    if found is None:
        raise Http404(f"There is no workflow {name}. There are: {', '.join(registry.workflows())}.")
    return found


def _stage(workflow: Workflow, name: str) -> Stage:
    try:
        return workflow.stage(name)
    except KeyError as error:
        raise Http404(str(error)) from error


@login_required
@require_safe
def home(request: PersonsRequest) -> HttpResponse:
    """What needs this person now, by their role."""
    context = {"home": homes.home_of(request.user, now=clock.now())}
    return render(request, _part(request, "boards/home.html", "body"), context)


@login_required
@require_safe
def fresh(request: PersonsRequest) -> HttpResponse:
    """How fresh the data is, for a page that has been open for long."""
    return render(request, "parts/fresh.html", {"fresh": frame.freshness()})


@login_required
@require_safe
def overview(request: PersonsRequest) -> HttpResponse:
    """All workflows: where does the money wait?"""
    now = clock.now()
    context = {"boards": [queries.board(workflow, now=now) for workflow in registry.workflows().values()]}
    return render(request, "boards/overview.html", context)


@login_required
@require_safe
def board(request: PersonsRequest, workflow: str) -> HttpResponse:
    """One workflow, stage by stage, with its bottleneck named."""
    now, found = clock.now(), _workflow(workflow)
    hours = queries.flow_by_hour(found, now=now)
    chart = {
        "hour": [row.hour.isoformat() for row in hours],
        "arrived": [row.arrived for row in hours],
        "departed": [row.departed for row in hours],
    }
    context = {"board": queries.board(found, now=now), "hours": hours, "chart": chart}
    return render(request, _part(request, "boards/board.html", "stages"), context)


@login_required
@require_safe
def stage(request: PersonsRequest, workflow: str, stage: str) -> HttpResponse:
    """The records behind one stage, the longest there first."""
    found = _workflow(workflow)
    only_late = request.GET.get("late") == "1"
    rows = list(
        queries.positions_in(found.name, stage, after=request.GET.get("after", ""), only_late=only_late, now=clock.now())
    )
    shown, query = rows[: queries.PAGE], ""
    if len(rows) > queries.PAGE:
        mark = {"after": f"{shown[-1].since.isoformat()}~{shown[-1].id}"}
        query = urlencode(mark | ({"late": "1"} if only_late else {}))
    context = {
        "workflow": found, "stage": _stage(found, stage), "rows": shown, "next_query": query, "only_late": only_late,
        "is_first": "after" not in request.GET,
    }  # fmt: skip
    return render(request, _part(request, "boards/stage.html", "list"), context)


def _record(connection: str, model: str, odoo_id: int) -> records.RecordPage:
    found = get_object_or_404(Connection, name=connection)
    page = records.page_of(found, model, odoo_id, now=clock.now())
    if page is None:
        raise Http404(f"The tower does not follow {model} {odoo_id} of {connection}.")
    return page


@login_required
@require_safe
def record(request: PersonsRequest, connection: str, model: str, odoo_id: int) -> HttpResponse:
    """One record: stage, blockers, chain, money, decisions, and everything that happened."""
    return render(request, _part(request, "boards/record.html", "body"), {"page": _record(connection, model, odoo_id)})


@login_required
@require_safe
def decisions(request: PersonsRequest, connection: str, model: str, odoo_id: int) -> HttpResponse:
    """What the record waits for, as a part of other pages."""
    return render(request, "boards/decisions.html", {"page": _record(connection, model, odoo_id)})


@login_required
@require_safe
def supplier(request: PersonsRequest, connection: str, odoo_id: int) -> HttpResponse:
    """What is open with one supplier, and the sales orders that wait for it."""
    of = get_object_or_404(Connection, name=connection)
    page = records.supplier_of(of, odoo_id, now=clock.now())
    if page is None:
        raise Http404(f"{of.name} has no partner {odoo_id}.")
    return render(request, "boards/supplier.html", {"page": page})


@login_required
@require_safe
def mirrored(request: PersonsRequest, connection: str) -> HttpResponse:
    """How many records of each model the mirror holds of one connection, as a part of its page."""
    found = get_object_or_404(Connection, name=connection)
    return render(request, "boards/mirrored.html", {"counts": records.mirrored(found), "past": records.past_read(found)})

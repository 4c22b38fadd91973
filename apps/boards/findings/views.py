"""Process findings as pages: what was found in all workflows or in one, and the records of one finding."""

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from apps.accounts.access import AccessScope
from apps.accounts.requests import PersonsRequest
from apps.boards.boards.zone import zone_in_sight, zone_midnight
from apps.boards.findings import catalogue, summing
from apps.boards.parts import is_workflow, workflow_called
from apps.core import clock, sheets
from apps.core.query_strings import one_of
from apps.odoo import request_scope
from apps.odoo.page_queries import knows
from apps.workflows import registry

PERIODS = (7, 28, 84)
IS_PERIOD = one_of(PERIODS)
# So many parts of a finding are said in a sentence; the rest stands in the table.
MOST_PARTS = 5


def _days(request: PersonsRequest) -> int:
    return int(request.GET.get("days") or PERIODS[1])


def _since(days: int, now: datetime, shown: AccessScope) -> datetime:
    """The begin of the days, as the company in sight counts them and as the page of the flow does."""
    return zone_midnight(now, zone=zone_in_sight(shown), back=days - 1)


def _is_part(text: str) -> bool:
    return "\x00" not in text and len(text) < 200


@login_required
@require_safe
@knows(days=IS_PERIOD, workflow=is_workflow, format=one_of(["csv"]))
def findings(request: PersonsRequest) -> HttpResponseBase:
    """What was found in all workflows, or in one, the most money first."""
    name, is_sheet = request.GET.get("workflow", ""), request.GET.get("format") == "csv"
    if not is_sheet and not request.headers.get("X-Fragment"):
        # The page stands at once, and asks for what was found.
        shell = {"days": _days(request), "periods": PERIODS, "workflows": registry.workflows().values(), "asked": name}
        return render(request, "boards/findings.html", shell)
    context = _context(request, name)
    if is_sheet:
        headings = [gettext("Finding"), gettext("Workflow"), gettext("Part"), gettext("Records"), gettext("Sample")]
        headings += [gettext("Value"), gettext("Times"), gettext("Seconds")]
        return sheets.answer(request, f"findings-{name or 'all'}-{context['days']}-days", headings, _sheet(context["found"]))
    return render(request, "boards/findings.html#list", context)


@login_required
@require_safe
@knows(days=IS_PERIOD)
def of_workflow(request: PersonsRequest, workflow: str) -> HttpResponse:
    """What was found in one workflow, as a part of the page of its flow."""
    found = workflow_called(workflow)
    return render(request, "boards/findings_part.html", _context(request, found.name) | {"workflow": found})


def _context(request: PersonsRequest, workflow: str) -> dict[str, Any]:
    now, days, shown = clock.now(), _days(request), request_scope.scope_of(request, request.user)
    chosen = [workflow_called(workflow)] if workflow else []
    told = summing.sums(since=_since(days, now, shown), until=now, access_scope=shown, workflows=chosen)
    return {
        "found": told,
        "hits": [one for one in told if one.whole.count],
        "nothing": [one for one in told if not one.whole.count],
        "days": days,
        "most_parts": MOST_PARTS,
    }


def _sheet(found: list[summing.Found]) -> list[list[Any]]:
    rows = []
    for one in found:
        for text, told in [("", one.whole), *((part.text, part.sum) for part in one.parts)]:
            amounts = ", ".join(f"{amount} {currency}" for currency, amount in told.amounts)
            title, of = gettext(one.finding.title), gettext(one.workflow.title)
            rows.append([title, of, text, told.count, one.sample, amounts, told.times, told.seconds])
    return rows


@login_required
@require_safe
@knows(days=IS_PERIOD, part=_is_part, offset=request_scope.is_number)
def records(request: PersonsRequest, name: str, workflow: str) -> HttpResponse:
    """The records of one finding, those with the most money first; each leads to its page with its timeline."""
    finding, found, asked = catalogue.called(name), workflow_called(workflow), request.GET
    if finding is None:
        raise Http404(gettext("There is no finding %(name)s.") % {"name": name})
    now, days, shown = clock.now(), _days(request), request_scope.scope_of(request, request.user)
    part, offset = tuple(asked["part"].split("~")) if asked.get("part") else None, int(asked.get("offset") or 0)
    since = _since(days, now, shown)
    rows = summing.records(finding, found, since=since, until=now, access_scope=shown, part=part, offset=offset)
    told = next(iter(summing.sums(since=since, until=now, access_scope=shown, workflows=[found], names=[finding.name])), None)
    one = next((one for one in told.parts if one.part == part), None) if told and part else None
    kept = {name: asked[name] for name in ("days", "part") if asked.get(name)}
    titles = {stage.name: gettext(stage.title) for stage in found.stages}
    context = {
        "finding": finding,
        "workflow": found,
        "rows": [(row, titles.get(row.stage, row.stage)) for row in rows[: summing.PAGE_SIZE]],
        "days": days,
        "next_query": urlencode(kept | {"offset": offset + summing.PAGE_SIZE}) if len(rows) > summing.PAGE_SIZE else "",
        "part": one,
        "told": told,
    }
    return render(request, "boards/finding_records.html", context)

"""What a report says: the KPIs of the last thirty days with the thirty before, or a board as it is now, of what its reader sees."""

from dataclasses import dataclass
from datetime import datetime
from html import unescape
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import strip_tags
from django.utils.translation import gettext

from apps.accounts.access import AccessScope
from apps.boards.boards import kpis, queries
from apps.boards.boards.kpi import BUSINESS, ORCHESTRATION
from apps.boards.reports.subjects import KPIS
from apps.core.templatetags.show import brief_money, brief_span, measured, number
from apps.workflows import registry


@dataclass(frozen=True, kw_only=True)
class Composed:
    """A report as it is sent: the same as text and as HTML, in the active language."""

    title: str
    text: str
    html: str
    path: str


@dataclass(frozen=True, kw_only=True)
class Line:
    """One row of a report, in words.

    Attributes:
        cells: what stands in its columns.
        is_late: whether it misses its target.
        path: the page with what is behind it.
    """

    cells: list[str]
    is_late: bool
    path: str


def compose(subject: str, *, access_scope: AccessScope, now: datetime) -> Composed:
    """Return the report of ``subject`` with what is in sight; a board that is empty says so."""
    return _kpis(access_scope, now) if subject == KPIS else _board(subject, access_scope, now)


def _plain(html: Any) -> str:
    return unescape(strip_tags(str(html))).replace("\N{NO-BREAK SPACE}", " ")


def _kpis(access_scope: AccessScope, now: datetime) -> Composed:
    found = kpis.figures(now=now, access_scope=access_scope)
    missed = sum(one.is_met is False for one in found)
    title = gettext("KPIs: %(missed)s of %(all)s below target") % {"missed": number(missed), "all": number(len(found))}
    parts = [
        (name, [_figure(one) for one in found if one.kpi.kind == kind])
        for kind, name in ((BUSINESS, gettext("Business")), (ORCHESTRATION, gettext("Orchestration")))
    ]
    headings = [gettext("KPI"), gettext("Workflow"), gettext("Value"), gettext("Target"), gettext("Before"), gettext("Sample")]
    return _composed(title, gettext("Last 30 days"), headings, parts, reverse("boards:figures"))


def _figure(one: kpis.Figure) -> Line:
    unit, currency = one.kpi.unit, one.currency
    said = [_plain(measured(value, unit, currency)) for value in (one.value, one.target, one.before)]
    path = reverse("boards:figure-records", args=[one.kpi.name, one.workflow])
    return Line(cells=[gettext(one.kpi.title), one.title, *said, number(one.count)], is_late=one.is_met is False, path=path)


def _board(name: str, access_scope: AccessScope, now: datetime) -> Composed:
    workflow = registry.workflows()[name]
    board = queries.board(workflow, now=now, access_scope=access_scope)
    title = gettext("%(workflow)s: %(count)s in progress, %(late)s over target") % {
        "workflow": gettext(workflow.title),
        "count": number(board.open_count),
        "late": number(board.over_target),
    }
    lines = [
        Line(
            cells=[
                stage.title,
                number(stage.count),
                _plain(brief_money(stage.amount, stage.currency)) if stage.amount else "–",
                brief_span(stage.median_age_seconds),
                brief_span(stage.target_seconds),
                number(stage.over_target),
            ],
            is_late=bool(stage.over_target),
            path=reverse("boards:stage", args=[name, stage.stage]),
        )
        for stage in board.stages
        if stage.count
    ]
    headings = [
        gettext("Stage"),
        gettext("Records"),
        gettext("Value"),
        gettext("Median age"),
        gettext("Target"),
        gettext("Over target"),
    ]
    lead = " ".join(filter(None, (board.bottleneck, board.cause, board.relief)))
    return _composed(title, lead, headings, [("", lines)], reverse("boards:board", args=[name]))


def _composed(title: str, lead: str, headings: list[str], parts: list[tuple[str, list[Line]]], path: str) -> Composed:
    shown = [(name, lines) for name, lines in parts if lines]
    context = {
        "title": title,
        "lead": lead,
        "headings": headings,
        "parts": shown,
        "base": settings.PUBLIC_URL,
        "path": path,
    }
    text = [lead] if lead else []
    for name, lines in shown:
        text += ["", name] if name else [""]
        for line in lines:
            first, *others = line.cells
            told = ", ".join(f"{heading}: {cell}" for heading, cell in zip(headings[1:], others, strict=True))
            text.append(f"{'! ' if line.is_late else '- '}{first}: {told}")
    if not shown:
        text += ["", gettext("No data yet.")]
    return Composed(title=title, text="\n".join(text).strip(), html=render_to_string("boards/mail/report.html", context), path=path)

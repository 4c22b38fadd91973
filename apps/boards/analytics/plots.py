"""The charts of the boards as Plotly figures: built and validated on the server, only drawn by its script in the page.

A colour is the name of one of the page's tokens, ``var(--calm)``, which ``static/js/chart.js`` looks up when it draws: one figure
serves both themes, and the tokens are safe for colour-blind readers. A moment with a time of day is shown in the reader's time
zone; a day is a day of the company. Where a bar leads to its records, its ``customdata`` is their address.
"""

from collections.abc import Sequence
from typing import Any

from django.utils import formats
from django.utils.translation import gettext, pgettext
from plotly import graph_objects as go

from apps.boards.analytics.analysis import Analysis
from apps.boards.boards.queries import Hour
from apps.workflows.stock_curve import Curve

SHADES = ("--calm", "--risk", "--done", "--advice", "--late", "--accent", "--idle", "--ink")
BAR_HEIGHT, AREA_HEIGHT = 272, 340
TEMPLATE = go.layout.Template(
    layout={
        "barmode": "group",
        "bargap": 0.3,
        "height": BAR_HEIGHT,
        "margin": {"l": 40, "r": 8, "t": 8, "b": 40},
        "paper_bgcolor": "var(--sheet)",
        "plot_bgcolor": "var(--sheet)",
        "font": {"family": "var(--sans)", "size": 12, "color": "var(--ink-2)"},
        "colorway": [f"var({shade})" for shade in SHADES],
        "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        "xaxis": {"gridcolor": "var(--line)", "fixedrange": True, "automargin": True},
        "yaxis": {
            "rangemode": "tozero",
            "gridcolor": "var(--line)",
            "zerolinecolor": "var(--line-2)",
            "fixedrange": True,
        },
        "hovermode": "x unified",
        "hoverlabel": {"bgcolor": "var(--sheet)", "bordercolor": "var(--line-2)", "font": {"color": "var(--ink)"}},
    }
)


def by_the_hour(hours: Sequence[Hour]) -> dict[str, Any]:
    """Draw arrivals and departures of each hour."""
    return _figure(
        [
            _bars(gettext("In"), [row.hour.isoformat() for row in hours], [row.arrived for row in hours], "--calm"),
            _bars(gettext("Out"), [row.hour.isoformat() for row in hours], [row.departed for row in hours], "--risk"),
        ],
        xaxis={"type": "date", "tickformat": "%H:%M"},
    )


def cumulative_flow(told: Analysis) -> dict[str, Any]:
    """Draw how many records stood in each stage at the end of each day, stacked."""
    ends = [at.isoformat() for at in told.moments]
    traces = [
        go.Scatter(
            name=title,
            x=ends,
            y=list(counts),
            mode="lines",
            stackgroup="all",
            hovertemplate=_hover(title),
            line={"width": 1, "color": f"var({SHADES[number % len(SHADES)]})"},
        )
        for number, (title, counts) in enumerate(told.levels)
    ]
    return _figure(traces, height=AREA_HEIGHT, xaxis={"type": "date", "tickformat": _day_format()})


def cycle_times(told: Analysis) -> dict[str, Any]:
    """Draw how many records took how long; each bar leads to them."""
    bars = _bars(
        gettext("Records"),
        [one.title for one in told.bins],
        [one.count for one in told.bins],
        "--calm",
        links=[one.href for one in told.bins],
    )
    return _figure([bars], xaxis={"type": "category"})


def throughput(told: Analysis) -> dict[str, Any]:
    """Draw arrivals and departures of each day; its bars lead to the records that departed."""
    days, links = [one.day.isoformat() for one in told.throughput], [one.href for one in told.throughput]
    return _figure(
        [
            _bars(gettext("In"), days, [one.arrived for one in told.throughput], "--calm", links=links),
            _bars(gettext("Out"), days, [one.departed for one in told.throughput], "--risk", links=links),
        ],
        xaxis={"type": "date", "tickformat": _day_format()},
    )


def projected_stock(curve: Curve, *, has_change: bool = True) -> dict[str, Any]:
    """Draw what is left of a product at the end of each day, as it stands and with a change; below zero, orders wait."""
    lines = [(gettext("As planned"), curve.before, "dot" if has_change else "solid", "--idle" if has_change else "--calm")]
    if has_change:
        lines.append((gettext("With the change"), curve.after, "solid", "--calm"))
    days = [day.isoformat() for day in curve.days]
    traces = [
        go.Scatter(
            name=title,
            x=days,
            y=[float(left) for left in line],
            mode="lines+markers",
            hovertemplate=_hover(title),
            line={"shape": "hv", "width": 2, "dash": dash, "color": f"var({token})"},
            marker={"size": 5},
        )
        for title, line, dash, token in lines
    ]
    return _figure(
        traces,
        xaxis={"type": "date", "tickformat": _day_format()},
        yaxis={"rangemode": "tozero", "zeroline": True, "zerolinewidth": 2},
    )


def _bars(title: str, x: Sequence[str], y: Sequence[int], token: str, *, links: Sequence[str] = ()) -> go.Bar:
    leads = {"customdata": list(links)} if links else {}
    return go.Bar(name=title, x=list(x), y=list(y), marker={"color": f"var({token})"}, hovertemplate=_hover(title), **leads)


def _figure(traces: Sequence[Any], **layout: Any) -> dict[str, Any]:
    """The figure as what its JSON holds.

    Raises:
        ValueError: Plotly knows no such attribute, or no such value of it.
    """
    separators = formats.get_format("DECIMAL_SEPARATOR") + formats.get_format("THOUSAND_SEPARATOR")
    figure = go.Figure(
        data=traces, layout={"template": TEMPLATE, "separators": separators, "showlegend": len(traces) > 1, **layout}
    )
    told: dict[str, Any] = figure.to_plotly_json()
    return told


def _hover(title: str) -> str:
    # Plotly reads a name as HTML of its own.
    return f"%{{y}} {title.replace('<', '&lt;')}<extra></extra>"


def _day_format() -> str:
    # Plotly's script knows English names of months only: other languages write their days in figures.
    return pgettext("a day on a chart's axis, in the directives of d3-format", "%-d %b")

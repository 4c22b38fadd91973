"""The figures that Plotly draws hold the numbers that the database gives, by the queries that docs/boards.md gives."""

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection as database
from django.test import Client
from django.utils import translation
from plotly import graph_objects as go

from apps.accounts.access import EVERYTHING
from apps.accounts.models import User
from apps.boards.analytics import analysis, plots
from apps.boards.boards import queries
from apps.workflows import registry, tallies
from apps.workflows.models import Transition
from tests.world import NOW, World

NAME = "order_to_cash"
TOKEN = re.compile(r"var\((--[\w-]+)\)")


@pytest.fixture
def moved(world: World) -> World:
    """Orders that came, moved on and ended over a week."""
    moves = [
        ("", "quotation", 100),
        ("quotation", "to_invoice", 50),
        ("to_invoice", "closed", 20),
        ("", "quotation", 5),
        ("", "quotation", 3.5),
        ("quotation", "to_invoice", 2.2),
    ]
    for number, (from_stage, to_stage, hours) in enumerate(moves):
        at = NOW - timedelta(hours=hours)
        Transition.objects.create(
            connection=world.connection,
            workflow=NAME,
            model="sale.order",
            odoo_id=[1, 1, 1, 2, 3, 2][number],
            at=at,
            seen_at=at,
            from_stage=from_stage,
            to_stage=to_stage,
            company_id=1,
            amount=1,
        )
    tallies.fold()
    return world


def drawn(figure: dict[str, Any]) -> dict[str, list[Any]]:
    """What each trace shows, after its way through JSON; Plotly itself says that it is a figure."""
    told = json.loads(json.dumps(figure))
    return {trace.name: list(zip(trace.x, trace.y, strict=True)) for trace in go.Figure(told).data}


def rows(query: str, *values: Any) -> list[tuple[Any, ...]]:
    with database.cursor() as cursor:
        cursor.execute(query, values)
        return list(cursor.fetchall())


def of_boards(days: int = 7) -> analysis.Analysis:
    return analysis.analysis_of(registry.workflows()[NAME], now=NOW, days=days, access_scope=EVERYTHING)


def test_the_hours_are_those_of_the_moves(moved: World) -> None:
    shown = drawn(plots.by_the_hour(queries.flow_by_hour(registry.workflows()[NAME], now=NOW, access_scope=EVERYTHING)))
    counted = {
        hour.isoformat(): (arrived, departed)
        for hour, arrived, departed in rows(
            "SELECT date_trunc('hour', at), count(*) FILTER (WHERE from_stage = ''), count(*) FILTER (WHERE to_stage = 'closed')"
            " FROM workflows_transition WHERE workflow = %s AND at > %s GROUP BY 1",
            NAME,
            NOW - timedelta(hours=24),
        )
    }
    assert {hour: count for hour, count in shown["In"] if count} == {h: a for h, (a, _) in counted.items() if a}
    assert {hour: count for hour, count in shown["Out"] if count} == {h: d for h, (_, d) in counted.items() if d}
    assert sum(count for _, count in shown["Out"]) == 1


def test_the_days_are_those_of_the_moves_and_lead_to_them(moved: World) -> None:
    figure = plots.throughput(of_boards())
    shown = drawn(figure)
    counted = dict(
        rows(
            "SELECT (at AT TIME ZONE 'UTC')::date::text, count(*) FROM workflows_transition WHERE workflow = %s"
            " AND from_stage = '' GROUP BY 1",
            NAME,
        )
    )
    assert {day: count for day, count in shown["In"] if count} == counted
    assert [trace["customdata"] for trace in figure["data"]] == [[one.href for one in of_boards().throughput]] * 2


def test_the_levels_are_those_of_the_stages(moved: World) -> None:
    told = of_boards()
    shown = drawn(plots.cumulative_flow(told))
    assert {name: [count for _, count in points] for name, points in shown.items()} == {title: list(c) for title, c in told.levels}
    assert all([at for at, _ in points] == [at.isoformat() for at in told.moments] for points in shown.values())


def test_the_cycle_times_are_those_of_what_ended(moved: World) -> None:
    ((name, points),) = drawn(plots.cycle_times(of_boards())).items()
    assert name == "Records"
    assert [count for title, count in points if count] == [1]


@pytest.mark.parametrize("language", ["en", "de", "fr"])
def test_a_figure_is_written_as_the_language_writes(moved: World, language: str) -> None:
    with translation.override(language):
        figure = plots.throughput(of_boards())
    assert figure["layout"]["separators"] == {"en": ".,", "de": ",.", "fr": ",\xa0"}[language]
    assert figure["layout"]["xaxis"]["tickformat"] == {"en": "%-d %b", "de": "%-d.%-m.", "fr": "%-d/%-m"}[language]


def test_every_colour_is_a_token_of_the_page(moved: World) -> None:
    from django.contrib.staticfiles import finders

    path = finders.find("css/tokens.css")
    assert path
    with open(path) as sheet:
        known = set(re.findall(r"(--[\w-]+):", sheet.read()))
    told = of_boards()
    for figure in (plots.cumulative_flow(told), plots.cycle_times(told), plots.throughput(told)):
        text = json.dumps(figure)
        assert set(TOKEN.findall(text)) <= known
        assert not re.search(r'color": "(?!var\()', text)


def test_a_title_is_no_markup(moved: World) -> None:
    (trace,) = plots._figure([plots._bars("<b>x</b> <a href=''>", ["1"], [1], "--calm")])["data"]
    assert trace["hovertemplate"] == "%{y} &lt;b>x&lt;/b> &lt;a href=''><extra></extra>"


def test_what_plotly_does_not_know_is_refused() -> None:
    with pytest.raises(ValueError, match="heigth"):
        plots._figure([], heigth=3)


def test_the_pages_carry_their_figures(moved: World) -> None:
    client = Client()
    client.force_login(User.objects.get(username="mia"))
    for path, names in ((f"/boards/{NAME}/", ["flow"]), (f"/boards/{NAME}/flow/", ["levels", "cycle", "throughput"])):
        html = client.get(path).content.decode()
        for name in names:
            (told,) = re.findall(rf'<script id="{name}" type="application/json">(.*?)</script>', html)
            assert go.Figure(json.loads(told)).data, name

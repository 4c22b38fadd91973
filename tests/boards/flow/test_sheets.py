"""A sheet holds the figures and nothing that a spreadsheet would run; addresses without sense are refused."""

import csv
import io
from collections.abc import Iterator

import pytest
from django.test import Client

from apps.accounts.models import User
from apps.core import sheets
from tests.world import World


@pytest.fixture
def manager(world: World) -> Iterator[Client]:
    client = Client()
    client.force_login(User.objects.get(username="mia"))
    yield client


def sheet(answer: object) -> list[list[str]]:
    text = b"".join(answer.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    return list(csv.reader(io.StringIO(text)))


def test_a_sheet_holds_the_figures_and_no_cell_is_a_formula(world: World, manager: Client) -> None:
    world.customer(51, name='=HYPERLINK("http://evil.test")', credit_limit=0)
    world.order(43, partner=51, name="@SUM(1)")
    rows = sheet(manager.get("/boards/order_to_cash/quotation/?format=csv"))
    assert rows[1][0] == "'@SUM(1)" and rows[1][4].startswith("'=HYPERLINK")
    board = sheet(manager.get("/boards/order_to_cash/?format=csv"))
    assert next(row for row in board if row[0] == "Quotation")[2] == "1"
    for path in ("flow", "compare"):
        assert len(sheet(manager.get(f"/boards/order_to_cash/{path}/?format=csv"))) > 1


@pytest.mark.parametrize("value", ["=1", "+1", "-1", "@x", "\tx", "\rx", "  =1", "＝1"])
def test_text_that_a_spreadsheet_would_run_is_kept_as_text(value: str) -> None:
    assert sheets.safe(value) == f"'{value}"
    assert sheets.safe(-5) == -5


@pytest.mark.parametrize(
    "query",
    [
        "?days=x",
        "?since_from=no&due_within=-3&after=x~y",
        "?took_from=nan&before=zz~9&day=2026-13-01",
        "?by=nonsense",
        "?first=9999-99-99",
        "?due_within=1e308",
    ],
)
def test_an_address_that_makes_no_sense_is_refused_and_no_fault(world: World, manager: Client, query: str) -> None:
    for path in ("", "flow/", "moves/", "compare/", "quotation/", "outlook/"):
        assert manager.get(f"/boards/order_to_cash/{path}{query}").status_code == 400

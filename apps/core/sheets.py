"""Figures and records as CSV, for spreadsheets: streamed, and no cell can be run as a formula."""

import csv
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from django.http import HttpRequest, StreamingHttpResponse

from apps.core import streams

# A cell that begins like this is a formula to a spreadsheet, whatever the file says of it.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


class _Echo:
    """A file that hands back what is written to it."""

    def write(self, text: str) -> str:
        return text


def safe(value: Any) -> Any:
    """``value`` as a cell: text that would be a formula is kept as text by an apostrophe. Numbers stay numbers."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, str) and value.lstrip(" ").startswith(FORMULA_STARTS):
        return f"'{value}"
    return "" if value is None else value


def lines(headings: list[str], rows: Iterable[Iterable[Any]]) -> Iterator[str]:
    """The file, line by line; with a mark at its beginning by which a spreadsheet reads it as UTF-8."""
    writer = csv.writer(_Echo())
    yield "\ufeff"
    yield writer.writerow([safe(heading) for heading in headings])
    for row in rows:
        yield writer.writerow([safe(value) for value in row])


def answer(request: HttpRequest, name: str, headings: list[str], rows: Iterable[Iterable[Any]]) -> StreamingHttpResponse:
    """The file as an answer, called ``name``."""
    return streams.answer(request, f"{name}.csv", "text/csv", lines(headings, rows))

"""Answers that are sent while they are still being made, so that their size does not matter."""

from collections.abc import AsyncIterator, Iterable, Iterator
from itertools import batched

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, StreamingHttpResponse

# Lines are handed over in lots: each costs a change of threads.
LOT = 500


def answer(request: HttpRequest, name: str, kind: str, lines: Iterable[str]) -> StreamingHttpResponse:
    """``lines`` as a file called ``name``, of the content type ``kind``."""
    lots = ("".join(lot) for lot in batched(lines, LOT, strict=False))
    # A server that waits for nobody takes asynchronous answers alone; it would else collect all of it first.
    body = _handed_over(lots) if isinstance(request, ASGIRequest) else lots
    response = StreamingHttpResponse(body, content_type=f"{kind}; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


async def _handed_over(lots: Iterator[str]) -> AsyncIterator[str]:
    # In the thread of the request, whose database session reads on.
    take = sync_to_async(lambda: next(lots, None))
    while (lot := await take()) is not None:
        yield lot

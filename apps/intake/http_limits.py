"""The intake's end of a line: nobody may hold one open without saying what they want, or say it without end.

A head that does not arrive in time, or is larger than any sender's, ends the line; so thousands of silent lines cost little
and not for long. What follows the head is bounded in :mod:`apps.intake.asgi`. Given to uvicorn as its ``--http``.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_SECONDS = 5.0
LARGEST_HEAD = 64 * 1024
TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
TOO_SLOW = b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class BoundedHttpProtocol(HttpToolsProtocol):
    """uvicorn's protocol, with a bound on the head of each request in bytes and seconds."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.is_in_head, self.head_bytes = True, 0
        self.head_ends: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.head_ends = self.loop.call_later(HEAD_SECONDS, self._end, TOO_SLOW)

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget_head()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        self.is_in_head, self.head_bytes = True, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self.is_in_head = False
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if not self.is_in_head:
            self._forget_head()
            return
        self.head_bytes += len(data)
        if self.head_bytes > LARGEST_HEAD:
            self._end(TOO_LARGE)
        elif self.head_ends is None:
            self.head_ends = self.loop.call_later(HEAD_SECONDS, self._end, TOO_SLOW)

    def _forget_head(self) -> None:
        if self.head_ends is not None:
            self.head_ends.cancel()
            self.head_ends = None

    def _end(self, answer: bytes) -> None:
        self._forget_head()
        if not self.transport.is_closing():
            self.transport.write(answer)
            self.transport.close()

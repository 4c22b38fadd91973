"""One HTTP POST to an Odoo, with every way it can go wrong bounded and named.

Both transports send through here, so time-outs, size limits, redirects and broken answers are judged in one place.
"""

import logging
import time
from dataclasses import dataclass

import httpx2

from apps.core import egress
from apps.core.egress import AddressNotAllowedError
from apps.odoo.addresses import checked_url, refused
from apps.odoo.errors import BadAnswerError, OdooError, UnknownOutcomeError, UnreachableError

# One line a call is noise in a worker's log: a backfill makes thousands.
logging.getLogger("httpx2").setLevel(logging.WARNING)

CONNECT_TIMEOUT_SECONDS = 5.0
# A batch of 2,000 wide rows is some 2 MB; 64 MB leaves room and still keeps a worker alive.
ANSWER_LIMIT_BYTES = 64 * 1024 * 1024
GATEWAY_STATUSES = (502, 503, 504)

CHECK_ADDRESS = "Check the address, and that Odoo and any proxy before it are up."
CHECK_PROXY = "Check that the address is Odoo's own, and that no proxy or sign-in page stands before it."
ONLY_READ = "The tower reads the record until it knows, and does not send again before."


@dataclass(frozen=True)
class Answer:
    """What came back: HTTP status and body."""

    status: int
    body: bytes


class Wire:
    """A kept-alive HTTP client to one Odoo. Safe to use from several threads at once."""

    def __init__(self, url: str, *, connection: str) -> None:
        """Raises AddressRefusedError when ``url`` is not one that the tower calls."""
        self.connection = connection
        self.url = checked_url(url, connection=connection)
        limits = httpx2.Limits(max_connections=16, keepalive_expiry=15.0)
        self._client = egress.client(egress.ODOO, timeout_seconds=CONNECT_TIMEOUT_SECONDS, limits=limits)

    def close(self) -> None:
        """Close the sockets."""
        self._client.close()

    def post(
        self, path: str, body: bytes, *, headers: dict[str, str] | None = None, is_write: bool, timeout_seconds: float
    ) -> Answer:
        """POST JSON ``body`` to ``path`` and return the answer, whatever its status below the gateway errors.

        ``timeout_seconds`` bounds the whole answer, not the gap between two bytes. A read is sent a second time when a
        kept-alive connection turns out to have been dropped; a write never is.

        Raises UnreachableError (nothing was done, or it was a read), UnknownOutcomeError (a write was sent and no whole
        answer came), BadAnswerError (redirect, or an answer without end), AddressRefusedError (nothing was sent).
        """
        for last in (False, True):
            try:
                return self._post(path, body, headers or {}, is_write, timeout_seconds)
            except AddressNotAllowedError as error:
                raise refused(self.connection, error) from error
            except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout) as error:
                raise UnreachableError(self.connection, f"no connection to {self.url} ({error})", CHECK_ADDRESS) from error
            except httpx2.TimeoutException as error:
                slow = f"{self.url} did not answer within {timeout_seconds:g} s"
                raise self._lost(slow, is_write) from error
            except (httpx2.TransportError, httpx2.DecodingError) as error:
                if is_write or last:
                    raise self._lost(f"{self.url} broke off before its answer was whole ({error})", is_write) from error
        raise AssertionError("unreachable")

    def _post(self, path: str, body: bytes, headers: dict[str, str], is_write: bool, timeout_seconds: float) -> Answer:
        timeout = httpx2.Timeout(timeout_seconds, connect=min(CONNECT_TIMEOUT_SECONDS, timeout_seconds))
        until = time.monotonic() + timeout_seconds
        sent = {"Content-Type": "application/json", "Accept": "application/json", **headers}
        with self._client.stream("POST", self.url + path, content=body, headers=sent, timeout=timeout) as response:
            if response.is_redirect:
                to = response.headers.get("location", "elsewhere")[:300]
                raise BadAnswerError(
                    self.connection,
                    f"{self.url} redirects to {to}, and the tower follows no redirects",
                    "Give the address that it redirects to, and run connect_odoo again.",
                )
            if response.status_code in GATEWAY_STATUSES:
                raise self._lost(f"a proxy before {self.url} answered HTTP {response.status_code}", is_write)
            received = bytearray()
            for chunk in response.iter_bytes():
                received += chunk
                if len(received) > ANSWER_LIMIT_BYTES:
                    raise self._bad(f"{self.url} answers without end (more than {ANSWER_LIMIT_BYTES:,} bytes)", is_write)
                if time.monotonic() > until:
                    raise httpx2.ReadTimeout("the whole answer took too long")
            return Answer(response.status_code, bytes(received))

    def unreadable(self, answer: Answer, *, is_write: bool) -> OdooError:
        """The error for an answer that is not what Odoo says: HTML, garbage, cut short."""
        start = answer.body[:60].decode("utf-8", "replace").strip()
        kind = "an HTML page" if start.lower().startswith(("<!doctype", "<html", "<")) else "something that is not JSON"
        return self._bad(f"{self.url} answered HTTP {answer.status} with {kind} (it begins '{start}')", is_write, answer)

    def _bad(self, what: str, is_write: bool, answer: Answer | None = None) -> OdooError:
        # A status of 4xx says that nothing was carried out; after any other, a write may have been.
        if is_write and not (answer and 400 <= answer.status < 500):
            return UnknownOutcomeError(self.connection, what, ONLY_READ)
        return BadAnswerError(self.connection, what, CHECK_PROXY)

    def _lost(self, what: str, is_write: bool) -> OdooError:
        if is_write:
            return UnknownOutcomeError(self.connection, what, ONLY_READ)
        return UnreachableError(self.connection, what, CHECK_ADDRESS)

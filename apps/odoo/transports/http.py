"""What all ways of speaking to an Odoo share: one kept-alive HTTP client with bounds, and errors with names."""

import ipaddress
import json
import socket
from typing import Any
from urllib.parse import urlsplit

import httpx2

from apps.odoo import errors

CONNECT_SECONDS = 5.0
# A batch of 2,000 wide rows is some 3 MB; more than this is not an answer but a fault.
LARGEST_ANSWER = 64 * 1024 * 1024


def check_address(url: str) -> None:
    """Raises ValueError, with the remedy, unless ``url`` may be called.

    Private networks may be: Odoo is often on one. What can only be a trick may not: other schemes, credentials in the
    address, link-local addresses (cloud metadata), multicast, the unspecified address.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{url!r} is not the address of an Odoo. Give it as https://odoo.example.com.")
    if parts.username or parts.password:
        raise ValueError("The address must not hold a login or password. Give them apart.")
    try:
        found = socket.getaddrinfo(parts.hostname, parts.port or 443, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError):
        raise ValueError(f"The name {parts.hostname} leads nowhere. Check its spelling.") from None
    for *_, place in found:
        address = ipaddress.ip_address(str(place[0]).split("%")[0])
        address = getattr(address, "ipv4_mapped", None) or address
        if address.is_link_local or address.is_multicast or address.is_unspecified:
            raise ValueError(f"{parts.hostname} leads to {address}, where no Odoo may be called.")


class Http:
    """A kept-alive session with one Odoo."""

    def __init__(self, *, name: str, url: str, timeout_seconds: float, headers: dict[str, str] | None = None) -> None:
        self.name = name
        try:
            check_address(url)
        except ValueError as error:
            raise errors.UnreachableError(name, str(error)) from None
        self.client = httpx2.Client(
            base_url=url.rstrip("/"), headers=headers, follow_redirects=False, trust_env=False,
            timeout=httpx2.Timeout(timeout_seconds, connect=CONNECT_SECONDS),
            limits=httpx2.Limits(max_connections=4, max_keepalive_connections=4, keepalive_expiry=60),
        )  # fmt: skip
        self.timeout_seconds = timeout_seconds

    def post(self, path: str, body: Any, *, may_write: bool) -> tuple[int, Any]:
        """Post ``body`` as JSON; the status and the parsed answer.

        Raises:
            UnreachableError: nothing was carried out.
            UnknownOutcomeError: the answer of something that ``may_write`` was lost.
            BadAnswerError: the answer to a read is not JSON, not whole, or too large.
        """
        lost = errors.UnknownOutcomeError if may_write else errors.UnreachableError
        garbled = errors.UnknownOutcomeError if may_write else errors.BadAnswerError
        try:
            with self.client.stream("POST", path, content=json.dumps(body).encode(),
                                    headers={"content-type": "application/json"}) as response:  # fmt: skip
                chunks, size = [], 0
                for chunk in response.iter_bytes():
                    size += len(chunk)
                    if size > LARGEST_ANSWER:
                        raise garbled(self.name, f"The answer is larger than {LARGEST_ANSWER >> 20} MB.")
                    chunks.append(chunk)
                status, kind = response.status_code, response.headers.get("content-type", "")
        except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
            raise errors.UnreachableError(self.name, f"Nothing answers at {self.client.base_url} ({error}).") from error
        except httpx2.TimeoutException as error:
            raise lost(self.name, f"Odoo did not answer within {self.timeout_seconds:g} s.") from error
        except httpx2.HTTPError as error:
            raise lost(self.name, f"The connection broke before the answer was whole ({error}).") from error
        if 300 <= status < 400:
            raise errors.BadAnswerError(self.name, f"The address redirects ({status}); enter the address it leads to.")
        try:
            return status, json.loads(b"".join(chunks))
        except (ValueError, RecursionError):
            shown = "a web page" if "html" in kind else f"something that is not JSON ({kind or 'no content type'})"
            if status in (502, 503, 504):
                raise (lost if may_write else errors.UnreachableError)(
                    self.name, f"A proxy answers {status}: Odoo behind it is down or too slow."
                ) from None
            raise garbled(self.name, f"{self.client.base_url} answered with {shown} (HTTP {status}).") from None

    def close(self) -> None:
        """Close the session's connections."""
        self.client.close()

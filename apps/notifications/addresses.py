"""Which addresses the tower posts messages to: a person types them, and they must not become a way into the network.

Unlike an Odoo's, which often stands on a private network, nothing but a public address is posted to unless its host or its
network is named in ``WEBHOOK_ALLOWED``. The form is judged when it is entered; what the name resolves to is judged then and
again whenever a message is sent, and the very address that was judged is connected to.
"""

import ipaddress
import socket
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

import httpcore2
from django.conf import settings

from apps.core.outgoing import why_not
from apps.core.refusals import Problem, Refusal

LOWEST_FREE_PORT = 1024
PORTS = (80, 443)


class AddressNotAllowedError(Refusal):
    """The tower does not post there; the message says why and what to do."""

    problem = Problem(
        "address_not_allowed", 422, "Address not allowed",
        meaning="The address is malformed, unknown, or leads to a machine that the tower does not call.",
        remedy="Give a public address with https://, or have an operator name its host in WEBHOOK_ALLOWED.",
    )  # fmt: skip


def checked(url: str) -> str:
    """``url``, if it is one that the tower posts to now. Raises AddressNotAllowedError."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise AddressNotAllowedError(f"This is no web address ({error}).") from None
    host = parts.hostname or ""
    if url != url.strip() or not url.isascii() or any(ord(letter) < 33 for letter in url) or not host:
        raise AddressNotAllowedError("This is no web address. Enter it with https:// and the host.")
    if parts.username is not None or parts.password is not None:
        raise AddressNotAllowedError("Leave user and password out of the address: messages are signed.")
    if parts.fragment:
        raise AddressNotAllowedError("Leave out what follows #: no server sees it.")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_allowed(host)):
        raise AddressNotAllowedError("The address must begin with https://.")
    if port is not None and port not in PORTS and port < LOWEST_FREE_PORT:
        raise AddressNotAllowedError(f"Port {port} belongs to another protocol. Use 443, or one from {LOWEST_FREE_PORT} on.")
    try:
        resolved(host, port or (443 if parts.scheme == "https" else 80))
    except OSError as error:
        raise AddressNotAllowedError(f"The name {host} is not known ({error}).") from None
    return url


def is_allowed(host: str, address: str = "") -> bool:
    """Whether the operator named the host, or a network that holds the address, in ``WEBHOOK_ALLOWED``."""
    for entry in settings.WEBHOOK_ALLOWED:
        if entry.lower() == host.lower():
            return True
        try:
            network = ipaddress.ip_network(entry, strict=False)
            if ipaddress.ip_address(address or host) in network:
                return True
        except ValueError:
            continue
    return False


def resolved(host: str, port: int) -> list[str]:
    """The IP addresses of ``host``, all judged.

    Raises OSError when the name is not known, AddressNotAllowedError when any of them is not posted to.
    """
    found = [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    for address in found:
        if (reason := why_not(address)) and not is_allowed(host, address):
            raise AddressNotAllowedError(
                f"{host} is {address}, which {reason}. An operator may allow it by naming it in WEBHOOK_ALLOWED."
            )
    return found


class GuardedBackend(httpcore2.SyncBackend):
    """Opens sockets for messages: resolves once, judges, and connects to the very address that was judged."""

    def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:  # fmt: skip
        try:
            addresses = resolved(host, port)
        except OSError as error:
            raise httpcore2.ConnectError(f"the name {host} is not known ({error})") from error
        refused: Exception | None = None
        for address in addresses:
            try:
                return super().connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                refused = error
        raise refused or httpcore2.ConnectError(f"the name {host} has no address")

"""Calling addresses that people outside gave us: public machines over HTTPS alone, and the very machine that was checked.

A browser names where its messages are to be sent. Unchecked, that would let anybody who signs in have the tower call
what only the tower can reach. Redirects are not followed, and proxies of the environment not used.
"""

import ipaddress
import socket
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

import httpcore2
import httpx2
from django.conf import settings

TIMEOUT_SECONDS = 10.0


class AddressNotPublicError(Exception):
    """The address is not one that the tower calls for people; the message says why."""


def check_url(url: str) -> None:
    """Raises AddressNotPublicError unless the form of ``url`` is one that may be called: https, a host, no user name.

    What the host resolves to is checked whenever a connection is opened.
    """
    try:
        parts = urlsplit(url)
        host, has_user = parts.hostname, parts.username is not None or parts.password is not None
        _ = parts.port
    except ValueError as error:
        raise AddressNotPublicError(f"That is no address ({error}).") from error
    if parts.scheme != "https" and not settings.PUSH_TO_PRIVATE_ADDRESSES:
        raise AddressNotPublicError("The address must begin with https://.")
    if not host or has_user or any(letter.isspace() or ord(letter) < 33 for letter in url):
        raise AddressNotPublicError("The address must name a host, and no user.")
    try:
        check_ip(host)
    except ValueError:
        return  # a name: looked up when it is called


def check_ip(address: str) -> None:
    """Raises AddressNotPublicError unless the IP address is a public machine's; ValueError if it is none at all."""
    ip = ipaddress.ip_address(address.split("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        ip = ip.ipv4_mapped or ip.sixtofour or ip
    if not settings.PUSH_TO_PRIVATE_ADDRESSES and (not ip.is_global or ip.is_multicast):
        raise AddressNotPublicError(f"{address} is not a public address.")


class PublicOnly(httpcore2.SyncBackend):
    """Opens sockets to public machines only: resolves once, checks all answers, and connects to one that was checked."""

    def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:  # fmt: skip
        try:
            found = [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
        except OSError as error:
            raise httpcore2.ConnectError(f"the name '{host}' is not known ({error})") from error
        for address in found:
            check_ip(address)
        return super().connect_tcp(found[0], port, timeout, local_address, socket_options)


def client() -> httpx2.Client:
    """A client for such addresses; to be closed."""
    transport = httpx2.HTTPTransport()
    # httpx2 has no public door for a network backend; its pool takes one, and this is that attribute.
    transport._pool._network_backend = PublicOnly()
    return httpx2.Client(transport=transport, follow_redirects=False, trust_env=False, timeout=TIMEOUT_SECONDS)

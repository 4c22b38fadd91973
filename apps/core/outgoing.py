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
# What the address library calls global and is not: ways to reach IPv4 addresses in IPv6 clothes, and old private ranges.
NEVER = [
    ipaddress.ip_network(text)
    for text in (
        "64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32", "::/96", "fec0::/10", "100.64.0.0/10", "192.88.99.0/24",
    )
]  # fmt: skip


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
    reason = why_not(address)
    if reason and not settings.PUSH_TO_PRIVATE_ADDRESSES:
        raise AddressNotPublicError(f"{address} is not a public address: it {reason}.")


def why_not(address: str) -> str | None:
    """Why nothing is posted to ``address`` (an IP address), or None where it may be."""
    ip = ipaddress.ip_address(address.split("%")[0])
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped:
        ip = ip.ipv4_mapped
    if any(ip.version == network.version and ip in network for network in NEVER):
        return "leads to a network that is not public"
    if ip.is_loopback:
        return "is this machine itself"
    if ip.is_link_local:
        return "is a link-local address"
    if ip.is_multicast or ip.is_unspecified or ip.is_reserved:
        return "is no single machine's address"
    if ip.is_private or not ip.is_global:
        return "is not public"
    return None


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

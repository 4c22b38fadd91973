"""The one guard of addresses that people enter: what the tower calls for them, and what it never calls.

Unguarded, an address field would let whoever fills it have the tower call what only the tower can reach. So the form of an
address is checked where it is entered, what its name resolves to whenever a socket is opened, and the socket leads to the very
address that was checked: a name that answers differently the second time (DNS rebinding) gains nothing. Redirects are not
followed, and proxies of the environment not used. A test holds that nothing else in the house opens a connection.
"""

import ipaddress
import socket
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urlsplit

import httpcore2
import httpx2
from django.conf import settings
from django.utils.translation import gettext

from apps.core.refusals import Problem, Refusal

LOWEST_FREE_PORT = 1024
DEFAULT_PORTS = {"https": 443, "http": 80}
# Services in which a cloud's machines find their own credentials: Amazon over IPv6, Alibaba, Oracle, Azure. Amazon, Google and
# the others over IPv4 are link-local.
METADATA = {ipaddress.ip_address(text) for text in ("fd00:ec2::254", "100.100.100.200", "192.0.0.192", "168.63.129.16")}
NAT64 = ipaddress.ip_network("64:ff9b::/96")
THIS_NETWORK = ipaddress.ip_network("0.0.0.0/8")
# What the address library calls global and is not: ways to reach IPv4 addresses in IPv6 clothes, and old private ranges.
NOT_PUBLIC = [
    ipaddress.ip_network(text)
    for text in (
        "64:ff9b::/96",
        "64:ff9b:1::/48",
        "2002::/16",
        "2001::/32",
        "::/96",
        "fec0::/10",
        "100.64.0.0/10",
        "192.88.99.0/24",
    )
]


class AddressNotAllowedError(Refusal):
    """The tower does not call that; the message says why and what to do."""

    problem = Problem(
        "address_not_allowed",
        422,
        "Address not allowed",
        meaning="The address is malformed, unknown, or leads to a machine that the tower does not call.",
        remedy="Give the system's own address; an operator may allow a private one for messages in WEBHOOK_ALLOWED.",
    )


@dataclass(frozen=True)
class Destination:
    """What an address is to lead to.

    Attributes:
        schemes: those it may begin with.
        may_be_private: private networks and this machine are called too. Elsewhere only those named in ``WEBHOOK_ALLOWED``.
        may_have_query: something may follow "?".
        may_be_international: letters beyond ASCII may stand in it.
    """

    schemes: tuple[str, ...]
    may_be_private: bool
    may_have_query: bool
    may_be_international: bool


# An Odoo often stands on a private network, without TLS.
ODOO = Destination(schemes=("https", "http"), may_be_private=True, may_have_query=False, may_be_international=True)
# Receivers of webhooks and push services.
RECEIVER = Destination(schemes=("https",), may_be_private=False, may_have_query=True, may_be_international=False)


def checked_form(url: str, to: Destination) -> SplitResult:
    """Return the parts of an address whose form is one that may be called. Looks up no name.

    Raises AddressNotAllowedError; the message never repeats the address, which may hold a secret.
    """
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname or ""
    except ValueError as error:
        raise AddressNotAllowedError(gettext("This is no web address.")) from error
    is_text = url == url.strip() and not any(ord(letter) < 33 or letter.isspace() for letter in url)
    if not is_text or not host or not (url.isascii() or to.may_be_international):
        raise AddressNotAllowedError(gettext("This is no web address. Enter it with https:// and the host."))
    if parts.username is not None or parts.password is not None:
        raise AddressNotAllowedError(gettext("Leave user and password out of the address."))
    if parts.fragment or (parts.query and not to.may_have_query):
        raise AddressNotAllowedError(gettext("Leave out of the address what follows ? or #."))
    if parts.scheme not in to.schemes and not (parts.scheme == "http" and _is_allowed(host)):
        known = " / ".join(f"{scheme}://" for scheme in to.schemes)
        raise AddressNotAllowedError(gettext("The address must begin with %(known)s.") % {"known": known})
    if not to.may_be_private and port is not None and port not in DEFAULT_PORTS.values() and port < LOWEST_FREE_PORT:
        said = gettext("Port %(port)s belongs to another protocol. Use 443, or one from %(lowest)s on.")
        raise AddressNotAllowedError(said % {"port": port, "lowest": LOWEST_FREE_PORT})
    with suppress(ValueError):  # of a name, which is looked up when it is called
        _check(host, host, to)
    return parts


def checked(url: str, to: Destination) -> str:
    """Return ``url`` if its form and all that its name stands for now may be called. Raises AddressNotAllowedError."""
    parts = checked_form(url, to)
    host = parts.hostname or ""
    try:
        resolved(host, parts.port or DEFAULT_PORTS[parts.scheme], to)
    except OSError as error:
        said = gettext("The name %(host)s is not known (%(error)s).") % {"host": host, "error": error}
        raise AddressNotAllowedError(said) from error
    return url


def resolved(host: str, port: int, to: Destination) -> list[str]:
    """Return the IP addresses of ``host``, all checked: one good and one bad address is a trick.

    Raises OSError where the name is not known, AddressNotAllowedError where any of them is not called.
    """
    found = [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    for address in found:
        _check(host, address, to)
    return found


def why_not(address: str, to: Destination) -> str | None:
    """Return why ``address`` (an IP address) is not called, or None where it may be. Raises ValueError if it is none."""
    ip = ipaddress.ip_address(address.split("%")[0])
    inner = _unwrapped(ip)
    if inner.is_link_local or inner in METADATA:
        return gettext("is a link-local or metadata address")
    if inner.is_multicast or inner.is_unspecified or (inner.version == 4 and (inner in THIS_NETWORK or inner.is_reserved)):
        return gettext("is no single machine's address")
    if to.may_be_private:
        return None
    if inner.is_loopback:
        return gettext("is this machine itself")
    if any(ip.version == network.version and ip in network for network in NOT_PUBLIC) or not inner.is_global:
        return gettext("is not a public address")
    return None


def _unwrapped(ip: ipaddress.IPv4Address | ipaddress.IPv6Address) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """An IPv4 address in IPv6 clothes is judged as what it is."""
    if isinstance(ip, ipaddress.IPv6Address):
        if ip in NAT64:
            return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        return ip.ipv4_mapped or ip.sixtofour or ip
    return ip


def _check(host: str, address: str, to: Destination) -> None:
    reason = why_not(address, to)
    if reason is None or (_is_allowed(host, address) and why_not(address, ODOO) is None):
        return
    shown = address if address == host else f"{host} ({address})"
    said = gettext("%(address)s %(reason)s.") % {"address": shown, "reason": reason}
    raise AddressNotAllowedError(said)


def _is_allowed(host: str, address: str = "") -> bool:
    """True if the operator named the host, or a network that holds the address, in ``WEBHOOK_ALLOWED``."""
    for entry in settings.WEBHOOK_ALLOWED:
        if entry.lower() == host.lower():
            return True
        try:
            if ipaddress.ip_address(address or host) in ipaddress.ip_network(entry, strict=False):
                return True
        except ValueError:
            continue
    return False


class GuardedBackend(httpcore2.SyncBackend):
    """Opens sockets: resolves once, checks all answers, and connects to one that was checked."""

    def __init__(self, to: Destination) -> None:
        self.to = to

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        try:
            addresses = resolved(host, port, self.to)
        except OSError as error:
            raise httpcore2.ConnectError(f"the name '{host}' is not known ({error})") from error
        refused: Exception | None = None
        for address in addresses:
            try:
                return super().connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                refused = error
        raise refused or httpcore2.ConnectError(f"the name '{host}' has no address")


def client(to: Destination, *, timeout_seconds: float, limits: httpx2.Limits | None = None) -> httpx2.Client:
    """Return an HTTP client for addresses that lead there; to be closed. It raises AddressNotAllowedError beside its own."""
    transport = httpx2.HTTPTransport(limits=limits or httpx2.Limits())
    # httpx2 has no public door for a network backend; its pool takes one, and this is that attribute.
    transport._pool._network_backend = GuardedBackend(to)
    return httpx2.Client(transport=transport, follow_redirects=False, trust_env=False, timeout=timeout_seconds)

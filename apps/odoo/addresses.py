"""Which addresses the tower may call: an Odoo's URL is typed by a person, and must not become a way to other things.

Private networks and loopback are allowed, because that is where an Odoo often stands. Never called are link-local
addresses (a cloud machine's own metadata, 169.254.169.254, hands out credentials), multicast, and "any".
"""

import ipaddress
import socket
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

import httpcore2

from apps.odoo.errors import AddressRefusedError

REMEDY = "Give Odoo's own address, for example https://erp.example.com, and run connect_odoo again."
# Metadata services outside the link-local ranges: Amazon's over IPv6, Alibaba's over IPv4.
METADATA = (ipaddress.ip_address("fd00:ec2::254"), ipaddress.ip_address("100.100.100.200"))
NAT64 = ipaddress.ip_network("64:ff9b::/96")


def checked_url(url: str, *, connection: str) -> str:
    """``url`` without a slash at its end, if its form is one the tower calls.

    Raises AddressRefusedError for anything but http and https, for user names in it, and for a query or fragment.
    What the host resolves to is checked whenever a connection is opened (see :class:`GuardedBackend`).
    """
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError as error:
        raise AddressRefusedError(connection, f"'{url}' is not an address ({error})", REMEDY) from error
    if parts.scheme not in ("http", "https"):
        raise AddressRefusedError(connection, f"'{url}' begins with neither http:// nor https://", REMEDY)
    if parts.username is not None or parts.password is not None:
        raise AddressRefusedError(connection, "the address carries a user name or password", REMEDY)
    if not parts.hostname or any(letter.isspace() or ord(letter) < 32 for letter in url.strip()):
        raise AddressRefusedError(connection, f"'{url}' names no host", REMEDY)
    if parts.query or parts.fragment:
        raise AddressRefusedError(connection, f"'{url}' has a part after ? or #", REMEDY)
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}{f':{port}' if port else ''}{parts.path.rstrip('/')}"


def why_not(address: str) -> str | None:
    """Why the tower does not call ``address`` (an IP address), or None where it may."""
    ip = ipaddress.ip_address(address.split("%")[0])
    # An IPv4 address in IPv6 clothes is judged as what it is.
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped:
            ip = ip.ipv4_mapped
        elif ip in NAT64:
            ip = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        elif ip.sixtofour:
            ip = ip.sixtofour
    if ip.is_link_local or ip in METADATA:
        return "is a link-local or metadata address"
    if ip.is_multicast:
        return "is a multicast address"
    if ip.is_unspecified:
        return "is no machine's address"
    if isinstance(ip, ipaddress.IPv4Address) and ip in ipaddress.ip_network("0.0.0.0/8"):
        return "is no machine's address"
    return None


def resolved(host: str, port: int, *, connection: str) -> list[str]:
    """The IP addresses of ``host``, all checked.

    Raises OSError when the name is unknown, AddressRefusedError when any of them must not be called: a name with one
    good and one bad address is a trick, not an Odoo.
    """
    found = [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    for address in found:
        if reason := why_not(address):
            raise AddressRefusedError(connection, f"'{host}' is {address}, which {reason}", REMEDY)
    return found


class GuardedBackend(httpcore2.SyncBackend):
    """Opens sockets for the wire: resolves once, checks, and connects to the very address that was checked.

    So a name that answers differently the second time (DNS rebinding) gains nothing.
    """

    def __init__(self, connection: str) -> None:
        self.connection = connection

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        try:
            addresses = resolved(host, port, connection=self.connection)
        except OSError as error:
            raise httpcore2.ConnectError(f"the name '{host}' is not known ({error})") from error
        refused: Exception | None = None
        for address in addresses:
            try:
                return super().connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                refused = error
        raise refused or httpcore2.ConnectError(f"the name '{host}' has no address")

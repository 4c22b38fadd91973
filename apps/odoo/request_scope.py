"""What a page shows: what its person may see, narrowed to the connection and company that they chose."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest

from apps.accounts import access
from apps.accounts.access import NOTHING, AccessScope
from apps.accounts.models import User
from apps.odoo.models import Connection

# Where the header's choice is kept in the session: [connection, company or None].
CHOICE = "sight"


def choice_of(request: HttpRequest) -> tuple[int, int | None] | None:
    """What was chosen: in the address (``?connection=main&company=2``) for one page, else in the header for all.

    An address that names no connection of the tower chooses connection 0, of which there is nothing.
    """
    if chosen := choice_in(request.GET):
        return chosen
    kept = request.session.get(CHOICE) if hasattr(request, "session") else None
    return (int(kept[0]), kept[1] if kept[1] is None else int(kept[1])) if kept else None


def choice_in(query: Mapping[str, str]) -> tuple[int, int | None] | None:
    """What a query string chooses: ``connection`` by its name, ``company`` by its number there."""
    name, company = query.get("connection", ""), query.get("company", "")
    if not name:
        return None
    found = Connection.objects.filter(name=name).values_list("id", flat=True).first() if "\x00" not in name else None
    if found is None or (company and not is_number(company)):
        return 0, None
    return found, int(company) if company else None


def is_connection(name: str, own: AccessScope) -> bool:
    """Return True if ``name`` is a connection of which the person may see anything."""
    return "\x00" not in name and Connection.objects.filter(own.of_connections(), name=name).exists()


def names_connection(name: str, request: Any) -> bool:
    """Return True if ``name`` is a connection that whoever sent ``request`` may see: for the filters of REST lists."""
    return is_connection(name, access.scope_of(request.user))


def in_topic(request: HttpRequest) -> str:
    """What was chosen, as a live topic carries it: ``""``, ``"@3"`` or ``"@3:2"``."""
    choice = choice_of(request)
    return "" if choice is None else f"@{choice[0]}" + ("" if choice[1] is None else f":{choice[1]}")


def of_topic(text: str) -> tuple[int, int | None] | None:
    """The choice that a live topic carries after its ``@``."""
    connection, _, company = text.partition(":")
    return (int(connection), int(company) if company else None) if connection else None


def is_number(text: str) -> bool:
    """Whether it can be the number of a company in Odoo."""
    return text.isascii() and text.isdecimal() and int(text) < 2**63


def narrow(access_scope: AccessScope, choice: tuple[int, int | None] | None) -> AccessScope:
    """``access_scope``, narrowed to what was chosen, if anything was."""
    if choice is None:
        return access_scope
    return access_scope.narrowed(*choice) if choice[0] else NOTHING


def scope_of(request: HttpRequest, user: User) -> AccessScope:
    """What lists, boards and figures of this page are about. A page about one thing asks what its person may see at all."""
    return narrow(access.scope_of(user), choice_of(request))

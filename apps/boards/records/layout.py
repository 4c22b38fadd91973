"""What the frame around every page tells: what waits for this person, and how fresh the data is."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Count, OuterRef, Value
from django.db.models.functions import JSONObject
from django.utils.translation import gettext

from apps.accounts.access import AccessScope
from apps.accounts.models import User
from apps.approvals import queries as approvals
from apps.core import clock
from apps.customers import queries as customers
from apps.exceptions import queries as exceptions
from apps.mirror.freshness import LATE, freshness_of
from apps.mirror.models.res_company import Company
from apps.notifications import queries as notifications
from apps.odoo.models import Connection, ConnectionState
from apps.vendors.proposals import queries as proposals

# Changes are polled for every 15 seconds; after this long without an answer it is worth a word.
LATE_AFTER_SECONDS = int(LATE.total_seconds())


def waiting_for(user: User, access_scope: AccessScope) -> dict[str, int]:
    """How many decisions, exceptions and unread messages wait for this person."""
    waiting = {
        "inbox": approvals.inbox_of(user, access_scope),
        "mine": exceptions.mine(user, access_scope),
        "proposals": proposals.to_decide(access_scope),
        "customers": customers.to_tell(access_scope),
        "unread": notifications.unread_of(user, access_scope),
    }
    first, *others = [
        rows.order_by()
        .select_related(None)
        .annotate(waits=Value(name))
        .values("waits")
        .annotate(n=Count("pk", distinct=True))
        .values_list("waits", "n")
        for name, rows in waiting.items()
    ]
    return dict.fromkeys(waiting, 0) | dict(first.union(*others, all=True))


def freshness(known: Iterable[Connection], access_scope: AccessScope) -> dict[str, Any]:
    """How fresh the mirror is: ``live``, ``stale``, ``down`` or ``none``, with the words for it.

    Of the ``known`` connections it speaks of those that are in sight.
    """
    connections = [connection for connection in known if connection.is_active and access_scope.sees(connection.pk)]
    failing = [connection for connection in connections if connection.state == ConnectionState.FAILING]
    now = clock.now()
    fresh = freshness_of(connections, now=now)
    heard = min((one.heard_at for one in fresh.values() if one.heard_at), default=None)
    unread = [(connection, *fresh[connection.pk].unread[0]) for connection in connections if fresh[connection.pk].unread]
    if not connections:
        state, words = "none", gettext("no Odoo yet")
    elif failing:
        state, words = "down", gettext("%(name)s cannot be reached") % {"name": failing[0].name}
    elif any(one.is_late for one in fresh.values()) or (heard is not None and (now - heard).total_seconds() > LATE_AFTER_SECONDS):
        state, words = "stale", gettext("No recent data from Odoo")
    elif unread:
        connection, model, _ = unread[0]
        state, words = "stale", gettext("%(name)s: %(model)s is not up to date") % {"name": connection.name, "model": model}
    elif reading := [connection for connection in connections if fresh[connection.pk].is_first_read_open]:
        state, words = "stale", gettext("%(name)s: initial sync not complete") % {"name": reading[0].name}
    else:
        state, words = "live", gettext("live")
    trouble = words if state == "down" or (state == "stale" and unread) else ""
    return {"state": state, "words": words, "trouble": trouble, "seen_at": heard, "late_after_seconds": LATE_AFTER_SECONDS}


@dataclass(frozen=True, kw_only=True)
class Place:
    """A connection, or a company of it, that the header offers. ``value`` is what choosing it sends."""

    value: str
    words: str
    is_company: bool
    is_here: bool


def places(connections: Iterable[Connection], own: AccessScope, choice: tuple[int, int | None] | None) -> list[Place]:
    """What the person can narrow every page to: nothing where there is but one connection and company to see."""
    found = []
    for connection in connections:
        companies = [one for one in connection.companies if own.sees(connection.pk, one["odoo_id"])]  # type: ignore[attr-defined]
        found.append(
            Place(value=str(connection.pk), words=connection.name, is_company=False, is_here=choice == (connection.pk, None))
        )
        for one in companies if len(companies) > 1 else []:
            found.append(
                Place(
                    value=f"{connection.pk}:{one['odoo_id']}",
                    words=one["name"] or gettext("Company %(odoo_id)s") % {"odoo_id": one["odoo_id"]},
                    is_company=True,
                    is_here=choice == (connection.pk, one["odoo_id"]),
                )
            )
    return found if len(found) > 1 else []


def connections_of(own: AccessScope) -> list[Connection]:
    """The connections that a person may see any part of, with the companies there: one query for the whole frame."""
    companies = Company.objects.filter(connection=OuterRef("pk"), deleted_at=None).order_by("name", "odoo_id")
    listed = ArraySubquery(companies.values(one=JSONObject(odoo_id="odoo_id", name="name")))
    return list(Connection.objects.filter(own.of_connections()).annotate(companies=listed).order_by("name"))

"""Segregation of duties: who had a hand in a record, and so may not decide about it.

People are compared as Odoo users of the request's connection, by uid. Somebody who is linked to no Odoo user there might be
anybody there, and decides only where the policy says so.
"""

from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Any

from django.utils.translation import gettext

from apps.accounts.logins import normalised
from apps.accounts.models import User
from apps.approvals.models import Request
from apps.mirror import identities
from apps.mirror.identities import Identity
from apps.mirror.models.res_users import OdooUser

# The policy's word for it.
UNLINKED = "unlinked_may_decide"


class Standing(Enum):
    """How a person stands to a request."""

    FREE = "free"
    HAND = "hand"
    UNKNOWN = "unknown"


def standings(
    users: Iterable[User],
    request: Request,
    *,
    rules: Mapping[str, Any] | None = None,
    known: Mapping[int, Identity] | None = None,
) -> dict[int, Standing]:
    """Return how each of ``users`` stands to the request, by their primary keys.

    Args:
        rules: a policy's rules to go by; those with which the request began, where nothing is given.
        known: who they are on its connection, where that was looked up already.
    """
    people = list(users)
    if known is None:
        known = identities.identities_of(people, request.connection_id)
    uids, logins = set(request.involved_uids), {normalised(login) for login in request.involved_logins} - {""}
    may_be_unknown = bool((request.policy.rules if rules is None else rules).get(UNLINKED))
    found = {}
    for user in people:
        identity = known[user.pk]
        if user.pk == request.requested_by_user_id or identity.uids & uids or normalised(user.odoo_login) in logins:
            found[user.pk] = Standing.HAND
        else:
            found[user.pk] = Standing.FREE if identity.is_known or may_be_unknown else Standing.UNKNOWN
    return found


def why_not(request: Request, user: User) -> str:
    """Return why segregation keeps the person from deciding the request; empty where it does not."""
    if request.requested_by_user_id == user.pk:
        return gettext("You requested this; someone else must decide %(record_name)s.") % {"record_name": request.record_name}
    standing = standings([user], request)[user.pk]
    if standing == Standing.HAND:
        return gettext("You worked on %(record_name)s in Odoo; someone else must decide.") % {"record_name": request.record_name}
    if standing == Standing.UNKNOWN:
        return gettext(
            "You are not linked to a user of %(connection)s, so your involvement in %(record_name)s is unknown. "
            "An administrator can link you: manage.py link_odoo_user %(username)s --odoo-login LOGIN"
        ) % {"connection": request.connection, "record_name": request.record_name, "username": user.username}
    return ""


def involved_in(connection_id: int, columns: Mapping[str, Any], involved: Iterable[str], user: User | None) -> set[int]:
    """Return the uids of the people with a hand in a record.

    Args:
        involved: the columns that hold a uid, or a login, or a list of them.
        user: the person of the tower who asked, if one did.
    """
    found: set[int] = set()
    for name in involved:
        value = columns.get(name)
        named = {one for one in (value if isinstance(value, list | tuple) else [value]) if one}
        logins = {one for one in named if isinstance(one, str)}
        found |= named - logins
        found |= {uid for uids in identities.users_named(connection_id, logins).values() for uid in uids}
    if user is not None:
        found |= identities.identities_of([user], connection_id)[user.pk].uids
    return found - identities.technical_uids(connection_id)


def logins_of(connection_id: int, uids: Iterable[int]) -> list[str]:
    """Return the logins of those Odoo users, in order."""
    rows = OdooUser.objects.filter(connection_id=connection_id, odoo_id__in=list(uids)).exclude(login="")
    return sorted({login for login in rows.values_list("login", flat=True) if login})

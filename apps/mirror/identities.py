"""Who a person of the tower is in each Odoo: links by connection and uid, made from the login that was given for them.

A link outlives a change of the login in Odoo. It is made when the person is made, and whenever Odoo's users change.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from apps.accounts.logins import normalised
from apps.accounts.models import User, powers_changed
from apps.accounts.people import PersonError
from apps.audit import trail
from apps.core.actor import Actor
from apps.mirror.models.res_users import OdooUser
from apps.odoo.models import Connection, LinkedUser

# Odoo's own user, by which it acts itself.
ODOO_BOT = 1


@dataclass(frozen=True, kw_only=True)
class Identity:
    """Who a person is on one connection.

    Attributes:
        is_known: whether they are linked to exactly one Odoo user there.
        uids: every Odoo user there that may be them.
    """

    is_known: bool = False
    uids: frozenset[int] = field(default_factory=frozenset)


def technical_uids(connection_id: int) -> set[int]:
    """The uids on the connection that are no person: Odoo's own, and the tower's."""
    own = Connection.objects.filter(pk=connection_id).values_list("uid", flat=True).first()
    return {ODOO_BOT} | ({own} if own else set())


def identities_of(users: Iterable[User], connection_id: int) -> dict[int, Identity]:
    """Return who each of ``users`` is on the connection, by their primary keys."""
    people = list(users)
    links = dict(
        LinkedUser.objects.filter(connection_id=connection_id, user__in=[user.pk for user in people]).values_list("user_id", "uid")
    )
    named = users_named(connection_id, {user.odoo_login for user in people if user.odoo_login and user.pk not in links})
    taken = named and set(
        LinkedUser.objects.filter(
            connection_id=connection_id, uid__in=[uid for uids in named.values() for uid in uids]
        ).values_list("uid", flat=True)
    )
    found: dict[int, Identity] = {}
    for user in people:
        by_login = named.get(normalised(user.odoo_login), set())
        linked = links.get(user.pk)
        is_known = linked is not None or (len(by_login) == 1 and not by_login & set(taken))
        found[user.pk] = Identity(is_known=is_known, uids=frozenset(by_login | ({linked} if linked is not None else set())))
    return found


def people_named(connection_id: int, login: str) -> list[User]:
    """Return the active people who are the Odoo user of that login on the connection."""
    if not login:
        return []
    uids = OdooUser.objects.filter(connection_id=connection_id, login=login, deleted_at=None).values("odoo_id")
    linked = LinkedUser.objects.filter(connection_id=connection_id, uid__in=uids).values("user_id")
    return list(User.objects.filter(Q(odoo_login=login) | Q(pk__in=linked), is_active=True).order_by("pk"))


def users_named(connection_id: int, logins: Collection[str]) -> dict[str, set[int]]:
    """Return the uids of the Odoo users with those logins, by the normalised login. The technical ones are left out."""
    wanted = {normalised(login) for login in logins} - {""}
    if not wanted:
        return {}
    said = Q()
    for login in wanted:
        said |= Q(login__icontains=login)
    found: dict[str, set[int]] = {}
    technical = technical_uids(connection_id)
    rows = OdooUser.objects.filter(said, connection_id=connection_id, deleted_at=None).exclude(share=True)
    for uid, login in rows.values_list("odoo_id", "login"):
        if (name := normalised(login or "")) in wanted and uid not in technical:
            found.setdefault(name, set()).add(uid)
    return found


def resolve_links(connection_id: int, *, now: datetime, users: Sequence[User] | None = None) -> list[LinkedUser]:
    """Link the people who have no link on the connection and whose login is that of exactly one of its users.

    Args:
        users: only these; everybody with a login, where nothing is given.
    """
    people = User.objects.exclude(odoo_login="").exclude(odoo_users__connection_id=connection_id)
    if users is not None:
        people = people.filter(pk__in=[user.pk for user in users])
    waiting = {user.odoo_login: user for user in people}
    named = users_named(connection_id, waiting)
    taken = set(LinkedUser.objects.filter(connection_id=connection_id).values_list("uid", flat=True)) if named else set()
    links = [
        LinkedUser(connection_id=connection_id, uid=uid, user=waiting[login], login=login, linked_at=now)
        for login, (uid, *others) in named.items()
        if not others and uid not in taken
    ]
    made = LinkedUser.objects.bulk_create(links, ignore_conflicts=True)
    if made:
        powers_changed.send(sender=User, ids=[one.user_id for one in made])
    return made


def check_login_is_free(login: str, *, user: User | None = None) -> None:
    """Raise PersonError where another account has that Odoo login, or is linked to the Odoo user that has it."""
    name = normalised(login)
    others = User.objects.exclude(pk=user.pk if user else None)
    if holder := others.filter(odoo_login=name).first():
        raise PersonError(
            f"{holder.username} has the Odoo login {name} already, and two accounts cannot be one Odoo user. "
            "Choose another login, or take it from them first: link_odoo_user."
        )
    for connection in Connection.objects.order_by("name"):
        for uid in users_named(connection.pk, {name}).get(name, ()):
            holder = others.filter(odoo_users__connection=connection, odoo_users__uid=uid).first()
            if holder is not None:
                raise PersonError(
                    f"{holder.username} is Odoo user {uid} ({name}) on {connection.name} already, and two accounts cannot be "
                    "one Odoo user. Choose another login, or take it from them first: link_odoo_user."
                )


@transaction.atomic
def link(user: User, *, login: str, connection: Connection | None = None, by: Actor, now: datetime) -> list[LinkedUser]:
    """Say that the person is the Odoo user of that login, on one connection or on all of them; the links that were made.

    On one connection the login must be there. On all of them it is kept, and linked where and when it appears.

    Raises:
        PersonError: nobody there has that login, several have, or another account is that Odoo user.
    """
    name = normalised(login)
    if not name:
        raise PersonError("An Odoo login is needed, as its user types it to sign in to Odoo.")
    if len(name) > 200:
        raise PersonError("An Odoo login has at most 200 characters.")
    if connection is None:
        check_login_is_free(name, user=user)
        user.odoo_login = name
        user.save(update_fields=["odoo_login"])
        LinkedUser.objects.filter(user=user).delete()
        made = [one for place in Connection.objects.all() for one in resolve_links(place.pk, users=[user], now=now)]
    else:
        made = [_link_on(connection, user, name, now)]
    powers_changed.send(sender=User, ids=[user.pk])
    trail.record(
        trail.Event(
            action="user.linked",
            actor=by,
            subject=f"user:{user.pk}",
            data={
                "name": user.username,
                "login": name,
                "connection": connection.name if connection else "",
                "uids": {str(one.connection_id): one.uid for one in made},
            },
        ),
        now=now,
    )
    return made


def _link_on(connection: Connection, user: User, login: str, now: datetime) -> LinkedUser:
    uids = sorted(users_named(connection.pk, {login}).get(login, ()))
    if len(uids) != 1:
        problem = f"Several users of {connection.name} have" if uids else f"No internal user of {connection.name} has"
        raise PersonError(f"{problem} the login {login}, the tower's own apart. Check it in Odoo, or sync its users first.")
    holder = LinkedUser.objects.filter(connection=connection, uid=uids[0]).exclude(user=user).select_related("user").first()
    other = User.objects.filter(odoo_login=login).exclude(pk=user.pk).first()
    if taken := holder.user if holder else other:
        raise PersonError(
            f"{taken.username} is {login} on {connection.name} already, and two accounts cannot be one Odoo user. "
            f"Take it from them first: link_odoo_user {taken.username} --remove."
        )
    made, _ = LinkedUser.objects.update_or_create(
        connection=connection, user=user, defaults={"uid": uids[0], "login": login, "linked_at": now}
    )
    return made


@transaction.atomic
def unlink(user: User, *, by: Actor, now: datetime) -> None:
    """Forget who the person is in every Odoo: they decide only where policy lets somebody unknown decide."""
    LinkedUser.objects.filter(user=user).delete()
    User.objects.filter(pk=user.pk).update(odoo_login="")
    trail.record(trail.Event(action="user.unlinked", actor=by, subject=f"user:{user.pk}", data={"name": user.username}), now=now)

"""Saying what a person may see, in the names of connections and companies."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from apps.accounts import access
from apps.accounts.access import EVERYTHING, NOTHING, SEE_EVERYTHING, AccessScope
from apps.accounts.models import User
from apps.accounts.people import PersonError
from apps.audit import trail
from apps.core.actor import Actor
from apps.mirror.models.res_company import Company
from apps.odoo.models import Connection

ALL, NONE = "all", "nothing"


def named(places: Sequence[str]) -> AccessScope:
    """The sight that ``places`` name: ``main``, ``main:2``, ``main:Nordlicht``, or ``all``, or ``nothing``.

    Raises:
        PersonError: there is no such connection or company, or several companies of that name.
    """
    if list(places) in ([ALL], [NONE]):
        return EVERYTHING if places[0] == ALL else NOTHING
    return AccessScope(frozenset(_part(place) for place in places))


def _part(place: str) -> tuple[int, int | None]:
    name, _, company = place.partition(":")
    connection = Connection.objects.filter(name=name).first()
    if connection is None:
        known = ", ".join(Connection.objects.order_by("name").values_list("name", flat=True)) or "none yet"
        raise PersonError(f"There is no connection {name}; there is: {known}. {ALL} and {NONE} are said alone.")
    if not company:
        return connection.pk, None
    companies = Company.objects.filter(connection=connection, deleted_at=None).order_by("odoo_id")
    wanted = companies.filter(odoo_id=int(company)) if company.isdecimal() else companies.filter(name=company)
    found = list(wanted.values_list("odoo_id", flat=True))
    if len(found) != 1:
        known = ", ".join(f"{odoo_id} ({title})" for odoo_id, title in companies.values_list("odoo_id", "name")) or "none read yet"
        count = "several companies" if found else "no company"
        raise PersonError(f"There is {count} {company} in {name}; there is: {known}.")
    return connection.pk, found[0]


def in_words(access_scope: AccessScope) -> list[str]:
    """What is in sight, as :func:`named` reads it."""
    if access_scope.parts is None:
        return [ALL]
    names = dict(Connection.objects.values_list("id", "name"))
    found = sorted(f"{names.get(number, number)}" + (f":{company}" if company else "") for number, company in access_scope.parts)
    return found or [NONE]


@transaction.atomic
def grant(user: User, access_scope: AccessScope, *, by: Actor, now: datetime) -> None:
    """Let the person see that and nothing else. Open pages follow within a minute.

    Raises:
        PersonError: the person's role sees everything.
    """
    if user.role in SEE_EVERYTHING and not access_scope.is_everything:
        raise PersonError(f"{user.username} is {user.get_role_display()} and sees everything. Give them another role first.")
    before = AccessScope() if user.sees is None else access.scope_of(user)
    user.sees = access.written(access_scope)
    user.save(update_fields=["sees"])
    trail.record(
        trail.Event(
            action="user.granted",
            actor=by,
            subject=f"user:{user.pk}",
            data={"name": user.username, "before": in_words(before), "sees": in_words(access_scope)},
        ),
        now=now,
    )

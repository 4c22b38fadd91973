"""Whom a step of a policy asks: the people of a level, and who of them may decide a request."""

from collections.abc import Iterable, Mapping
from typing import Any

from apps.accounts import access, permissions
from apps.accounts.models import Role, Team, User
from apps.approvals.models import Request
from apps.approvals.policies import limits, segregation
from apps.approvals.policies.limits import Amount
from apps.approvals.policies.segregation import Standing
from apps.mirror.identities import Identity

# What "manager_of" may name.
RECORD = "record"


DECIDING_ROLES = sorted(permissions.DECIDERS)


def people(ask: dict[str, str], *, owner_login: str | None = None) -> Any:
    """The active people that a level asks, whatever their limit.

    Args:
        owner_login: the Odoo login of who looks after the record, for the manager of the record: a manager of a team that
            this person belongs to in the tower. Where it is not given, everybody who could ever be that.
    """
    (kind, value), deciders = next(iter(ask.items())), User.objects.filter(is_active=True, role__in=DECIDING_ROLES)
    if kind == "role":
        return deciders.filter(role=value)
    if kind == "team":
        return deciders.filter(teams__slug=value)
    if kind == "manager_of":
        teams = Team.objects.all()
        if owner_login is not None:
            teams = teams.filter(members__odoo_login=owner_login) if owner_login else teams.none()
        return deciders.filter(role=Role.MANAGER, teams__in=teams).distinct()
    return deciders.filter(username=value)


def levels_ask(levels: Iterable[Mapping[str, Any]], user: User, *, owner_login: str) -> bool:
    """Return whether any of a step's levels asks this person, whatever their limit."""
    return any(people(level["ask"], owner_login=owner_login).filter(pk=user.pk).exists() for level in levels)


def can_be_asked(ask: dict[str, str], request: Request) -> list[User]:
    """Return the people of a level who may see the request's company, decide on its amount and had no hand in its record."""
    owner_login = str(request.context.get("account_owner_login") or "")
    return those_who_may(people(ask, owner_login=owner_login).distinct().order_by("pk"), request)


def those_who_may(
    asked: Iterable[User],
    request: Request,
    *,
    rules: Mapping[str, Any] | None = None,
    known: Mapping[int, Identity] | None = None,
    amount: Amount | None = None,
) -> list[User]:
    """Return those of ``asked`` who may see the request's company, decide on its amount and had no hand in its record.

    Args:
        rules: a policy's rules to go by; those with which the request began, where nothing is given.
        known: who they are on the request's connection, where that was looked up already.
        amount: what they would have to decide on, where other rules would count other records together with it.
    """
    seen, decided = access.those_who_see(asked, request.connection_id, request.company_id), amount or limits.amount_of(request)
    within = [user for user in seen if limits.covers(user, decided)]
    standing = segregation.standings(within, request, rules=rules, known=known)
    return [user for user in within if standing[user.pk] == Standing.FREE]


def team_of(ask: dict[str, str]) -> Team | None:
    """The team whose working hours count for a level: the team that is asked, if one is."""
    return Team.objects.filter(slug=ask["team"]).first() if "team" in ask else None

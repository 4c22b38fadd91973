"""For whom a parameter or a policy counts: everybody, a connection, or one company of it. The nearest counts."""

from dataclasses import dataclass

from django.db.models import Q
from django.http import Http404, HttpRequest
from django.utils.http import urlencode
from django.utils.translation import gettext

from apps.accounts import access
from apps.accounts.access import AccessScope
from apps.accounts.models import User
from apps.accounts.permissions import NotAllowedError
from apps.core.refusals import Problem, Refusal
from apps.mirror.models.res_company import Company
from apps.odoo import request_scope
from apps.odoo.models import Connection

LARGEST_ID = 2**63 - 1


class ScopeError(Refusal):
    """There is no such connection or company; the message says so."""

    problem = Problem(
        "scope_not_found",
        404,
        "Connection or company not found",
        meaning="There is no such connection or company, or it is outside of the access scope.",
        remedy="Name a connection and a company that you may see.",
    )


@dataclass(frozen=True, kw_only=True)
class Scope:
    """For whom a value counts: everybody, a connection, or one company of it."""

    connection: Connection | None = None
    company_id: int | None = None

    @property
    def key(self) -> tuple[int | None, int | None]:
        """The numbers by which it is kept."""
        return (self.connection.pk if self.connection else None, self.company_id)

    @property
    def wider(self) -> "list[Scope]":
        """Where a value comes from that is not set here, the nearest first."""
        if self.company_id is not None:
            return [Scope(connection=self.connection), Scope()]
        return [Scope()] if self.connection else []

    def within(self, access_scope: AccessScope) -> AccessScope:
        """The part of what is seen for which something counts that is set here."""
        return access_scope if self.connection is None else access_scope.narrowed(self.connection.pk, self.company_id)

    @property
    def query(self) -> str:
        """The address's part that chooses it on a page."""
        if self.connection is None:
            return urlencode({FOR: "everybody"})
        chosen = {"connection": self.connection.name} | ({} if self.company_id is None else {"company": str(self.company_id)})
        return urlencode(chosen)


EVERYBODY = Scope()
# What an address says where neither a connection nor what the header chooses is meant.
FOR = "for"


@dataclass(frozen=True, kw_only=True)
class Place:
    """A scope that a page offers, and whether it is the one that it shows."""

    scope: Scope
    words: str
    is_here: bool


def named(connection: str | None, company: int | None, access_scope: AccessScope) -> Scope:
    """Return the scope of a connection by its name, and of a company there. Raises ScopeError for what is not in sight."""
    if not connection:
        if company is not None:
            raise ScopeError(gettext("A company belongs to a connection: name the connection as well."))
        return EVERYBODY
    found = Connection.objects.filter(access_scope.of_connections(), name=connection).first() if "\x00" not in connection else None
    if found is None:
        raise ScopeError(gettext("There is no connection %(name)s.") % {"name": connection[:60]})
    if company is not None and (not 0 <= company <= LARGEST_ID or not access_scope.sees(found.pk, company)):
        raise ScopeError(gettext("There is no company %(company)s in %(name)s.") % {"company": company, "name": found.name})
    return Scope(connection=found, company_id=company)


def check_in_sight(user: User, scope: Scope) -> None:
    """Raise NotAllowedError unless the person sees all for which something would count in ``scope``."""
    access_scope = access.scope_of(user)
    if scope.connection is None:
        if not access_scope.is_everything:
            raise NotAllowedError(gettext("What counts for everybody is set by somebody who sees all of the tower."))
        return
    of_company = scope.company_id is not None and access_scope.sees(scope.connection.pk, scope.company_id)
    if not of_company and not access_scope.sees_whole(scope.connection.pk):
        raise NotAllowedError(gettext("That is out of your access scope; somebody who sees all of it has to set it."))


def visible_in(access_scope: AccessScope) -> Q:
    """The filter for what counts for everybody, which everybody may know, and for what counts in a part of ``access_scope``."""
    # No condition at all would vanish beside the other.
    return Q() if access_scope.is_everything else Q(connection=None) | access_scope.of_records()


def chosen_in(request: HttpRequest, user: User) -> tuple[Scope, list[Place]]:
    """Return the scope that the address, or else the header, chooses, and all that can be chosen. Raises Http404."""
    access_scope = access.scope_of(user)
    choice = None if request.GET.get(FOR) == "everybody" else request_scope.choice_of(request)
    connections = {one.pk: one for one in Connection.objects.filter(access_scope.of_connections()).order_by("name")}
    scope = EVERYBODY
    if choice is not None:
        if choice[0] not in connections or not access_scope.sees(*choice):
            raise Http404(gettext("There is no such connection or company."))
        scope = Scope(connection=connections[choice[0]], company_id=choice[1])
    companies = Company.objects.filter(connection_id__in=connections, deleted_at=None).order_by("name", "odoo_id")
    scopes = [(EVERYBODY, gettext("Everybody"))]
    for connection in connections.values():
        scopes.append((Scope(connection=connection), connection.name))
        scopes += [
            (Scope(connection=connection, company_id=one.odoo_id), f"{connection.name}: {one.name or one.odoo_id}")
            for one in companies
            if one.connection_id == connection.pk and access_scope.sees(connection.pk, one.odoo_id)
        ]
    return scope, [Place(scope=one, words=words, is_here=one.key == scope.key) for one, words in scopes]


def words_of(places: list[Place]) -> str:
    """Return what the scope that is shown is called."""
    return next((place.words for place in places if place.is_here), gettext("Everybody"))

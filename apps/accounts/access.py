"""What a person may see: all of it, or some connections, or some companies of them. Every read goes through here.

A record belongs to a connection and, there, to a company. One that has no company belongs to all who see the connection.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Q

from apps.accounts.models import Role, User

# Who looks after the whole tower sees the whole tower.
SEE_EVERYTHING: set[str] = {Role.ADMIN, Role.INTEGRATOR}


@dataclass(frozen=True)
class AccessScope:
    """A set of connections and companies, by their numbers. Two people with the same one are shown the same.

    Attributes:
        parts: connections with a company each, or with None for the whole connection. None: everything there is.
    """

    parts: frozenset[tuple[int, int | None]] | None = None

    @property
    def is_everything(self) -> bool:
        """Whether nothing is hidden, and nothing has to be filtered."""
        return self.parts is None

    def sees(self, connection_id: int, company_id: int | None = None) -> bool:
        """Whether a record of that company is in it; without a company, whether any of the connection is."""
        if self.parts is None or (connection_id, None) in self.parts:
            return True
        if company_id is None:
            return any(connection == connection_id for connection, _ in self.parts)
        return (connection_id, company_id) in self.parts

    def sees_whole(self, connection_id: int) -> bool:
        """Whether all companies of the connection are in it: some things are of a connection and of no company."""
        return self.parts is None or (connection_id, None) in self.parts

    def of_records(self, connection: str = "connection_id", company: str = "company_id") -> Q:
        """The filter for what belongs to a connection and a company. Everything costs no condition at all."""
        if self.parts is None:
            return Q()
        found = Q(pk__in=[])
        for number, companies in self._by_connection():
            of_connection = Q(**{connection: number})
            if companies is not None:
                of_connection &= Q(**{f"{company}__in": companies}) | Q(**{f"{company}__isnull": True})
            found |= of_connection
        return found

    def of_connections(self, connection: str = "id") -> Q:
        """The filter for connections of which any part is in it."""
        if self.parts is None:
            return Q()
        return Q(**{f"{connection}__in": [number for number, _ in self._by_connection()]})

    def of_whole_connections(self, connection: str = "connection_id") -> Q:
        """The filter for what belongs to a connection and to no company of it."""
        if self.parts is None:
            return Q()
        return Q(**{f"{connection}__in": [number for number, companies in self._by_connection() if companies is None]})

    def sql(self, alias: str, company: str = "") -> str:
        """The same filter as :meth:`of_records` as a condition on ``alias`` in a statement; numbers only, so it is safe.

        ``company`` names the column of the company where it is not the alias's own.
        """
        if self.parts is None:
            return "TRUE"
        column, terms = company or f"{alias}.company_id", []
        for number, companies in self._by_connection():
            term = f"{alias}.connection_id = {int(number)}"
            if companies is not None:
                numbers = ", ".join(str(int(one)) for one in companies)
                term = f"({term} AND ({column} IS NULL OR {column} IN ({numbers})))"
            terms.append(term)
        return f"({' OR '.join(terms)})" if terms else "FALSE"

    def narrowed(self, connection_id: int, company_id: int | None = None) -> "AccessScope":
        """The part of it that is of one connection, or of one company there. Never more than it was."""
        if self.sees_whole(connection_id):
            return AccessScope(frozenset({(connection_id, company_id)}))
        parts = self.parts or frozenset()
        return AccessScope(frozenset(part for part in parts if part[0] == connection_id and company_id in (None, part[1])))

    def _by_connection(self) -> Iterable[tuple[int, list[int] | None]]:
        """Each connection with its companies, None for all of them, in order."""
        companies: dict[int, list[int] | None] = {}
        for connection, company in sorted(self.parts or (), key=lambda part: (part[0], part[1] or 0)):
            known = companies.setdefault(connection, [])
            if company is None or known is None:
                companies[connection] = None
            else:
                known.append(company)
        return companies.items()


EVERYTHING = AccessScope()
NOTHING = AccessScope(frozenset())


def scope_of(user: User) -> AccessScope:
    """What the person may see. Costs no query."""
    if user.sees is None or user.role in SEE_EVERYTHING:
        return EVERYTHING
    return AccessScope(frozenset(_part(text) for text in user.sees))


def written(scope: AccessScope) -> list[str] | None:
    """The scope as a person's ``sees`` keeps it: ``"3"`` is a connection, ``"3:2"`` one company of it."""
    if scope.parts is None:
        return None
    return sorted(str(number) if company is None else f"{number}:{company}" for number, company in scope.parts)


def those_who_see(people: Iterable[User], connection_id: int, company_id: int | None) -> list[User]:
    """Those of ``people`` who may see a record of that company."""
    return [user for user in people if scope_of(user).sees(connection_id, company_id)]


def _part(text: str) -> tuple[int, int | None]:
    connection, _, company = text.partition(":")
    return int(connection), int(company) if company else None

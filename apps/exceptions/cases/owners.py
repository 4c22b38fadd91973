"""Who owns what is opened: the teams that types name, and whose turn it is in them."""

from collections.abc import Sequence

from django.db.models import Count, Q

from apps.accounts import access
from apps.accounts.models import Role, Team, User
from apps.exceptions.models import Status


def teams(slugs: set[str]) -> dict[str, Team]:
    """The teams of those slugs. One that nobody has made yet comes with the workflow that names it, without people."""
    found = {team.slug: team for team in Team.objects.filter(slug__in=slugs)}
    for slug in sorted(slugs - set(found)):
        found[slug] = Team.objects.get_or_create(slug=slug, defaults={"name": slug.replace("_", " ").capitalize()})[0]
    return found


class Owners:
    """Whose turn it is in a team: of those who may see the record, the one with the fewest exceptions of the first role.

    Args:
        by_role: who is asked, the first of these groups of roles that has anybody.
        or_anybody: whether people of these roles outside the team are asked where nobody is in it.
    """

    def __init__(
        self,
        team: Team,
        connection_id: int,
        *,
        or_anybody: bool = False,
        by_role: Sequence[Sequence[str]] = ((Role.OPERATOR,), (Role.MANAGER,)),
    ) -> None:
        self.connection_id, self.by_role = connection_id, by_role
        open_cases = Count("exceptions", filter=~Q(exceptions__status=Status.RESOLVED))
        people = User.objects.filter(is_active=True, role__in=[role for roles in by_role for role in roles])
        members = people.filter(teams=team)
        if members.exists() or not or_anybody:
            people = members
        self.load: list[tuple[int, int, User]] = [
            (user.open_cases, user.pk, user) for user in people.annotate(open_cases=open_cases).order_by("role", "pk")
        ]

    def next(self, company_id: int | None) -> User | None:
        """The next owner of a record of that company, none where nobody of the team may see it."""
        places = [
            number for number, (_, _, user) in enumerate(self.load) if access.scope_of(user).sees(self.connection_id, company_id)
        ]
        for roles in self.by_role:
            asked = [number for number in places if self.load[number][2].role in roles]
            if asked:
                place = min(asked, key=lambda number: self.load[number][:2])
                count, pk, user = self.load[place]
                self.load[place] = (count + 1, pk, user)
                return user
        return None

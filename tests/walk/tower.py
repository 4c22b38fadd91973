"""The tower beside the business: it polls, it tells Odoo what follows, and its people decide."""

from datetime import timedelta
from random import Random

from apps.accounts.models import Role, User
from apps.accounts.people import change_user
from apps.accounts.permissions import NotAllowedError
from apps.approvals import absence, moves, undoing
from apps.approvals.models import Assignment, Request, Status
from apps.approvals.standing import AlreadyDecidedError, DecisionRefusedError
from apps.core import clock
from apps.odoo.client import OdooClient
from apps.outbox import dispatch
from apps.outbox.models import Command
from apps.pipeline import upkeep
from tests.world import person

REFUSED = (NotAllowedError, AlreadyDecidedError, DecisionRefusedError)
# As many rounds as a decision needs to be seen: carried out, polled, its own consequences carried out.
ROUNDS = 4


class Tower:
    """The tower as its workers run it, without their pauses."""

    def __init__(self, odoo: OdooClient) -> None:
        self.connection = connection = odoo.connection
        stamp = f"{clock.now():%H%M%S%f}"

        def decider(name: str, role: Role, limit: int, team: str | None = None) -> User:
            login = f"walk-{name}-{stamp}"
            odoo.create("res.users", {"name": name, "login": login})
            return person(name, role, limit=limit, team=team, odoo_login=login)

        self.people = [
            decider("ann", Role.APPROVER, 20_000, "sales"),
            decider("ben", Role.APPROVER, 60_000, "finance"),
            decider("cleo", Role.APPROVER, 60_000, "purchasing"),
            decider("dan", Role.APPROVER, 5_000, "warehouse"),
            decider("eve", Role.APPROVER, 60_000, "service"),
            decider("mia", Role.MANAGER, 10**7),
            decider("max", Role.MANAGER, 10**7),
        ]
        upkeep.probe(connection, now=clock.now())
        list(upkeep.first_read(connection, clock=clock.now))

    def appoint(self, logins: dict[str, str]) -> None:
        """Let people of the business decide as well: what they had a hand in is then not theirs to decide.

        Args:
            logins: of the people in Odoo, by what they are there.
        """
        for what, login in logins.items():
            team = {"sales": "sales", "buyer": "purchasing", "accountant": "finance"}[what]
            self.people.append(person(f"walk-{login}", Role.APPROVER, limit=60_000, team=team, odoo_login=login))

    def settle(self) -> None:
        """Read what changed, tell Odoo what follows, and read that, until nothing waits."""
        upkeep.poll(self.connection, clock=clock.now)
        for _ in range(ROUNDS):
            if not Command.objects.filter(status__in=dispatch.WAITING).exists():
                return
            self.carry_out()
            upkeep.poll(self.connection, clock=clock.now)

    def carry_out(self) -> None:
        """Tell Odoo all that waits to be told, though an undo might still take it back."""
        for _ in range(6):
            waiting = Command.objects.filter(status__in=dispatch.WAITING)
            if not waiting.exists():
                return
            waiting.update(not_before=clock.now())
            dispatch.run_due(clock=clock.now)

    def present(self) -> list[User]:
        """The people who work here today."""
        return list(User.objects.filter(pk__in=[one.pk for one in self.people], is_active=True).order_by("pk"))

    def _asked(self, random: Random) -> Assignment | None:
        waiting = Assignment.objects.filter(is_active=True, decision="", step__status="pending")
        waiting = waiting.filter(step__request__status=Status.PENDING)
        found = list(waiting.select_related("user", "step__request").order_by("id"))
        return random.choice(found[-12:]) if found else None

    def decide(self, random: Random) -> str:
        """Somebody who is asked says yes or no; whoever is not asked tries it now and then."""
        asked = self._asked(random)
        if asked is None:
            return ""
        by: User = asked.user if random.random() < 0.8 else random.choice(self.present())
        request, now = asked.step.request, clock.now()
        undo_for = timedelta(minutes=5) if random.random() < 0.2 else timedelta(0)
        try:
            if random.random() < 0.7:
                moves.approve(request.pk, by=by, reason="Walk", now=now, undo_for=undo_for)
                said = "yes"
            else:
                moves.reject(request.pk, by=by, reason="Walk says no", now=now, undo_for=undo_for)
                said = "no"
        except REFUSED as error:
            return f"{by} is refused on {request.kind} {request.record_name}: {error}"
        return f"{by} says {said} on {request.kind} {request.record_name}"

    def undo(self, random: Random) -> str:
        """Somebody takes back what they said."""
        said = list(Assignment.objects.filter(undo_until__gt=clock.now()).exclude(decision="").order_by("id"))
        if not said:
            return ""
        one = random.choice(said)
        try:
            undoing.undo(one.step.request_id, by=one.user, now=clock.now())
        except REFUSED as error:
            return f"too late to undo: {error}"
        return f"{one.user} undoes {one.step.request.record_name}"

    def delegate(self, random: Random) -> str:
        """Somebody who is asked hands it to somebody."""
        asked = self._asked(random)
        if asked is None:
            return ""
        to = random.choice(self.present())
        try:
            moves.delegate(asked.step.request_id, to=to, by=asked.user, now=clock.now())
        except REFUSED as error:
            return f"not delegated: {error}"
        return f"{asked.user} delegates {asked.step.request.record_name} to {to}"

    def be_away(self, random: Random) -> str:
        """Somebody is away for a while, and somebody else is asked."""
        who, deputy = random.sample(self.present(), 2)
        now = clock.now()
        try:
            absence.begin(who, deputy=deputy, starts_at=now, until=now + timedelta(minutes=random.choice([1, 5])), now=now)
        except REFUSED as error:
            return f"not away: {error}"
        return f"{who} is away, {deputy} stands in"

    def leave(self, random: Random) -> str:
        """Somebody who decides leaves, or comes back."""
        who = random.choice([one for one in self.people if one.role != Role.MANAGER])
        who.refresh_from_db()
        who = change_user(who.username, is_active=not who.is_active)
        return f"{who} {'is back' if who.is_active else 'has left'}"

    def pending(self) -> list[Request]:
        """The requests that wait."""
        return list(Request.objects.filter(connection=self.connection, status=Status.PENDING))

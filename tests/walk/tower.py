"""The tower beside the business: it polls, it tells Odoo what follows, and its people decide."""

from collections.abc import Callable
from datetime import timedelta
from random import Random

from django.db import transaction

from apps.accounts.models import Role, Team, User
from apps.accounts.people import change_user
from apps.accounts.permissions import NotAllowedError
from apps.approvals.absence import periods as absence
from apps.approvals.errors import AlreadyDecidedError, DecisionRefusedError
from apps.approvals.models import Assignment, Request, Status
from apps.approvals.policies import guard_policy, policy
from apps.approvals.requests import moves, undoing
from apps.core import clock
from apps.mirror import registry as mirror
from apps.mirror.sync import refresh
from apps.odoo.client import OdooClient
from apps.outbox import dispatch
from apps.outbox.models import Command
from apps.pipeline import change_processing, first_sync
from apps.pipeline.upkeep import polling, probing
from apps.timers.models import WorkingCalendar
from apps.workflows import registry as workflows
from tests.world import person

REFUSED = (NotAllowedError, AlreadyDecidedError, DecisionRefusedError)
# By day, by night across midnight, and in two shifts; the others work round the clock.
HOURS = {
    "sales": ("America/Los_Angeles", [["08:00", "12:00"], ["13:00", "17:00"]]),
    "warehouse": ("Pacific/Auckland", [["22:00", "06:00"]]),
    "finance": ("Europe/Berlin", [["09:00", "17:30"]]),
}
BUYING = "procurement_threshold"
# As many rounds as a decision needs to be seen: carried out, polled, its own consequences carried out.
ROUNDS = 4
# Acts between two polls where the tower is told of changes.
POLL_EVERY = 50


class Tower:
    """The tower as its workers run it, without their pauses."""

    def __init__(
        self, odoo: OdooClient, *, hints: Callable[[], dict[str, set[int]]] | None = None, is_cumulative: bool = False
    ) -> None:
        """Hire the people who decide, and read everything.

        Args:
            hints: what changed in Odoo since it was asked last, as webhooks would say it. Without, each change is polled for;
                with it the tower polls now and then, as it does for what webhooks lose.
            is_cumulative: the policy of purchases counts a week's together, by vendor and person.
        """
        self.odoo, self.hints, self.settled, self.is_cumulative = odoo, hints, 0, is_cumulative
        self.connection = connection = odoo.connection
        self.polled_at = clock.now()
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
        for team, (zone, hours) in HOURS.items():
            WorkingCalendar.objects.update_or_create(
                team=Team.objects.get(slug=team), defaults={"time_zone": zone, "hours": {str(day): hours for day in range(5)}}
            )
        if is_cumulative:
            kind = workflows.workflows()["procure_to_pay"].approval(BUYING)
            rules = {**kind.default_policy, "cumulative": {"over_days": 7}}
            policy.save(BUYING, rules, by=self.people[-1], now=clock.now())
        probing.probe(connection, now=clock.now())
        list(first_sync.first_read(connection, clock=clock.now))
        # The guards in Odoo count together from here on, as the policy says.
        guard_policy.publish(now=clock.now())
        self.carry_out()

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
        self.settled += 1
        self._read()
        for _ in range(ROUNDS):
            if not Command.objects.filter(status__in=dispatch.WAITING).exists():
                break
            self.carry_out()
            self._read()
        if self.hints and self.settled % POLL_EVERY == 0:
            self._poll()
            self.carry_out()
            self._read()

    def _poll(self) -> None:
        self.polled_at = clock.now()
        polling.poll(self.connection, clock=clock.now)

    def _read(self) -> None:
        if self.hints is None:
            self._poll()
            return
        known = mirror.models()
        reads = [
            one
            for model, ids in self.hints().items()
            if model in known
            for one in refresh.read(self.odoo, known[model], sorted(ids), now=clock.now())
        ]
        with transaction.atomic():
            refresh.write(
                reads,
                connection_id=self.connection.pk,
                on_changes=lambda changes: change_processing.apply_changes(changes, now=clock.now()),
                now=clock.now(),
            )

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

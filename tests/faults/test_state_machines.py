"""Whatever people, time and Odoo do, in whatever order: one wins, nothing is left without its owner, and the trail says so.

``MACHINE_EXAMPLES=2000`` tries more; Hypothesis prints the shortest way to what breaks.
"""

import os
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from apps.accounts import permissions as roles
from apps.accounts.models import Role, Team, User
from apps.approvals import moves as approvals
from apps.approvals.models import Assignment, Request
from apps.approvals.models import Status as Answer
from apps.approvals.standing import AlreadyDecidedError, DecisionRefusedError
from apps.audit.models import Entry
from apps.exceptions import moves as exceptions
from apps.exceptions.models import ExceptionCase, Status
from apps.outbox.models import Command
from apps.timers import due
from apps.timers.models import Timer
from tests.world import World, person

EXAMPLES = int(os.environ.get("MACHINE_EXAMPLES", "12"))
PEOPLE = ["olga", "oscar", "adam", "mia", "anna", "aida"]
who = st.sampled_from(PEOPLE)
REFUSED = (exceptions.MoveRefusedError, roles.NotAllowedError)
UNDECIDED = (AlreadyDecidedError, DecisionRefusedError, roles.NotAllowedError)


class Tower(RuleBasedStateMachine):
    """A company with people at work. Each run is a transaction that is taken back."""

    def __init__(self) -> None:
        super().__init__()
        self.transaction = transaction.atomic()
        self.transaction.__enter__()
        for slug in ["finance", "sales", "warehouse", "purchasing"]:
            Team.objects.get_or_create(slug=slug, defaults={"name": slug.title()})
        person("olga", Role.OPERATOR, team="finance")
        person("oscar", Role.OPERATOR, team="finance")
        person("adam", Role.APPROVER, limit=50_000, team="finance")
        person("mia", Role.MANAGER, limit=250_000, team="finance")
        person("anna", Role.ADMIN)
        person("aida", Role.AUDITOR)
        self.world = World()
        self.world.held_order()
        self.ends: dict[int, str] = {}

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.transaction.__exit__(None, None, None)

    def user(self, name: str) -> User:
        return User.objects.get(username=name)

    def attempt(self, move: Any, refusals: tuple[type[Exception], ...]) -> bool:
        """Whether the move was made. One that is refused has changed nothing at all."""
        before = Entry.objects.count()
        try:
            with transaction.atomic():
                move()
        except refusals:
            assert Entry.objects.count() == before
            return False
        return True

    @rule(minutes=st.sampled_from([1, 30, 240, 1_500, 6_000]))
    def time_passes(self, minutes: int) -> None:
        self.world.advance(minutes=minutes)
        while due.fire_due(now=self.world.now):
            pass

    @rule(amount=st.sampled_from([100, 6_200, 60_000]))
    def the_order_changes(self, amount: int) -> None:
        self.world.advance(seconds=1)
        self.world.write("sale.order", 42, amount_total=amount, amount_untaxed=amount)

    @rule(state=st.sampled_from(["draft", "sale", "cancel"]))
    def odoo_goes_on(self, state: str) -> None:
        self.world.advance(seconds=1)
        self.world.write("sale.order", 42, state=state)

    @rule(state=st.sampled_from(["open", "cancelled"]))
    def somebody_asks(self, state: str) -> None:
        self.world.advance(seconds=1)
        self.world.ask(42, state=state)

    @invariant()
    def nothing_waits_for_nobody(self) -> None:
        # An order has one open exception of each type, and one request of each kind that waits.
        for rows in (ExceptionCase.objects.exclude(status=Status.RESOLVED).values_list("type", "odoo_id"),
                     Request.objects.filter(status=Answer.PENDING).values_list("kind", "odoo_id")):  # fmt: skip
            assert len(rows) == len(set(rows))
        for case in ExceptionCase.objects.all():
            assert case.team_id is not None
            assert (case.status == Status.RESOLVED) == (case.resolved_at is not None)


class Queue(Tower):
    """The exception queue."""

    def case(self) -> int:
        return ExceptionCase.objects.order_by("-id").values_list("id", flat=True)[0]

    @rule(by=who, to=st.sampled_from([*PEOPLE, None]))
    def assign(self, by: str, to: str | None) -> None:
        self.attempt(lambda: exceptions.assign(self.case(), owner=self.user(to) if to else None, by=self.user(by),
                                               now=self.world.now), REFUSED)  # fmt: skip

    @rule(by=who)
    def acknowledge(self, by: str) -> None:
        self.attempt(lambda: exceptions.acknowledge(self.case(), by=self.user(by), now=self.world.now), REFUSED)

    @rule(by=who, minutes=st.sampled_from([-1, 5, 300]))
    def snooze(self, by: str, minutes: int) -> None:
        until = self.world.now + timedelta(minutes=minutes)
        self.attempt(lambda: exceptions.snooze(self.case(), until=until, by=self.user(by), now=self.world.now), REFUSED)

    @rule(by=who, words=st.sampled_from(["", "Done."]))
    def resolve(self, by: str, words: str) -> None:
        self.attempt(lambda: exceptions.resolve(self.case(), resolution=words, by=self.user(by), now=self.world.now), REFUSED)

    @invariant()
    def what_is_snoozed_wakes(self) -> None:
        for case in ExceptionCase.objects.filter(status=Status.SNOOZED):
            waking = Timer.objects.filter(kind="exceptions.wake", key=f"exception:{case.id}", status="pending")
            assert [timer.due_at for timer in waking] == [case.snoozed_until]

    @invariant()
    def the_trail_tells_the_state(self) -> None:
        told = {"exception.opened": Status.OPEN, "exception.reopened": Status.OPEN, "exception.woken": Status.OPEN,
                "exception.acknowledged": Status.ACKNOWLEDGED, "exception.snoozed": Status.SNOOZED,
                "exception.resolved": Status.RESOLVED}  # fmt: skip
        for case in ExceptionCase.objects.all():
            actions = Entry.objects.filter(subject=f"exception:{case.id}", action__in=told).order_by("sequence")
            assert told[actions.values_list("action", flat=True).last()] == case.status


class Inbox(Tower):
    """The approvals."""

    def request(self) -> int:
        return Request.objects.order_by("-id").values_list("id", flat=True)[0]

    @rule(by=who)
    def approve(self, by: str) -> None:
        self.attempt(lambda: approvals.approve(self.request(), by=self.user(by), now=self.world.now), UNDECIDED)

    @rule(by=who, reason=st.sampled_from(["", "Too much."]))
    def reject(self, by: str, reason: str) -> None:
        self.attempt(lambda: approvals.reject(self.request(), by=self.user(by), reason=reason, now=self.world.now), UNDECIDED)

    @rule(by=who, to=who)
    def delegate(self, by: str, to: str) -> None:
        self.attempt(lambda: approvals.delegate(self.request(), to=self.user(to), by=self.user(by), now=self.world.now), UNDECIDED)

    @invariant()
    def what_has_ended_stays_ended(self) -> None:
        for request in Request.objects.exclude(status=Answer.PENDING):
            assert self.ends.setdefault(request.pk, request.status) == request.status

    @invariant()
    def one_end_is_told_and_it_is_the_state(self) -> None:
        ends = [f"approval.{status}" for status in Answer.values if status != Answer.PENDING]
        for request in Request.objects.all():
            told = Entry.objects.filter(subject=f"approval:{request.pk}", action__in=ends).values_list("action", flat=True)
            assert list(told) == ([] if request.status == Answer.PENDING else [f"approval.{request.status}"])

    @invariant()
    def nobody_decides_beyond_their_power(self) -> None:
        for said in Assignment.objects.exclude(decision="").select_related("user", "step__request"):
            assert said.user.role in (Role.APPROVER, Role.MANAGER, Role.ADMIN)
            amount, limit = said.step.request.amount, said.user.approval_limit
            assert said.decision != "approved" or limit is None or amount <= limit

    @precondition(lambda self: Request.objects.filter(status=Answer.PENDING).exists())
    @invariant()
    def what_waits_is_asked_of_somebody_and_has_its_timer(self) -> None:
        for request in Request.objects.filter(status=Answer.PENDING):
            asked = Assignment.objects.filter(step__request=request, step__status="pending", is_active=True, decision="")
            assert asked.exists()

    @invariant()
    def odoo_is_told_to_confirm_only_by_a_yes(self) -> None:
        yes = {f"approval:{pk}" for pk in Request.objects.filter(status=Answer.APPROVED).values_list("pk", flat=True)}
        confirmed = set(Command.objects.filter(method="action_confirm").values_list("decision", flat=True))
        assert confirmed <= yes


@pytest.mark.django_db
@pytest.mark.parametrize("machine", [Queue, Inbox])
def test_in_whatever_order_one_wins_and_the_trail_says_so(machine: type[RuleBasedStateMachine]) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(max_examples=EXAMPLES, stateful_step_count=20, deadline=None, database=None,
                          suppress_health_check=list(HealthCheck)),
    )  # fmt: skip

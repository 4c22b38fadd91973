"""Whatever people, time and Odoo do, in whatever order: one wins, nothing waits for nobody, and the trail says so."""

from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from apps.accounts.models import Role
from apps.approvals.models import Assignment, Request
from apps.approvals.models import Status as Answer
from apps.audit.models import Entry
from apps.exceptions.models import ExceptionCase, Status
from apps.outbox.models import Command
from apps.timers import due
from apps.timers.models import Timer
from tests.faults.machine import PEOPLE, Trial, run, who


class Tower(Trial):
    """An order over its customer's limit, which people, time and Odoo move."""

    def __init__(self) -> None:
        super().__init__()
        self.world.held_order()

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
    def somebody_asks_in_odoo(self, state: str) -> None:
        self.world.advance(seconds=1)
        self.world.ask(42, state=state)

    @invariant()
    def an_order_has_one_open_exception_of_a_type_and_one_request_of_a_kind(self) -> None:
        for rows in (
            ExceptionCase.objects.exclude(status=Status.RESOLVED).values_list("type", "odoo_id"),
            Request.objects.filter(status=Answer.PENDING).values_list("kind", "odoo_id"),
        ):
            assert len(rows) == len(set(rows))


class Queue(Tower):
    """The exception queue."""

    def address(self, move: str) -> str:
        newest = ExceptionCase.objects.order_by("-id").values_list("id", flat=True)[0]
        return f"exceptions/{newest}/{move}/"

    @rule(by=who, to=st.sampled_from([*PEOPLE, None]))
    def assign(self, by: str, to: str | None) -> None:
        self.press(by, self.address("assign"), owner=to)

    @rule(by=who)
    def acknowledge(self, by: str) -> None:
        self.press(by, self.address("acknowledge"))

    @rule(by=who, minutes=st.sampled_from([-1, 5, 300]))
    def snooze(self, by: str, minutes: int) -> None:
        until = self.world.now + timedelta(minutes=minutes)
        made = self.press(by, self.address("snooze"), until=until.isoformat())
        assert not made or minutes > 0

    @rule(by=who, words=st.sampled_from(["", "Done."]))
    def resolve(self, by: str, words: str) -> None:
        made = self.press(by, self.address("resolve"), resolution=words)
        assert not made or words

    @rule(by=who)
    def comment(self, by: str) -> None:
        self.press(by, self.address("comment"), text="@adam look")

    @invariant()
    def its_state_is_whole(self) -> None:
        for case in ExceptionCase.objects.select_related("owner"):
            assert case.team_id is not None
            assert (case.status == Status.RESOLVED) == (case.resolved_at is not None)
            assert (case.status == Status.SNOOZED) == (case.snoozed_until is not None)
            assert case.owner is None or case.owner.role != Role.AUDITOR
            waking = Timer.objects.filter(kind="exceptions.wake", key=f"exception:{case.id}", status="pending")
            wanted = [case.snoozed_until] if case.status == Status.SNOOZED else []
            assert case.status != Status.SNOOZED or [timer.due_at for timer in waking] == wanted

    @invariant()
    def the_trail_tells_the_state(self) -> None:
        told = {
            "exception.opened": Status.OPEN,
            "exception.reopened": Status.OPEN,
            "exception.woken": Status.OPEN,
            "exception.acknowledged": Status.ACKNOWLEDGED,
            "exception.snoozed": Status.SNOOZED,
            "exception.resolved": Status.RESOLVED,
            "exception.closed": Status.RESOLVED,
        }
        for case in ExceptionCase.objects.all():
            actions = Entry.objects.filter(subject=f"exception:{case.id}", action__in=told).order_by("sequence")
            assert told[str(actions.values_list("action", flat=True).last())] == case.status


class Inbox(Tower):
    """The approvals."""

    def address(self, move: str) -> str:
        newest = Request.objects.order_by("-id").values_list("id", flat=True)[0]
        return f"approvals/{newest}/{move}/"

    @rule(by=who, undo=st.sampled_from([0, 30]))
    def approve(self, by: str, undo: int) -> None:
        self.press(by, self.address("approve"), undo_seconds=undo)

    @rule(by=who, reason=st.sampled_from(["", "Too much."]), undo=st.sampled_from([0, 30]))
    def reject(self, by: str, reason: str, undo: int) -> None:
        made = self.press(by, self.address("reject"), reason=reason, undo_seconds=undo)
        assert not made or reason

    @rule(by=who)
    def undo(self, by: str) -> None:
        self.press(by, self.address("undo"))

    @rule(by=who, to=who)
    def delegate(self, by: str, to: str) -> None:
        made = self.press(by, self.address("delegate"), to=to)
        assert not made or to in ("adam", "mia", "anna")

    @rule(by=who, move=st.sampled_from(["question", "request-changes", "answer"]))
    def request_information(self, by: str, move: str) -> None:
        self.press(by, self.address(move), text="Why so much?")

    @rule(by=who)
    def somebody_asks_here(self, by: str) -> None:
        self.press(by, "approvals/", connection="main", kind="credit_override", model="sale.order", odoo_id=42, reason="Please.")

    @invariant()
    def each_end_is_told_once_and_the_last_one_is_the_state(self) -> None:
        ends = [f"approval.{status}" for status in Answer.values if status != Answer.PENDING]
        for request in Request.objects.all():
            told = list(
                Entry.objects.filter(subject=f"approval:{request.pk}", action__in=[*ends, "approval.undone"])
                .order_by("sequence")
                .values_list("action", flat=True)
            )
            if request.status == Answer.PENDING:
                assert not told or told[-1] == "approval.undone"
            else:
                assert told[-1] == f"approval.{request.status}"
            # Between two ends lies an undo, or the second had something to end that had ended.
            assert not any(one in ends and other in ends for one, other in pairwise(told))

    @invariant()
    def nobody_decides_beyond_their_power(self) -> None:
        for said in Assignment.objects.filter(lapsed_at=None).exclude(decision="").select_related("user", "step__request"):
            assert said.user.role in (Role.APPROVER, Role.MANAGER, Role.ADMIN)
            amount, limit = said.step.request.amount, said.user.approval_limit
            assert said.decision != "approved" or limit is None or amount is None or amount <= limit

    @invariant()
    def what_waits_is_asked_of_somebody(self) -> None:
        for request in Request.objects.filter(status=Answer.PENDING):
            assert request.steps.filter(status="pending").exists()
            asked = Assignment.objects.filter(step__request=request, step__status="pending", is_active=True, decision="")
            assert asked.exists()

    @invariant()
    def odoo_is_told_to_confirm_only_by_a_yes(self) -> None:
        yes = {f"approval:{pk}" for pk in Request.objects.filter(status=Answer.APPROVED).values_list("pk", flat=True)}
        alive = Command.objects.exclude(status="cancelled")
        confirmed = list(alive.filter(method="action_confirm").values_list("decision", flat=True))
        assert set(confirmed) <= yes
        assert len(confirmed) == len(set(confirmed))


@pytest.mark.django_db
@pytest.mark.parametrize("machine", [Queue, Inbox])
def test_in_whatever_order_one_wins_and_the_trail_says_so(machine: type[RuleBasedStateMachine]) -> None:
    run(machine, steps=12)

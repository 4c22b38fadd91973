"""Commands in whatever order the line breaks, workers die, people press and time passes: one effect each, or a person is told.

What tests/odoo tries against a real Odoo at chosen moments is tried here at all of them, against a company in memory.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule

from apps.audit.models import Entry
from apps.core.actor import system
from apps.odoo import errors
from apps.outbox import dispatch, enqueue
from apps.outbox.models import Command, Status
from apps.timers import due
from apps.timers.models import Timer
from apps.workflows.declare import OdooCall
from tests.faults.machine import Trial, run, who
from tests.world import NOW, World

CONFIRM = OdooCall(
    title="Confirm the order",
    method="action_confirm",
    require=[["state", "in", ["draft", "sent"]]],
    expect=[["state", "=", "sale"]],
)
NOTE = OdooCall(title="Leave a note", method="message_post", arguments={"body": "Here."})
ORDERS = [42, 43]
# What may become of a call; each but the first two is told from a refusal by reading alone.
FATES = ["well", "refused", "locked", "lost", "answer lost", "late", "killed before", "killed after", "down"]
fates = st.lists(st.sampled_from(FATES), min_size=1, max_size=4)


class KilledError(BaseException):
    """The worker ends here."""


class Company:
    """Two orders and what is written under them. Answers as :class:`apps.odoo.client.OdooClient` does."""

    def __init__(self) -> None:
        self.states = dict.fromkeys(ORDERS, "draft")
        self.confirmed: Counter[int] = Counter()
        self.notes: list[tuple[int, str]] = []
        self.fates: list[str] = []
        self.under_way: list[tuple[datetime, int, str, dict[str, Any]]] = []
        self.now = NOW
        self.shows_late = False  # as a replica does that lags: what was written a moment ago is not there yet

    def connect(self, *_: object, **__: object) -> "Company":
        """The client."""
        if self.fates[:1] == ["down"]:
            self.fates.pop(0)
            raise errors.UnreachableError("main", "nothing answers", "Wait.")
        return self

    def rows(self, model: str) -> list[dict[str, Any]]:
        """What is there of ``model``."""
        if model == "mail.message":
            return [
                {"id": place, "model": "sale.order", "res_id": order, "body": body}
                for place, (order, body) in enumerate(self.notes, 1)
            ]
        return [{"id": order, "state": state} for order, state in self.states.items()]

    def search_read(self, model: str, domain: Sequence[Any], fields: Sequence[str], **_: object) -> list[dict[str, Any]]:
        return [row for row in self.rows(model) if all(_holds(row[name], how, value) for name, how, value in domain)]

    def search_count(self, model: str, domain: Sequence[Any], **_: object) -> int:
        if self.shows_late and model == "mail.message":
            return 0
        return len(self.search_read(model, domain, []))

    def call(self, model: str, method: str, ids: list[int], **arguments: Any) -> None:
        fate = self.fates.pop(0) if self.fates else "well"
        unknown = errors.UnknownOutcomeError("main", "the answer was lost", "It is looked for.")
        match fate:
            case "refused":
                raise errors.RefusedError("main", "No.", "Ask again.")
            case "locked":
                raise errors.LockedError("main", "somebody holds the row", "It is tried again.")
            case "killed before":
                raise KilledError
            case "lost":
                raise unknown
            case "late":
                self.under_way.append((self.now + dispatch.MAY_STILL_RUN / 2, ids[0], method, arguments))
                raise unknown
        self.carry_out(ids[0], method, arguments)
        if fate == "killed after":
            raise KilledError
        if fate == "answer lost":
            raise unknown

    def carry_out(self, order: int, method: str, arguments: dict[str, Any]) -> None:
        """Do as Odoo would. An order that is no quotation any more cannot be confirmed."""
        if method == "message_post":
            self.notes.append((order, arguments["body"]))
        elif self.states[order] == "draft":
            self.states[order] = "sale"
            self.confirmed[order] += 1
        else:
            raise errors.RefusedError("main", "It is no quotation.", "Look at it.")

    def reach(self, now: datetime) -> None:
        """It is ``now``: what was under way until then arrives."""
        self.now = now
        arrived = [one for one in self.under_way if one[0] <= now]
        self.under_way = [one for one in self.under_way if one[0] > now]
        for _, order, method, arguments in arrived:
            try:
                self.carry_out(order, method, arguments)
            except errors.RefusedError:
                continue


def _holds(have: Any, how: str, value: Any) -> bool:
    return value in have if how == "like" else have in value if how == "in" else bool(have == value)


class Outbox(Trial):
    """Decisions, workers, a line that breaks, and people."""

    def __init__(self) -> None:
        super().__init__()
        self.odoo = Company()
        self.patched.setattr(dispatch.wire, "connect", self.odoo.connect)
        self.decisions = 0
        for order in ORDERS:
            self.world.order(order)

    def teardown(self) -> None:
        try:
            self.all_is_well_again()
        finally:
            super().teardown()

    def put(self, order: int, *calls: OdooCall) -> None:
        self.decisions += 1
        enqueue.commands(
            calls,
            connection=self.world.connection,
            model="sale.order",
            odoo_id=order,
            context={},
            decision=f"approval:{self.decisions}",
            by=system("tests"),
            now=self.world.now,
        )

    def work(self) -> None:
        """A worker runs what is due; another takes its place where it dies."""
        self.odoo.now = self.world.now
        try:
            dispatch.run_due(clock=lambda: self.world.now)
        except KilledError:
            return

    @rule(order=st.sampled_from(ORDERS))
    def somebody_says_yes(self, order: int) -> None:
        # A second yes to the same order is another's business: it finds its effect there already.
        self.put(order, CONFIRM, NOTE)

    @rule(order=st.sampled_from(ORDERS))
    def a_note_is_left(self, order: int) -> None:
        self.put(order, NOTE)

    @rule(fates=fates)
    def workers_work(self, fates: list[str]) -> None:
        self.odoo.fates = fates
        self.work()
        self.odoo.fates = []

    @rule(seconds=st.sampled_from([1, 6, 70, 160, 4_000]))
    def time_passes(self, seconds: int) -> None:
        self.odoo.reach(self.world.advance(seconds=seconds))

    @rule(order=st.sampled_from(ORDERS))
    def a_person_cancels_the_order_in_odoo(self, order: int) -> None:
        self.odoo.states[order] = "cancel"

    @rule(by=who)
    def somebody_presses_try_again(self, by: str) -> None:
        if newest := Command.objects.order_by("-sequence").first():
            stopped = Command.objects.filter(status__in=[Status.REFUSED, Status.DEAD]).order_by("-sequence").first()
            made = self.press(by, f"commands/{(stopped or newest).pk}/retry/")
            assert not made or (stopped is not None and by in ("ivan", "anna"))

    @rule()
    def what_was_not_begun_is_taken_back(self) -> None:
        enqueue.withdraw([f"approval:{self.decisions}"], because="It is not wanted any more", now=self.world.now)

    @invariant()
    def nothing_is_done_twice(self) -> None:
        assert max(self.odoo.confirmed.values(), default=0) <= 1
        notes = Counter(self.odoo.notes)
        assert max(notes.values(), default=0) <= 1

    @invariant()
    def what_is_done_is_there(self) -> None:
        for command in Command.objects.filter(method="message_post"):
            number = sum(str(command.pk) in body for _, body in self.odoo.notes)
            assert command.status != Status.DONE or number == 1, command.problem
            assert command.status not in (Status.REFUSED, Status.CANCELLED) or number == 0, command.problem

    @invariant()
    def what_stopped_says_why(self) -> None:
        for command in Command.objects.filter(status__in=[Status.REFUSED, Status.DEAD, Status.CANCELLED]):
            assert command.problem and command.done_at

    @invariant()
    def the_trail_tells_the_state(self) -> None:
        told = {"command.done": Status.DONE, "command.refused": Status.REFUSED, "command.dead": Status.DEAD}
        for command in Command.objects.filter(status__in=told.values()):
            entries = Entry.objects.filter(subject=f"command:{command.pk}").order_by("sequence")
            assert told[str(entries.values_list("action", flat=True).last())] == command.status

    def all_is_well_again(self) -> None:
        """Odoo answers, workers live, and time passes: then nothing waits any more."""
        for _ in range(8):
            self.odoo.reach(self.world.advance(seconds=dispatch.MAY_STILL_RUN.total_seconds() + 60))
            self.work()
        assert not Command.objects.filter(status__in=dispatch.WAITING).exists()
        self.nothing_is_done_twice()
        self.what_is_done_is_there()


@pytest.mark.django_db
def test_each_command_has_one_effect_or_stands_stopped_with_its_reason() -> None:
    run(Outbox, steps=20)


@pytest.fixture
def odoo(db: None, monkeypatch: pytest.MonkeyPatch) -> Company:
    made = Company()
    monkeypatch.setattr(dispatch.wire, "connect", made.connect)
    return made


def ordered(world: World, *calls: OdooCall) -> list[Command]:
    return enqueue.commands(
        calls,
        connection=world.connection,
        model="sale.order",
        odoo_id=42,
        context={},
        decision="approval:1",
        by=system("tests"),
        now=world.now,
    )


def work(world: World, odoo: Company) -> None:
    for _ in range(3):
        odoo.reach(world.advance(seconds=dispatch.MAY_STILL_RUN.total_seconds() + 60))
        dispatch.run_due(clock=lambda: world.now)


def test_after_the_towers_own_database_was_restored_effects_are_found_by_reading_and_nothing_is_done_twice(
    odoo: Company,
) -> None:
    world = World()
    ordered(world, CONFIRM, NOTE)
    odoo.fates = ["answer lost"]
    dispatch.run_due(clock=lambda: world.now)
    backup = list(Command.objects.values())  # One was begun, the other not, when the backup was made.
    due.set_timer(kind="exceptions.wake", key="exception:1", due_at=world.now, now=world.now)
    timers = list(Timer.objects.values())
    work(world, odoo)
    assert set(Command.objects.values_list("status", flat=True)) == {Status.DONE}
    due.fire_due(now=world.now)

    for model, rows in ((Command, backup), (Timer, timers)):
        model.objects.all().delete()
        model.objects.bulk_create([model(**row) for row in rows])
    assert not Command.objects.filter(status=Status.DONE).exists()
    work(world, odoo)
    due.fire_due(now=world.now)
    assert due.fire_due(now=world.now) == 0

    assert set(Command.objects.values_list("status", flat=True)) == {Status.DONE}
    assert (odoo.confirmed[42], len(odoo.notes)) == (1, 1)
    # A timer that is caught up says so: it was due long before it fired.
    (late,) = Timer.objects.filter(kind="exceptions.wake")
    assert late.fired_at is not None and late.fired_at - late.due_at > dispatch.MAY_STILL_RUN


def test_a_server_that_shows_an_effect_late_is_asked_again_and_not_told_again(odoo: Company) -> None:
    world = World()
    (note,) = ordered(world, NOTE)
    odoo.shows_late = True
    odoo.now = world.now
    dispatch.run_due(clock=lambda: world.now)
    note.refresh_from_db()
    assert (note.status, len(odoo.notes)) == (Status.UNKNOWN, 1)
    for _ in range(4):
        odoo.reach(world.advance(seconds=6))
        dispatch.run_due(clock=lambda: world.now)
    note.refresh_from_db()
    assert note.status == Status.UNKNOWN

    odoo.shows_late = False
    odoo.reach(world.advance(seconds=6))
    dispatch.run_due(clock=lambda: world.now)
    note.refresh_from_db()
    assert (note.status, note.attempts, len(odoo.notes)) == (Status.DONE, 1, 1)

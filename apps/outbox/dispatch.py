"""Carrying commands out: the only place where the tower writes to Odoo.

A command is done when Odoo's own record shows its effect. Whatever happens in between (a time-out, a killed worker, an
Odoo that restarts) is answered by reading, never by calling blindly again.
"""

import logging
import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db import connection as database
from django.db import transaction

from apps.audit import trail
from apps.core import actor, isolation, live, sentences, session_locks
from apps.intake import refresh_requests, tally
from apps.intake.dead_letters import storable
from apps.odoo import circuit, errors
from apps.odoo import client as wire
from apps.odoo.guards import ASK, ASKED
from apps.odoo.models import Connection
from apps.outbox.dispatch_arguments import resolve
from apps.outbox.models import NOT_BEFORE, WAITS, Command, Status
from apps.outbox.transitions import COMMANDS, WAITING
from apps.workflows import registry
from apps.workflows.placeholders import FOUND, WIZARD

logger = logging.getLogger(__name__)

MACHINE = actor.system("outbox")
# The locks of the lanes, among those of sessions.
LANES = 1
# Odoo ends a request after 120 s by default (limit_time_real); until then, and a margin, a call whose answer was lost
# may still take effect, so it is only looked for.
MAY_STILL_RUN = timedelta(seconds=150)
# Odoo said no: trying again would be asking the same question.
NO = (
    errors.RefusedError,
    errors.ForbiddenError,
    errors.MissingRecordError,
    errors.UnsupportedError,
    errors.AddressRefusedError,
)
# Odoo did not carry the call out, or rolled it back: trying again is safe.
NOT_CARRIED_OUT = (errors.LockedError, errors.UnreachableError, errors.UnauthorisedError, errors.ServerFaultError)
LOOK_AGAIN = timedelta(seconds=5)
GIVE_UP_AFTER = 10
# Models that only speak of a record.
TALK = ("mail.message", "mail.activity")
LONGEST_WAIT_SECONDS = 60.0
ENDED_THERE = "It is not there any more: somebody finished or deleted it in Odoo. It is left as they wanted it."

# The first waiting command of each lane, if it is due: a lane's later ones wait for it.
HEADS = """
SELECT DISTINCT ON (lane) id, not_before, connection_id
  FROM outbox_command
 WHERE status IN ('queued', 'unknown')
 ORDER BY lane, sequence
"""


def run_due(*, clock: Callable[[], datetime], limit: int = 200) -> int:
    """Run what is due, lane by lane; how many commands were settled. What waits for an Odoo that rests is left alone."""
    settled = 0
    unreachable = circuit.open_connections(Connection.objects.filter(is_active=True))
    with database.cursor() as cursor:
        cursor.execute(
            f"SELECT id FROM ({HEADS}) AS head WHERE not_before <= %s AND NOT connection_id = ANY(%s) LIMIT %s",
            [clock(), unreachable, limit],
        )
        heads = [row[0] for row in cursor.fetchall()]
    for command_id in heads:
        lane = Command.objects.filter(pk=command_id).values_list("lane", flat=True).get()
        with session_locks.alone(lane, of=LANES) as is_alone:
            if is_alone:
                settled += _run_lane(lane, clock)
    return settled


def _run_lane(lane: str, clock: Callable[[], datetime]) -> int:
    settled = 0
    while True:
        command = Command.objects.select_related("connection").filter(lane=lane, status__in=WAITING).order_by("sequence").first()
        if command is None or command.not_before > clock():
            return settled
        circuit.keep_pace(command.connection)
        try:
            run(command, clock=clock)
        except Exception as error:
            if isolation.is_of_the_server(error):
                raise
            # One that cannot be carried out as it stands must not keep the other lanes waiting.
            logger.exception("Command %s (%s) failed", command.pk, command.title)
            _failed(command, error, clock())
        if command.status in WAITING:
            return settled
        settled += 1


def run(command: Command, *, clock: Callable[[], datetime]) -> None:
    """Take one command as far as it goes. The caller holds its lane.

    1. Read: is the effect there already? Then it is done.
    2. A record known by a mark alone is found by it. Where it is gone, a person ended it: nothing is left to do.
    3. A call that was begun and not answered may still run: only read until it cannot any more.
    4. Read: does the record still stand as the decision assumed? Else refuse, and show it to a person.
    5. Note that the call is begun, and commit that; one that was taken back meanwhile is not begun.
    6. Call.
    7. Read on the primary: done, or look again.
    """
    now = clock()
    try:
        client = wire.connect(command.connection)
        if shows_effect(client, command):
            return _finish(command, Status.DONE, "", now)
        if command.sent_at and now < command.sent_at + MAY_STILL_RUN:
            return _later(command, Status.UNKNOWN, "The answer was lost; looking for the effect", LOOK_AGAIN, now)
        if _is_found_later(command) and not _find_target(client, command):
            return _finish(command, Status.CANCELLED, ENDED_THERE, now)
        if problem := broken_precondition(client, command):
            return _refuse(command, problem, now)
        if command.attempts >= GIVE_UP_AFTER:
            return _finish(command, Status.DEAD, command.problem or "It never took effect in Odoo", now)
        arguments = resolve(client, command.arguments, model=command.lane.split(":")[1])
    except errors.OdooError as error:
        return _settle_reading_error(command, error, now)
    command.attempts += 1
    command.sent_at = clock()
    begun = Command.objects.filter(pk=command.pk, status__in=WAITING).update(
        attempts=command.attempts, sent_at=command.sent_at, odoo_id=command.odoo_id
    )
    if begun != 1:
        command.refresh_from_db(fields=["status"])
        return None
    try:
        _call(client, command, arguments)
        done = not command.postcondition or shows_effect(client, command)
    except errors.MissingRecordError as error:
        if command.target_mark or FOUND in command.arguments:
            return _finish(command, Status.CANCELLED, ENDED_THERE, clock())
        return _refuse(command, str(error), clock())
    except NO as error:
        if waits := _asked_since(client, command, error):
            # What is said of the decision (a note, an activity) is true all the same.
            return _finish(command, Status.CANCELLED, waits, clock(), stops=False)
        return _finish(command, Status.REFUSED, str(error), clock())
    except NOT_CARRIED_OUT as error:
        # These say that Odoo did not carry the call out.
        command.sent_at = None
        return _later(command, Status.QUEUED, str(error), _wait(command.attempts), clock())
    except errors.OdooError as error:
        return _later(command, Status.UNKNOWN, str(error), LOOK_AGAIN, clock())
    if done:
        return _finish(command, Status.DONE, "", clock())
    return _later(command, Status.UNKNOWN, "Odoo answered, but its record does not show the effect", LOOK_AGAIN, clock())


def _asked_since(client: wire.OdooClient, command: Command, error: errors.OdooError) -> str:
    """Return which approval the record waits for, where a guard of the tower's refused the call and asked; empty otherwise.

    The yes to that ask does what this command was to do, so nothing has failed and nobody has to look.
    """
    if not isinstance(error, errors.RefusedError) or ASKED not in str(error):
        return ""
    domain = [["x_res_model", "=", command.model], ["x_res_id", "=", command.odoo_id], ["x_state", "=", "open"]]
    try:
        found = client.search_read(ASK, domain, ["x_kind"], order="id", primary=True)
    except errors.OdooError:
        return ""
    declared = registry.approval_kinds()
    titles = [declared[row["x_kind"]][1].title for row in found if row["x_kind"] in declared]
    kinds = {"each": [sentences.compose(title, {}) for title in titles], "by": ", "}
    return sentences.in_english(WAITS, kinds=kinds) if titles else ""


def _failed(command: Command, error: Exception, now: datetime) -> None:
    """Count a failure inside the tower as an attempt: tried again, and after ten shown to a person."""
    stored = Command.objects.get(pk=command.pk)
    problem = storable(f"The tower failed on it: {type(error).__name__}: {error}")
    command.attempts = stored.attempts + 1
    command.sent_at = stored.sent_at
    if command.attempts >= GIVE_UP_AFTER:
        return _finish(command, Status.DEAD, problem, now)
    Command.objects.filter(pk=command.pk).update(attempts=command.attempts)
    status = Status.UNKNOWN if stored.sent_at else Status.QUEUED
    return _later(command, status, problem, _wait(command.attempts + 3), now)


def _call(client: wire.OdooClient, command: Command, arguments: dict[str, Any]) -> None:
    """Call the method of the record, or of a wizard that is made for it; one that a lost answer leaves over does nothing."""
    named = {name: value for name, value in arguments.items() if name not in (WIZARD, FOUND)}
    if WIZARD not in arguments:
        client.call(command.model, command.method, [command.odoo_id] if command.odoo_id else None, **named)
        return
    model, values = arguments[WIZARD]
    made = client.call(model, "create", None, vals_list=[values])
    client.call(model, command.method, made if isinstance(made, list) else [made], **named)


def _is_found_later(command: Command) -> bool:
    """Whether its target is known only once an earlier command has made it. What was found before is the same still."""
    return bool(command.target_mark) or (FOUND in command.arguments and not command.odoo_id)


def _find_target(client: wire.OdooClient, command: Command) -> bool:
    """Whether the record that an earlier command made is there; from now on the command knows its id."""
    domain = command.arguments.get(FOUND) or [["note", "like", command.target_mark]]
    # Odoo archives what was finished where its type keeps it: that counts as gone.
    context = {"active_test": True}
    found = client.search_read(command.model, domain, ["id"], limit=1, order="id desc", context=context, primary=True)
    if found:
        command.odoo_id = found[0]["id"]
    return bool(found)


def shows_effect(client: wire.OdooClient, command: Command) -> bool:
    """Whether Odoo's own record shows what the command is to bring about."""
    if not command.postcondition:
        # Nothing shows it. That a call was begun does not mean that it arrived: it is made again, which such calls bear.
        return False
    domain = list(command.postcondition)
    if not command.effect_model:
        domain = [["id", "=", command.odoo_id], *domain]
    return client.search_count(command.effect_model or command.model, domain, primary=True) > 0


def broken_precondition(client: wire.OdooClient, command: Command) -> str:
    """In words, what no longer stands as the decision assumed; empty where everything does."""
    if not command.odoo_id:
        return ""
    found = client.search_read(
        command.model, [["id", "=", command.odoo_id]], sorted({term[0] for term in command.precondition} | {"id"}), limit=1
    )
    if not found:
        return f"{command.model} {command.odoo_id} no longer exists in Odoo. Nothing was written."
    if not command.precondition:
        return ""
    domain = [["id", "=", command.odoo_id], *command.precondition]
    if client.search_count(command.model, domain, primary=True):
        return ""
    stands = ", ".join(f"{name} is {value}" for name, value in found[0].items() if name != "id")
    return f"The record changed in Odoo since the decision: {stands}. Nothing was written; decide again if it still matters."


def _settle_reading_error(command: Command, error: errors.OdooError, now: datetime) -> None:
    if isinstance(error, NO):
        return _finish(command, Status.REFUSED, str(error), now)
    # Nothing was sent: an Odoo that is down only makes commands wait, however long it takes.
    return _later(command, Status(command.status), str(error), _wait(command.attempts + 3), now)


def _wait(attempts: int) -> timedelta:
    # Jitter, so that what failed together does not come back together.
    return timedelta(seconds=min(2.0**attempts, LONGEST_WAIT_SECONDS) * random.uniform(0.5, 1.0))


def _later(command: Command, status: Status, problem: str, wait: timedelta, now: datetime) -> None:
    COMMANDS.enter(status, command)
    command.problem, command.not_before = problem[:2000], now + wait
    command.save(update_fields=["status", "problem", "not_before", "sent_at"])
    live.announce([_topic(command), "health"])
    logger.info("Command %s (%s) waits until %s: %s", command.pk, command.title, command.not_before, problem)


def _refuse(command: Command, problem: str, now: datetime) -> None:
    """Show to a person what cannot be done. An answer that nobody can be given, since the ask is gone, holds nothing else up."""
    if command.model == ASK and not command.precondition:
        return _finish(command, Status.CANCELLED, ENDED_THERE, now, stops=False)
    return _finish(command, Status.REFUSED, problem, now)


@transaction.atomic
def _finish(command: Command, status: Status, problem: str, now: datetime, *, stops: bool = True) -> None:
    this = Command.objects.filter(pk=command.pk)
    sentence = sentences.sentence_of(problem)
    ended = {"problem": problem[:2000], "problem_sentence": sentence, "done_at": now, "attempts": command.attempts}
    if COMMANDS.enter_all(status, this, **ended) != 1:
        return
    COMMANDS.enter(status, command)
    command.problem, command.done_at = problem[:2000], now
    tally.took(command.connection_id, tally.COMMANDS, status.value, (now - command.created_at).total_seconds(), now=now)
    retries = tally.Counted(
        connection_id=command.connection_id, source=tally.COMMANDS, what="retried", count=max(command.attempts - 1, 0)
    )
    tally.add([retries], now=now)
    events = [
        trail.Event(
            action=f"command.{status.value}",
            actor=MACHINE,
            subject=f"command:{command.pk}",
            data={"title": command.title, "decision": command.decision, "problem": command.problem},
            about=(command.connection_id, command.company_id),
        )
    ]
    if status != Status.DONE and stops and command.decision:
        following = Command.objects.filter(
            decision=command.decision, lane=command.lane, sequence__gt=command.sequence, status__in=WAITING
        )
        because = sentences.in_english(NOT_BEFORE, command=command.title_sentence)
        for other in following:
            events.append(
                trail.Event(
                    action="command.cancelled",
                    actor=MACHINE,
                    subject=f"command:{other.pk}",
                    data={"title": other.title, "because": command.title, sentences.BESIDE: command.title_sentence},
                    about=(other.connection_id, other.company_id),
                )
            )
        ended = {"problem": because, "problem_sentence": because.sentence, "done_at": now}
        COMMANDS.enter_all(Status.CANCELLED, following, **ended)
    trail.record_all(events, now=now)
    live.announce([_topic(command), "health", "inbox"])
    if command.effect_model in TALK:
        return  # the record itself stays as it is
    lane_connection, lane_model, lane_id = command.lane.split(":")
    # Not waiting for Odoo's webhook: the tower knows that it changed something there.
    refresh_requests.add(connection_id=int(lane_connection), model=lane_model, odoo_ids=[int(lane_id)], source="outbox", now=now)
    if command.model != lane_model and command.odoo_id:
        refresh_requests.add(
            connection_id=int(lane_connection), model=command.model, odoo_ids=[command.odoo_id], source="outbox", now=now
        )


def _topic(command: Command) -> str:
    return f"record:{command.lane}"

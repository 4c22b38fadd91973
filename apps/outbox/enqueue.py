"""Putting commands into the outbox, in the transaction of the decision that they follow from. Calls nobody."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection as database
from django.utils import translation

from apps.audit import trail
from apps.core import sentences
from apps.core.actor import Actor
from apps.core.identity import uuid7
from apps.core.wake import wake
from apps.mirror.models.sale_order import SaleOrder
from apps.odoo.models import Connection
from apps.outbox import marks
from apps.outbox.models import Command, Status
from apps.outbox.transitions import COMMANDS
from apps.workflows.declare import OdooCall
from apps.workflows.models import Position
from apps.workflows.placeholders import FOUND, MODEL_REFERENCE, WIZARD

# What is promised to customers: Odoo's model, and its field.
PROMISED_ON, PROMISE = SaleOrder.odoo_model, "commitment_date"


class ContextMissingError(Exception):
    """A declared call names a column that the decision's context does not have."""


@dataclass(frozen=True, kw_only=True)
class Order:
    """Calls on one record, to be enqueued with others (:func:`many`)."""

    calls: Sequence[OdooCall]
    connection: Connection
    model: str
    odoo_id: int
    context: Mapping[str, Any]
    decision: str


def commands(
    calls: Sequence[OdooCall],
    *,
    connection: Connection,
    model: str,
    odoo_id: int,
    context: Mapping[str, Any],
    decision: str,
    by: Actor,
    now: datetime,
    not_before: datetime | None = None,
) -> list[Command]:
    """Enqueue ``calls`` on one record, to run one after the other.

    Args:
        context: values of the placeholders in the calls' texts, arguments and domains.
        decision: what they follow from, such as ``approval:12``; a refusal of one cancels those after it.
        not_before: when the first may run, where a decision can still be undone.

    Raises:
        ContextMissingError: a call names what the context does not have.
    """
    order = Order(calls=calls, connection=connection, model=model, odoo_id=odoo_id, context=context, decision=decision)
    return many([order], by=by, now=now, not_before=not_before)


def many(orders: Sequence[Order], *, by: Actor, now: datetime, not_before: datetime | None = None) -> list[Command]:
    """Enqueue the calls of many records in one pass; each record's run one after the other (see :func:`commands`)."""
    made = [command for order in orders for command in _made(order, by=by, now=now, not_before=not_before or now)]
    if not made:
        return []
    companies = _companies(orders)
    with database.cursor() as cursor:
        cursor.execute("SELECT nextval('outbox_sequence') FROM generate_series(1, %s)", [len(made)])
        for command, (number,) in zip(made, cursor.fetchall(), strict=True):
            command.sequence, command.company_id = number, companies.get(command.lane)
    _keep_promises(made)
    Command.objects.bulk_create(made)
    trail.record_all(
        [
            trail.Event(
                action="command.enqueued",
                actor=by,
                subject=f"command:{command.id}",
                data={
                    "title": command.title,
                    "decision": command.decision,
                    "model": command.model,
                    "odoo_id": command.odoo_id,
                    "method": command.method,
                },
                about=(command.connection_id, command.company_id),
            )
            for command in made
        ],
        now=now,
    )
    wake("outbox.dispatch")
    return made


def _keep_promises(made: Sequence[Command]) -> None:
    """Keep what the customers were promised until now with the commands that change it: once Odoo has done it nobody knows."""
    changing = [
        one for one in made if one.model == PROMISED_ON and one.method == "write" and PROMISE in one.arguments.get("vals", {})
    ]
    for connection_id in {one.connection_id for one in changing}:
        of_it = [one for one in changing if one.connection_id == connection_id]
        orders = SaleOrder.objects.filter(connection_id=connection_id, odoo_id__in={one.odoo_id for one in of_it})
        before = dict(orders.values_list("odoo_id", PROMISE))
        for one in of_it:
            at = before.get(one.odoo_id)
            one.replaced = {PROMISE: at.isoformat() if at else None}


def _companies(orders: Sequence[Order]) -> dict[str, int | None]:
    """The companies of the orders' records, by the lanes of their commands."""
    found = Position.objects.filter(
        connection__in={order.connection.pk for order in orders},
        model__in={order.model for order in orders},
        odoo_id__in={order.odoo_id for order in orders},
    )
    rows = found.order_by("-workflow").values_list("connection_id", "model", "odoo_id", "company_id")
    return {lane_of(connection, model, odoo_id): company for connection, model, odoo_id, company in rows}


def lane_of(connection_id: int, model: str, odoo_id: int) -> str:
    """Commands of one record are of one lane, and run one after the other."""
    return f"{connection_id}:{model}:{odoo_id}"


def withdraw(decisions: Collection[str], *, because: str, now: datetime) -> set[UUID]:
    """Cancel the commands of ``decisions`` that were never sent; which ones. What was begun is left to end."""
    waiting = Command.objects.filter(decision__in=decisions, status=Status.QUEUED, sent_at=None)
    # Locked first: the update then changes what was found, and a worker that begins one meanwhile finds it cancelled.
    taken = set(waiting.select_for_update(skip_locked=True).values_list("pk", flat=True))
    COMMANDS.enter_all(
        Status.CANCELLED,
        Command.objects.filter(pk__in=taken),
        done_at=now,
        problem=because,
        problem_sentence=sentences.sentence_of(because),
    )
    return taken


def withdraw_all(decision: str, *, made_at: datetime, because: str) -> bool:
    """Cancel every command that ``decision`` enqueued at ``made_at``; False, and none, where one has been begun.

    The rows are waited for and locked first. A worker begins a command by a conditional update of the same row, so of an
    undo and a worker that come at once one wins.
    """
    of_it = Command.objects.select_for_update().filter(decision=decision, created_at=made_at).order_by("sequence")
    states = list(of_it.values_list("pk", "status", "sent_at"))
    if any(status != Status.QUEUED or sent_at for _, status, sent_at in states):
        return False
    these = Command.objects.filter(pk__in=[pk for pk, _, _ in states])
    sentence = sentences.sentence_of(because)
    COMMANDS.enter_all(Status.CANCELLED, these, done_at=made_at, problem=because, problem_sentence=sentence, is_undone=True)
    return True


@translation.override("en")
def _made(order: Order, *, by: Actor, now: datetime, not_before: datetime) -> list[Command]:
    connection, model, odoo_id, context = order.connection, order.model, order.odoo_id, order.context
    made = []
    for declared in order.calls:
        if declared.only_if and not context.get(declared.only_if):
            continue
        call = _without_missing(declared, connection, declared.model or model)
        if call is None:
            continue
        target = context.get(call.record) if call.record else odoo_id
        if target in (None, ""):
            # The call speaks of a record that this decision does not have: a request made here, not in Odoo.
            continue
        if not call.record and call.model:
            target = 0
        identity = uuid7()
        mark = str(identity)
        filled = {**context, "odoo_id": odoo_id}
        arguments = fill(call.arguments, filled)
        if call.wizard:
            arguments[WIZARD] = fill(list(call.wizard), filled)
        if call.found:
            arguments[FOUND] = fill(call.found, filled)
        expect, effect_model = fill(call.expect, filled), ""
        if call.method == "message_post":
            arguments = marks.in_message(arguments, mark, connection)
            effect_model = "mail.message"
            expect = [["model", "=", call.model or model], ["res_id", "=", target], ["body", "like", str(identity)]]
        elif call.method == "action_feedback":
            # What it leaves behind is a message of the record; the activity itself goes.
            arguments["feedback"] = marks.in_words(arguments["feedback"], mark)
            effect_model = "mail.message"
            expect = [["model", "=", model], ["res_id", "=", odoo_id], ["body", "like", str(identity)]]
        elif call.by_mark:
            # Told apart from the other values that the same record was given: each has its own version in its note.
            effect_model = call.model
            both = (str(context[call.by_mark]), mark)
            expect = [["note", "like", marks.found_by(*both)], *expect]
            arguments["vals"] = {**arguments["vals"], "note": marks.in_html(arguments["vals"]["note"], *both)}
        elif call.method == "create" and call.expect:
            # It is found by what it is made of, whichever command made it.
            effect_model = call.model
        elif call.method == "create":
            for values in arguments["vals_list"]:
                values["note"] = marks.in_html(values.get("note", ""), mark)
            effect_model = call.model
            expect = [["note", "like", str(identity)]]
        made.append(
            Command(
                id=identity,
                connection=connection,
                model=call.model or model,
                odoo_id=int(target or 0),
                lane=lane_of(connection.pk, model, odoo_id),
                title=fill(call.title, filled),
                says=_says(call.title, filled),
                method=call.method,
                target_mark=str(context[call.by_mark]) if call.by_mark else "",
                arguments=arguments,
                precondition=fill(call.require, filled),
                postcondition=expect,
                effect_model=effect_model,
                decision=order.decision,
                not_before=not_before,
                created_at=now,
                created_by=by.name[:200],
            )
        )
    return made


def _says(title: str, context: Mapping[str, Any]) -> dict[str, Any] | None:
    """The title with the values that it names, to be said in any language; None where it names none."""
    named = sentences.names(title)
    return sentences.compose(title, {name: _value(name, context) for name in named}) if named else None


def _without_missing(call: OdooCall, connection: Connection, model: str) -> OdooCall | None:
    """``call`` without the fields that this Odoo lacks (it was not provisioned); None if nothing is left of it.

    A decision made here must still reach an Odoo in which nothing was set up.
    """
    if call.method != "write" or call.by_mark:
        return call
    values = {name: value for name, value in call.arguments["vals"].items() if not connection.lacks(model, name)}
    if not values:
        return None
    kept = [[term for term in domain if not connection.lacks(model, term[0])] for domain in (call.require, call.expect)]
    return replace(call, arguments={**call.arguments, "vals": values}, require=kept[0], expect=kept[1])


def fill(template: Any, context: Mapping[str, Any]) -> Any:
    """Return ``template`` with its placeholders filled, all the way down.

    ``{name:number}`` alone becomes a number; ``{name:optional}`` too, and without a value its key is left out, so that Odoo takes
    its own default. The others are said as :mod:`apps.core.sentences` does, in the active language.
    """
    if isinstance(template, Mapping):
        return {key: fill(value, context) for key, value in template.items() if not _is_left_out(value, context)}
    if isinstance(template, list | tuple):
        return [fill(value, context) for value in template]
    if not isinstance(template, str) or template == MODEL_REFERENCE:
        return template
    whole = sentences.PLACEHOLDER.fullmatch(template)
    if whole and whole[2] in ("number", "optional"):
        value = float(_value(whole[1], context) or 0)
        return int(value) if value.is_integer() and "id" in whole[1] else value
    return sentences.PLACEHOLDER.sub(lambda match: _in_words(match[1], match[2], context), template).strip()


def _is_left_out(value: Any, context: Mapping[str, Any]) -> bool:
    whole = sentences.PLACEHOLDER.fullmatch(value) if isinstance(value, str) else None
    return whole is not None and whole[2] == "optional" and _value(whole[1], context) is None


def _in_words(name: str, form: str | None, context: Mapping[str, Any]) -> str:
    value = _value(name, context)
    currency = context.get("currency")
    return sentences.formed(value if form == "money" else value or "", form, currency if isinstance(currency, str) else "")


def _value(name: str, context: Mapping[str, Any]) -> Any:
    if name not in context:
        raise ContextMissingError(f"A call names {{{name}}}, which is not among {', '.join(sorted(context))}.")
    return context[name]

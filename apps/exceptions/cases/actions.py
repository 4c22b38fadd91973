"""Suggested actions of an exception: what its type offers now, and what became of those that were applied."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import escape
from typing import Any

from django.conf import settings
from django.utils import translation
from django.utils.text import Truncator
from django.utils.translation import gettext

from apps.accounts import access, languages
from apps.accounts.access import EVERYTHING, AccessScope
from apps.accounts.models import User
from apps.core import sentences
from apps.exceptions import types
from apps.exceptions.cases import own_actions
from apps.exceptions.cases.own_actions import OwnAction
from apps.exceptions.models import ExceptionCase, Status
from apps.outbox import enqueue
from apps.outbox.models import Command
from apps.outbox.models import Status as CommandStatus
from apps.workflows import offers, registry, subjects, what_if
from apps.workflows.declare import SuggestedAction
from apps.workflows.hypothetical import ChangeRefusedError
from apps.workflows.offers import Option
from apps.workflows.what_if import Preview
from apps.workflows.what_if_checks import MirrorBusyError

LONGEST_REASON = 1_000


# What was carried out can be put back in Odoo for so long.
UNDO_WITHIN = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Undoable:
    """An action that was applied and can be taken back; ``is_sent``, where Odoo has to be told."""

    action: str
    option: str
    does: str
    is_sent: bool


@dataclass(frozen=True, kw_only=True)
class Offer:
    """A suggested action with at least one option; ``does`` says for each of them what Odoo will be told, in order.

    ``asks`` is what has to be confirmed before, empty where nothing has to be. ``hidden`` are options of companies out of sight.
    """

    action: SuggestedAction | OwnAction
    options: Sequence[Option]
    does: Sequence[Sequence[str]]
    asks: Sequence[str]
    hidden: int = 0

    @property
    def is_in_odoo(self) -> bool:
        """Whether Odoo is told; else the tower does it itself."""
        return isinstance(self.action, SuggestedAction)

    @property
    def has_effect(self) -> bool:
        """Whether what an option would do can be previewed (:func:`effect_of`)."""
        return self.action.effect is not None

    @property
    def ways(self) -> list[tuple[Option, Sequence[str], str]]:
        """The options, each with what it does in Odoo, and what has to be confirmed before."""
        return list(zip(self.options, self.does, self.asks, strict=True))


def decision_of(case: ExceptionCase, action: str, option: str) -> str:
    """How the commands of a suggested action name what they follow from."""
    return f"exception:{case.pk}:{action}:{option}"


def commands_of(case: ExceptionCase) -> list[Command]:
    """What Odoo was told because somebody applied a suggested action of this exception; not what was undone before."""
    told = Command.objects.filter(decision__startswith=f"exception:{case.pk}:").exclude(is_undone=True)
    return list(told.order_by("sequence"))


def undo_of(decision: str) -> str:
    """How the commands that put an action back in Odoo name what they follow from."""
    exception, number, rest = decision.split(":", 2)
    return f"{exception}:{number}:undo:{rest}"


def can_be_put_back(case: ExceptionCase, action: str, option: str, *, now: datetime) -> bool:
    """Whether Odoo has carried the action out, lately, and can be told to put it back; once."""
    declared, decision = declared_of(case, action), decision_of(case, action, option)
    told = [one for one in commands_of(case) if one.decision == decision]
    if declared is None or isinstance(declared, OwnAction) or not declared.undo or not told:
        return False
    is_carried_out = all(one.status == CommandStatus.DONE for one in told)
    is_late = now > told[0].created_at + UNDO_WITHIN
    return is_carried_out and not is_late and not Command.objects.filter(decision=undo_of(decision)).exists()


def undoable(case: ExceptionCase, *, by: User, now: datetime) -> list[Undoable]:
    """Return what the person has applied and may still take back."""
    told: dict[str, list[Command]] = {}
    for command in commands_of(case):
        told.setdefault(command.decision, []).append(command)
    found = []
    for decision, commands in told.items():
        if commands[0].created_by != by.actor.name:
            continue
        action, option = decision.split(":", 3)[2:]
        is_waiting = all(one.status == CommandStatus.QUEUED and one.sent_at is None and one.not_before > now for one in commands)
        if is_waiting or can_be_put_back(case, action, option, now=now):
            found.append(Undoable(action=action, option=option, does=commands[0].told, is_sent=not is_waiting))
    return found


def declared_of(case: ExceptionCase, action: str) -> SuggestedAction | OwnAction | None:
    """Return the suggested action of that name of the exception's type; None where there is none."""
    return next((one for one in _declared(case) if one.name == action), None)


def _declared(case: ExceptionCase) -> list[SuggestedAction | OwnAction]:
    found = registry.exception_types().get(case.type)
    return [*(found[1].actions if found else ()), *own_actions.of_type(case.type)]


def context_of(case: ExceptionCase, action: SuggestedAction | OwnAction, option: Option) -> dict[str, Any]:
    """Return what the calls of an action, and what it asks before, may speak of."""
    url = subjects.url(case.connection.name, case.model, case.odoo_id)
    letter = {}
    if action.letter:
        with translation.override(languages.of_odoo(option.columns["lang"]) or settings.LANGUAGE_CODE):
            letter = {action.letter: sentences.said(option.columns[action.letter])}
    return {
        **option.columns,
        "record_name": case.record_name,
        "record_url": url,
        "decided_by": "",
        "reason": reason_of(case),
    } | letter


@translation.override("en")
def reason_of(case: ExceptionCase) -> str:
    """Return what is wrong in numbers, for a note in Odoo, which is HTML."""
    figures = "; ".join(f"{one.title}: {one.text}" for one in types.evidence_of(case))
    return escape(Truncator(f"{types.title_of(case.type)}. {figures}.").chars(LONGEST_REASON), quote=False)


def asked_before(case: ExceptionCase, action: SuggestedAction | OwnAction, option: Option) -> str:
    """Return what has to be confirmed before the option is applied, in words; empty where nothing has to be."""
    return str(enqueue.fill(gettext(action.asks), context_of(case, action, option))) if action.asks else ""


def options_of(
    case: ExceptionCase, action: SuggestedAction | OwnAction, *, now: datetime, access_scope: AccessScope = EVERYTHING
) -> list[Option]:
    """What the action offers now to who sees that much, the best first."""
    if isinstance(action, OwnAction):
        return list(action.options(case, now))
    return offers.options(
        action, connection_id=case.connection_id, odoo_id=case.odoo_id, now=now, cause=case.cause, access_scope=access_scope
    )


def offered(case: ExceptionCase, *, now: datetime, by: User | None = None) -> list[Offer]:
    """The suggested actions of an exception that is not resolved; what was applied already is not offered again.

    Args:
        by: who reads; what they may not do is left out.
    """
    if case.status == Status.RESOLVED:
        return []
    applied, access_scope = (
        {command.decision for command in commands_of(case)},
        access.scope_of(by) if by is not None else EVERYTHING,
    )
    found_now = []
    for action in _declared(case):
        if isinstance(action, OwnAction) and by is not None and not action.may(by):
            continue
        options = [
            option
            for option in options_of(case, action, now=now, access_scope=access_scope)
            if decision_of(case, action.name, option.key) not in applied
        ]
        hidden = 0
        if isinstance(action, SuggestedAction):
            hidden = offers.hidden(
                action, connection_id=case.connection_id, odoo_id=case.odoo_id, now=now, cause=case.cause, access_scope=access_scope
            )
        if options or hidden:
            does = [_told(case, action, option) for option in options]
            asks = [asked_before(case, action, option) for option in options]
            found_now.append(Offer(action=action, options=options, does=does, asks=asks, hidden=hidden))
    return found_now


def _told(case: ExceptionCase, action: SuggestedAction | OwnAction, option: Option) -> list[str]:
    """What follows when the option is applied, in words: what Odoo is told, without what would be left out."""
    if isinstance(action, OwnAction):
        return [gettext(action.does)]
    context = context_of(case, action, option)
    calls = [call for call in action.calls if not call.only_if or option.columns.get(call.only_if)]
    return [str(enqueue.fill(gettext(call.title), context)) for call in calls]


def effect_of(case: ExceptionCase, action: str, option: str, *, access_scope: AccessScope, now: datetime) -> Preview | None:
    """Return what an option would do, once it is carried through; None where that is not known, or it is not offered any more."""
    declared = declared_of(case, action)
    if declared is None or isinstance(declared, OwnAction) or declared.effect is None:
        return None
    chosen = next((one for one in options_of(case, declared, now=now, access_scope=access_scope) if one.key == option), None)
    changes = declared.effect(chosen.columns) if chosen else []
    if not changes:
        return None
    try:
        return what_if.preview(case.connection_id, changes, now=now, access_scope=access_scope)
    except (ChangeRefusedError, MirrorBusyError):
        return None

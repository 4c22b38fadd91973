"""Applying a suggested action of an exception, and taking that back before Odoo is told."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils.translation import gettext, gettext_noop

from apps.accounts import access
from apps.accounts.models import User
from apps.audit.models import Entry
from apps.core import sentences
from apps.core.currencies import exact
from apps.core.refusals import Problem
from apps.core.transactions import atomic_with_retry
from apps.core.words import moment
from apps.exceptions.cases import actions, case_reconcile, moves
from apps.exceptions.cases.moves import Change, MoveRefusedError
from apps.exceptions.cases.own_actions import OwnAction
from apps.exceptions.models import ExceptionCase
from apps.outbox import enqueue
from apps.workflows import placeholders
from apps.workflows.declare import SuggestedAction
from apps.workflows.offers import Option

# To see it and press; one second more for the way of the press.
UNDO_FOR = timedelta(seconds=settings.UNDO_SECONDS + 1)
UNDONE = gettext_noop("The action was undone before it was sent")
APPLIED = "exception.applied"

type Declared = SuggestedAction | OwnAction


class ConfirmationNeededError(MoveRefusedError):
    """The action changes what somebody outside was promised, or cannot be undone; the message says what has to be confirmed."""

    problem = Problem(
        "confirmation_needed",
        409,
        "Confirmation needed",
        meaning="The suggested action reaches somebody outside, or cannot be undone, and nobody has confirmed it.",
        remedy="Read what the sentence says; where that is so, apply it again with confirmed.",
    )


@atomic_with_retry
def apply(
    case_id: int,
    *,
    action: str,
    option: str,
    by: User,
    now: datetime,
    is_confirmed: bool = False,
    undo_for: timedelta = timedelta(0),
) -> ExceptionCase:
    """Apply a suggested action of the exception: Odoo is told, and the exception closes itself once that has worked.

    Args:
        is_confirmed: the person has confirmed what the action asks before (:attr:`SuggestedAction.asks`).
        undo_for: how long it may be taken back (:func:`undo_apply`); nothing leaves the tower before.

    Raises:
        NotAllowedError: this person may not work exceptions.
        MoveRefusedError: it is resolved, the action is not offered any more, or somebody has applied it already.
        ConfirmationNeededError: it asks for a confirmation first.
    """
    declared, chosen = _chosen(case_id, action, option, by=by, now=now)
    data = {"action": action, "option": option} | (_in_numbers(case_id, declared, chosen) if declared and chosen else {})
    # Whoever may not, or comes too late, is told that first.
    case = moves.one(Change(action=APPLIED, move="apply", values={"snoozed_until": None}, data=data), case_id, by=by, now=now)
    if declared is None:
        raise MoveRefusedError(gettext("%(type)s has no suggested action %(action)s.") % {"type": case.type, "action": action})
    decision = actions.decision_of(case, action, option)
    earlier = next((command for command in actions.commands_of(case) if command.decision == decision), None)
    if earlier is not None:
        raise MoveRefusedError(
            gettext("%(created_by)s has already done this, on %(created_at)s.")
            % {"created_by": earlier.created_by, "created_at": moment(earlier.created_at)}
        )
    if chosen is None:
        raise MoveRefusedError(
            gettext("%(title)s: no longer available. See the current suggested actions.") % {"title": gettext(declared.title)}
        )
    if declared.asks and not is_confirmed:
        raise ConfirmationNeededError(actions.asked_before(case, declared, chosen))
    if isinstance(declared, OwnAction):
        declared.do(case, chosen, by, now)
        return case
    enqueue.commands(
        declared.calls,
        connection=case.connection,
        model=case.model,
        odoo_id=case.odoo_id,
        context={**actions.context_of(case, declared, chosen), "decided_by": str(by)},
        decision=decision,
        by=by.actor,
        now=now,
        not_before=now + undo_for if undo_for else None,
    )
    return case


def _chosen(case_id: int, action: str, option: str, *, by: User, now: datetime) -> tuple[Declared | None, Option | None]:
    """Return the action and its option as they are offered now, of the locked exception; none of one that is out of sight."""
    case = ExceptionCase.objects.select_for_update(of=("self",)).select_related("connection").filter(pk=case_id).first()
    access_scope = access.scope_of(by)
    if case is None or not access_scope.sees(*moves.about(case)):
        return None, None
    declared = actions.declared_of(case, action)
    if declared is None:
        return None, None
    return declared, next(
        (one for one in actions.options_of(case, declared, now=now, access_scope=access_scope) if one.key == option), None
    )


def _in_numbers(case_id: int, action: Declared, option: Option) -> dict[str, Any]:
    """Return what the trail keeps of it: the option's sentence with its values, and what was at risk when it was applied."""
    said = {"each": [sentences.compose(action.title, {}), option.told], "by": ": "}
    amount, currency = ExceptionCase.objects.values_list("amount", "currency").get(pk=case_id)
    at_risk = {} if amount is None else {"amount": exact(amount), "currency": currency}
    return {"said": sentences.plain(said), sentences.BESIDE: said, **at_risk, **_kept_for_undo(action, option)}


def _kept_for_undo(action: Declared, option: Option) -> dict[str, Any]:
    """Return the option's columns that would be needed to put it back in Odoo."""
    if isinstance(action, OwnAction) or not action.undo:
        return {}
    named = placeholders.of_calls(action.undo) & option.columns.keys()
    return {"columns": {name: case_reconcile.plain(option.columns[name]) for name in sorted(named)}}


@atomic_with_retry
def undo_apply(case_id: int, *, action: str, option: str, by: User, now: datetime) -> ExceptionCase:
    """Take back an action that one has applied: before anything of it was sent, or by putting it back in Odoo within a day.

    Raises NotAllowedError, and MoveRefusedError where it is being sent, Odoo does not allow it, or somebody else applied it.
    """
    undoing = Change(action="exception.action_undone", move="undo_action", values={}, data={"action": action, "option": option})
    case = moves.one(undoing, case_id, by=by, now=now)
    applied = (
        Entry.objects.filter(subject=f"exception:{case.pk}", action=APPLIED, data__action=action, data__option=option)
        .order_by("-sequence")
        .first()
    )
    if applied is None or applied.actor != str(by.actor):
        raise MoveRefusedError(gettext("Only who applied it can undo it."))
    decision, because = actions.decision_of(case, action, option), sentences.in_english(UNDONE)
    if not enqueue.withdraw_all(decision, made_at=applied.at, because=because):
        _put_back(case, applied, by=by, now=now)
    return case


def _put_back(case: ExceptionCase, applied: Entry, *, by: User, now: datetime) -> None:
    """Have Odoo put back what it has carried out. Raises MoveRefusedError where it has not, or does not allow that."""
    action, option = applied.data["action"], applied.data["option"]
    declared, made = actions.declared_of(case, action), None
    if isinstance(declared, SuggestedAction) and actions.can_be_put_back(case, action, option, now=now):
        made = enqueue.commands(
            declared.undo,
            connection=case.connection,
            model=case.model,
            odoo_id=case.odoo_id,
            context={**applied.data.get("columns", {}), "record_name": case.record_name, "decided_by": str(by)},
            decision=actions.undo_of(actions.decision_of(case, action, option)),
            by=by.actor,
            now=now,
        )
    if not made:
        raise MoveRefusedError(
            gettext("Too late to undo: %(record_name)s has been sent to Odoo.") % {"record_name": case.record_name}
        )

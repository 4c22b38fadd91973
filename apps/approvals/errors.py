"""Why a move on an approval request is refused."""

from collections.abc import Mapping, Sequence
from typing import Any

from apps.accounts.permissions import NotAllowedError
from apps.core.refusals import Problem, Refusal


class AlreadyDecidedError(Refusal):
    """Somebody else, or the course of things, was faster; the message says who, what and when."""

    problem = Problem(
        "already_decided",
        409,
        "Already decided",
        meaning="Somebody has decided, asked or answered this already, or it can no longer be undone.",
        remedy="Read the request again: its status says what became of it.",
    )


class DecisionRefusedError(Refusal):
    """The decision lacks something; the message says what."""

    problem = Problem(
        "approval_move_refused",
        422,
        "Move on an approval refused",
        meaning="The request, record, kind or option does not exist, or a reason, a text or a person is missing.",
        remedy="Send what the sentence names.",
    )


class FactsChangedError(DecisionRefusedError):
    """The facts are no longer those that were seen; the message names what changed.

    Attributes:
        changes: each fact that changed: its name, the words for it, its value before and now.
    """

    problem = Problem(
        "facts_changed",
        409,
        "Facts have changed",
        meaning="Amount or facts of the request are no longer those that the decision names; changes lists them.",
        remedy="Read the request again and decide on what it says now, with its new facts_digest.",
    )

    def __init__(self, sentence: str, changes: Sequence[Mapping[str, Any]] = ()) -> None:
        super().__init__(sentence)
        self.changes = list(changes)

    def details(self) -> Mapping[str, Any]:
        """Return what changed."""
        return {"changes": self.changes}


class SegregationError(NotAllowedError):
    """This person had a hand in what they would decide."""

    problem = Problem(
        "segregation_of_duties",
        403,
        "Segregation of duties",
        meaning="The person asked for it, owns, made or edited the record, or it is not known which Odoo user they are.",
        remedy="Have somebody else decide it; link the person to their Odoo user where the sentence says so.",
    )


class OverLimitError(NotAllowedError):
    """This person's limit does not cover the amount."""

    problem = Problem(
        "over_limit",
        403,
        "Above the person's limit",
        meaning="The request is about more than the person may approve.",
        remedy="Have it decided by somebody with a higher limit.",
    )


class NotAskedError(NotAllowedError):
    """The request does not ask this person now."""

    problem = Problem(
        "not_asked",
        403,
        "Not asked",
        meaning="The step that is open asks other people, or this person has given their answer.",
        remedy="Leave it to the people whom the sentence names.",
    )


class StepExcludesError(NotAllowedError):
    """The policy's step no longer lets this person decide."""

    problem = Problem(
        "step_excludes_person",
        403,
        "The step excludes this person",
        meaning="The person has decided another step, or has lost the role, team or presence for which they were asked.",
        remedy="Have it decided by somebody whom the step asks.",
    )


class DelegateRefusedError(NotAllowedError):
    """The colleague may not decide in this person's place."""

    problem = Problem(
        "delegate_not_allowed",
        403,
        "Delegate not allowed",
        meaning="The colleague is away, was asked already, or could not have been asked by the step.",
        remedy="Delegate to somebody whom the step could have asked.",
    )

"""What every move on a request begins with: the locked row, who acts, and the two ways to be refused."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext

from apps.accounts.models import User
from apps.approvals.models import Request
from apps.core.actor import Actor


class AlreadyDecidedError(Exception):
    """Somebody else, or the course of things, was faster; the message says who, what and when."""


class DecisionRefusedError(Exception):
    """The decision lacks something; the message says what."""


class FactsChangedError(DecisionRefusedError):
    """The facts are no longer those that were seen; the message names what changed.

    Attributes:
        changes: each fact that changed: its name, the words for it, its value before and now.
    """

    def __init__(self, sentence: str, changes: Sequence[Mapping[str, Any]] = ()) -> None:
        super().__init__(sentence)
        self.changes = list(changes)


def actor_of(user: User) -> Actor:
    """The person as the audit trail names them."""
    return Actor(kind="user", id=str(user.pk), name=str(user))


def locked(request_id: int) -> Request:
    """The request, its row locked until the transaction ends. Raises DecisionRefusedError where there is none."""
    # Nothing joined: of a row that had to be waited for, PostgreSQL reads the row anew, but not what was joined to it.
    request = Request.objects.select_for_update().filter(id=request_id).first()
    if request is None:
        raise DecisionRefusedError(gettext("There is no approval request %(request_id)s.") % {"request_id": request_id})
    return request

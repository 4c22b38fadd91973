"""Asking back before one decides: a question, or changes that are wanted first.

A question leaves the due time as it is: it is the decider's own time, and must not be a way to stall. Asking for changes
stops it: the request now waits for the one who asked for it, until they answer or the figures change in Odoo.
"""

from datetime import datetime

from django.utils.translation import gettext

from apps.accounts import access
from apps.accounts import permissions as roles
from apps.accounts.models import User
from apps.accounts.permissions import NotAllowedError, OutsideScopeError
from apps.approvals.errors import AlreadyDecidedError, DecisionRefusedError, SegregationError
from apps.approvals.models import Inquiry, Request, Status
from apps.approvals.requests import closing, pausing, permissions
from apps.approvals.requests.locking import locked
from apps.audit import trail
from apps.core import sentences
from apps.core.transactions import atomic_with_retry
from apps.notifications.notify import Message, notify


@atomic_with_retry
def request_information(request_id: int, *, wants_changes: bool, text: str, by: User, now: datetime) -> Inquiry:
    """Ask the one who asked, or want something changed first.

    Raises:
        AlreadyDecidedError: the request no longer waits, or waits for changes already.
        NotAllowedError: this person has no say on it.
        DecisionRefusedError: nothing was asked.
    """
    request = locked(request_id)
    if request.status != Status.PENDING:
        raise AlreadyDecidedError(permissions.settled_sentence(request) + ".")
    permissions.check_may_decide_request(request, by)
    if not text.strip():
        raise DecisionRefusedError(gettext("Enter the requested change.") if wants_changes else gettext("Enter a question."))
    if wants_changes and request.paused_at:
        raise AlreadyDecidedError(gettext("%(record_name)s is already waiting for changes.") % {"record_name": request.record_name})
    inquiry = Inquiry.objects.create(request=request, wants_changes=wants_changes, text=text.strip(), asked_by=by, asked_at=now)
    if wants_changes:
        pausing.pause(request, now=now)
    trail.record(
        trail.Event(
            action="approval.changes_requested" if wants_changes else "approval.question",
            actor=by.actor,
            subject=f"approval:{request.pk}",
            data={"text": inquiry.text},
            about=(request.connection_id, request.company_id),
        ),
        now=now,
    )
    _tell_the_asker(request, inquiry, now)
    closing.announce(request)
    return inquiry


def _tell_the_asker(request: Request, inquiry: Inquiry, now: datetime) -> None:
    people, addresses = closing.account_owner(request)
    if request.requested_by_user:
        people, addresses = [request.requested_by_user], []
    notify(
        Message(
            kind="approval.question",
            key=f"approval:{request.pk}:inquiry:{inquiry.pk}",
            about=(request.connection_id, request.company_id),
            title=lambda: (
                (gettext("Changes requested: %(record)s") if inquiry.wants_changes else gettext("Question: %(record)s"))
                % {"record": request.record_name}
            ),
            body=f"{inquiry.asked_by}: {inquiry.text}",
            path=f"/approvals/{request.pk}/",
        ),
        people=people,
        addresses=addresses,
        now=now,
    )


def check_may_answer(inquiry: Inquiry, user: User) -> None:
    """Raises NotAllowedError unless the person works on records here, sees this one, and did not ask this themselves."""
    if inquiry.asked_by_id == user.pk:
        raise SegregationError(gettext("You requested this yourself."))
    roles.check_may_work_exceptions(user)
    request = inquiry.request
    if not access.scope_of(user).sees(request.connection_id, request.company_id):
        raise OutsideScopeError(gettext("You have no access to this company."))


def why_not_answer(inquiry: Inquiry, user: User) -> str | None:
    """Why the person may not answer; None where they may."""
    try:
        check_may_answer(inquiry, user)
    except NotAllowedError as refusal:
        return str(refusal)
    return None


@atomic_with_retry
def answer(inquiry_id: int, *, text: str, by: User, now: datetime) -> Inquiry:
    """Answer; where changes were wanted, the due time runs on from where it stopped.

    Raises:
        AlreadyDecidedError: it was answered, or the request no longer waits.
        NotAllowedError: this person asked it, or may not work on the record.
        DecisionRefusedError: there is no answer, or no such question.
    """
    found = Inquiry.objects.filter(pk=inquiry_id).values_list("request_id", flat=True).first()
    if found is None:
        raise DecisionRefusedError(gettext("There is no question %(inquiry_id)s.") % {"inquiry_id": inquiry_id})
    request = locked(found)
    inquiry = Inquiry.objects.select_related("request", "asked_by").get(pk=inquiry_id)
    if request.status != Status.PENDING:
        raise AlreadyDecidedError(permissions.settled_sentence(request) + ".")
    check_may_answer(inquiry, by)
    if not text.strip():
        raise DecisionRefusedError(gettext("Enter an answer."))
    if inquiry.answered_at:
        raise AlreadyDecidedError(
            gettext("%(answered_by_name)s has answered that already: %(answer)s")
            % {"answered_by_name": inquiry.answered_by_name, "answer": inquiry.told_answer}
        )
    _close(request, inquiry, text.strip(), by=by, now=now)
    return inquiry


def answer_by_change(request: Request, what: str, *, now: datetime) -> None:
    """The figures changed in Odoo: that answers what was wanted. The caller holds the request's row lock."""
    for inquiry in Inquiry.objects.filter(request=request, wants_changes=True, answered_at=None).select_related("asked_by"):
        _close(request, inquiry, what, by=None, now=now)


def _close(request: Request, inquiry: Inquiry, text: str, *, by: User | None, now: datetime) -> None:
    inquiry.answer, inquiry.answered_at, inquiry.answered_by = text, now, by
    inquiry.answered_by_name, inquiry.answer_sentence = str(by) if by else "Odoo", sentences.sentence_of(text)
    inquiry.save(update_fields=["answer", "answer_sentence", "answered_at", "answered_by", "answered_by_name"])
    if inquiry.wants_changes:
        pausing.resume(request, now=now)
    trail.record(
        trail.Event(
            action="approval.answered",
            actor=by.actor if by else pausing.MACHINE,
            subject=f"approval:{request.pk}",
            data={"question": inquiry.text, "answer": text, **sentences.kept_beside(text)},
            about=(request.connection_id, request.company_id),
        ),
        now=now,
    )
    notify(
        Message(
            kind="approval.answered",
            key=f"approval:{request.pk}:answer:{inquiry.pk}",
            about=(request.connection_id, request.company_id),
            title=lambda: gettext("Answered: %(record)s") % {"record": request.record_name},
            body=lambda: f"{inquiry.answered_by_name}: {inquiry.told_answer}",
            path=f"/approvals/{request.pk}/",
        ),
        people=[inquiry.asked_by],
        now=now,
    )
    closing.announce(request)

"""Telling customers: by a person, or by a customer's rule. Odoo sends it, exactly once, through the outbox."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import connection as database
from django.db.models import Q
from django.utils import translation
from django.utils.translation import gettext, gettext_noop

from apps.accounts import access, permissions
from apps.accounts.access import AccessScope
from apps.accounts.models import Team, User
from apps.audit import trail
from apps.core import live
from apps.core.actor import Actor, system
from apps.core.refusals import Problem, Refusal
from apps.core.transactions import atomic_with_retry
from apps.customers import drafts, following
from apps.customers.drafts import Draft
from apps.customers.models import CustomerMessage, CustomerRule, DraftEdit, NewDate, Status
from apps.customers.transitions import NEW_DATES
from apps.exceptions.models import ExceptionCase
from apps.timers import calendars
from apps.vendors import letters
from apps.vendors.mail import one_by_one, posting
from apps.vendors.mail.draft_kinds import DraftKind
from apps.vendors.mail.one_by_one import Sent
from apps.vendors.mail.posting import Post
from apps.workflows import parameter_values, subjects
from apps.workflows.rules import customer_messages
from apps.workflows.scopes import Scope

ORDER, PURCHASE = "sale.order", "purchase.order"
BY_RULE = system("customer rules")
DAY = timedelta(days=1)
# A rule waits until nothing has changed for so long: what is decided one after the other is one message.
SETTLED = timedelta(minutes=15)
WRITE = gettext_noop("Tell {customer} the new dates of {count} orders")
NOTE = gettext_noop("Note that the customer was told")


class DraftRefusedError(Refusal):
    """The draft is not sent, edited or dismissed; the message says why."""

    problem = Problem(
        "customer_draft_refused",
        409,
        "Message to the customer not sent",
        meaning="There is nothing left to tell the customer, somebody told it already, or the draft has changed since it was read.",
        remedy="Read the draft again.",
    )


def send_all(versions: Mapping[str, str], *, by: User, now: datetime) -> list[Sent[CustomerMessage]]:
    """Send the drafts of those keys as they were seen, each in a transaction of its own. Raises NotAllowedError."""
    permissions.check_may_work_exceptions(by)
    return one_by_one.send_each(
        versions,
        lambda key: send(key, versions[key], access_scope=access.scope_of(by), by=by.actor, now=now),
        refused=DraftRefusedError,
    )


@atomic_with_retry
def send(
    key: str, version: str, *, access_scope: AccessScope, by: Actor, now: datetime, rule: CustomerRule | None = None
) -> CustomerMessage:
    """Have Odoo write to one customer about all its orders with a new date: one message, once.

    Args:
        version: the draft's that was seen; another one is not sent unseen.

    Raises DraftRefusedError.
    """
    draft = _locked(key, version, access_scope)
    subject, body = draft.text()
    _, html = draft.preview
    message = CustomerMessage.objects.create(
        connection=draft.connection,
        company_id=draft.company_id,
        partner_id=draft.customer.odoo_id,
        partner_name=draft.customer.name or "",
        recipient_ids=[one.odoo_id for one in draft.recipients],
        language=draft.language,
        subject=subject[: letters.LONGEST_SUBJECT],
        body=body,
        rule=rule,
        sent_at=now,
        sent_by=by.name[:200],
    )
    _end(draft, "send", by, now, message=message)
    posting.post(_post(draft, message, str(html)), by=by, now=now)
    trail.record_all([*_events(draft, message, by)], now=now)
    live.announce(["messages", *(following.topic(one.new_date) for one in draft.told)])
    return message


def _locked(key: str, version: str, access_scope: AccessScope) -> Draft:
    """Return the draft with its dates locked, if it still says what was seen."""
    with database.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 3))", [f"customer:{key}"])
    draft = drafts.one(key, access_scope)
    if draft is None:
        raise DraftRefusedError(
            gettext("There is nothing to tell this customer any more: it was told already, or nothing changes.")
        )
    if draft.version != version:
        raise changed(draft)
    # What follows from Odoo's changes meanwhile waits for this, and finds it sent.
    ids = [one.new_date.pk for one in draft.told]
    locked = NewDate.objects.select_for_update(of=("self",)).filter(pk__in=ids, status=Status.OPEN).order_by("pk")
    as_read = {one.new_date.pk: (one.new_date.expected_at, one.new_date.parts) for one in draft.told}
    if {one.pk: (one.expected_at, one.parts) for one in locked} != as_read:
        raise changed(draft)
    return draft


def changed(draft: Draft) -> DraftRefusedError:
    """Return what says that the draft is not as it was seen."""
    return DraftRefusedError(
        gettext("What is to be told to %(customer)s has changed. Check it again.") % {"customer": draft.customer.name}
    )


def _end(draft: Draft, move: str, by: Actor, now: datetime, *, message: CustomerMessage | None = None) -> None:
    for one in draft.told:
        NEW_DATES.make(move, one.new_date)
        one.new_date.ended_at, one.new_date.ended_by, one.new_date.message = now, by.name[:200], message
    NewDate.objects.bulk_update([one.new_date for one in draft.told], ["status", "ended_at", "ended_by", "message"])
    DraftEdit.objects.filter(connection=draft.connection, company_id=draft.company_id, partner_id=draft.customer.odoo_id).delete()


def _post(draft: Draft, message: CustomerMessage, html: str) -> Post:
    first = draft.told[0].order
    return Post(
        connection=draft.connection,
        model=ORDER,
        records=[one.order.order_id for one in draft.told],
        recipients=message.recipient_ids,
        partner_name=message.partner_name,
        company_id=draft.company_id,
        language=message.language,
        title=WRITE,
        note_title=NOTE,
        values={"customer": message.partner_name, "count": len(draft.told)},
        subject=message.subject,
        text=message.body,
        body=html,
        said=f"{message.partner_name} was told the new date of this order; the message stands on {first.name}.",
        decision=message.decision,
    )


def _events(draft: Draft, message: CustomerMessage, by: Actor) -> list[trail.Event]:
    """What the timelines say: of each order, and of the records whose case or proposal it follows from."""
    about = (draft.connection.pk, draft.company_id)
    data = {"customer": message.partner_name, "message": message.pk, "subject": message.subject}
    with translation.override(draft.language):
        lines = {one.order.order_id: one.line for one in draft.told}
    said: dict[tuple[str, int], list[str]] = {}
    causes = _causes(draft)
    for one in draft.told:
        for record in {(ORDER, one.order.order_id), *causes.get(one.new_date.pk, ())}:
            said.setdefault(record, []).append(lines[one.order.order_id])
    return [
        trail.Event(
            action="customer.told",
            actor=by,
            subject=subjects.audit_subject(draft.connection.name, model, odoo_id),
            data={**data, "reason": "\n".join(texts)},
            about=about,
        )
        for (model, odoo_id), texts in sorted(said.items())
    ]


def _causes(draft: Draft) -> dict[int, set[tuple[str, int]]]:
    """Of each new date, the other records that it follows from."""
    cases = {one.new_date.pk: int(number) for one in draft.told if (number := _case_of(one.new_date)).isdecimal()}
    records = {pk: (model, odoo_id) for pk, model, odoo_id in _records_of(cases.values())}
    found: dict[int, set[tuple[str, int]]] = {}
    for one in draft.told:
        found[one.new_date.pk] = {(PURCHASE, purchase_id) for purchase_id in one.new_date.purchase_ids}
        if (record := records.get(cases.get(one.new_date.pk, 0))) is not None:
            found[one.new_date.pk].add(record)
    return found


def _case_of(date: NewDate) -> str:
    kind, _, rest = date.decision.partition(":")
    return rest.partition(":")[0] if kind == "exception" else ""


def _records_of(cases: Collection[int]) -> list[tuple[int, str, int]]:
    return list(ExceptionCase.objects.filter(pk__in=cases).values_list("pk", "model", "odoo_id"))


@atomic_with_retry
def edit(key: str, version: str, *, subject: str, body: str, by: User, now: datetime) -> DraftEdit | None:
    """Have a draft say this as long as its orders have these dates; empty words bring the drafted ones back.

    Raises NotAllowedError, DraftRefusedError, LetterRefusedError.
    """
    permissions.check_may_work_exceptions(by)
    draft = _locked(key, version, access.scope_of(by))
    values: dict[str, Any] = {
        "connection": draft.connection,
        "company_id": draft.company_id,
        "partner_id": draft.customer.odoo_id,
    }
    said, words = " ".join(subject.split()), body.replace("\r\n", "\n").strip()
    made = None
    if not said and not words:
        DraftEdit.objects.filter(**values).delete()
    else:
        letters.check_written(said, words)
        written = {"version": version, "subject": said, "body": words, "edited_at": now, "edited_by": str(by)[:200]}
        made, _ = DraftEdit.objects.update_or_create(**values, defaults=written)
    event = trail.Event(
        action="customer.draft_edited",
        actor=by.actor,
        subject=f"customer-draft:{key}",
        data={"customer": draft.customer.name or "", "subject": said, "body": words},
        about=(draft.connection.pk, draft.company_id),
    )
    trail.record(event, now=now)
    return made


@atomic_with_retry
def dismiss(key: str, version: str, *, by: User, now: datetime) -> int:
    """Say that a customer need not be told what is drafted; how many orders. Another date is drafted again.

    Raises NotAllowedError, DraftRefusedError.
    """
    permissions.check_may_work_exceptions(by)
    draft = _locked(key, version, access.scope_of(by))
    _end(draft, "dismiss", by.actor, now)
    events = [
        trail.Event(
            action="customer.dismissed",
            actor=by.actor,
            subject=subjects.audit_subject(draft.connection.name, ORDER, one.order.order_id),
            data={"customer": draft.customer.name or ""},
            about=(draft.connection.pk, draft.company_id),
        )
        for one in draft.told
    ]
    trail.record_all(events, now=now)
    live.announce(["messages", *(following.topic(one.new_date) for one in draft.told)])
    return len(events)


def send_due(*, now: datetime) -> int:
    """Send what rules send: within limits and working hours, once nothing changes any more; how many customers were told."""
    if not CustomerRule.objects.filter(sends=True).exists():
        return 0
    if not calendars.is_working(Team.objects.filter(slug="sales").first(), now):
        return 0
    due = (one for one in drafts.drafts(access.EVERYTHING) if one.rule is not None and one.rule.sends and _is_due(one, now))
    return one_by_one.send_by_rule(due, lambda draft: _send_by_rule(draft, now=now), lambda draft: draft.customer.name or "")


@atomic_with_retry
def _send_by_rule(draft: Draft, *, now: datetime) -> None:
    # Locked: two workers do not both take the last message of the day.
    rule = CustomerRule.objects.select_for_update(of=("self",)).get(pk=draft.rule.pk) if draft.rule else None
    if rule is None or not rule.sends or _sent_by_rule(rule, now) >= _number(customer_messages.A_DAY.name, draft):
        raise DraftRefusedError(gettext("The rule sends nothing more today."))
    send(draft.key, draft.version, access_scope=access.EVERYTHING, by=BY_RULE, now=now, rule=rule)


def _is_due(draft: Draft, now: datetime) -> bool:
    """Whether a rule may send it: nobody has to look at it, and somebody gets it."""
    most = draft.most_days_later
    return (
        draft.outdated is None
        and draft.edit is None
        and draft.has_email
        and not draft.passed(now)
        and draft.changed_at <= now - SETTLED
        and most is not None
        and most <= _number(customer_messages.LATER_DAYS.name, draft)
        and draft.rule is not None
        and _sent_by_rule(draft.rule, now) < _number(customer_messages.A_DAY.name, draft)
    )


def _sent_by_rule(rule: CustomerRule, now: datetime) -> int:
    return CustomerMessage.objects.filter(Q(rule=rule), sent_at__gt=now - DAY).count()


def _number(name: str, draft: Draft) -> int:
    scope = Scope(connection=draft.connection, company_id=draft.company_id)
    return int(parameter_values.standing_in(scope, [name])[0].number)


KIND = DraftKind(find=drafts.one, send_all=send_all, edit=edit, dismiss=dismiss, changed=changed, refused=DraftRefusedError)

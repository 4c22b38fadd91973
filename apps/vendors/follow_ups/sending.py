"""Sending follow-ups: by a person, or by a rule after working days. Odoo sends them, exactly once, through the outbox."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db import connection as database
from django.utils.translation import gettext, gettext_noop

from apps.accounts import access, languages, permissions
from apps.accounts.access import AccessScope
from apps.accounts.models import Team, User
from apps.audit import trail
from apps.core import live
from apps.core.actor import Actor, system
from apps.core.refusals import Problem, Refusal
from apps.core.transactions import atomic_with_retry
from apps.odoo.models import Connection
from apps.timers import calendars
from apps.vendors import letters
from apps.vendors.answers.receiving import SOURCE
from apps.vendors.follow_ups import drafts
from apps.vendors.follow_ups.drafts import Draft
from apps.vendors.links import moves as links
from apps.vendors.links import tokens
from apps.vendors.mail import one_by_one, posting
from apps.vendors.mail.draft_kinds import DraftKind
from apps.vendors.mail.one_by_one import Sent
from apps.vendors.mail.posting import Post
from apps.vendors.models import FollowUp, FollowUpEdit, Proposal
from apps.workflows import parameter_values
from apps.workflows.rules import vendor_answers
from apps.workflows.scopes import Scope

ORDER = "purchase.order"
BY_RULE = system("vendor follow-ups")
# Nobody is written to twice within this: of two people who send at once one does.
AT_LEAST = timedelta(hours=20)
# A rule gives up on who never answers: a person has to call.
MOST_BY_RULE = 3
WRITE = gettext_noop("Write to {vendor} about open purchase orders ({count})")
NOTE = gettext_noop("Note that the vendor was written to")


class FollowUpRefusedError(Refusal):
    """The follow-up is not sent; the message says why."""

    problem = Problem(
        "follow_up_refused",
        409,
        "Follow-up not sent",
        meaning="The vendor has answered, owes nothing or something else by now, or was written to within the last hours.",
        remedy="Read the list of follow-ups again.",
    )


def send_all(versions: Mapping[str, str], *, by: User, now: datetime) -> list[Sent[FollowUp]]:
    """Send the drafts of those keys as they were seen, each in a transaction of its own. Raises NotAllowedError."""
    permissions.check_may_work_exceptions(by)
    return one_by_one.send_each(
        versions,
        lambda key: send(key, versions[key], access_scope=access.scope_of(by), by=by.actor, now=now),
        refused=FollowUpRefusedError,
    )


@atomic_with_retry
def send(key: str, version: str, *, access_scope: AccessScope, by: Actor, now: datetime) -> FollowUp:
    """Have one vendor written to about all that it owes now, with a link to its page.

    Args:
        version: the draft's that was seen; another one is not sent unseen.

    Raises FollowUpRefusedError where it owes nothing any more, was written to a moment ago, or the draft has changed.
    """
    draft = _locked(key, version, access_scope)
    if draft.last is not None and now < draft.last.sent_at + AT_LEAST:
        raise FollowUpRefusedError(
            gettext("%(by)s has written to %(vendor)s already.") % {"by": draft.last.sent_by, "vendor": draft.vendor.name}
        )
    return _send(draft, by=by, now=now)


def _locked(key: str, version: str, access_scope: AccessScope) -> Draft:
    """Return the draft, if it still says what was seen; nobody else sends or edits it meanwhile."""
    with database.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 2))", [f"follow-up:{key}"])
    draft = drafts.one(key, access_scope)
    if draft is None:
        raise FollowUpRefusedError(gettext("The vendor has answered, or owes nothing any more."))
    if draft.version != version:
        raise changed(draft)
    return draft


def changed(draft: Draft) -> FollowUpRefusedError:
    """Return what says that the draft is not as it was seen."""
    return FollowUpRefusedError(gettext("What %(vendor)s owes has changed. Check it again.") % {"vendor": draft.vendor.name})


def _send(draft: Draft, *, by: Actor, now: datetime) -> FollowUp:
    connection = Connection.objects.get(pk=draft.connection_id)
    link = links.issue(
        connection=connection,
        company_id=draft.company_id,
        partner_id=draft.vendor.odoo_id,
        partner_name=draft.vendor.name or "",
        language=languages.of_odoo(draft.vendor.lang),
        message="",
        days=links.DAYS,
        by=by,
        now=now,
    )
    words = draft.text()
    follow_up = FollowUp.objects.create(
        connection=connection,
        company_id=draft.company_id,
        partner_id=draft.vendor.odoo_id,
        partner_name=draft.vendor.name or "",
        order_ids=[one.order.odoo_id for one in draft.owed],
        link=link,
        subject=words[0][: letters.LONGEST_SUBJECT],
        body=words[1],
        sent_at=now,
        sent_by=by.name[:200],
    )
    FollowUpEdit.objects.filter(**_of(draft)).delete()
    subject, body = draft.filled(tokens.address_of(link))
    first = draft.owed[0].order
    message = Post(
        connection=connection,
        model=ORDER,
        records=[one.order.odoo_id for one in draft.owed],
        recipients=draft.partner_ids,
        partner_name=follow_up.partner_name,
        company_id=draft.company_id,
        language=draft.language,
        title=WRITE,
        note_title=NOTE,
        values={"vendor": draft.vendor.name or "", "count": len(draft.owed)},
        subject=subject,
        text=words[1].replace(drafts.LINK, tokens.address_of(link)),
        body=str(body),
        said=f"{draft.vendor.name} was written to about this order; the message stands on {first.name}.",
        decision=follow_up.decision,
    )
    posting.post(message, by=by, now=now)
    data = {"vendor": follow_up.partner_name, "orders": [one.order.name for one in draft.owed], "link": str(link.pk)}
    event = trail.Event(
        action="follow_up.sent",
        actor=by,
        subject=f"follow-up:{follow_up.pk}",
        data=data,
        about=(draft.connection_id, draft.company_id),
    )
    trail.record(event, now=now)
    live.announce(["messages"])
    return follow_up


@atomic_with_retry
def edit(key: str, version: str, *, subject: str, body: str, by: User, now: datetime) -> FollowUpEdit | None:
    """Have a draft say this as long as the vendor owes the same; empty words bring the drafted ones back.

    Raises NotAllowedError, FollowUpRefusedError, LetterRefusedError (also where ``{link}`` is missing).
    """
    permissions.check_may_work_exceptions(by)
    draft = _locked(key, version, access.scope_of(by))
    said, words = " ".join(subject.split()), body.replace("\r\n", "\n").strip()
    made = None
    if not said and not words:
        FollowUpEdit.objects.filter(**_of(draft)).delete()
    else:
        letters.check_written(said, words, needs_link=True)
        made = _keep(draft, by, now, subject=said, body=words)
    _tell(draft, "follow_up.edited", by, now, subject=said, body=words)
    return made


@atomic_with_retry
def dismiss(key: str, version: str, *, by: User, now: datetime) -> None:
    """Have nobody write to the vendor about what it owes now. Once that is another order or day, it is drafted again.

    Raises NotAllowedError, FollowUpRefusedError.
    """
    permissions.check_may_work_exceptions(by)
    draft = _locked(key, version, access.scope_of(by))
    _keep(draft, by, now, is_dismissed=True)
    _tell(draft, "follow_up.dismissed", by, now)


def _of(draft: Draft) -> dict[str, Any]:
    return {"connection_id": draft.connection_id, "company_id": draft.company_id, "partner_id": draft.vendor.odoo_id}


def _keep(draft: Draft, by: User, now: datetime, **said: Any) -> FollowUpEdit:
    values = {"subject": "", "body": "", "is_dismissed": False, "edited_at": now, "edited_by": str(by)[:200], **said}
    made, _ = FollowUpEdit.objects.update_or_create(**_of(draft), defaults={"version": draft.version, **values})
    return made


def _tell(draft: Draft, action: str, by: User, now: datetime, **said: str) -> None:
    event = trail.Event(
        action=action,
        actor=by.actor,
        subject=f"follow-up-draft:{draft.key}",
        data={"vendor": draft.vendor.name or "", "orders": [one.order.name for one in draft.owed], **said},
        about=(draft.connection_id, draft.company_id),
    )
    trail.record(event, now=now)
    live.announce(["messages"])


def send_due(*, now: datetime) -> int:
    """Send what a rule sends: after the working days of a parameter, within working hours; how many vendors were written to."""
    team = Team.objects.filter(slug="purchasing").first()
    due = [draft for draft in drafts.drafts(access.EVERYTHING) if _is_due(draft, team, now)]

    def write(draft: Draft) -> None:
        send(draft.key, draft.version, access_scope=access.EVERYTHING, by=BY_RULE, now=now)

    return one_by_one.send_by_rule(due, write, lambda draft: draft.vendor.name or "")


def _is_due(draft: Draft, team: Team | None, now: datetime) -> bool:
    scope = Scope(connection=Connection(pk=draft.connection_id), company_id=draft.company_id)
    days = int(parameter_values.standing_in(scope, [vendor_answers.FOLLOW_UP_DAYS.name])[0].number)
    # What a person has edited, a person sends.
    if days == 0 or draft.edit is not None or not calendars.is_working(team, now):
        return False
    since = max(draft.since, draft.last.sent_at) if draft.last else draft.since
    return working_days(since, now, team) >= days and _unanswered(draft) < MOST_BY_RULE


def _unanswered(draft: Draft) -> int:
    """How often a rule wrote to the vendor since it last answered on its page."""
    answered = Proposal.objects.filter(
        connection_id=draft.connection_id, company_id=draft.company_id, source=SOURCE, partner_id__in=draft.partner_ids
    )
    last = answered.order_by("-said_at").values_list("said_at", flat=True).first()
    sent = FollowUp.objects.filter(
        connection_id=draft.connection_id, company_id=draft.company_id, partner_id=draft.vendor.odoo_id, sent_by=BY_RULE.name
    )
    return (sent.filter(sent_at__gt=last) if last else sent).count()


def working_days(start: datetime, end: datetime, team: Team | None) -> int:
    """Return how many working days have begun since the day of ``start``, by the team's hours, else Monday to Friday."""
    calendar = calendars.calendar_of(team)
    if calendar is None:
        days = (end.date() - start.date()).days
        return sum((start.date() + timedelta(days=number)).weekday() in calendars.WORKING_WEEKDAYS for number in range(1, days + 1))
    zone = _zone_of(calendar.time_zone)
    begun = set()
    for opens, _ in calendars.openings(calendar, start):
        if opens > end:
            break
        begun.add(opens.astimezone(zone).date())
    return len(begun - {start.astimezone(zone).date()})


def _zone_of(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


KIND = DraftKind(find=drafts.one, send_all=send_all, edit=edit, dismiss=dismiss, changed=changed, refused=FollowUpRefusedError)

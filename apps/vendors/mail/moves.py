"""What people decide about a message that the mail server did not certainly send."""

from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext

from apps.accounts import access, permissions
from apps.accounts.models import User
from apps.core.refusals import Problem, Refusal
from apps.core.transactions import atomic_with_retry
from apps.core.wake import wake
from apps.vendors.mail import smtp
from apps.vendors.models import Mail
from apps.vendors.transitions import MAILS


class MailRefusedError(Refusal):
    """The message stands otherwise than whoever decides saw it; the sentence says how."""

    problem = Problem(
        "mail_move_refused",
        409,
        "Not possible for this message",
        meaning="The message was sent, is being sent, or somebody has decided about it already.",
        remedy="Read the message again.",
    )


@atomic_with_retry
def send_again(mail_id: UUID, *, by: User, now: datetime) -> Mail:
    """Have a message tried again that was not sent, or perhaps. Raises NotAllowedError, MailRefusedError."""
    mail = _locked(mail_id, "send_again", by)
    MAILS.make("send_again", mail)
    # It has a day again.
    mail.not_before, mail.created_at, mail.attempts, mail.problem = now, now, 0, ""
    mail.ended_at, mail.ended_by = None, ""
    mail.save(update_fields=[*smtp.WRITTEN, "created_at", "attempts"])
    smtp.tell(mail, "mail.sent_again", by.actor, now)
    wake("vendors.send_mails")
    return mail


@atomic_with_retry
def mark_sent(mail_id: UUID, *, by: User, now: datetime) -> Mail:
    """Say that a message that was perhaps sent was; Odoo is told to note it. Raises NotAllowedError, MailRefusedError."""
    mail = _locked(mail_id, "mark_sent", by)
    smtp.ends(mail, "mark_sent", by.actor, now)
    return mail


@atomic_with_retry
def cancel(mail_id: UUID, *, by: User, now: datetime) -> Mail:
    """Have a message not sent any more. Raises NotAllowedError, MailRefusedError."""
    mail = _locked(mail_id, "cancel", by)
    smtp.ends(mail, "cancel", by.actor, now)
    return mail


def _locked(mail_id: UUID, move: str, by: User) -> Mail:
    permissions.check_may_work_exceptions(by)
    mail = Mail.objects.select_for_update(of=("self",)).select_related("connection").filter(pk=mail_id).first()
    if mail is None or not access.scope_of(by).sees(mail.connection_id, mail.company_id):
        raise MailRefusedError(gettext("There is no such message."))
    if mail.status not in MAILS.sources(move):
        said = {"vendor": mail.partner_name, "status": mail.get_status_display().lower()}
        raise MailRefusedError(gettext("The message to %(vendor)s is %(status)s already.") % said)
    return mail

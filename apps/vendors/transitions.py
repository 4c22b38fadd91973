"""The moves of proposals, and of what the tower's own mail server sends."""

from apps.core.transitions import Transition, Transitions
from apps.vendors.choices import MailStatus, Status

PROPOSALS = Transitions(
    "proposal",
    Status,
    [
        Transition(
            "accept", (Status.OPEN,), Status.ACCEPTED, "who works exceptions; the tower, where the vendor confirms as ordered"
        ),
        Transition("apply", (Status.OPEN, Status.ACCEPTED), Status.APPLIED, "the tower, when Odoo shows what was proposed"),
        Transition("fail", (Status.ACCEPTED,), Status.OPEN, "the tower, when Odoo refuses it: it is to be decided again"),
        Transition("push_back", (Status.OPEN,), Status.PUSHED_BACK, "who works exceptions; the vendor gets a new link"),
        Transition("buy_elsewhere", (Status.OPEN,), Status.REPLACED, "who works exceptions; another vendor is asked"),
        Transition(
            "supersede",
            (Status.OPEN, Status.ACCEPTED),
            Status.SUPERSEDED,
            "the vendor, by answering anew; of what was accepted, where Odoo refuses it meanwhile",
        ),
        Transition("lapse", (Status.OPEN,), Status.LAPSED, "the tower, when the order is received, cancelled or gone"),
    ],
)

MAILS = Transitions(
    "mail",
    MailStatus,
    [
        Transition("begin", (MailStatus.QUEUED,), MailStatus.SENDING, "the tower, before it hands it to the mail server"),
        Transition("end", (MailStatus.SENDING,), MailStatus.SENT, "the tower, when the mail server has taken it"),
        Transition("wait", (MailStatus.SENDING,), MailStatus.QUEUED, "the tower, when the mail server is away or says not now"),
        Transition(
            "doubt",
            (MailStatus.SENDING,),
            MailStatus.UNSURE,
            "the tower, when the mail server's answer was lost, it was killed, or some recipients were refused",
        ),
        Transition(
            "fail", (MailStatus.SENDING,), MailStatus.FAILED, "the tower, when it is refused, or the mail server is away for a day"
        ),
        Transition("send_again", (MailStatus.UNSURE, MailStatus.FAILED), MailStatus.QUEUED, "who works exceptions"),
        Transition("mark_sent", (MailStatus.UNSURE,), MailStatus.SENT, "who works exceptions, and has seen that it was"),
        Transition(
            "cancel", (MailStatus.QUEUED, MailStatus.UNSURE, MailStatus.FAILED), MailStatus.CANCELLED, "who works exceptions"
        ),
    ],
)

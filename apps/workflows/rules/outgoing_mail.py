"""How messages to vendors and customers leave (apps/vendors/mail/posting.py)."""

from django.utils.translation import gettext_noop

from apps.workflows import parameters

BY_SMTP = parameters.Parameter(
    name="messages_by_smtp",
    title=gettext_noop("Messages to vendors and customers are sent by"),
    type=parameters.NUMBER,
    unit=gettext_noop("0 is Odoo, 1 the tower's mail server"),
    default=0,
    bounds=(0, 1),
    help=gettext_noop("The tower's mail server needs EMAIL_URL; without it Odoo sends. Odoo's chatter has a note of what it sent."),
)
PARAMETERS = (BY_SMTP,)

"""The link in an e-mail: it leads to the page once, within three days, and only the person it was sent to.

It signs nobody in and decides nothing. Whoever opens it signs in as always, and is then led on. It is used up by being
followed signed in, so what opens links before people do (a mail scanner) uses nothing up.
"""

from datetime import datetime, timedelta

from django.core import signing
from django.utils.translation import gettext

from apps.accounts.models import User
from apps.core.refusals import Problem, Refusal
from apps.notifications.models import Notification

SALT = "apps.notifications.login_links"
OPEN_FOR = timedelta(days=3)


class LoginLinkError(Refusal):
    """The link leads nowhere any more, or not this person; the message says why."""

    problem = Problem(
        "link_closed",
        410,
        "Link closed",
        meaning="A link of an e-mail has been used, is too old, or was sent to somebody else.",
        remedy="Sign in and open the page from the tower.",
    )


def address(told: Notification) -> str:
    """The path that leads to the page of a message; the page itself for who has no account."""
    if told.user_id is None or not told.path:
        return told.path
    return f"/in/{signing.dumps(told.pk, salt=SALT)}/"


def lead(token: str, user: User, *, now: datetime) -> str:
    """The page that the link leads to. It is used up, and the message is read.

    Raises:
        DoorClosedError: it was used, is too old, was altered, or was sent to somebody else.
    """
    try:
        number = signing.loads(token, salt=SALT, max_age=OPEN_FOR)
    except signing.SignatureExpired as error:
        raise LoginLinkError(gettext("This link is older than three days.")) from error
    except signing.BadSignature as error:
        raise LoginLinkError(gettext("This link is incomplete. Copy all of it from the e-mail.")) from error
    told = Notification.objects.filter(pk=number).first()
    if told is None:
        raise LoginLinkError(gettext("The linked page no longer exists."))
    if told.user_id != user.pk:
        raise LoginLinkError(gettext("This link was sent to somebody else than %(user)s.") % {"user": user})
    if Notification.objects.filter(pk=told.pk, opened_at=None).update(opened_at=now) != 1:
        raise LoginLinkError(gettext("This link has been used."))
    Notification.objects.filter(pk=told.pk, read_at=None).update(read_at=now)
    return told.path

"""Telling people: a row each, in the transaction of what they are told about. Workers send the e-mails later."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from apps.accounts import sight
from apps.accounts.models import User
from apps.core import live
from apps.core.wake import wake
from apps.notifications.models import Notification


@dataclass(frozen=True, kw_only=True)
class Message:
    """What is to be said.

    Attributes:
        about: the connection, and the company there, that it tells of; None where it tells of none. Who may not see that
            is not told.
        key: the same message is told to a person once, however often it is asked for.
        path: the page that it leads to; it never decides anything by being opened.
    """

    kind: str
    key: str
    about: tuple[int, int | None] | None
    title: str
    body: str = ""
    path: str = ""


def tell(
    message: Message, *, people: Iterable[User], now: datetime, addresses: Iterable[str] = (),
    leaves_at: datetime | None = None,
) -> None:  # fmt: skip
    """Tell ``people``, in the tower and by e-mail, and ``addresses`` of those who have no account, by e-mail alone.

    Nobody hears of it before ``leaves_at``, where one is given; until then :func:`withdraw` takes it back.
    """
    held_until = leaves_at if leaves_at and leaves_at > now else None
    connection_id, company_id = message.about or (None, None)
    if connection_id is not None:
        people = sight.those_who_see(people, connection_id, company_id)
    rows = [
        Notification(user=user, kind=message.kind, key=message.key, title=message.title[:200], body=message.body,
                     path=message.path, created_at=now, email_due=bool(user.email), connection_id=connection_id,
                     company_id=company_id, held_until=held_until)
        for user in people
    ]  # fmt: skip
    rows += [
        Notification(email=address, kind=message.kind, key=message.key, title=message.title[:200], body=message.body,
                     path=message.path, created_at=now, email_due=True, held_until=held_until)
        for address in addresses
        if address
    ]  # fmt: skip
    if not rows:
        return
    Notification.objects.bulk_create(rows, ignore_conflicts=True)
    if held_until:
        return  # the sweep of notifications.send finds it
    live.announce([f"notifications:{row.user_id}" for row in rows if row.user_id])
    if any(row.email_due for row in rows):
        wake("notifications.send")


def withdraw(keys_begin: str) -> int:
    """Take back what is still held of the messages whose key begins so; how many."""
    return Notification.objects.filter(key__startswith=keys_begin, held_until__isnull=False).delete()[0]

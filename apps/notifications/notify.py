"""Telling people: a row each, in the transaction of what they are told about. Workers send e-mails and pushes later."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils import translation

from apps.accounts import access, languages
from apps.accounts.models import User
from apps.core import live
from apps.core.wake import wake
from apps.notifications import channels, preferences, relays
from apps.notifications.models import Device, Notification, Push

type Text = str | Callable[[], str]


@dataclass(frozen=True, kw_only=True)
class Message:
    """What is to be said.

    Attributes:
        about: the connection, and the company there, that it tells of; None where it tells of none. Who may not see that
            is not told.
        key: the same message is told to a person once, however often it is asked for.
        title, body: what it says; where that is not what somebody wrote, a function that says it in the active language.
        path: the page that it leads to; it never decides anything by being opened.
        html: the body as a mail program shows it with tables, in the language of who is told.
    """

    kind: str
    key: str
    about: tuple[int, int | None] | None
    title: Text
    body: Text = ""
    path: str = ""
    html: str = ""


def notify(
    message: Message,
    *,
    people: Iterable[User],
    now: datetime,
    addresses: Iterable[str] = (),
    leaves_at: datetime | None = None,
) -> None:
    """Tell ``people`` in the tower and by the ways that they want; and by e-mail ``addresses`` of who has no account.

    Nobody hears of it before ``leaves_at``, where one is given; until then :func:`withdraw` takes it back.
    """
    held_until = leaves_at if leaves_at and leaves_at > now else None
    connection_id, company_id = message.about or (None, None)
    if connection_id is not None:
        people = access.those_who_see(people, connection_id, company_id)
    people = list(people)
    said = _InLanguages(message)
    chosen, group = preferences.preferences_of(people), preferences.group_of(message.kind)
    free_at = {user.pk: preferences.not_before(chosen.get(user.pk), user, held_until or now) for user in people}
    rows = [
        Notification(
            user=user,
            kind=message.kind,
            key=message.key,
            **said.to(languages.language_of(user)),
            html=message.html,
            path=message.path,
            created_at=now,
            connection_id=connection_id,
            company_id=company_id,
            email_due=bool(user.email) and preferences.wants(chosen.get(user.pk), group, "email"),
            email_not_before=free_at[user.pk],
            held_until=held_until,
        )
        for user in people
    ]
    rows += [
        Notification(
            email=address,
            kind=message.kind,
            key=message.key,
            **said.to(settings.LANGUAGE_CODE),
            path=message.path,
            created_at=now,
            email_due=True,
            held_until=held_until,
        )
        for address in addresses
        if address
    ]
    if not rows:
        return
    Notification.objects.bulk_create(rows, ignore_conflicts=True)
    pushed = [user for user in people if preferences.wants(chosen.get(user.pk), group, "push")]
    has_pushes = _push(message, pushed, free_at, now)
    has_relays = False
    for name in channels.in_use():
        wanting = [user for user in people if preferences.wants(chosen.get(user.pk), group, name)]
        has_relays |= relays.put(message.key, name, wanting, free_at, now)
    if held_until:
        return  # the sweep of notifications.send finds it
    live.announce([f"notifications:{row.user_id}" for row in rows if row.user_id])
    if has_pushes or any(row.email_due for row in rows):
        wake("notifications.send")
    if has_relays:
        wake("notifications.send_webhooks")


class _InLanguages:
    """A message in each language that its readers read, written once each."""

    def __init__(self, message: Message) -> None:
        self.message = message
        self.written: dict[str, dict[str, str]] = {}

    def to(self, language: str) -> dict[str, Any]:
        """Return title and body in ``language``, and in the others where they read otherwise."""
        said = self._in(language)
        others = {code: self._in(code) for code, _ in settings.LANGUAGES if code != language}
        translations = {code: [text["title"], text["body"]] for code, text in others.items() if text != said}
        return said | {"translations": translations or None}

    def _in(self, language: str) -> dict[str, str]:
        if language not in self.written:
            with translation.override(language):
                title, body = (text() if callable(text) else text for text in (self.message.title, self.message.body))
            self.written[language] = {"title": title, "body": body}
        return self.written[language]


def _push(message: Message, people: Sequence[User], free_at: Mapping[int, datetime], now: datetime) -> bool:
    """Put the message on its way to the devices of ``people``, each from its person's time on; whether there are any."""
    devices = Device.objects.filter(user__in=people).values_list("pk", "user_id") if people else []
    if not devices:
        return False
    # Only of what was new: a message that was told before is not on its way once more.
    of_user = dict(Notification.objects.filter(key=message.key, user__in=people, created_at=now).values_list("user_id", "pk"))
    Push.objects.bulk_create(
        [
            Push(notification_id=of_user[user], device_id=device, not_before=free_at[user])
            for device, user in devices
            if user in of_user
        ],
        ignore_conflicts=True,
    )
    return True


def withdraw(keys_begin: str) -> int:
    """Take back what is still held of the messages whose key begins so; how many."""
    return Notification.objects.filter(key__startswith=keys_begin, held_until__isnull=False).delete()[0]

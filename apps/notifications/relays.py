"""Posting messages to people by the channels of extensions: one message a post, tried again for a day."""

import logging
import os
from collections.abc import Iterable, Mapping
from datetime import datetime

import httpx2
from django.conf import settings
from django.db import transaction

from apps.accounts.models import User
from apps.core import egress
from apps.core.egress import RECEIVER, AddressNotAllowedError
from apps.notifications import channels, login_links, sending
from apps.notifications.declare import Channel, Told
from apps.notifications.models import Notification, Relay

logger = logging.getLogger(__name__)


def put(key: str, channel: str, people: Iterable[User], free_at: Mapping[int, datetime], now: datetime) -> bool:
    """Put the new message ``key`` on its way to ``people`` by ``channel``; whether there is anything on its way."""
    rows = Notification.objects.filter(key=key, user__in=list(people), created_at=now).values_list("pk", "user_id")
    made = [Relay(notification_id=pk, channel=channel, not_before=free_at[user]) for pk, user in rows if user]
    Relay.objects.bulk_create(made, ignore_conflicts=True)
    return bool(made)


def send_due(*, now: datetime) -> int:
    """Post what waits for channels, at most a batch; how many were tried."""
    return sending.send_each(lambda http: _send_one(http, now=now))


@transaction.atomic
def _send_one(http: httpx2.Client, *, now: datetime) -> bool:
    """Post the first message that nobody else is posting; False where there is none."""
    row = sending.next_of(Relay.objects.select_related("notification__user"), now=now)
    if row is None:
        return False
    told, user, channel = row.notification, row.notification.user, channels.in_use().get(row.channel)
    if channel is None or user is None or sending.is_over(told, user, now=now):
        row.delete()
    elif problem := _post(http, channel, told, user):
        logger.warning("%s: %s", row.channel, problem)
        sending.try_again(row, now=now)
    else:
        row.delete()
    return True


def _post(http: httpx2.Client, channel: Channel, told: Notification, user: User) -> str:
    """What went wrong; empty where the receiver took the message."""
    link = f"{settings.PUBLIC_URL}{login_links.address(told)}" if told.path else ""
    token = os.environ.get(channel.token, "") if channel.token else ""
    try:
        message = channel.compose(
            Told(title=told.title, body=told.body, link=link, username=user.username, name=str(user), email=user.email)
        )
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        answer = http.post(egress.checked(channels.address_of(channel), RECEIVER), json=dict(message), headers=headers)
    except (httpx2.HTTPError, AddressNotAllowedError) as error:
        return f"{type(error).__name__}: {error}"
    except Exception as error:  # what an extension composes is its own; the other channels go on
        return f"It cannot be composed ({type(error).__name__}: {error})"
    return "" if answer.is_success else f"The receiver answered {answer.status_code}"

"""Posting messages to people by the channels of extensions: one message a post, tried again for a day."""

import logging
import os
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

import httpx2
from django.conf import settings
from django.db import transaction

from apps.accounts import access
from apps.accounts.models import User
from apps.core import egress
from apps.core.egress import RECEIVER, AddressNotAllowedError
from apps.notifications import channels, login_links
from apps.notifications.declare import Channel, Told
from apps.notifications.models import Notification, Relay

logger = logging.getLogger(__name__)

BATCH = 50
GIVE_UP_AFTER = 8
TIMEOUT_SECONDS = 10.0
KEPT_FOR = timedelta(days=1)


def put(key: str, channel: str, people: Iterable[User], free_at: Mapping[int, datetime], now: datetime) -> bool:
    """Put the new message ``key`` on its way to ``people`` by ``channel``; whether there is anything on its way."""
    rows = Notification.objects.filter(key=key, user__in=list(people), created_at=now).values_list("pk", "user_id")
    made = [Relay(notification_id=pk, channel=channel, not_before=free_at[user]) for pk, user in rows if user]
    Relay.objects.bulk_create(made, ignore_conflicts=True)
    return bool(made)


def send_due(*, now: datetime) -> int:
    """Post what waits for channels, at most BATCH; how many were tried. Each in a transaction of its own."""
    tried = 0
    with egress.client(RECEIVER, timeout_seconds=TIMEOUT_SECONDS) as http:
        while tried < BATCH and _send_one(http, now=now):
            tried += 1
    return tried


@transaction.atomic
def _send_one(http: httpx2.Client, *, now: datetime) -> bool:
    """Post the first message that nobody else is posting; False where there is none."""
    row = (
        Relay.objects.select_for_update(skip_locked=True, of=("self",))
        .select_related("notification__user")
        .filter(not_before__lte=now, notification__held_until=None)
        .order_by("not_before", "id")
        .first()
    )
    if row is None:
        return False
    told, user, channel = row.notification, row.notification.user, channels.in_use().get(row.channel)
    is_hidden = told.connection_id and user and not access.scope_of(user).sees(told.connection_id, told.company_id)
    if channel is None or user is None or told.read_at or is_hidden or not user.is_active or now - told.created_at > KEPT_FOR:
        row.delete()
        return True
    if problem := _post(http, channel, told, user):
        row.attempts += 1
        row.not_before = now + timedelta(minutes=min(2**row.attempts, 60))
        logger.warning("%s: %s", row.channel, problem)
    if not problem or row.attempts >= GIVE_UP_AFTER:
        row.delete()
    else:
        row.save(update_fields=["attempts", "not_before"])
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

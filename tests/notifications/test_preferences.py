"""What each person is told, by which way, and when not; and where the link of an e-mail leads."""

from datetime import UTC, datetime, time, timedelta

import pytest
import time_machine
from django.test import Client

from apps.accounts.models import User
from apps.notifications import login_links, preferences
from apps.notifications.models import Notification, Preferences
from apps.notifications.notify import Message, notify

NOW = datetime(2026, 11, 23, 22, 30, tzinfo=UTC)


def say(user: User, kind: str = "approval.asked", key: str = "one") -> Notification:
    notify(Message(kind=kind, key=key, about=None, title="Look", path="/approvals/"), people=[user], now=NOW)
    return Notification.objects.get(key=key)


def keep(user: User, **more: object) -> Preferences:
    values = {"channels": {}, "quiet_from": None, "quiet_to": None, "time_zone": ""} | more
    return preferences.save(user, **values, now=NOW)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "group"),
    [
        ("approval.asked", "asked"),
        ("approval.escalation", "escalated"),
        ("approval.rejected", "decided"),
        ("exception.opened", "exceptions"),
        ("command.refused", "others"),
    ],
)
def test_every_kind_of_message_has_its_switch(kind: str, group: str) -> None:
    assert preferences.group_of(kind).name == group


def test_who_wants_no_e_mail_of_a_kind_gets_none_but_is_told_in_the_tower(adam_approver: User) -> None:
    keep(adam_approver, channels={"decided": {"email": True}})
    assert not say(adam_approver).email_due
    assert say(adam_approver, kind="approval.rejected", key="two").email_due


@pytest.mark.parametrize(
    ("zone", "until"),
    [
        ("UTC", datetime(2026, 11, 24, 7, tzinfo=UTC)),
        ("Europe/Berlin", datetime(2026, 11, 24, 6, tzinfo=UTC)),
        ("America/New_York", NOW),
    ],
)
def test_quiet_hours_are_those_of_the_persons_own_clock(adam_approver: User, zone: str, until: datetime) -> None:
    keep(adam_approver, channels={"asked": {"email": True}}, quiet_from=time(21), quiet_to=time(7), time_zone=zone)
    adam_approver.refresh_from_db()
    assert say(adam_approver).email_not_before == until


def test_quiet_hours_end_by_the_wall_clock_also_when_it_is_put_forward(adam_approver: User) -> None:
    chosen = keep(adam_approver, quiet_from=time(22), quiet_to=time(7), time_zone="Europe/Berlin")
    adam_approver.time_zone = "Europe/Berlin"
    night = datetime(2026, 3, 28, 23, tzinfo=UTC)
    assert preferences.not_before(chosen, adam_approver, night) == datetime(2026, 3, 29, 5, tzinfo=UTC)


def test_what_cannot_be_is_refused_with_a_sentence(adam_approver: User) -> None:
    with pytest.raises(preferences.PreferenceError, match="both"):
        keep(adam_approver, quiet_from=time(22))
    with pytest.raises(preferences.PreferenceError, match="no time zone"):
        keep(adam_approver, time_zone="Mars/Base")


def test_the_page_keeps_what_was_chosen(adam_approver: User) -> None:
    client = Client()
    client.force_login(adam_approver)
    form = {"asked:push": "on", "quiet_from": "20:00", "quiet_to": "06:30", "time_zone": "Europe/Berlin"}
    page = client.post("/notifications/choices/", form, follow=True).content.decode()
    assert 'name="asked:push" checked' in page and 'name="asked:email" checked' not in page
    assert "20:00" in page
    assert client.post("/notifications/choices/", form | {"quiet_to": ""}).status_code == 422
    adam_approver.refresh_from_db()
    assert adam_approver.time_zone == "Europe/Berlin"


def test_a_link_leads_to_the_page_once_and_only_who_it_was_sent_to(adam_approver: User, mia_manager: User) -> None:
    path = login_links.address(say(adam_approver))
    stranger, client = Client(), Client()
    assert stranger.get(path).url.startswith("/accounts/login/?next=/in/")
    stranger.force_login(mia_manager)
    assert stranger.get(path).status_code == 410
    client.force_login(adam_approver)
    assert client.get(path).url == "/approvals/"
    assert Notification.objects.get().read_at is not None
    again = client.get(path)
    assert (again.status_code, "has been used" in again.content.decode()) == (410, True)


def test_a_link_is_closed_after_three_days_and_when_it_was_altered(adam_approver: User) -> None:
    with time_machine.travel(NOW, tick=False):
        token = login_links.address(say(adam_approver)).split("/")[2]
    with pytest.raises(login_links.LoginLinkError, match="incomplete"):
        login_links.lead(token[:-2] + "xx", adam_approver, now=NOW)
    too_late = NOW + timedelta(days=3, seconds=1)
    with time_machine.travel(too_late, tick=False), pytest.raises(login_links.LoginLinkError, match="older"):
        login_links.lead(token, adam_approver, now=NOW)

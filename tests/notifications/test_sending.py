"""E-mails go out once, over a real mail server, and wait while there is none."""

import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from apps.notifications import moves
from apps.notifications.models import Notification
from apps.notifications.notify import Message, notify
from tests.mail_server import MailServer, serving, use

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture
def mail(settings: Any) -> Iterator[MailServer]:
    with serving() as server:
        use(settings, server.port)
        yield server


def write(*addresses: str) -> None:
    for address in addresses:
        message = Message(
            kind="test.told", key=address, about=None, title=f"For {address}", body="Look at it.", path="/exceptions/1/"
        )
        notify(message, people=[], addresses=[address], now=NOW)


def waiting() -> int:
    return Notification.objects.filter(email_due=True).count()


@pytest.mark.django_db
def test_each_message_is_sent_once_with_the_page_that_it_is_about(mail: MailServer, settings: Any) -> None:
    write("adam@tower.test", "mia@tower.test")
    assert moves.send_due(now=NOW) == 2
    assert moves.send_due(now=NOW) == 0
    assert sorted(recipient for recipient, _ in mail.taken) == ["adam@tower.test", "mia@tower.test"]
    assert "Subject: For adam@tower.test" in mail.taken[0][1]
    assert f"{settings.PUBLIC_URL}/exceptions/1/" in mail.taken[0][1]
    assert set(Notification.objects.values_list("emailed_at", "email_attempts")) == {(NOW, 0)}


@pytest.mark.django_db
def test_an_address_that_is_refused_stops_no_other_and_is_given_up_at_last(mail: MailServer) -> None:
    write("nobody@tower.test", "mia@tower.test")
    moves.send_due(now=NOW)
    assert [recipient for recipient, _ in mail.taken] == ["mia@tower.test"]
    refused = Notification.objects.get(email="nobody@tower.test")
    assert (refused.email_attempts, refused.email_due) == (1, True)
    assert "there is none" in refused.email_problem
    for turn in range(1, moves.GIVE_UP_AFTER + 3):
        moves.send_due(now=NOW + timedelta(hours=turn))
    refused.refresh_from_db()
    assert (refused.email_attempts, refused.email_due) == (moves.GIVE_UP_AFTER, False)


@pytest.mark.django_db
def test_while_the_mail_server_is_away_messages_wait_and_none_is_counted_out(mail: MailServer, settings: Any) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        use(settings, taken.getsockname()[1])
        write("adam@tower.test", "mia@tower.test")
        for turn in range(moves.GIVE_UP_AFTER + 1):
            assert moves.send_due(now=NOW + timedelta(hours=turn)) == 0
    assert waiting() == 2
    assert set(Notification.objects.values_list("email_attempts", flat=True)) == {0}

    use(settings, mail.port)
    assert moves.send_due(now=NOW + timedelta(days=1)) == 2
    assert waiting() == 0

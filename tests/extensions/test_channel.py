"""A channel of an extension: people choose it, what it composes is posted by the tower, under the tower's own rules."""

import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from pytest_httpserver import HTTPServer

from apps.accounts import people
from apps.accounts.models import User
from apps.core.extensions import discover
from apps.notifications import channels, preferences, relays, sending
from apps.notifications.models import Relay
from apps.notifications.notify import Message, notify
from tests.extensions.packages import declared, write

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
CHAT = """
from apps.notifications.declare import Channel

CHANNEL = Channel(title="House chat", address="CHANNEL_HOUSE_URL", token="CHANNEL_HOUSE_TOKEN",
                  compose=lambda told: {"to": told.username, "text": told.title, "link": told.link})
"""


@pytest.fixture
def chat(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch, httpserver: HTTPServer) -> Iterator[HTTPServer]:
    """A receiver, and an extension with the channel that posts to it."""
    write(
        tmp_path,
        "ct_house",
        {
            "__init__.py": declared("house", channels=["ct_house.house_chat"]),
            "house_chat.py": CHAT,
        },
    )
    monkeypatch.setenv("CHANNEL_HOUSE_URL", httpserver.url_for("/chat"))
    monkeypatch.setenv("CHANNEL_HOUSE_TOKEN", "a-token")
    settings.EXTENSIONS, settings.WEBHOOK_ALLOWED = discover(folder=tmp_path), ["localhost", "127.0.0.1"]
    channels.channels.cache_clear()
    yield httpserver
    channels.channels.cache_clear()
    sys.path.remove(str(tmp_path))
    for name in [name for name in sys.modules if name.partition(".")[0] == "ct_house"]:
        del sys.modules[name]


def told(adam: User, key: str = "one", kind: str = "approval.asked") -> None:
    message = Message(kind=kind, key=key, about=None, title="A decision is asked of you", path="/approvals/1/")
    notify(message, people=[adam], now=NOW)


def test_what_it_composes_is_posted_with_its_token_once(chat: HTTPServer, adam_approver: User) -> None:
    chat.expect_ordered_request("/chat", method="POST", headers={"Authorization": "Bearer a-token"}).respond_with_data("ok")
    told(adam_approver)
    told(adam_approver)
    assert relays.send_due(now=NOW) == 1
    ((request, _),) = chat.log
    posted = request.get_json()
    assert (posted["to"], posted["text"]) == ("adam", "A decision is asked of you")
    assert posted["link"].startswith("http") and Relay.objects.count() == 0


def test_who_does_not_want_it_is_not_told_by_it(chat: HTTPServer, adam_approver: User, client: Client) -> None:
    client.force_login(adam_approver)
    page = client.get("/notifications/choices/").content.decode()
    assert "House chat" in page and 'name="asked:house_chat" checked' in page
    client.post("/notifications/choices/", {"asked:email": "on"})
    assert not preferences.wants(preferences.preferences_of([adam_approver])[adam_approver.pk], preferences.GROUPS[0], "house_chat")
    told(adam_approver)
    assert Relay.objects.count() == 0


def test_it_is_chosen_over_rest_as_the_others_are(chat: HTTPServer, adam_approver: User, client: Client) -> None:
    bearer = {"Authorization": f"Bearer {people.create_token(adam_approver, scope='write', now=NOW)}"}
    chosen = client.get("/api/v1/preferences/", headers=bearer).json()
    assert chosen["channels"]["asked"] == {"email": True, "push": True, "house_chat": True}
    chosen["channels"]["asked"]["house_chat"] = False
    answer = client.put("/api/v1/preferences/", chosen, "application/json", headers=bearer)
    assert answer.json()["channels"]["asked"] == {"email": True, "push": True, "house_chat": False}


def test_what_its_receiver_refuses_is_tried_again_and_given_up(chat: HTTPServer, adam_approver: User) -> None:
    chat.expect_request("/chat").respond_with_data("busy", status=503)
    told(adam_approver)
    at = NOW
    for attempt in range(1, sending.GIVE_UP_AFTER):
        assert relays.send_due(now=at) == 1 and relays.send_due(now=at) == 0
        row = Relay.objects.get()
        assert row.attempts == attempt and row.not_before > at
        at = row.not_before
    assert relays.send_due(now=at) == 1 and Relay.objects.count() == 0


def test_an_address_that_is_not_public_is_not_called(chat: HTTPServer, adam_approver: User, settings: Any) -> None:
    settings.WEBHOOK_ALLOWED = []
    told(adam_approver)
    assert relays.send_due(now=NOW) == 1
    assert chat.log == [] and Relay.objects.get().attempts == 1


def test_nobody_is_told_late_or_of_what_they_have_read(chat: HTTPServer, adam_approver: User) -> None:
    told(adam_approver)
    assert relays.send_due(now=NOW + timedelta(days=2)) == 1
    assert chat.log == [] and Relay.objects.count() == 0


def test_without_an_address_it_is_no_way(chat: HTTPServer, adam_approver: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CHANNEL_HOUSE_URL")
    assert list(channels.ways()) == ["email", "push"]
    told(adam_approver)
    assert Relay.objects.count() == 0


def test_it_reads_no_variable_of_another(chat: HTTPServer, tmp_path: Path, settings: Any) -> None:
    (tmp_path / "ct_house" / "house_chat.py").write_text(CHAT.replace("CHANNEL_HOUSE_TOKEN", "SECRET_KEY"))
    sys.modules.pop("ct_house.house_chat", None)
    channels.channels.cache_clear()
    with pytest.raises(channels.DeclarationError, match="reads variables that do not begin with CHANNEL_HOUSE_"):
        channels.channels()

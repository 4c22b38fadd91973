"""Web push, to a push service on this machine that decrypts as a browser would."""

import base64
import json
import os
from datetime import UTC, datetime, timedelta
from typing import Any

import http_ece
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.test import Client
from py_vapid import Vapid02
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from apps.accounts.models import User
from apps.notifications import moves, push
from apps.notifications.models import Device, Notification, Push
from apps.notifications.notify import Message, notify

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


class Browser:
    """What a browser keeps of its subscription, and what it reads from what it is sent."""

    def __init__(self, service: HTTPServer, path: str = "/one") -> None:
        self.key, self.secret = ec.generate_private_key(ec.SECP256R1()), os.urandom(16)
        self.endpoint = service.url_for(path)
        point = self.key.public_key().public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
        self.keys = {"p256dh": text(point), "auth": text(self.secret)}

    def read(self, request: Request) -> dict[str, Any]:
        sealed = request.get_data()
        plain = http_ece.decrypt(sealed, private_key=self.key, auth_secret=self.secret, version="aes128gcm")
        found: dict[str, Any] = json.loads(plain)
        return found

    def subscribe(self, user: User) -> Device:
        return push.add(user, endpoint=self.endpoint, **self.keys, name="Phone", now=NOW)


@pytest.fixture
def service(httpserver: HTTPServer, settings: Any) -> HTTPServer:
    settings.WEBHOOK_ALLOWED = ["127.0.0.1", "localhost"]
    return httpserver


@pytest.fixture
def adam(adam_approver: User) -> User:
    return adam_approver


def say(*people: User, kind: str = "approval.asked", key: str = "one", now: datetime = NOW, **more: Any) -> None:
    notify(
        Message(
            kind=kind,
            key=key,
            about=None,
            title="Your decision: S00042, 6,200.00 EUR",
            body="Azure Interior.",
            path="/approvals/7/",
        ),
        people=people,
        now=now,
        **more,
    )


def test_a_device_reads_what_was_sealed_for_it_and_knows_who_sent_it(service: HTTPServer, adam: User) -> None:
    service.expect_request("/one", method="POST").respond_with_response(Response(status=201))
    browser = Browser(service)
    browser.subscribe(adam)
    say(adam)
    assert push.send_due(now=NOW) == 1
    [(request, _)] = service.log
    read = browser.read(request)
    assert (read["title"], read["path"], read["waiting"]) == ("Your decision: S00042, 6,200.00 EUR", "/approvals/7/", 1)
    assert (request.headers["Content-Encoding"], request.headers["Urgency"]) == ("aes128gcm", "high")
    assert Vapid02.verify(request.headers["Authorization"])
    assert push.public_key() in request.headers["Authorization"]
    assert b"Azure" not in request.get_data()
    assert not Push.objects.exists()


def test_nothing_is_sent_twice_and_the_same_message_is_told_once(service: HTTPServer, adam: User) -> None:
    service.expect_request("/one").respond_with_response(Response(status=201))
    Browser(service).subscribe(adam)
    say(adam)
    push.send_due(now=NOW)
    say(adam, now=NOW + timedelta(minutes=1))
    push.send_due(now=NOW + timedelta(minutes=1))
    assert (len(service.log), Notification.objects.count()) == (1, 1)


def test_a_device_that_is_gone_is_forgotten(service: HTTPServer, adam: User) -> None:
    service.expect_request("/one").respond_with_response(Response(status=410))
    Browser(service).subscribe(adam)
    say(adam)
    push.send_due(now=NOW)
    assert not Device.objects.exists()


def test_a_service_that_is_away_is_tried_again_later_and_delays_no_other(service: HTTPServer, adam: User) -> None:
    service.expect_request("/one").respond_with_response(Response(status=503))
    service.expect_request("/two").respond_with_response(Response(status=201))
    Browser(service, "/one").subscribe(adam)
    Browser(service, "/two").subscribe(adam)
    say(adam)
    assert push.send_due(now=NOW) == 2
    left = Push.objects.get()
    assert (left.attempts, left.not_before) == (1, NOW + timedelta(minutes=2))
    service.clear()
    service.expect_request("/one").respond_with_response(Response(status=201))
    push.send_due(now=NOW + timedelta(minutes=2))
    assert not Push.objects.exists()


def test_what_was_read_meanwhile_or_may_not_be_seen_any_more_is_not_sent(service: HTTPServer, adam: User) -> None:
    Browser(service).subscribe(adam)
    say(adam, key="read")
    moves.mark_read(adam, None, now=NOW)
    say(adam, key="hidden")
    Notification.objects.filter(key="hidden").update(connection_id=3, company_id=1)
    User.objects.filter(pk=adam.pk).update(sees=["4"])
    assert push.send_due(now=NOW) == 2
    assert service.log == []


def test_what_is_held_or_taken_back_does_not_leave(service: HTTPServer, adam: User) -> None:
    Browser(service).subscribe(adam)
    say(adam, leaves_at=NOW + timedelta(seconds=5))
    assert push.send_due(now=NOW) == 0
    assert Push.objects.get().not_before == NOW + timedelta(seconds=5)


def test_a_device_of_somebody_else_who_signs_in_on_it_is_theirs_alone(service: HTTPServer, adam: User, mia_manager: User) -> None:
    browser = Browser(service)
    browser.subscribe(adam)
    browser.subscribe(mia_manager)
    assert Device.objects.get().user == mia_manager


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://push.example.com/x",
        "https://127.0.0.1/x",
        "https://[::1]/x",
        "https://169.254.169.254/x",
        "https://10.1.2.3/x",
        "https://user@push.example.com/x",
        "ftp://push.example.com/x",
        "https:///x",
        "https://[::ffff:10.0.0.1]/x",
    ],
)
def test_an_address_that_is_not_a_public_one_is_refused(adam: User, httpserver: HTTPServer, endpoint: str) -> None:
    keys = Browser(httpserver).keys
    with pytest.raises(push.DeviceRefusedError):
        push.add(adam, endpoint=endpoint, **keys, name="", now=NOW)


def test_a_name_that_leads_inside_is_found_out_when_it_is_called(adam: User, httpserver: HTTPServer) -> None:
    browser = Browser(httpserver)
    browser.endpoint = f"https://localhost:{httpserver.port}/one"
    device = browser.subscribe(adam)
    say(adam)
    push.send_due(now=NOW)
    device.refresh_from_db()
    assert "this machine itself" in device.problem
    assert httpserver.log == [] and not Push.objects.exists()


def test_a_page_subscribes_and_ends_it(service: HTTPServer, adam: User) -> None:
    client = Client()
    client.force_login(adam)
    browser = Browser(service)
    body = {"endpoint": browser.endpoint, "keys": browser.keys}
    added = client.post("/notifications/devices/add/", body, content_type="application/json", headers={"User-Agent": "Pixel"})
    assert (added.status_code, Device.objects.get().name) == (200, "Pixel")
    assert client.post("/notifications/devices/add/", {"endpoint": 3}, content_type="application/json").status_code == 400
    body["keys"]["p256dh"] = "AAAA"
    assert client.post("/notifications/devices/add/", body, content_type="application/json").status_code == 422
    client.post("/notifications/devices/drop/", {"endpoint": browser.endpoint}, content_type="application/json")
    assert not Device.objects.exists()

"""Messages to other systems: signed, tried again, given up, and never sent where they must not go."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from standardwebhooks.webhooks import Webhook
from werkzeug import Request, Response

from apps.accounts.models import User
from apps.audit.models import Entry
from apps.core import clock
from apps.core.egress import AddressNotAllowedError
from apps.notifications import webhooks
from apps.notifications.models import Endpoint, Outgoing

pytestmark = pytest.mark.django_db
Answering = Callable[..., list[Request]]


@pytest.fixture
def endpoint(httpserver: HTTPServer, ivan_integrator: User, settings: Any, now: datetime) -> Endpoint:
    settings.WEBHOOK_ALLOWED = ["localhost", "127.0.0.1"]
    made = Endpoint(name="pager", url=httpserver.url_for("/hook"))
    return webhooks.save(made, by=ivan_integrator, now=now)


@pytest.fixture
def answering(httpserver: HTTPServer) -> Answering:
    def answer(status: int, headers: dict[str, str] | None = None) -> list[Request]:
        seen: list[Request] = []

        def receive(request: Request) -> Response:
            request.get_data(cache=True)
            seen.append(request)
            return Response(status=status, headers=headers or {})

        httpserver.clear()
        httpserver.expect_request("/hook", method="POST").respond_with_handler(receive)
        return seen

    return answer


def send(at: datetime) -> Outgoing:
    webhooks.send_due(clock=lambda: at)
    return Outgoing.objects.get()


def test_a_message_carries_a_signature_that_the_standards_own_library_accepts(endpoint: Endpoint, answering: Answering) -> None:
    seen, at = answering(204), clock.now()
    webhooks.post([endpoint], key="a", kind="alert.raised", data={"title": "Über"}, now=at)
    webhooks.post([endpoint], key="a", kind="alert.raised", data={"title": "Again"}, now=at)

    assert send(at).status == "sent"

    (request,) = seen
    told = Webhook(endpoint.secret).verify(request.get_data(), dict(request.headers.to_wsgi_list()))
    assert told == json.loads(request.get_data()) and told["data"] == {"title": "Über"}
    assert Outgoing.objects.count() == 1


def test_while_a_secret_changes_over_either_of_them_fits(endpoint: Endpoint, answering: Answering, ivan_integrator: User) -> None:
    seen, at, old = answering(200), clock.now(), endpoint.secret
    new = webhooks.rotate(endpoint, by=ivan_integrator, now=at)
    webhooks.post([endpoint], key="a", kind="alert.raised", data={}, now=at)
    send(at)

    for secret in (old, new):
        Webhook(secret).verify(seen[0].get_data(), dict(seen[0].headers.to_wsgi_list()))
    assert set(Entry.objects.values_list("action", flat=True)) == {"endpoint.added", "endpoint.rotated"}


def test_what_failed_is_tried_again_with_the_same_id_and_bytes_and_given_up_in_the_end(
    endpoint: Endpoint, answering: Answering
) -> None:
    seen, at = answering(500), clock.now()
    webhooks.post([endpoint], key="a", kind="alert.raised", data={}, now=at)

    for attempt in range(len(webhooks.WAITS)):
        message = send(at)
        assert (message.status, message.attempts, message.problem) == ("pending", attempt + 1, "It answered HTTP 500.")
        assert webhooks.WAITS[attempt] <= message.not_before - at <= webhooks.WAITS[attempt] * 1.25
        assert webhooks.send_due(clock=lambda at=at: at) == 0
        at = message.not_before
    assert send(at).status == "dead"
    assert len({(request.headers["webhook-id"], request.get_data()) for request in seen}) == 1
    assert len(seen) == len(webhooks.WAITS) + 1


def test_a_receiver_that_asks_for_time_gets_it(endpoint: Endpoint, answering: Answering) -> None:
    answering(429, {"Retry-After": "120"})
    at = clock.now()
    webhooks.post([endpoint], key="a", kind="alert.raised", data={}, now=at)

    assert send(at).not_before >= at + timedelta(seconds=120)


def test_no_redirect_is_followed(endpoint: Endpoint, answering: Answering, httpserver: HTTPServer) -> None:
    answering(307, {"Location": httpserver.url_for("/elsewhere")})
    at = clock.now()
    webhooks.post([endpoint], key="a", kind="alert.raised", data={}, now=at)

    assert send(at).problem == "It answered HTTP 307, and no redirect is followed."
    assert [request.path for request, _ in httpserver.log] == ["/hook"]


def test_one_that_says_it_is_gone_is_switched_off(endpoint: Endpoint, answering: Answering) -> None:
    answering(410)
    at = clock.now()
    webhooks.post([endpoint], key="a", kind="alert.raised", data={}, now=at)

    assert send(at).status == "dead"
    endpoint.refresh_from_db()
    assert not endpoint.is_active and "410" in endpoint.problem


def test_an_address_that_is_no_longer_allowed_is_not_posted_to(endpoint: Endpoint, answering: Answering, settings: Any) -> None:
    seen, at = answering(200), clock.now()
    webhooks.post([endpoint], key="a", kind="alert.raised", data={}, now=at)
    settings.WEBHOOK_ALLOWED = []

    message = send(at)

    assert message.status == "pending" and "https" in message.problem and seen == []


def test_an_address_that_is_not_allowed_is_not_kept(ivan_integrator: User, now: datetime) -> None:
    with pytest.raises(AddressNotAllowedError):
        webhooks.save(Endpoint(name="inside", url="https://169.254.169.254/"), by=ivan_integrator, now=now)
    assert not Endpoint.objects.exists()

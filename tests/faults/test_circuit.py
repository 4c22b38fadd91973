"""While an Odoo does not answer, nobody waits for it; one worker at a time tries whether it is back."""

import json
import re
import subprocess
import sys
import time
from datetime import datetime
from typing import Any

import pytest
from django.core.cache import cache
from django.core.cache.backends.redis import RedisCache
from django.db import transaction
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from apps.core import clock
from apps.core.actor import system
from apps.intake import refresh_requests
from apps.intake.models import Delivery
from apps.odoo import circuit, client
from apps.odoo.errors import RestingError, UnreachableError
from apps.odoo.models import Connection
from apps.outbox import dispatch, enqueue
from apps.outbox.models import Command, Status
from apps.pipeline import batch
from apps.workflows.declare import OdooCall

CALLS = re.compile("/json/2/res.partner/.*")
HELLO = {"jsonrpc": "2.0", "id": 1, "result": {"server_version": "19.0"}}
NOTE = OdooCall(title="Leave a note", method="message_post", arguments={"body": "Here."})
TRY = """
import sys, django
django.setup()
from apps.odoo import client, errors
from apps.odoo.models import Connection
for _ in range(5):
    try:
        client.connect(Connection.objects.get()).search_count("res.partner", [])
        print("answered")
    except errors.RestingError:
        print("rests")
    except errors.OdooError as error:
        print("asked")
"""


class Odoo:
    """A server that answers or fails, and counts what it is asked."""

    def __init__(self, server: HTTPServer) -> None:
        self.is_up, self.asked = True, 0
        server.expect_request("/jsonrpc").respond_with_handler(self._hello)
        server.expect_request("/json/2/res.users/context_get").respond_with_json({"uid": 2, "lang": "en_US"})
        server.expect_request(CALLS).respond_with_handler(self._answer)

    def _hello(self, _: Request) -> Response:
        return Response(json.dumps(HELLO), content_type="application/json") if self.is_up else self._answer(_)

    def _answer(self, _: Request) -> Response:
        self.asked += 1
        return Response("3", content_type="application/json") if self.is_up else Response("Bad Gateway", status=502)


@pytest.fixture
def odoo(httpserver: HTTPServer) -> Odoo:
    return Odoo(httpserver)


@pytest.fixture
def connection(odoo: Odoo, httpserver: HTTPServer, transactional_db: None) -> Connection:
    cache.clear()
    return Connection.objects.create(name="main", url=httpserver.url_for("").rstrip("/"), database="ct", login="admin", api_key="k")


def count(connection: Connection) -> int:
    return client.connect(connection).search_count("res.partner", [])


def rest_is_over(connection: Connection) -> None:
    """As if the moment of the next probe had come."""
    name = circuit._key(connection, "open")
    cache.set(name, cache.get(name) | {"tries_at": time.time() - 1}, 60)


def test_after_some_calls_without_an_answer_it_is_not_asked_any_more(odoo: Odoo, connection: Connection) -> None:
    assert count(connection) == 3
    odoo.is_up = False
    for _ in range(circuit.OPENS_AFTER):
        with pytest.raises(UnreachableError):
            count(connection)
    asked = odoo.asked
    for _ in range(20):
        with pytest.raises(RestingError, match="is asked again in"):
            count(connection)
    assert odoo.asked == asked
    found = circuit.standing(connection)
    assert found.is_open and "HTTP 502" in found.problem
    assert circuit.open_connections([connection]) == [connection.pk]


def test_a_call_that_is_answered_begins_the_count_anew(odoo: Odoo, connection: Connection) -> None:
    for is_up in [False, False, True, False, False, True]:
        odoo.is_up = is_up
        if is_up:
            count(connection)
        else:
            with pytest.raises(UnreachableError):
                count(connection)
    assert not circuit.standing(connection).is_open


def test_of_two_workers_one_probes_and_an_answer_lets_both_through(
    odoo: Odoo, connection: Connection, process_environment: dict[str, str]
) -> None:
    count(connection)
    odoo.is_up = False
    for _ in range(circuit.OPENS_AFTER):
        with pytest.raises(UnreachableError):
            count(connection)
    rest_is_over(connection)
    asked = odoo.asked
    workers = [
        subprocess.Popen([sys.executable, "-c", TRY], env=process_environment, stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    said = [word for worker in workers for word in worker.communicate(timeout=60)[0].split()]
    assert sorted(said) == ["asked"] + ["rests"] * 9
    assert odoo.asked == asked + 1
    assert circuit.standing(connection).failed_probes == 1

    odoo.is_up = True
    rest_is_over(connection)
    assert count(connection) == 3
    assert not circuit.standing(connection).is_open
    again = subprocess.run([sys.executable, "-c", TRY], env=process_environment, capture_output=True, text=True, check=True)
    assert again.stdout.split() == ["answered"] * 5


def test_a_corrected_address_is_asked_at_once(odoo: Odoo, connection: Connection) -> None:
    right, connection.url = connection.url, "http://127.0.0.1:9"
    for _ in range(circuit.OPENS_AFTER + 1):
        with pytest.raises(UnreachableError):
            count(connection)
    assert circuit.standing(connection).is_open
    connection.url = right
    assert count(connection) == 3


def test_without_the_cache_calls_go_through(odoo: Odoo, connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: Any, **__: Any) -> Any:
        raise ConnectionError("Valkey is away")

    for name in ("get", "get_many", "add", "incr", "set", "delete_many"):
        monkeypatch.setattr(RedisCache, name, gone)
    assert count(connection) == 3


def test_what_piled_up_while_odoo_was_away_stays_untouched_until_it_is_tried(odoo: Odoo, connection: Connection) -> None:
    count(connection)
    odoo.is_up = False
    for _ in range(circuit.OPENS_AFTER):
        with pytest.raises(UnreachableError):
            count(connection)
    now = clock.now()
    refresh_requests.add(connection_id=connection.pk, model="res.partner", odoo_ids=list(range(1, 5_001)), source="test", now=now)
    put(connection, 300, now)
    asked = odoo.asked
    for _ in range(3):
        assert not batch.process(clock=clock.now)
        assert dispatch.run_due(clock=clock.now) == 0
    assert odoo.asked == asked
    assert set(Delivery.objects.values_list("status", "attempts")) == {("pending", 0)}
    assert set(Command.objects.values_list("status", "attempts", "not_before")) == {(Status.QUEUED, 0, now)}

    rest_is_over(connection)
    batch.process(clock=clock.now)
    dispatch.run_due(clock=clock.now)
    # One probe, whoever makes it; then all rest again, and none of it counted as an attempt.
    assert odoo.asked == asked + 1
    assert set(Command.objects.values_list("attempts", flat=True)) == {0}


def put(connection: Connection, number: int, now: datetime) -> None:
    orders = [
        enqueue.Order(calls=[NOTE], connection=connection, model="res.partner", odoo_id=number, context={}, decision="")
        for number in range(1, number + 1)
    ]
    with transaction.atomic():
        enqueue.many(orders, by=system("tests"), now=now)


def test_commands_are_begun_no_faster_than_is_set_however_many_workers_there_are(
    connection: Connection, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.ODOO_COMMANDS_PER_SECOND = 4
    seconds: list[float] = [1_000.0]
    monkeypatch.setattr(circuit.time, "time", lambda: seconds[0])
    monkeypatch.setattr(circuit.time, "sleep", lambda wait: seconds.append(seconds.pop() + wait))
    begun = []
    for _ in range(17):
        circuit.keep_pace(connection)
        begun.append(seconds[0])
    assert [begun.count(second) for second in sorted(set(begun))] == [4, 4, 4, 4, 1]

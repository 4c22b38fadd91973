"""The intake process, over HTTP, with a real database behind it, in front of it, and gone."""

import http.client
import json
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

import pytest
from django.db import connection as database
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg.conninfo import conninfo_to_dict

from apps.intake.http_limits import LARGEST_HEAD
from apps.intake.message import Refused, read_hint
from apps.intake.models import Delivery, Tally, Wait
from apps.odoo.models import Connection
from controltower.process import free_port
from tests.intake.conftest import Intake, connect, hint, wait_until

Run = Callable[..., Intake]


def test_a_delivery_is_durable_when_it_is_accepted(intake: Intake, connection: Connection) -> None:
    answer = intake.post(hint(42))

    assert answer.status == 202
    row = Delivery.objects.get()
    assert (row.connection, row.source, row.model, row.odoo_id, row.status) == (
        connection,
        "odoo",
        "sale.order",
        42,
        "pending",
    )
    assert json.loads(row.body) == hint(42)


def test_the_same_message_is_stored_once_however_often_it_comes(intake: Intake, connection: Connection) -> None:
    with ThreadPoolExecutor(8) as senders:
        answers = list(senders.map(intake.post, [hint(42)] * 24))

    assert {answer.status for answer in answers} == {202}
    assert Delivery.objects.count() == 1


def test_what_came_and_what_came_again_is_counted(intake: Intake, connection: Connection) -> None:
    for _ in range(3):
        intake.post(hint(42))
    intake.post(hint(43))

    def counted() -> dict[str, int]:
        return {row.what: row.count for row in Tally.objects.filter(connection=connection, source="odoo")}

    # Written down every few seconds, by the process that took them in.
    wait_until(lambda: sum(counted().values()) >= 6)
    assert counted() == {"received": 4, "duplicate": 2}


def test_a_later_change_of_the_same_record_is_another_delivery(intake: Intake, connection: Connection) -> None:
    intake.post(hint(42))
    intake.post(hint(42, write_date="2026-11-23 10:00:00.123457"))

    assert Delivery.objects.count() == 2


def test_a_wrong_secret_finds_nothing(intake: Intake, connection: Connection) -> None:

    assert intake.post(hint(42), secret="not-the-secret").status == 404
    assert intake.post(hint(42), secret="x").status == 404
    assert intake.post(hint(42), secret=intake.secret + "%00").status == 404
    assert intake.ask("POST", "/hooks/events/carrier/", b"{}").status == 404
    assert not Delivery.objects.exists()


def test_both_secrets_are_known_while_rotating_and_a_new_connection_within_moments(intake: Intake, connection: Connection) -> None:
    Connection.objects.update(hook_secret="the-new-secret", previous_hook_secret=intake.secret)
    connect("second", hook_secret="the-second-connections")

    wait_until(lambda: intake.post(hint(1), secret="the-new-secret").status == 202, seconds=5)
    assert intake.post(hint(2)).status == 202
    wait_until(lambda: intake.post(hint(3), secret="the-second-connections").status == 202, seconds=5)
    assert sorted(Delivery.objects.values_list("connection__name", "odoo_id")) == [
        ("main", 1),
        ("main", 2),
        ("second", 3),
    ]


def test_a_withdrawn_secret_is_refused_within_moments(intake: Intake, connection: Connection) -> None:
    assert intake.post(hint(1)).status == 202
    Connection.objects.update(hook_secret="the-new-secret", previous_hook_secret="")

    wait_until(lambda: intake.post(hint(2)).status == 404, seconds=10)


def test_deliveries_are_posted_and_nothing_else(intake: Intake, connection: Connection) -> None:
    assert intake.ask("GET", f"/hooks/odoo/{intake.secret}/").status == 405


BAD = {
    "nothing": b"",
    "no JSON": b"hello",
    "a list": b"[1, 2]",
    "no model": json.dumps({"_id": 1}).encode(),
    "no id": json.dumps({"_model": "sale.order"}).encode(),
    "a model that is none": json.dumps(hint(1, model="Sale Order; --")).encode(),
    "a model with a line end": json.dumps(hint(1, model="sale.order\n")).encode(),
    "an id in words": json.dumps(hint(1) | {"_id": "1"}).encode(),
    "an id that is true": json.dumps(hint(1) | {"_id": True}).encode(),
    "an id that is 0": json.dumps(hint(0)).encode(),
    "an id beyond PostgreSQL's": json.dumps(hint(2**63)).encode(),
    "a number of 5,000 digits": b'{"_model": "sale.order", "_id": ' + b"9" * 5_000 + b"}",
    "NaN": b'{"_model": "sale.order", "_id": 1, "amount": NaN}',
    "a number without end": b'{"_model": "sale.order", "_id": 1, "amount": 1e999}',
    "a NUL": json.dumps(hint(1)).encode()[:-1] + b"\x00}",
    "an escaped NUL": b'{"_model": "sale.order", "_id": 1, "name": "a\\u0000b"}',
    "half a surrogate pair": b'{"_model": "sale.order", "_id": 1, "name": "\\ud800"}',
    "no UTF-8": b'{"_model": "sale.order", "_id": 1, "name": "\xff\xfe"}',
    "UTF-16": json.dumps(hint(1)).encode("utf-16"),
    "100,000 brackets": b"[" * 100_000,
    "100,000 nested objects": b'{"a":' * 100_000,
}


def test_bad_bodies_are_refused_with_a_sentence(intake: Intake, connection: Connection) -> None:
    for name, body in BAD.items():
        answer = intake.post(body)
        assert (name, answer.status) == (name, 400)
        assert answer.detail.endswith(".")

    assert not Delivery.objects.exists()
    assert intake.post(hint(1, name="a\\u0000 that is only written so")).status == 202


def test_a_body_of_10_mb_is_refused_unread(intake: Intake, connection: Connection) -> None:
    said = http.client.HTTPConnection("127.0.0.1", intake.port, timeout=10)
    said.putrequest("POST", f"/hooks/odoo/{intake.secret}/")
    said.putheader("Content-Length", str(10 * 1024 * 1024))
    said.endheaders()  # And nothing of the body.

    assert said.getresponse().status == 413


def test_a_body_that_does_not_say_how_long_it_is_is_cut_off(intake: Intake, connection: Connection) -> None:
    sent = 0

    def pieces() -> Iterator[bytes]:
        nonlocal sent
        for _ in range(1_000):
            sent += 65_536
            yield b" " * 65_536

    try:
        status = intake.ask("POST", f"/hooks/odoo/{intake.secret}/", pieces(), {"Transfer-Encoding": "chunked"}).status
    except OSError:
        status = 413  # It was cut off while it was still sending, before it read the answer.

    assert status == 413
    assert sent < 20 * 1024 * 1024
    assert intake.post(hint(1)).status == 202


def test_an_unknown_model_is_kept_for_the_worker_to_judge(intake: Intake, connection: Connection) -> None:
    assert intake.post(hint(1, model="no.such.model")).status == 202


@given(st.binary(max_size=300) | st.text(max_size=300).map(lambda text: text.encode("utf-8", "surrogatepass")))
@settings(max_examples=200, deadline=None)
def test_no_bytes_are_more_than_refused(body: bytes) -> None:
    try:
        read_hint(body)
    except Refused as refused:
        assert refused.status == 400


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


@given(st.fixed_dictionaries({}, optional={"_model": VALUES | st.just("sale.order"), "_id": VALUES | st.just(1), "x": VALUES}))
@settings(max_examples=200, deadline=None)
def test_what_is_accepted_can_be_stored(message: dict[str, object]) -> None:
    try:
        model, odoo_id = read_hint(json.dumps(message).encode())
    except Refused:
        return
    assert "\x00" not in model
    assert 0 < odoo_id < 2**63


def test_without_a_database_the_answer_is_no_and_at_once(run: Run) -> None:
    intake = run(DATABASE_URL=f"postgresql://nobody@127.0.0.1:{free_port()}/nothing")
    answers = [intake.post(hint(number)) for number in range(1, 21)]

    assert {answer.status for answer in answers} == {503}
    # The slowest of them is the one that tried to connect.
    assert sorted(answer.seconds for answer in answers)[-2] < 0.2
    assert max(answer.seconds for answer in answers) < 2.0


def test_sessions_that_are_ended_cost_no_delivery(intake: Intake, connection: Connection) -> None:
    assert intake.post(hint(1)).status == 202
    for number in range(2, 22):
        with database.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'intake'")
        assert intake.post(hint(number)).status == 202
    assert Delivery.objects.filter(connection=connection).count() == 21


def test_a_database_that_hangs_holds_one_sender_up_and_not_the_next(intake: Intake, connection: Connection) -> None:
    assert intake.post(hint(1)).status == 202
    with ThreadPoolExecutor(2) as senders, transaction.atomic():
        with database.cursor() as cursor:
            cursor.execute("LOCK TABLE intake_delivery IN ACCESS EXCLUSIVE MODE")
        # One for each writer: these meet the lock.
        first = list(senders.map(intake.post, [hint(2), hint(3)]))
        then = [intake.post(hint(number)) for number in range(4, 14)]

    assert {answer.status for answer in first + then} == {503}
    assert all(answer.seconds < 2.0 for answer in first)
    assert sorted(answer.seconds for answer in then)[5] < 0.1
    wait_until(lambda: intake.post(hint(99)).status == 202, seconds=10)


class Wire:
    """A TCP line to PostgreSQL that can fall silent: connections stay open, and nothing comes through."""

    def __init__(self, host: str, port: str) -> None:
        self.host, self.server_port, self.flows = host, port, threading.Event()
        self.flows.set()
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port = self.listening.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self.listening.accept()
            except OSError:
                return
            far = self._connect()
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=self._pass, args=(source, sink), daemon=True).start()

    def _connect(self) -> socket.socket:
        if not self.host.startswith("/"):
            return socket.create_connection((self.host, int(self.server_port)))
        line = socket.socket(socket.AF_UNIX)
        line.connect(f"{self.host}/.s.PGSQL.{self.server_port}")
        return line

    def _pass(self, source: socket.socket, sink: socket.socket) -> None:
        try:
            while piece := source.recv(65_536):
                self.flows.wait()
                sink.sendall(piece)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            source.close()


@pytest.fixture
def wire(process_environment: dict[str, str]) -> Iterator[tuple[Wire, str]]:
    address = conninfo_to_dict(process_environment["DATABASE_URL"])
    wire = Wire(str(address["host"]), str(address.get("port", 5432)))
    who = f"{address['user']}:{quote(str(address['password']))}"
    yield wire, f"postgresql://{who}@127.0.0.1:{wire.port}/{address['dbname']}"
    wire.flows.set()
    wire.listening.close()


def test_a_database_that_falls_silent_is_noticed_and_come_back_to(run: Run, connection: Connection, wire: tuple[Wire, str]) -> None:
    line, address = wire
    intake = run(DATABASE_URL=address)
    assert intake.post(hint(1)).status == 202

    line.flows.clear()
    silent = [intake.post(hint(number)) for number in range(2, 12)]
    line.flows.set()

    assert {answer.status for answer in silent} == {503}
    assert sorted(answer.seconds for answer in silent)[6] < 0.1
    assert all(answer.seconds < 2.0 for answer in silent)
    wait_until(lambda: intake.post(hint(99)).status == 202, seconds=15)


def test_a_message_of_a_connection_deleted_a_moment_ago_takes_no_other_with_it(intake: Intake, connection: Connection) -> None:
    gone = connect("gone", hook_secret="a-connection-that-goes")
    wait_until(lambda: intake.post(hint(1), secret="a-connection-that-goes").status == 202)
    Delivery.objects.all().delete()
    gone.delete()
    with ThreadPoolExecutor(16) as senders:
        lost = [senders.submit(intake.post, hint(number), secret="a-connection-that-goes") for number in range(1, 21)]
        kept = [senders.submit(intake.post, hint(number)) for number in range(1, 21)]

    assert {answer.result().status for answer in lost} <= {404, 503}
    assert {answer.result().status for answer in kept} == {202}


def test_whatever_was_accepted_is_stored_exactly_once_though_the_process_is_killed(run: Run, connection: Connection) -> None:
    intake, accepted, stop = run(), set(), threading.Event()
    numbers = iter(range(1, 1_000_000))
    taking = threading.Lock()

    def send() -> None:
        while not stop.is_set():
            with taking:
                number = next(numbers)
            while not stop.is_set():
                try:
                    if intake.post(hint(number)).status == 202:
                        accepted.add(number)
                        break
                except (OSError, http.client.HTTPException):
                    stop.wait(0.02)

    senders = [threading.Thread(target=send) for _ in range(8)]
    for sender in senders:
        sender.start()
    for _ in range(3):
        before = len(accepted)
        wait_until(lambda before=before: len(accepted) > before + 100)
        intake.kill()
        intake.start()
    stop.set()
    for sender in senders:
        sender.join()

    stored = list(Delivery.objects.values_list("odoo_id", flat=True))
    assert len(stored) == len(set(stored))
    assert accepted <= set(stored)


def test_how_long_senders_waited_is_written_down_with_those_who_were_turned_away(run: Run, connection: Connection) -> None:
    intake = run()
    wait_until(lambda: intake.post(hint(42)).status == 202)
    with transaction.atomic(), database.cursor() as cursor:
        cursor.execute("LOCK TABLE intake_delivery IN EXCLUSIVE MODE")
        assert intake.post(hint(43)).status == 503

    def counted() -> Wait | None:
        waits = list(Wait.objects.filter(connection=connection))
        return waits[-1] if sum(one.answered for one in waits) >= 2 and sum(one.turned_away for one in waits) else None

    # Written down every few seconds, by the process that took them in.
    wait_until(counted)
    found = counted()
    assert found is not None and 0.5 < found.longest < 5.0
    assert sum(one.slow for one in Wait.objects.all()) == 1


def test_who_guesses_is_turned_away_and_holds_up_nobody_who_knows(run: Run, connection: Connection) -> None:
    intake = run()
    wait_until(lambda: intake.post(hint(1)).status == 202)
    guesses = [intake.post(hint(2), secret=f"a-guess-number-{number}").status for number in range(60)]
    assert set(guesses) == {404, 429}
    assert guesses[-20:] == [429] * 20
    # The same address, the right secret.
    assert intake.post(hint(3)).status == 202


def test_a_head_without_end_or_that_never_comes_ends_the_line_and_others_are_answered(
    intake: Intake, connection: Connection
) -> None:
    silent = [socket.create_connection(("127.0.0.1", intake.port), timeout=30) for _ in range(300)]
    for number, line in enumerate(silent):
        if number % 2:
            line.sendall(b"POST /hooks/odoo/ HTTP/1.1\r\nHost: x\r\nX-Slow: ")
    answered = [intake.post(hint(number)).status for number in range(1, 21)]
    assert answered == [202] * 20
    for line in silent:
        # It is told that it was too slow, and the line ends.
        said = b""
        while part := line.recv(4096):
            said += part
        assert said.startswith(b"HTTP/1.1 408 ")
        line.close()

    begun = b"POST /hooks/odoo/ HTTP/1.1\r\nX-Long: "
    with socket.create_connection(("127.0.0.1", intake.port), timeout=30) as long:
        # Its last byte is the one too many, so that nothing is left unread and the answer arrives.
        long.sendall(begun + b"a" * (LARGEST_HEAD + 1 - len(begun)))
        assert long.recv(4096).startswith(b"HTTP/1.1 431 ")
        assert long.recv(4096) == b""
    with socket.create_connection(("127.0.0.1", intake.port), timeout=30) as endless, pytest.raises(ConnectionError):
        for _ in range(1_000):
            endless.sendall(begun + b"a" * 65_536)
    assert intake.post(hint(99)).status == 202

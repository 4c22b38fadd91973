"""What the client makes of answers that no Odoo should give."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from apps.odoo import wire
from apps.odoo.client import connect
from apps.odoo.errors import (
    BadAnswerError,
    ForbiddenError,
    LockedError,
    MissingRecordError,
    OdooError,
    RefusedError,
    ServerFaultError,
    UnauthorisedError,
    UnknownOutcomeError,
    UnreachableError,
    UnsupportedError,
)

READ = "/json/2/sale.order/search_count"
WRITE = "/json/2/sale.order/action_confirm"


@contextmanager
def raw_server(answers: list[bytes | None]) -> Iterator[tuple[str, list[bytes]]]:
    """A socket that gives each caller the next of ``answers`` and hangs up; None hangs up without a word."""
    listener = socket.create_server(("127.0.0.1", 0))
    seen: list[bytes] = []

    def serve() -> None:
        for answer in answers:
            try:
                caller, _ = listener.accept()
            except OSError:
                return
            with caller:
                seen.append(caller.recv(65536))
                if answer:
                    with suppress(OSError):
                        caller.sendall(answer)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", seen
    finally:
        listener.close()


def http(body: bytes, *, length: int | None = None, kind: str = "application/json") -> bytes:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {len(body) if length is None else length}\r\n"
    return head.encode() + b"Connection: close\r\n\r\n" + body


HELLO = [
    http(json.dumps({"jsonrpc": "2.0", "result": {"server_version": "19.0"}}).encode()),
    http(b'{"uid": 2}'),
]


@pytest.mark.parametrize("body", ["", "not json", "<html>please sign in</html>", "[1, 2", '"\\ud800', "[" * 200_000])
def test_a_read_that_is_answered_with_garbage_is_a_bad_answer(at, speaking: HTTPServer, body: str) -> None:
    speaking.expect_request(READ).respond_with_data(body)
    with pytest.raises(BadAnswerError, match="'main'"):
        connect(at(speaking.url_for(""))).search_count("sale.order", [])


@pytest.mark.parametrize("body", ["null", "{}", '"three"', '[{"id": 1}]'])
def test_a_count_that_is_no_number_is_a_bad_answer(at, speaking: HTTPServer, body: str) -> None:
    speaking.expect_request(READ).respond_with_data(body)
    with pytest.raises(BadAnswerError):
        connect(at(speaking.url_for(""))).search_count("sale.order", [])


@pytest.mark.parametrize("body", ["null", "{}", "7", '["a"]'])
def test_rows_that_are_no_rows_are_a_bad_answer(at, speaking: HTTPServer, body: str) -> None:
    speaking.expect_request("/json/2/sale.order/search_read").respond_with_data(body)
    with pytest.raises(BadAnswerError):
        connect(at(speaking.url_for(""))).search_read("sale.order", [], ["name"])


@pytest.mark.parametrize("body", ["", "no", "[]", "7", '{"jsonrpc": "2.0"}', '{"error": {}}', '{"error": "no"}', "{}"])
def test_a_json_rpc_server_that_talks_nonsense_is_refused_by_name(at, httpserver: HTTPServer, body: str) -> None:
    httpserver.expect_request("/jsonrpc").respond_with_data(body)
    with pytest.raises(BadAnswerError):
        connect(at(httpserver.url_for(""), transport="jsonrpc"))


def test_a_write_that_is_answered_with_garbage_has_an_unknown_outcome(at, speaking: HTTPServer) -> None:
    speaking.expect_request(WRITE).respond_with_data("<html>oops</html>")
    with pytest.raises(UnknownOutcomeError):
        connect(at(speaking.url_for(""))).call("sale.order", "action_confirm", [1])


def test_a_redirect_is_not_followed(at, speaking: HTTPServer) -> None:
    speaking.expect_request(READ).respond_with_response(Response(status=302, headers={"Location": "http://169.254.1.1/"}))
    with pytest.raises(BadAnswerError, match="follows no redirects"):
        connect(at(speaking.url_for(""))).search_count("sale.order", [])


def test_an_answer_without_end_is_cut_off(at, speaking: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "ANSWER_LIMIT_BYTES", 100_000)

    def endless() -> Iterator[bytes]:
        while True:
            yield b" " * 10_000

    speaking.expect_request(READ).respond_with_handler(lambda _: Response(endless(), content_type="application/json"))
    with pytest.raises(BadAnswerError, match="without end"):
        connect(at(speaking.url_for(""))).search_count("sale.order", [])


@contextmanager
def held(speaking: HTTPServer, path: str) -> Iterator[None]:
    """While inside, requests to ``path`` get no answer."""
    release = threading.Event()

    def wait(_: Request) -> Response:
        release.wait(20)
        return Response("1")

    speaking.expect_request(path).respond_with_handler(wait)
    try:
        yield
    finally:
        release.set()


def test_a_slow_read_is_unreachable(at, speaking: HTTPServer) -> None:
    client = connect(at(speaking.url_for("")), timeout_seconds=0.4)
    with held(speaking, READ), pytest.raises(UnreachableError, match=r"did not answer within 0\.4 s"):
        client.search_count("sale.order", [])


def test_a_slow_write_has_an_unknown_outcome(at, speaking: HTTPServer) -> None:
    client = connect(at(speaking.url_for("")), timeout_seconds=0.4)
    with held(speaking, WRITE), pytest.raises(UnknownOutcomeError):
        client.call("sale.order", "action_confirm", [1])


def test_a_read_is_sent_again_when_the_line_drops_and_only_once(at) -> None:
    with raw_server([*HELLO, None, http(b"7")]) as (url, seen):
        assert connect(at(url)).search_count("sale.order", []) == 7
        assert len(seen) == 4
    with raw_server([*HELLO, None, None, http(b"7")]) as (url, seen):
        with pytest.raises(UnreachableError):
            connect(at(url)).search_count("sale.order", [])
        assert len(seen) == 4


def test_a_write_is_never_sent_again_when_the_line_drops(at) -> None:
    with raw_server([*HELLO, None, http(b"true")]) as (url, seen):
        with pytest.raises(UnknownOutcomeError):
            connect(at(url)).call("sale.order", "action_confirm", [1])
        assert len(seen) == 3


def test_half_an_answer_is_no_answer(at) -> None:
    half = http(b'[{"id": 1', length=500)
    with raw_server([*HELLO, half, half]) as (url, _), pytest.raises(UnreachableError, match="broke off"):
        connect(at(url)).search_read("sale.order", [], ["name"])
    with raw_server([*HELLO, half]) as (url, _), pytest.raises(UnknownOutcomeError):
        connect(at(url)).call("sale.order", "action_confirm", [1])


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_gateways_error_page_means_unreachable_for_a_read_and_unknown_for_a_write(at, speaking: HTTPServer, status: int) -> None:
    speaking.expect_request(READ).respond_with_data("<html>bad gateway</html>", status=status)
    speaking.expect_request(WRITE).respond_with_data("<html>bad gateway</html>", status=status)
    client = connect(at(speaking.url_for("")))
    with pytest.raises(UnreachableError, match=str(status)):
        client.search_count("sale.order", [])
    with pytest.raises(UnknownOutcomeError, match=str(status)):
        client.call("sale.order", "action_confirm", [1])


def test_nobody_at_the_address_is_unreachable_even_for_a_write(at) -> None:
    with raw_server(HELLO) as (url, _):
        client = connect(at(url))
    with pytest.raises(UnreachableError, match="no connection"):
        client.call("sale.order", "action_confirm", [1])


@pytest.mark.parametrize(
    ("status", "name", "message", "expected"),
    [
        (401, "werkzeug.exceptions.Unauthorized", "Invalid apikey", UnauthorisedError),
        (403, "odoo.exceptions.AccessDenied", "Access Denied", UnauthorisedError),
        (403, "odoo.exceptions.AccessError", "Not you", ForbiddenError),
        (404, "odoo.exceptions.MissingError", "Record does not exist", MissingRecordError),
        (422, "odoo.exceptions.UserError", "Over the limit", RefusedError),
        (422, "odoo.exceptions.ValidationError", "No name", RefusedError),
        (500, "odoo.exceptions.RedirectWarning", "Go there", RefusedError),
        (409, "odoo.exceptions.LockError", "Held", LockedError),
        (500, "psycopg2.errors.SerializationFailure", "could not serialize access", LockedError),
        (500, "psycopg2.errors.LockNotAvailable", "could not obtain lock", LockedError),
        (404, "werkzeug.exceptions.NotFound", "the model 'x' does not exist", UnsupportedError),
        (500, "builtins.ValueError", "Invalid field sale.order.x", UnsupportedError),
        (500, "builtins.ZeroDivisionError", "division by zero", ServerFaultError),
    ],
)
@pytest.mark.parametrize("transport", ["json2", "jsonrpc"])
def test_each_error_of_odoos_has_its_own_name_over_both_transports(
    at, httpserver: HTTPServer, transport: str, status: int, name: str, message: str, expected: type[OdooError]
) -> None:
    def jsonrpc(request: Request) -> Response:
        asked = request.get_json()["params"]
        if asked["method"] == "execute_kw":
            said = {"error": {"code": 0, "message": "Odoo Server Error", "data": {"name": name, "message": message}}}
        else:
            said = {"result": {"server_version": "19.0"} if asked["method"] == "version" else 2}
        return Response(json.dumps({"jsonrpc": "2.0", "id": 1, **said}))

    httpserver.expect_request("/jsonrpc").respond_with_handler(jsonrpc)
    httpserver.expect_request("/json/2/res.users/context_get").respond_with_json({"uid": 2})
    httpserver.expect_request(WRITE).respond_with_json({"name": name, "message": message}, status=status)
    with pytest.raises(expected, match="'main'"):
        connect(at(httpserver.url_for(""), transport=transport)).call("sale.order", "action_confirm", [1])


def test_odoos_own_words_are_bounded(at, speaking: HTTPServer) -> None:
    speaking.expect_request(WRITE).respond_with_json({"name": "odoo.exceptions.UserError", "message": "x" * 5_000_000}, status=422)
    with pytest.raises(RefusedError) as refused:
        connect(at(speaking.url_for(""))).call("sale.order", "action_confirm", [1])
    assert len(refused.value.message) == 2_000
    assert len(str(refused.value)) < 2_300


def test_a_session_that_is_no_longer_accepted_is_dropped(at, speaking: HTTPServer) -> None:
    speaking.expect_oneshot_request(READ).respond_with_json(
        {"name": "werkzeug.exceptions.Unauthorized", "message": "Invalid apikey"}, status=401
    )
    connection = at(speaking.url_for(""))
    with pytest.raises(UnauthorisedError):
        connect(connection).search_count("sale.order", [])
    speaking.expect_request(READ).respond_with_data("5")
    assert connect(connection).search_count("sale.order", []) == 5
    assert sum(request.path.endswith("context_get") for request, _ in speaking.log) == 2


def test_signing_in_happens_once_for_one_set_of_credentials(at, speaking: HTTPServer) -> None:
    speaking.expect_request(READ).respond_with_data("5")
    for key in ("k", "k", "another"):
        connect(at(speaking.url_for(""), api_key=key)).search_count("sale.order", [])
    assert sum(request.path.endswith("context_get") for request, _ in speaking.log) == 2


def test_a_password_on_19_goes_over_json_rpc(at, httpserver: HTTPServer) -> None:
    def jsonrpc(request: Request) -> Response:
        result = {"server_version": "19.0"} if request.get_json()["params"]["method"] == "version" else 2
        return Response(json.dumps({"jsonrpc": "2.0", "id": 1, "result": result}))

    httpserver.expect_request("/jsonrpc").respond_with_handler(jsonrpc)
    httpserver.expect_request("/json/2/res.users/context_get").respond_with_json(
        {"name": "werkzeug.exceptions.Unauthorized", "message": "Invalid apikey"}, status=401
    )
    assert connect(at(httpserver.url_for(""))).transport_name == "jsonrpc"

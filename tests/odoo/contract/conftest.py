"""One suite, two servers: the sandbox company, and the real Odoo where ODOO_URL names one."""

import json
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]
Row = dict[str, Any]


class OdooFault(Exception):
    """What the server said went wrong: ``name`` is the class's name in Odoo, ``code`` the JSON-RPC error's."""

    def __init__(self, error: Row) -> None:
        super().__init__(error["data"]["message"])
        self.name, self.code, self.data = error["data"]["name"], error["code"], error["data"]


class Wire:
    """Raw calls to one server, and what is to be deleted in it afterwards."""

    def __init__(self, url: str, database: str, login: str, password: str, *, key: str = "") -> None:
        self.url, self.database, self.login, self.password, self.key = url, database, login, password, key
        self.uid: int = 0
        self.made: list[tuple[str, list[int]]] = []

    def http(self, path: str, body: Any = None, headers: Row | None = None) -> tuple[int, Any, bytes]:
        """Status, headers and body of a request; a POST where there is a body."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, {"Content-Type": "application/json", **(headers or {})})
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.headers, error.read()

    def rpc(self, path: str, params: Row, headers: Row | None = None) -> Any:
        """The result of a JSON-RPC request. Raises OdooFault."""
        _, _, body = self.http(path, {"jsonrpc": "2.0", "method": "call", "id": 1, "params": params}, headers)
        answer = json.loads(body)
        if "error" in answer:
            raise OdooFault(answer["error"])
        return answer.get("result")

    def service(self, service: str, method: str, *args: Any) -> Any:
        """A method of ``/jsonrpc``'s services."""
        return self.rpc("/jsonrpc", {"service": service, "method": method, "args": list(args)})

    def call(self, model: str, method: str, *args: Any, **named: Any) -> Any:
        """``execute_kw`` as the signed-in person."""
        return self.service("object", "execute_kw", self.database, self.uid, self.password, model, method, list(args), named)

    def create(self, model: str, values: Row) -> int:
        """One record, deleted when the test ends."""
        made = self.call(model, "create", [values])
        self.made.append((model, made))
        return int(made[0])

    def row(self, model: str, odoo_id: int, *fields: str) -> Row:
        """One record's fields, many2one as ids."""
        found: list[Row] = self.call(model, "read", [odoo_id], fields=list(fields), load="")
        return found[0]

    def model_id(self, model: str) -> int:
        """The id of a model's own row."""
        return int(self.call("ir.model", "search", [["model", "=", model]])[0])

    def field_ids(self, model: str, *names: str) -> list[int]:
        """The ids of fields."""
        found: list[int] = self.call("ir.model.fields", "search", [["model", "=", model], ["name", "in", list(names)]])
        return found

    def clean(self) -> None:
        """Delete what was made, newest first."""
        for model, ids in reversed(self.made):
            if there := self.call(model, "search", [["id", "in", ids]], context={"active_test": False}):
                self.call(model, "unlink", there)
        self.made.clear()


@pytest.fixture(scope="session")
def sandbox_wire(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wire]:
    """A sandbox company in its own process, with nobody at work."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    directory = str(tmp_path_factory.mktemp("company"))
    command = [sys.executable, "manage.py", "sandbox", "--port", str(port), "--data-dir", directory, "--no-business"]
    process = subprocess.Popen([*command, "--orders", "40"], cwd=ROOT, stdout=subprocess.DEVNULL)
    wire = Wire(f"http://127.0.0.1:{port}", "sandbox", "admin", "admin", key="sandbox-key")
    until = time.monotonic() + 40
    while True:
        try:
            wire.http("/web/health")
            break
        except OSError:
            assert process.poll() is None, "the sandbox ended before it answered"
            assert time.monotonic() < until, "the sandbox did not answer within 40 s"
            time.sleep(0.1)
    yield wire
    process.terminate()
    process.wait(timeout=20)


@pytest.fixture(params=["sandbox", pytest.param("real", marks=pytest.mark.odoo)])
def wire(request: pytest.FixtureRequest) -> Iterator[Wire]:
    """A server, signed in as an administrator; what tests make in it is deleted."""
    if request.param == "sandbox":
        made = request.getfixturevalue("sandbox_wire")
    else:
        environ = os.environ
        made = Wire(
            environ["ODOO_URL"].rstrip("/"), environ.get("ODOO_DB", "ct"), environ.get("ODOO_LOGIN", "admin"),
            environ.get("ODOO_PASSWORD", "admin"), key=environ.get("ODOO_KEY", ""),
        )  # fmt: skip
    made.uid = made.service("common", "login", made.database, made.login, made.password)
    assert made.uid, f"{made.url} refuses {made.login}"
    yield made
    made.clean()


@pytest.fixture
def told() -> Iterator[Any]:
    """Takes webhooks: ``.url``, and ``.posts`` as (headers, body)."""

    class Listener(BaseHTTPRequestHandler):
        posts: list[tuple[Row, Row]] = []

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            type(self).posts.append(({name.lower(): value for name, value in self.headers.items()}, json.loads(body)))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    Listener.posts = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Listener)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    Listener.url = f"http://127.0.0.1:{server.server_port}/hook"  # type: ignore[attr-defined]
    yield Listener
    server.shutdown()
    server.server_close()

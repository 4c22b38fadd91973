"""One suite, two servers: the sandbox company, and the real Odoo where ODOO_URL names one."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from controltower import embedded
from tests.odoo.contract.raw import Wire

ROOT = Path(__file__).resolve().parents[3]
Row = dict[str, Any]


@pytest.fixture(scope="session")
def sandbox_wire(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wire]:
    """A sandbox company in its own process, with nobody at work."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    directory = str(tmp_path_factory.mktemp("company"))
    command = [sys.executable, "manage.py", "sandbox", "--port", str(port), "--data-dir", directory, "--no-business"]
    process = subprocess.Popen(
        [*command, "--orders", "40"], cwd=ROOT, stdout=subprocess.DEVNULL, preexec_fn=embedded.die_with_parent(signal.SIGKILL)
    )
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


@pytest.fixture(scope="module", params=["sandbox", pytest.param("real", marks=pytest.mark.odoo)])
def wire(request: pytest.FixtureRequest) -> Iterator[Wire]:
    """A server, signed in as an administrator; what tests make in it is deleted."""
    if request.param == "sandbox":
        made = request.getfixturevalue("sandbox_wire")
    else:
        environ = os.environ
        made = Wire(
            environ["ODOO_URL"].rstrip("/"),
            environ.get("ODOO_DB", "ct"),
            environ.get("ODOO_LOGIN", "admin"),
            environ.get("ODOO_PASSWORD", "admin"),
            key=environ.get("ODOO_KEY", ""),
        )
    made.uid = made.service("common", "login", made.database, made.login, made.password)
    assert made.uid, f"{made.url} refuses {made.login}"
    yield made
    made.clean()


@pytest.fixture
def told() -> Iterator[Any]:
    """Takes webhooks: ``.url``, and ``.posts`` as (headers, body).

    ``.status`` is what it answers; while ``.speaks`` is cleared it keeps silent, and ``.answered`` counts its answers.
    """

    class Listener(BaseHTTPRequestHandler):
        posts: list[tuple[Row, Row]] = []
        status = 200
        speaks = threading.Event()
        answered = 0

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            type(self).posts.append(({name.lower(): value for name, value in self.headers.items()}, json.loads(body)))
            type(self).speaks.wait(30)
            type(self).answered += 1
            with suppress(OSError):  # Nobody may be listening any more.
                self.send_response(type(self).status)
                self.send_header("Content-Length", "0")
                self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    Listener.posts = []
    Listener.speaks.set()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Listener)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    Listener.url = f"http://127.0.0.1:{server.server_port}/hook"  # type: ignore[attr-defined]
    yield Listener
    Listener.speaks.set()
    server.shutdown()
    server.server_close()

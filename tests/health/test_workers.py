"""Workers say that they live, from the process that is never busy."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from apps.core import clock
from apps.health import workers
from controltower import embedded
from controltower.env import BASE_DIR
from controltower.supervisor import celery


def wait_until(is_so: Callable[[], object], *, seconds: float = 40.0) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, f"not so within {seconds} s"
        time.sleep(0.1)


def test_a_worker_says_what_it_serves_and_that_it_stops() -> None:
    command = celery("worker", "-n", "tried@%h", "-Q", "decide,refresh", "--concurrency", "1", "--without-mingle")
    process = subprocess.Popen(
        command,
        cwd=BASE_DIR,
        env=os.environ,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=embedded.die_with_parent(signal.SIGKILL),
    )
    try:
        wait_until(lambda: workers.alive(now=clock.now()))
        (worker,) = workers.alive(now=clock.now())
        assert worker.name.startswith("tried@")
        assert worker.queues == ("decide", "refresh")

        heard_at = worker.heard_at
        wait_until(lambda: workers.alive(now=clock.now())[0].heard_at > heard_at)

        process.terminate()
        wait_until(lambda: workers.alive(now=clock.now()) == [])
    finally:
        process.kill()
        process.wait()


def test_a_worker_that_falls_silent_no_longer_counts(now: datetime) -> None:
    workers.say("one@here", ["decide"], now=now)

    assert [worker.name for worker in workers.alive(now=now + workers.LATE)] == ["one@here"]
    assert workers.alive(now=now + workers.LATE + timedelta(seconds=1)) == []


def test_a_queue_that_nobody_serves_is_named(now: datetime) -> None:
    workers.say("one@here", ["decide", "refresh"], now=now)
    workers.say("two@here", ["notify", "decide", "tick"], now=now)

    assert workers.unserved(workers.alive(now=now)) == ["sync"]

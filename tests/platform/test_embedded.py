"""The embedded servers: shared by those who use them, gone with the last of them, whatever kills whom."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
import redis

from controltower import embedded
from controltower.env import BASE_DIR
from tests.platform.conftest import processes_of, wait_until

USER = """
import sys, time
from pathlib import Path
from controltower import embedded
lease = embedded.use(Path(sys.argv[1]), fsync=False)
print(lease.services.database_url, lease.services.redis_url, flush=True)
time.sleep(600)
"""


def start_user(home: Path, environment: dict[str, str]) -> tuple[subprocess.Popen[str], str, str]:
    """A process that holds a lease until it is killed, and the addresses it was given."""
    user = subprocess.Popen([sys.executable, "-c", USER, home], env=environment, stdout=subprocess.PIPE, text=True)
    assert user.stdout is not None
    database_url, redis_url = user.stdout.readline().split()
    return user, database_url, redis_url


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_servers_end_when_their_only_user_is_killed(home: Path, tower_environment: dict[str, str], number: signal.Signals) -> None:
    user, database_url, redis_url = start_user(home, tower_environment)
    with psycopg.connect(database_url) as connection:
        assert connection.execute("select 1").fetchone() == (1,)
    assert redis.Redis.from_url(redis_url).ping()

    user.send_signal(number)
    user.wait()

    wait_until(lambda: not processes_of(home))
    assert embedded.running(home) is None


def test_servers_end_when_their_guard_is_killed(home: Path, tower_environment: dict[str, str]) -> None:
    user, _, _ = start_user(home, tower_environment)
    guard = next(pid for pid, command in processes_of(home).items() if "controltower.guard" in command)

    os.kill(guard, signal.SIGKILL)

    wait_until(lambda: set(processes_of(home)) == {user.pid})
    user.kill()
    user.wait()


def test_two_users_share_servers_which_end_with_the_second(home: Path, tower_environment: dict[str, str]) -> None:
    first, first_database, first_redis = start_user(home, tower_environment)
    second, second_database, second_redis = start_user(home, tower_environment)
    assert (first_database, first_redis) == (second_database, second_redis)

    first.kill()
    first.wait()
    with psycopg.connect(second_database) as connection:
        assert connection.execute("select 1").fetchone() == (1,)
    second.kill()
    second.wait()

    wait_until(lambda: not processes_of(home))


def test_data_survives_a_stop_and_a_crash(home: Path) -> None:
    with embedded.use(home) as lease, psycopg.connect(lease.services.database_url) as connection:
        connection.execute("create table kept as select 7 as number")

    with embedded.use(home) as lease:
        postmaster = int((home / "postgres" / "postmaster.pid").read_text().split()[0])
        os.kill(postmaster, signal.SIGKILL)
        # The guard starts it again, at the same address.
        wait_until(lambda: can_count(lease.services.database_url))


def can_count(database_url: str) -> bool:
    try:
        with psycopg.connect(database_url) as connection:
            return connection.execute("select number from kept").fetchone() == (7,)
    except psycopg.OperationalError:
        return False


def test_addresses_that_a_crash_left_behind_are_not_believed(home: Path) -> None:
    home.mkdir()
    (home / "services.json").write_text('{"database_url": "postgresql://gone/gone", "redis_url": "redis://gone"}')
    assert embedded.running(home) is None

    with embedded.use(home, fsync=False) as lease:
        assert "gone" not in lease.services.database_url
        assert embedded.running(home) == lease.services

    assert not (home / "services.json").exists()


def test_a_home_deeper_than_a_socket_path_can_be_serves(home: Path) -> None:
    deep = home / ("d" * 120) / ("e" * 120)
    with embedded.use(deep, fsync=False) as lease, psycopg.connect(lease.services.database_url) as connection:
        assert connection.execute("select 1").fetchone() == (1,)


def test_valkey_asks_for_its_password_and_never_evicts(home: Path) -> None:
    with embedded.use(home, fsync=False) as lease:
        valkey = redis.Redis.from_url(lease.services.redis_url)
        assert valkey.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
        port = valkey.connection_pool.connection_kwargs["port"]
        with socket.create_connection(("127.0.0.1", port)) as wire:
            wire.sendall(b"PING\r\n")
            assert wire.recv(64).startswith(b"-NOAUTH")
    assert (home / "postgres.secret").stat().st_mode & 0o077 == 0


def test_postgresql_writes_durably_unless_told_otherwise(home: Path) -> None:
    with embedded.use(home) as lease, psycopg.connect(lease.services.database_url) as connection:
        assert connection.execute("show fsync").fetchone() == ("on",)


def test_a_command_starts_the_servers_it_needs_and_stops_them(home: Path, tower_environment: dict[str, str]) -> None:
    code = "from django.db import connection as c; c.ensure_connection(); print('version', c.pg_version)"

    done = subprocess.run(
        [sys.executable, BASE_DIR / "manage.py", "shell", "-c", code],
        env=tower_environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert "version 18" in done.stdout, done.stderr
    assert not processes_of(home)


def test_a_running_tower_is_not_reset(home: Path, tower_environment: dict[str, str]) -> None:
    reset = [sys.executable, "-m", "controltower.reset"]
    with embedded.use(home, fsync=False):
        refused = subprocess.run(reset, env=tower_environment, capture_output=True, text=True, check=False)
    assert refused.returncode == 1
    assert "Stop it first" in refused.stderr

    done = subprocess.run(reset, env=tower_environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert not home.exists()


def test_a_directory_that_is_no_towers_home_is_not_removed(home: Path, tower_environment: dict[str, str]) -> None:
    (home / "letters").mkdir(parents=True)

    done = subprocess.run(
        [sys.executable, "-m", "controltower.reset"],
        env=tower_environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert (home / "letters").exists()

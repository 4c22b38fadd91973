"""A cluster of PostgreSQL with all tables of the tower, made once: servers that tests start begin with a copy of it.

To run all migrations takes longer than most test files, and each worker and each whole tower would. The cluster lies where
CONTROLTOWER_HOME points, so that the next run finds it, until a migration or something that one imports has changed. Towers
that begin with nothing at all are those of ``tests/platform``.
"""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from controltower import embedded

ROOT = Path(__file__).resolve().parent.parent
# Where the cluster is, for the workers of a run and the towers that they start; not set where the servers were named.
PLACE = "CONTROLTOWER_TESTS_MIGRATED"
# The embedded server's own database: test databases are copies of it.
DATABASE = "controltower"
KEPT = ("postgres", "postgres.secret")


def make(store: Path) -> None:
    """Have the cluster in ``store``, and name it in the environment."""
    place = store / f"migrated-{_digest()}"
    with _locked(store, fcntl.LOCK_EX):
        if not place.exists():
            for old in store.glob("migrated-*"):
                shutil.rmtree(old)
            _make(place)
    os.environ[PLACE] = str(place)


def copy_to(home: Path) -> None:
    """Give the embedded servers of ``home``, which have not been started yet, the tables; where there is a cluster."""
    if PLACE not in os.environ:
        return
    place = Path(os.environ[PLACE])
    home.mkdir(parents=True, exist_ok=True)
    with _locked(place.parent, fcntl.LOCK_SH):
        subprocess.run(["cp", "-a", *(place / name for name in KEPT), home], check=True)


def static_root(home: Path) -> Path:
    """Where a tower of ``home`` has its static files: one place for all that a worker starts, for compressing takes seconds."""
    if PLACE not in os.environ:
        return home / "static"
    return Path(os.environ[PLACE]).parent / f"static-{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"


def _make(place: Path) -> None:
    """Run all migrations in a cluster of its own; it has its name when it is whole."""
    fresh = place.with_suffix(".new")
    lease = embedded.use(fresh, fsync=False)
    try:
        named = {"DATABASE_URL": lease.services.database_url, "REDIS_URL": lease.services.redis_url}
        environment = os.environ | named | {"CONTROLTOWER_HOME": str(fresh)}
        subprocess.run([sys.executable, "manage.py", "migrate", "--verbosity=0"], cwd=ROOT, env=environment, check=True)
    finally:
        lease.release()
    fresh.rename(place)


def _digest() -> str:
    """What the tables come from: the migrations, the tower's modules that they import, and the packages."""
    migrations = sorted(ROOT.glob("apps/*/migrations/*.*"))
    text = "".join(path.read_text() for path in migrations if path.suffix == ".py")
    names = {name.replace(" import ", ".") for name in re.findall(r"\bapps(?:\.\w+)+(?: import \w+)?", text)}
    names |= {name.rpartition(".")[0] for name in names}
    imported = [path for name in sorted(names) if (path := ROOT / f"{name.replace('.', '/')}.py").exists()]
    digest = hashlib.sha256()
    for path in (*migrations, *imported, ROOT / "requirements.txt"):
        if path.is_file():
            digest.update(f"{path.relative_to(ROOT)}\n".encode() + path.read_bytes())
    return digest.hexdigest()[:16]


@contextmanager
def _locked(store: Path, how: int) -> Iterator[None]:
    store.mkdir(parents=True, exist_ok=True)
    with (store / "lock").open("w") as lock:
        fcntl.flock(lock, how)
        yield

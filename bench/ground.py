"""What measurements stand on: servers of their own, a migrated database, and the Odoo that they read."""

import atexit
import os
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from statistics import median


@cache
def tower() -> Path:
    """Start PostgreSQL and Valkey as ``make up`` does (with fsync), migrate, and set Django up; their directory.

    Once a process, and before anything of the tower is imported: its settings are read once. All of it goes when the
    process ends.
    """
    home = Path(tempfile.mkdtemp(prefix="controltower-bench-"))
    os.environ["CONTROLTOWER_HOME"] = str(home)
    from controltower import embedded

    lease = embedded.use(home, temporary=True)
    os.environ |= {"DATABASE_URL": lease.services.database_url, "REDIS_URL": lease.services.redis_url}
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "controltower.settings")
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)

    def stop() -> None:
        embedded.close_pools()
        lease.release()

    atexit.register(stop)
    return home


@cache
def odoo_address() -> dict[str, str]:
    """Where the Odoo is that is read: the one named by BENCH_URL, BENCH_DB, BENCH_LOGIN and BENCH_PASSWORD, or by ODOO_URL, ….

    Where none is named, a large one of the project's own is started. Raises CannotMeasureError where it cannot be.
    """
    if named := named_odoo():
        return named
    from bench import odoo

    return odoo.large()


def named_odoo() -> dict[str, str] | None:
    """The address of the Odoo that the environment names, as BENCH_URL, … or as ODOO_URL, …; None where it names none."""
    names = {"url": "URL", "database": "DB", "login": "LOGIN", "api_key": "PASSWORD"}
    prefix = next((prefix for prefix in ("BENCH", "ODOO") if os.environ.get(f"{prefix}_URL")), None)
    return {key: os.environ[f"{prefix}_{name}"] for key, name in names.items()} if prefix else None


def interleaved(contenders: dict[str, Callable[[], float]], *, rounds: int) -> dict[str, list[float]]:
    """Each contender's figures, all of them measured in turn in every round, so that noise falls on all alike.

    The order turns about from round to round: who comes first finds other caches than who comes last.
    """
    found: dict[str, list[float]] = {name: [] for name in contenders}
    for number in range(rounds):
        names = list(contenders) if number % 2 == 0 else list(reversed(contenders))
        for name in names:
            found[name].append(contenders[name]())
    return found


def beside(value: list[float], peer: list[float]) -> dict[str, object]:
    """The medians, the median of the rounds' ratios, and their spread, as :class:`bench.row.Row` takes them."""
    ratios = [one / other for one, other in zip(value, peer, strict=True)]
    return {
        "value": median(value),
        "peer": median(peer),
        "ratio": median(ratios),
        "spread": (min(ratios), max(ratios)),
    }

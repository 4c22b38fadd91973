"""A real Odoo 19 for measurements: one with many rows to read, or one as it is delivered to write in.

It is the one of ``deploy/odoo19.py`` with a database of its own. The many rows are copies of the demo rows that were put there
by SQL: good for reading alone, since Odoo never saw them being made.
"""

import atexit
import os
import signal
import subprocess
import time
import urllib.request
from functools import cache
from pathlib import Path
from typing import Any

from bench.row import CannotMeasureError

DATABASE, FRESH = "ct_bench", "ct_bench_fresh"
ROWS = {"res_partner": 6_000, "sale_order": 15_000, "sale_order_line": 30_000, "stock_move": 15_000, "account_move_line": 20_000}
START_SECONDS = 180.0
# The process of each Odoo that was started, by its database: it leads a session of its own, in which all its workers are.
RUNNING: dict[str, int] = {}

GROW = """
DO $$
DECLARE
  there bigint;
  columns text;
BEGIN
  SELECT count(*) INTO there FROM {table};
  SELECT string_agg(quote_ident(column_name), ', ') INTO columns
    FROM information_schema.columns
   WHERE table_schema = 'public' AND table_name = '{table}' AND column_name <> 'id' AND is_generated = 'NEVER';
  EXECUTE format('INSERT INTO {table} (%s) SELECT %s FROM {table}, generate_series(1, %s)', columns, columns,
                 greatest({rows} / there, 1));
END $$;
"""
# As of a year's business: written on many days, not all in one second.
SPREAD = "UPDATE {table} SET write_date = write_date - id % 365 * interval '1 day' - id % 86400 * interval '1 second'"


@cache
def large() -> dict[str, str]:
    """Start it, the first time making its database; its address, as :class:`apps.odoo.models.Connection` takes it.

    The first time on a machine takes five minutes. It stops when this process ends.
    Raises CannotMeasureError where no Odoo can be had.
    """
    from deploy import odoo19

    try:
        odoo19.install()
    except SystemExit as error:
        raise CannotMeasureError(str(error)) from error
    server = odoo19.Server()
    atexit.register(server.lease.release)
    if not server.has(DATABASE):
        make(server, odoo19.TEMPLATE, DATABASE, ROWS)
    return started(server, DATABASE)


def grown(table: str, rows: int) -> dict[str, str]:
    """Start one in whose ``table`` there are so many rows, and the demo data beside; as :func:`large` otherwise."""
    from deploy import odoo19

    try:
        odoo19.install()
    except SystemExit as error:
        raise CannotMeasureError(str(error)) from error
    server, name = odoo19.Server(), f"{DATABASE}_{table}_{rows}"
    atexit.register(server.lease.release)
    if not server.has(name):
        make(server, odoo19.TEMPLATE, name, {table: rows})
    return started(server, name)


@cache
def fresh() -> dict[str, str]:
    """Start one with the demo data alone, as new, that may be written in; as :func:`large` otherwise."""
    from deploy import odoo19

    try:
        odoo19.install()
    except SystemExit as error:
        raise CannotMeasureError(str(error)) from error
    server = odoo19.Server()
    atexit.register(server.lease.release)
    server.copy(odoo19.TEMPLATE, FRESH)
    return started(server, FRESH)


def copied(name: str) -> dict[str, str]:
    """Start one on a copy of the demo data called ``name``; several may run at a time. As :func:`large` otherwise."""
    from deploy import odoo19

    try:
        odoo19.install()
    except SystemExit as error:
        raise CannotMeasureError(str(error)) from error
    server = odoo19.Server()
    atexit.register(server.lease.release)
    server.copy(odoo19.TEMPLATE, name)
    return started(server, name)


def cpu_seconds(name: str) -> float:
    """CPU time that the Odoo started on the database ``name`` has used, and its sessions there, in steps of the kernel's tick.

    Raises CannotMeasureError where its processes are not seen.
    """
    from deploy import odoo19

    if odoo19.has_docker():
        raise CannotMeasureError("Odoo runs in a container, where its CPU time is not seen")
    ours = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal():
            continue
        try:
            # After the name, which may hold anything: state, parent, group, session, …
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
            words = (entry / "cmdline").read_bytes().split(b"\0")[0].decode(errors="replace").split()
        except OSError:
            continue  # It has ended.
        if int(fields[3]) == RUNNING[name] or (words[:1] == ["postgres:"] and name in words):
            ours.append(fields)
    # User and system time, of itself and of children that have ended.
    return sum(int(ticks) for fields in ours for ticks in fields[11:15]) / os.sysconf("SC_CLK_TCK")


def started(server: Any, name: str) -> dict[str, str]:
    """Start Odoo on the database ``name``; its address."""
    from deploy import odoo19

    port = odoo19.free_port()
    command, variables = server.odoo(name, "-d", name, "--db-filter", f"^{name}$", port=port)
    # The first word names the configuration file; Odoo's own default command is the server.
    command.remove(name)
    with (odoo19.HOME / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(
            command,
            env=os.environ | variables,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            preexec_fn=odoo19.embedded.die_with_parent(signal.SIGTERM),
        )
    RUNNING[name] = process.pid
    atexit.register(stop, process)
    wait_for(f"http://127.0.0.1:{port}", process)
    return {"url": f"http://127.0.0.1:{port}", "database": name, "login": "admin", "api_key": "admin"}


def make(server: object, template: str, name: str, grown: dict[str, int]) -> None:
    """Make the database under another name first, so that one that broke off is not taken for whole."""
    building = f"{name}_building"
    server.copy(template, building)  # type: ignore[attr-defined]
    import psycopg

    with psycopg.connect(
        host=server.host,
        user=server.user,
        password=server.password,
        dbname=building,
        autocommit=True,  # type: ignore[attr-defined]
    ) as database:
        for table, rows in grown.items():
            database.execute(GROW.format(table=table, rows=rows))
            database.execute(SPREAD.format(table=table))
        database.execute("VACUUM ANALYZE")
    server.copy(building, name)  # type: ignore[attr-defined]
    server.sql(f'drop database "{building}"')  # type: ignore[attr-defined]


def wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    """Wait until Odoo answers. Raises CannotMeasureError where it does not."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/web/health", timeout=10):
                return
        except OSError:
            time.sleep(0.2)
    raise CannotMeasureError("Odoo did not start; read the log named after its database in its directory")


def stop(process: subprocess.Popen[bytes]) -> None:
    """Stop Odoo with its workers."""
    try:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(20)
    except ProcessLookupError:
        pass
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)

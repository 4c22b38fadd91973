"""The company's process: HTTP, the scheduled actions' clock, and the people at work."""

import logging
import threading
from pathlib import Path

import uvicorn

from sandbox import answers, business, counting, invoicing, reading, wizards, writing
from sandbox.company import Company
from sandbox.control import Control
from sandbox.simulator import Simulator
from sandbox.wire import Doors

logger = logging.getLogger(__name__)
# Imported for the methods that they give to records.
METHOD_MODULES = (answers, business, counting, invoicing, reading, wizards, writing)
SCHEDULES_EVERY_SECONDS = 1.0


def run(
    *,
    host: str,
    port: int,
    database: str,
    orders: int,
    seed: int,
    directory: Path | None,
    speed: float,
    has_business: bool,
    version: str = "19",
) -> None:
    """Serve until the process is told to stop. ``directory`` None keeps nothing."""
    company = Company(directory, database=database, orders=orders, seed=seed, version=version)
    control = Control(company)
    stopping = threading.Event()
    clock = threading.Thread(target=_run_schedules, args=(company, stopping), name="schedules", daemon=True)
    clock.start()
    people = Simulator(company, control, speed=speed, stopping=stopping)
    if has_business:
        people.start()
    config = uvicorn.Config(
        Doors(company, control),
        host=host,
        port=port,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=2,
    )
    print(f"The sandbox company '{database}' is open at http://{host}:{port} (login tower, key sandbox-key).", flush=True)
    try:
        uvicorn.Server(config).run()
    finally:
        stopping.set()
        clock.join(timeout=5)
        if has_business:
            people.join(timeout=5)
        company.close()


def _run_schedules(company: Company, stopping: threading.Event) -> None:
    while not stopping.wait(SCHEDULES_EVERY_SECONDS):
        try:
            company.run_schedules()
        except Exception:
            logger.exception("A scheduled action failed")

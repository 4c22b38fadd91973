"""``manage.py sandbox``: the stand-in Odoo company, in a process of its own."""

import argparse
import logging
import os
from pathlib import Path
from typing import Any

import uvicorn
from django.core.management.base import BaseCommand

from sandbox.serving import run
from sandbox.versions import SHAPES

DAY_TO_DAY = "about one business event a second"


class Command(BaseCommand):
    """Serve until stopped."""

    help = "Run a stand-in Odoo 19 company with people at work in it."
    requires_system_checks: list[str] = []
    requires_migrations_checks = False

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=8070)
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--db", default="sandbox", help="the database's name")
        parser.add_argument("--orders", type=int, default=400, help="sales orders in its past")
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument("--data-dir", type=Path, default=None, help="where it is kept; default: CONTROLTOWER_HOME/sandbox")
        parser.add_argument("--speed", type=float, default=1.0, help=f"1 is {DAY_TO_DAY}")
        parser.add_argument("--odoo-version", choices=sorted(SHAPES), default="19", help="as which version it shows itself")
        parser.add_argument("--no-business", action="store_true", help="nobody is at work")

    def handle(self, *args: Any, **options: Any) -> None:
        home = Path(os.environ.get("CONTROLTOWER_HOME") or ".data").expanduser()
        logging.getLogger(uvicorn.__name__).setLevel(logging.WARNING)
        run(
            host=options["host"],
            port=options["port"],
            database=options["db"],
            orders=options["orders"],
            seed=options["seed"],
            directory=options["data_dir"] or home / "sandbox",
            speed=options["speed"],
            has_business=not options["no_business"],
            version=options["odoo_version"],
        )

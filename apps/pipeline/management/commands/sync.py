"""Read an Odoo into the mirror."""

import json
import sys
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.core import clock
from apps.mirror import registry
from apps.mirror.declare import Mirrored
from apps.mirror.sync.locks import SyncBusyError
from apps.odoo import errors
from apps.odoo.models import Connection
from apps.pipeline import first_sync
from apps.pipeline.upkeep import polling

BAR = 30


def connection_called(name: str) -> Connection:
    """The connection called ``name``. Raises CommandError with what there is."""
    connection = Connection.objects.filter(name=name).first()
    if connection is None:
        known = ", ".join(Connection.objects.values_list("name", flat=True)) or "none yet"
        raise CommandError(f"There is no connection {name}; there is: {known}. Make one with connect_odoo.")
    return connection


def models_called(name: str | None, connection: Connection) -> list[type[Mirrored]] | None:
    """The one model called ``name``, or None for all. Raises CommandError with what there is."""
    if name is None:
        return None
    if name not in registry.models():
        raise CommandError(f"{name} is not mirrored; there is: {', '.join(registry.models())}.")
    if connection.lacks(name):
        if name in connection.capabilities["models"]:
            raise CommandError(
                f"Connection '{connection.name}': login '{connection.login}' may not read {name}. Give it the right in Odoo, and "
                "run connect_odoo again."
            )
        raise CommandError(
            f"Connection '{connection.name}' has no {name}. Install the app that has it, and run connect_odoo again."
        )
    return [registry.models()[name]]


class Command(BaseCommand):
    help = "Read what has changed in Odoo since the last look; --full reads everything."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="name of the connection")
        parser.add_argument("--full", action="store_true", help="read everything, from the beginning")
        parser.add_argument("--model", help="only this Odoo model, such as sale.order")
        parser.add_argument("--json", action="store_true", help="print figures as JSON, a line a model")

    def handle(self, **options: Any) -> None:
        connection = connection_called(options["name"])
        models = models_called(options["model"], connection)
        self.shows_bars = sys.stderr.isatty() and not options["json"]
        try:
            if options["full"]:
                for done in first_sync.first_read(connection, clock=clock.now, models=models, anew=True, progress=self._progress):
                    self._say(asdict(done), f"{done.model}: {done.rows} rows", options["json"])
            else:
                for look in polling.poll(connection, clock=clock.now, models=models):
                    text = f"{look.model}: {look.seen} seen, {look.changed} changed, {look.late} late"
                    self._say(asdict(look), text, options["json"])
        except (errors.OdooError, SyncBusyError) as error:
            raise CommandError(str(error)) from None

    def _progress(self, what: str, done: int, total: int) -> None:
        if self.shows_bars:
            # Written as it is (str): Django would colour it as an error.
            share = min(done / total, 1.0) if total else 1.0
            bar = "█" * int(share * BAR)
            self.stderr.write(f"\r{what:<22} {bar:<{BAR}} {done:>9,} of {total:,}\x1b[K", str, ending="")
            self.stderr.flush()

    def _say(self, figures: dict[str, Any], text: str, as_json: bool) -> None:
        if self.shows_bars:
            self.stderr.write("\r\x1b[K", str, ending="")
        self.stdout.write(json.dumps(figures, default=str) if as_json else text)

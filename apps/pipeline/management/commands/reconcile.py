"""Prove that the mirror equals Odoo, and mend it where it does not."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.core import clock
from apps.mirror.sync.locks import SyncBusyError
from apps.odoo import errors
from apps.pipeline.management.commands.sync import connection_called, models_called
from apps.pipeline.upkeep import reconciliation


class Command(BaseCommand):
    help = "Compare the mirror with Odoo, day by day and id by id where days differ, and mend what is found."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="name of the connection")
        parser.add_argument("--model", help="only this Odoo model, such as sale.order")
        parser.add_argument(
            "--allow-deletions", action="store_true", help="take out of the mirror whatever is gone, however much it is"
        )
        parser.add_argument("--json", action="store_true", help="print figures as JSON, a line a model")

    def handle(self, **options: Any) -> None:
        connection = connection_called(options["name"])
        models = models_called(options["model"], connection)
        held = []
        try:
            for run in reconciliation.compare(
                connection, clock=clock.now, models=models, allow_deletions=options["allow_deletions"]
            ):
                figures = {
                    "model": run.odoo_model,
                    "compared": run.compared,
                    "changed": run.found_changed,
                    "deleted": run.found_deleted,
                    "held": run.is_held,
                }
                text = f"{run.odoo_model}: {run.compared} compared, {run.found_changed} changed, {run.found_deleted} deleted"
                self.stdout.write(json.dumps(figures) if options["json"] else text)
                held += [run.note] if run.is_held else []
        except (errors.OdooError, SyncBusyError) as error:
            raise CommandError(str(error)) from None
        if held:
            raise CommandError(" ".join(held))

"""Set up in Odoo what the tower needs there, or take it away again."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.core import clock
from apps.core.actor import system
from apps.odoo import errors, provision
from apps.odoo.models import Connection
from apps.pipeline.upkeep import provisioning
from apps.workflows import blueprint


class Command(BaseCommand):
    help = "Create in Odoo the fields, guards, webhooks and actions that the tower needs; --remove leaves it as it was."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="name of the connection")
        parser.add_argument("--dry-run", action="store_true", help="only list what would be done")
        parser.add_argument("--remove", action="store_true", help="take away everything that the tower made in Odoo")
        parser.add_argument("--json", action="store_true", help="print the steps as JSON")

    def handle(self, **options: Any) -> None:
        connection = Connection.objects.filter(name=options["name"]).first()
        if connection is None:
            known = ", ".join(Connection.objects.values_list("name", flat=True)) or "none yet"
            raise CommandError(f"There is no connection {options['name']}; there is: {known}. Make one with connect_odoo.")
        try:
            if options["dry_run"]:
                wanted = blueprint.of_catalogue()
                steps = provision.plan_removal(connection) if options["remove"] else provision.plan(connection, wanted)
            else:
                change = provisioning.remove if options["remove"] else provisioning.apply
                steps = change(connection, by=system("provision_odoo"), clock=clock.now)
        except errors.OdooError as error:
            raise CommandError(str(error)) from None
        if options["json"]:
            self.stdout.write(json.dumps([asdict(step) for step in steps], default=str))
            return
        for step in steps:
            self.stdout.write(str(step))
        if not steps:
            self.stdout.write("There is nothing to do.")
        elif options["dry_run"]:
            self.stdout.write("Nothing was changed: this was a dry run.")

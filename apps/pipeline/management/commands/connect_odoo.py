"""Make an Odoo known to the tower."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.core import clock
from apps.odoo import errors, provision, registration
from apps.odoo.models import Transport
from apps.pipeline.upkeep import probing
from apps.workflows import blueprint


class Command(BaseCommand):
    help = "Connect an Odoo: check version, rights, models and fields, and say what the tower can and cannot do there."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="short name of the connection: small letters, digits, - and _")
        parser.add_argument("--url", required=True, help="address of Odoo, such as https://odoo.example.com")
        parser.add_argument("--db", required=True, help="name of the database")
        parser.add_argument("--login", required=True, help="login of the tower's user in Odoo")
        parser.add_argument("--key", required=True, help="that user's API key (or password)")
        parser.add_argument("--transport", choices=Transport.values, default=Transport.AUTO)
        parser.add_argument("--provision", action="store_true", help="also create in Odoo what the tower needs there")
        parser.add_argument("--json", action="store_true", help="print the report as JSON")

    def handle(self, **options: Any) -> None:
        now = clock.now()
        try:
            connection, report = registration.register(
                options["name"],
                options["url"],
                options["db"],
                options["login"],
                options["key"],
                transport=options["transport"],
                wanted=probing.wanted(),
                optional=probing.optional(),
                now=now,
            )
            if options["provision"]:
                steps = provision.apply(connection, blueprint.of_catalogue())
                report = probing.probe(connection, now=clock.now())
                if not options["json"]:
                    for step in steps:
                        self.stdout.write(f"  {step}")
        except (errors.OdooError, ValueError) as error:
            raise CommandError(str(error)) from None
        if options["json"]:
            self.stdout.write(json.dumps(report.as_capabilities(), default=str))
            return
        for sentence in report.sentences():
            self.stdout.write(sentence)
        self.stdout.write(f"Next: manage.py sync {connection.name} --full")

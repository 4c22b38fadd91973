"""Make a person who can sign in."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from apps.accounts import people
from apps.accounts.models import Role
from apps.audit import trail
from apps.core import clock
from apps.core.actor import system
from apps.mirror import access_grants, identities
from apps.odoo.models import Connection


class Command(BaseCommand):
    help = "Make a person who can sign in; prints the password once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="user name")
        parser.add_argument("--role", required=True, help=", ".join(Role.values))
        parser.add_argument("--limit", help="largest amount this person may approve")
        parser.add_argument("--limit-currency", default="", help="its currency, such as EUR; otherwise the company's")
        parser.add_argument("--odoo-login", default="", help="login of the same person in Odoo")
        parser.add_argument("--email", default="")
        parser.add_argument("--team", action="append", help="team; may be given several times")
        parser.add_argument(
            "--sees",
            action="append",
            metavar="WHAT",
            help="connection, or connection:company by number or name; may be given several times; otherwise everything",
        )
        parser.add_argument("--json", action="store_true")

    def handle(self, **options: Any) -> None:
        try:
            limit = people.parse_limit(options["limit"])
            with transaction.atomic():
                if options["odoo_login"]:
                    identities.check_login_is_free(options["odoo_login"])
                user, password = people.create_user(
                    options["name"],
                    role=options["role"],
                    limit=limit,
                    odoo_login=options["odoo_login"],
                    email=options["email"],
                    teams=options["team"],
                    limit_currency=options["limit_currency"].strip().upper(),
                )
                trail.record(
                    trail.Event(
                        action="user.created",
                        actor=system("create_user"),
                        subject=f"user:{user.pk}",
                        data={"name": user.username, "role": user.role, "limit": limit},
                    ),
                    now=clock.now(),
                )
                for connection in Connection.objects.all() if user.odoo_login else ():
                    identities.resolve_links(connection.pk, users=[user], now=clock.now())
                if options["sees"]:
                    access_grants.grant(user, access_grants.named(options["sees"]), by=system("create_user"), now=clock.now())
        except people.PersonError as error:
            raise CommandError(str(error)) from None
        if options["json"]:
            self.stdout.write(json.dumps({"user": user.username, "role": user.role, "password": password}))
        else:
            self.stdout.write(f"{user.username} ({user.get_role_display()}) signs in with the password\n{password}")

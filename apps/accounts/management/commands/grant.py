"""Say what a person may see."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.accounts import access
from apps.accounts.models import User
from apps.accounts.people import PersonError
from apps.core import clock
from apps.core.actor import system
from apps.mirror import access_grants


class Command(BaseCommand):
    help = "Say which connections, and which companies of them, a person may see; without --sees, tell which they do."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("user", help="user name")
        parser.add_argument(
            "--sees",
            action="append",
            metavar="WHAT",
            help="connection, or connection:company by number or name; may be given several times; or all, or nothing",
        )
        parser.add_argument("--json", action="store_true")

    def handle(self, **options: Any) -> None:
        user = User.objects.filter(username=options["user"]).first()
        if user is None:
            raise CommandError(f"There is no user {options['user']}. Make one with create_user.")
        try:
            if options["sees"]:
                access_grants.grant(user, access_grants.named(options["sees"]), by=system("grant"), now=clock.now())
        except PersonError as error:
            raise CommandError(str(error)) from None
        sees = access_grants.in_words(access.scope_of(user))
        told = {"user": user.username, "sees": sees}
        self.stdout.write(json.dumps(told) if options["json"] else f"{user.username} sees {', '.join(sees)}.")

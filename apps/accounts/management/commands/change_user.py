"""Change what a person may do, or disable them."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from apps.accounts import people
from apps.accounts.models import Role
from apps.audit import trail
from apps.core import clock
from apps.core.actor import system


class Command(BaseCommand):
    help = "Change a person's role or limit, or disable them; what waits for them is reassigned at once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="user name")
        parser.add_argument("--role", help=", ".join(Role.values))
        parser.add_argument("--limit", help="largest amount this person may approve")
        parser.add_argument("--limit-currency", default="", help="the limit's currency, such as EUR; as it was where none is given")
        switch = parser.add_mutually_exclusive_group()
        switch.add_argument("--disable", action="store_const", const=False, dest="is_active", help="they cannot sign in any more")
        switch.add_argument("--enable", action="store_const", const=True, dest="is_active")

    def handle(self, **options: Any) -> None:
        try:
            limit = people.parse_limit(options["limit"])
            with transaction.atomic():
                user = people.change_user(
                    options["name"],
                    role=options["role"],
                    limit=limit,
                    limit_currency=options["limit_currency"].strip().upper(),
                    is_active=options["is_active"],
                )
                trail.record(
                    trail.Event(
                        action="user.changed",
                        actor=system("change_user"),
                        subject=f"user:{user.pk}",
                        data={
                            "name": user.username,
                            "role": user.role,
                            "limit": user.approval_limit,
                            "currency": user.limit_currency,
                            "is_active": user.is_active,
                        },
                    ),
                    now=clock.now(),
                )
        except people.PersonError as error:
            raise CommandError(str(error)) from None
        state = "may sign in" if user.is_active else "is disabled"
        self.stdout.write(f"{user.username} ({user.get_role_display()}) {state}")

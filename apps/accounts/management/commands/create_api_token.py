"""Make a token for the REST API."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from apps.accounts import people
from apps.accounts.models import Scope, User
from apps.audit import trail
from apps.core import clock
from apps.core.actor import system


class Command(BaseCommand):
    help = "Make a token for the REST API; the token stands alone on the last line, and is shown this once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("user", help="user name of the person it acts for")
        parser.add_argument("--scope", required=True, choices=Scope.values)
        parser.add_argument("--name", default="", help="what it is for")

    def handle(self, **options: Any) -> None:
        user = User.objects.filter(username=options["user"], is_active=True).first()
        if user is None:
            raise CommandError(f"There is no active user {options['user']}. Make one with create_user.")
        now = clock.now()
        with transaction.atomic():
            token = people.create_token(user, scope=options["scope"], name=options["name"], now=now)
            trail.record(
                trail.Event(
                    action="token.created",
                    actor=system("create_api_token"),
                    subject=f"user:{user.pk}",
                    data={"scope": options["scope"], "hint": token[:10]},
                ),
                now=now,
            )
        self.stdout.write(f"A token for {user.username} with the scope {options['scope']}:")
        self.stdout.write(token)

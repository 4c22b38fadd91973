"""Let another system send events, and change or end that."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from apps.core import clock
from apps.core.actor import system
from apps.events import moves


class Command(BaseCommand):
    help = "Let another system send signed events; a new secret stands alone on the last line, and is shown this once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="short name of the source, the last part of its address")
        parser.add_argument("--adapter", help="how its messages are read: a folder of apps/events/sources")
        parser.add_argument("--connection", help="whose records it tells of")
        change = parser.add_mutually_exclusive_group()
        change.add_argument("--rotate", action="store_true", help="make a new secret; the old one is taken as well")
        change.add_argument("--finish-rotation", action="store_true", help="take the new secret alone from now on")
        change.add_argument("--off", action="store_true", help="take nothing more from it")
        change.add_argument("--on", action="store_true", help="take what it sends again")

    def handle(self, **options: Any) -> None:
        name, by, now = options["name"], system("event_source"), clock.now()
        secret = ""
        try:
            if options["rotate"]:
                secret = moves.rotate(name, by=by, now=now)
                said = f"{name} may sign with either secret until --finish-rotation. The new one:"
            elif options["finish_rotation"]:
                moves.finish_rotation(name, by=by, now=now)
                said = f"{name} may sign with its new secret alone."
            elif options["off"] or options["on"]:
                moves.switch(name, is_active=options["on"], by=by, now=now)
                said = f"{name} is switched {'on' if options['on'] else 'off'}."
            elif options["adapter"] and options["connection"]:
                secret = moves.add_source(name, adapter=options["adapter"], connection=options["connection"], by=by, now=now)
                said = f"{name} may post to {settings.PUBLIC_URL}/hooks/events/{name}/, signed with the secret:"
            else:
                raise CommandError("A new source needs --adapter and --connection.")
        except moves.SourceError as error:
            raise CommandError(str(error)) from None
        self.stdout.write(said)
        if secret:
            self.stdout.write(secret)

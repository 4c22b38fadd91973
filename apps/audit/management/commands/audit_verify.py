"""Prove that the audit trail is as it was written."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.audit import verify


class Command(BaseCommand):
    help = "Walk the audit trail's chain; names the first entry that was tampered with, and ends with status 1 then."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true")

    def handle(self, **options: Any) -> None:
        found = verify.verify()
        if options["json"]:
            self.stdout.write(json.dumps({"holds": found.holds, "entries": found.entries, "problem": found.problem}))
        elif found.holds:
            self.stdout.write(f"The audit trail holds: {found.entries} entries, each as it was written.")
        if not found.holds:
            raise CommandError(f"The audit trail was tampered with. {found.problem} {found.entries} entries before it hold.")
        verify.checkpoint()

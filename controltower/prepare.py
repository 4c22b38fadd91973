"""Before the processes start: the tables, the static files, and the people who sign in first.

``python -m controltower.prepare`` prints what the supervisor must know as one line of JSON, last: the sign-ins, and the
connections that exist. Doing it again changes nothing that somebody has changed since.
"""

import json
import sys
from decimal import Decimal
from typing import Any

import django

# Username: role, name, approval limit in the company's currency.
PEOPLE: dict[str, tuple[str, str, Decimal | None]] = {
    "operator": ("operator", "Olga Operator", None),
    "approver": ("approver", "Adam Approver", Decimal(50_000)),
    "manager": ("manager", "Mia Manager", Decimal(250_000)),
    "auditor": ("auditor", "Aida Auditor", None),
    "integrator": ("integrator", "Ivan Integrator", None),
    "admin": ("admin", "Anna Admin", None),
}


def say(text: str) -> None:
    """Tell the one who waits, beside the line of JSON."""
    print(text, file=sys.stderr, flush=True)


def seed_people(passwords: dict[str, str]) -> dict[str, str]:
    """Make the teams and the people that are missing.

    Args:
        passwords: The password of each person made at an earlier start.

    Returns:
        The password of each person, empty for those who have changed theirs or were made by somebody else.
    """
    from apps.accounts import people
    from apps.accounts.models import User

    for slug in people.TITLES:
        people.team(slug)
    known: dict[str, str] = {}
    for username, (role, name, limit) in PEOPLE.items():
        person = User.objects.filter(username=username).first()
        if person is None:
            person, passwords[username] = people.create_user(
                username, role=role, limit=limit, email=f"{username}@localhost"
            )
            person.first_name, _, person.last_name = name.partition(" ")
            person.save(update_fields=["first_name", "last_name"])
        password = passwords.get(username, "")
        known[username] = password if password and person.check_password(password) else ""
    return known


def main() -> None:
    django.setup()
    from django.conf import settings
    from django.core.management import call_command
    from django.db import connection

    from apps.odoo.models import Connection
    from controltower import embedded, static

    say("tables")
    call_command("migrate", interactive=False, verbosity=0)
    say("static files")
    static.collect()
    say("people")
    kept = settings.CONTROLTOWER_HOME / "sign-ins.json"
    passwords: dict[str, str] = json.loads(kept.read_text()) if kept.exists() else {}
    sign_ins = seed_people(passwords)
    kept.touch(mode=0o600)
    kept.write_text(json.dumps(passwords, indent=2) + "\n")
    facts: dict[str, Any] = {"sign_ins": sign_ins, "connections": dict(Connection.objects.values_list("name", "url"))}
    connection.close()
    embedded.close_pools()
    print(json.dumps(facts))


if __name__ == "__main__":
    main()

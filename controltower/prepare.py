"""Before the processes start: the tables, the static files, and the people who sign in first.

``python -m controltower.prepare`` prints what the supervisor must know as one line of JSON, last: the sign-ins, and the
connections that exist. Doing it again changes nothing that somebody has changed since. With ``--hurry`` the approvals'
policies run in minutes instead of hours, as a demonstration needs. With ``--clerks`` there are those who work beside the visitor of
a demonstration, each with a new token. With ``--tables`` nothing but the tables is brought up to
date: an upgrade, beside a tower that works.
"""

import copy
import json
import sys
import time
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

# A demonstration's company lives its day in minutes: what is given four hours elsewhere is given six minutes.
HURRY = 40
CLERKS_TOKEN = "clerk of the demonstration"
# How long a change of a table waits for its lock, and how often it is tried.
LOCK_SECONDS, LOCK_ATTEMPTS = 2, 60


def say(text: str) -> None:
    """Tell the one who waits, beside the line of JSON."""
    print(text, file=sys.stderr, flush=True)


def seed_people(passwords: dict[str, str], *, are_in_company: bool = False) -> dict[str, str]:
    """Make the teams and the people that are missing.

    Args:
        passwords: The password of each person made at an earlier start.
        are_in_company: they are users of the stand-in company too, under their first names.

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
                username,
                role=role,
                limit=limit,
                email=f"{username}@localhost",
                odoo_login=name.partition(" ")[0] if are_in_company else "",
            )
            person.first_name, _, person.last_name = name.partition(" ")
            person.save(update_fields=["first_name", "last_name"])
        password = passwords.get(username, "")
        known[username] = password if password and person.check_password(password) else ""
    return known


def seed_clerks() -> dict[str, str]:
    """Make the clerks of the stand-in company that are missing, and a new token for each in place of the last; the tokens."""
    from apps.accounts import people
    from apps.accounts.models import ApiToken, User
    from apps.core import clock
    from sandbox.clerks import CLERKS

    tokens = {}
    for username, (name, role, teams, limit) in CLERKS.items():
        person = User.objects.filter(username=username).first()
        if person is None:
            of_limit = None if limit is None else Decimal(limit)
            person, _ = people.create_user(username, role=role, limit=of_limit, teams=list(teams), odoo_login=username)
            person.first_name, _, person.last_name = name.partition(" ")
            person.save(update_fields=["first_name", "last_name"])
        ApiToken.objects.filter(user=person, name=CLERKS_TOKEN).delete()
        tokens[username] = people.create_token(person, scope="write", name=CLERKS_TOKEN, now=clock.now())
    return tokens


def hurry_policies() -> None:
    """Give every kind of approval that nobody has written a policy for one whose times suit a demonstration."""
    from apps.accounts.models import User
    from apps.approvals.models import Policy
    from apps.approvals.policies import policy
    from apps.core import clock
    from apps.workflows import registry

    manager = User.objects.get(username="manager")
    for name, (_, kind) in registry.approval_kinds().items():
        if Policy.objects.filter(kind=name).exists():
            continue
        rules = copy.deepcopy(dict(kind.default_policy))
        for level in (level for step in rules["steps"] for level in step["levels"]):
            for field in {"within_minutes", "remind_after_minutes"} & set(level):
                level[field] = max(1, level[field] // HURRY)
        policy.save(name, rules, by=manager, now=clock.now(), note="In minutes, for the demonstration")


def change_tables(*target: str) -> None:
    """Bring the tables up to date, or to ``target`` (an app and a migration), beside a tower that works.

    A change that waits for a lock keeps all others out while it waits. So it gives up after two seconds, lets them through,
    and tries again; and it may take as long as it needs once it has begun.
    """
    from django.core.management import call_command
    from django.db import OperationalError, connection

    for attempt in range(LOCK_ATTEMPTS):
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = %s", [f"{LOCK_SECONDS}s"])
            cursor.execute("SET statement_timeout = 0")
        try:
            call_command("migrate", *target, interactive=False, verbosity=0)
            return
        except OperationalError as error:
            if attempt + 1 == LOCK_ATTEMPTS or ("lock timeout" not in str(error) and "deadlock" not in str(error)):
                raise
            say("a table is in use; trying again")
            time.sleep(1)
        finally:
            connection.close()


def main() -> None:
    django.setup()
    from django.conf import settings
    from django.db import connection

    from apps.odoo.models import Connection
    from controltower import embedded, static

    say("tables")
    change_tables()
    if "--tables" in sys.argv[1:]:
        return
    say("static files")
    static.collect()
    say("people")
    kept = settings.CONTROLTOWER_HOME / "sign-ins.json"
    passwords: dict[str, str] = json.loads(kept.read_text()) if kept.exists() else {}
    sign_ins = seed_people(passwords, are_in_company="--hurry" in sys.argv[1:])
    if "--hurry" in sys.argv[1:]:
        hurry_policies()
    kept.touch(mode=0o600)
    kept.write_text(json.dumps(passwords, indent=2) + "\n")
    facts: dict[str, Any] = {"sign_ins": sign_ins, "connections": dict(Connection.objects.values_list("name", "url"))}
    facts["clerks"] = seed_clerks() if "--clerks" in sys.argv[1:] else {}
    connection.close()
    embedded.close_pools()
    print(json.dumps(facts))


if __name__ == "__main__":
    main()

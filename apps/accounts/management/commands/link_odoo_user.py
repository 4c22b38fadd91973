"""Say which Odoo user a person is."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.accounts.models import User
from apps.accounts.people import PersonError
from apps.core import clock
from apps.core.actor import system
from apps.mirror import identities
from apps.odoo.models import Connection, LinkedUser

MACHINE = system("link_odoo_user")


class Command(BaseCommand):
    help = "Say which Odoo user a person is, so that nobody decides what they asked for; without an option, tell it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("user", nargs="?", help="user name; everybody, where none is given")
        parser.add_argument("--odoo-login", help="login of the same person in Odoo")
        parser.add_argument("--connection", help="only on this connection; on every one, where none is given")
        parser.add_argument("--remove", action="store_true", help="forget who the person is in Odoo")
        parser.add_argument("--json", action="store_true")

    def handle(self, **options: Any) -> None:
        people = User.objects.filter(is_active=True).order_by("username")
        if options["user"]:
            people = User.objects.filter(username=options["user"])
            if not people:
                raise CommandError(f"There is no user {options['user']}. Make one with create_user.")
        elif options["odoo_login"] or options["remove"]:
            raise CommandError("Name the person whose Odoo user is to change.")
        connection = Connection.objects.filter(name=options["connection"]).first() if options["connection"] else None
        if options["connection"] and connection is None:
            known = ", ".join(Connection.objects.order_by("name").values_list("name", flat=True)) or "none yet"
            raise CommandError(f"There is no connection {options['connection']}; there is: {known}.")
        try:
            if options["remove"]:
                identities.unlink(people[0], by=MACHINE, now=clock.now())
            elif options["odoo_login"] is not None:
                identities.link(people[0], login=options["odoo_login"], connection=connection, by=MACHINE, now=clock.now())
        except PersonError as error:
            raise CommandError(str(error)) from None
        told = [self._told(person) for person in people]
        if options["json"]:
            self.stdout.write(json.dumps(told))
            return
        for one in told:
            there = ", ".join(f"{login} (user {uid}) on {name}" for name, (uid, login) in one["links"].items())
            waiting = f"; the login {one['odoo_login']} is linked where it appears" if one["odoo_login"] else ""
            self.stdout.write(f"{one['user']} is {there or 'linked to no Odoo user'}{'' if there else waiting}.")

    def _told(self, person: User) -> dict[str, Any]:
        links = LinkedUser.objects.filter(user=person).select_related("connection").order_by("connection__name")
        return {
            "user": person.username,
            "odoo_login": person.odoo_login,
            "links": {one.connection.name: (one.uid, one.login) for one in links},
        }

"""Show, set and reset the parameters of rules: limits, targets, SLA times, thresholds."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.accounts.access import EVERYTHING
from apps.accounts.models import User
from apps.accounts.permissions import NotAllowedError
from apps.core import clock
from apps.pipeline import parameter_preview
from apps.workflows import parameter_values, registry, scopes
from apps.workflows.parameter_values import Standing
from apps.workflows.parameters import ParameterRefusedError, plain
from apps.workflows.scopes import Scope, ScopeError


class Command(BaseCommand):
    help = "Show, set and reset the parameters of rules, for everybody, a connection or one company of it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        acts = parser.add_subparsers(dest="act", required=True)
        for name, words in (
            ("list", "print what counts"),
            ("set", "set a value"),
            ("reset", "go back to what is set wider"),
            ("preview", "say what a value would change"),
            ("history", "print every version"),
        ):
            act = acts.add_parser(name, help=words)
            if name != "list":
                act.add_argument("name", help="name of the parameter, as list prints it")
            if name in ("set", "preview"):
                act.add_argument("value", help="a number, in the parameter's unit")
            if name != "history":
                act.add_argument("--connection", help="name of the connection; everybody, where not given")
                act.add_argument("--company", type=int, help="number of the company in Odoo")
            if name == "list":
                act.add_argument("--workflow", help="only those that this workflow reads")
            if name in ("set", "reset"):
                act.add_argument("--by", help="user name of who sets it; the server, where not given")
                act.add_argument("--note", default="", help="what changes, and why")
            act.add_argument("--json", action="store_true", help="print JSON, a line each")

    def handle(self, **options: Any) -> None:
        try:
            getattr(self, f"_{options['act']}")(options)
        except (ParameterRefusedError, NotAllowedError, ScopeError) as error:
            raise CommandError(str(error)) from None

    def _list(self, options: dict[str, Any]) -> None:
        wanted = options["workflow"]
        if wanted and wanted not in registry.workflows():
            raise CommandError(f"There is no workflow {wanted}; there is {', '.join(registry.workflows())}.")
        names = [
            name
            for name, declared in registry.parameters().items()
            if not wanted or wanted in {workflow.name for workflow in declared.workflows}
        ]
        for one in parameter_values.standing_in(_scope(options), names):
            self._print(one, options)

    def _print(self, one: Standing, options: dict[str, Any]) -> None:
        parameter = one.declared.parameter
        figures = {
            "name": parameter.name,
            "value": plain(one.number),
            "unit": parameter.unit,
            "own": None if one.own is None else plain(one.own),
            "default": plain(parameter.default),
            "version": one.version,
        }
        text = f"{parameter.name}: {plain(one.number)} {parameter.unit}" + (" (set here)" if one.own is not None else "")
        self.stdout.write(json.dumps(figures) if options["json"] else text)

    def _set(self, options: dict[str, Any]) -> None:
        self._put(options, options["value"])

    def _reset(self, options: dict[str, Any]) -> None:
        self._put(options, None)

    def _put(self, options: dict[str, Any], value: object) -> None:
        by, scope = None, _scope(options)
        if options["by"]:
            by = User.objects.filter(username=options["by"], is_active=True).first()
            if by is None:
                raise CommandError(f"There is no active user {options['by']}.")
        parameter_values.set_value(options["name"], value, scope=scope, by=by, now=clock.now(), note=options["note"])
        (one,) = parameter_values.standing_in(scope, [options["name"]])
        self._print(one, options)

    def _preview(self, options: dict[str, Any]) -> None:
        shown = parameter_preview.preview(
            options["name"], options["value"], scope=_scope(options), access_scope=EVERYTHING, now=clock.now()
        )
        self.stdout.write(json.dumps(shown.figures) if options["json"] else shown.sentence)

    def _history(self, options: dict[str, Any]) -> None:
        parameter_values.declared_as(options["name"])
        for one in parameter_values.history_of(options["name"], EVERYTHING):
            figures = {
                "version": one.version,
                "value": None if one.number is None else plain(one.number),
                "connection": one.connection.name if one.connection else None,
                "company": one.company_id,
                "set_at": one.set_at.isoformat(),
                "set_by": one.set_by.username if one.set_by else None,
                "note": one.note,
                "is_current": one.is_current,
            }
            where = f"{figures['connection'] or 'everybody'}{f', company {one.company_id}' if one.company_id is not None else ''}"
            who = f"{figures['set_by'] or 'server'}, {figures['set_at']} {one.note}".rstrip()
            text = f"{where}, version {one.version}: {figures['value'] or 'reset'}, {who}"
            self.stdout.write(json.dumps(figures) if options["json"] else text)


def _scope(options: dict[str, Any]) -> Scope:
    return scopes.named(options["connection"], options["company"], EVERYTHING)

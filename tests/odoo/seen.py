"""What the tower sees of a real Odoo: everything is read once, then what people do there is found as a poll finds it."""

from datetime import datetime
from itertools import count
from typing import Any

import odoorpc

from apps.core import clock
from apps.exceptions.models import ExceptionCase, Status
from apps.mirror import registry
from apps.mirror.sync import backfill, increment
from apps.odoo.client import OdooClient
from apps.odoo.models import Connection
from apps.outbox import dispatch
from apps.outbox.models import Command
from apps.pipeline import change_processing
from apps.workflows.models import Position
from tests.odoo import changed, read_once

PASSWORD = "works-here-2026"
NUMBERS = count(1)


class Seen:
    """The tower beside one Odoo."""

    def __init__(self, odoo: OdooClient, connection: Connection) -> None:
        self.odoo, self.connection = odoo, connection
        self.looked_at: datetime | None = None
        there: dict[str, set[str]] = {}
        for row in odoo.search_read("ir.model.fields", [("model", "in", list(registry.models()))], ["model", "name"]):
            there.setdefault(row["model"], set()).add(row["name"])
        connection.capabilities = {
            "models": {
                name: {"missing_fields": sorted(set(model.odoo_fields()) - there[name])}
                for name, model in registry.models().items()
                if name in there
            }
        }
        connection.save()
        odoo.connection.capabilities = connection.capabilities
        self.models = [model for name, model in registry.models().items() if not connection.lacks(name)]
        begun = clock.now()
        read_once.read(odoo, connection, self._read_all)
        self.looked_at = begun

    def _read_all(self) -> None:
        for model in self.models:
            backfill.run(self.odoo, model, connection=self.connection, clock=clock.now)

    def look(self) -> None:
        """Find what has changed in Odoo, and draw what follows from it."""
        begun, names = clock.now(), {model.odoo_model for model in self.models}
        written = changed.since(self.odoo, names, self.looked_at) if self.looked_at else names
        self.looked_at = begun
        for model in self.models:
            if model.odoo_model not in written:
                continue
            increment.run(
                self.odoo,
                model,
                connection=self.connection,
                clock=clock.now,
                on_changes=lambda changes: change_processing.apply_changes(changes, now=clock.now()),
            )

    def stage(self, workflow: str, odoo_id: int) -> str | None:
        """Where the record stands now; None where it is not the workflow's."""
        self.look()
        found = Position.objects.filter(connection=self.connection, workflow=workflow, odoo_id=odoo_id)
        return found.values_list("stage", flat=True).first()

    def case(self, kind: str, odoo_id: int) -> ExceptionCase | None:
        """The open exception of the record."""
        found = ExceptionCase.objects.filter(connection=self.connection, type=kind, odoo_id=odoo_id)
        return found.exclude(status=Status.RESOLVED).first()


class Worker:
    """Somebody who works in Odoo, with the rights of some groups and no others."""

    def __init__(self, odoo: OdooClient, *groups: str) -> None:
        connection, login = odoo.connection, f"tower-test-{next(NUMBERS)}-{clock.now():%H%M%S%f}"
        ids = []
        for group in groups:
            module, _, name = group.partition(".")
            ids.append(odoo.search_read("ir.model.data", [("module", "=", module), ("name", "=", name)], ["res_id"])[0]["res_id"])
        values = {
            "name": login,
            "login": login,
            "password": PASSWORD,
            "email": f"{login}@tower.test",
            "group_ids": [(4, group) for group in ids],
        }
        self.odoo, self.login, self.uid = odoo, login, odoo.create("res.users", values)
        host, _, port = connection.url.partition("//")[2].partition(":")
        self.session = odoorpc.ODOO(host, port=int(port), timeout=60)
        self.session.login(connection.database, login, PASSWORD)

    def do(self, model: str, method: str, *arguments: Any, **named: Any) -> Any:
        """Call Odoo as this person."""
        return self.session.execute_kw(model, method, list(arguments), named)

    def leave(self) -> None:
        """May sign in no longer; what they did stays theirs."""
        self.odoo.write("res.users", [self.uid], {"active": False})


def carried_out(seen: Seen) -> None:
    """All that Odoo is to be told has been told, and is seen there."""
    for _ in range(12):
        Command.objects.filter(status__in=dispatch.WAITING).update(not_before=clock.now())
        dispatch.run_due(clock=clock.now)
    stuck = Command.objects.exclude(status="done").values_list("title", "status", "problem")
    assert list(stuck) == []
    seen.look()


def refusal(worker: Worker, model: str, method: str, record: int, **named: Any) -> str:
    """Odoo's words when it refuses; empty where it does not."""
    try:
        worker.do(model, method, [record], **named)
    except odoorpc.error.RPCError as error:
        return str(error)
    return ""

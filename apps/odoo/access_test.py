"""Test access data against Odoo, for workers alone: nobody waits for Odoo."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.utils.translation import override

from apps.core import live
from apps.odoo import faults
from apps.odoo.addresses import checked_url
from apps.odoo.capabilities import look
from apps.odoo.client import forget
from apps.odoo.errors import OdooError
from apps.odoo.models import AccessTest, AccessTestState, Connection
from apps.odoo.transitions import ACCESS_TESTS


def run(test_id: int, *, wanted: Mapping[str, Sequence[str]], optional: Collection[str] = (), now: datetime) -> None:
    """Ask Odoo whether it accepts the access data of the test, and keep what it said. Once: a second call does nothing."""
    waiting = AccessTest.objects.filter(pk=test_id, state=AccessTestState.WAITING)
    test = waiting.select_related("connection", "requested_by").first()
    if test is None:
        return
    trial = Connection(
        name=test.connection.name,
        database=test.database,
        login=test.login,
        api_key=test.api_key,
        transport=test.connection.transport,
    )
    move: str
    said: dict[str, Any]
    # Whoever asked reads the answer.
    with override(test.requested_by.language or None):
        try:
            trial.url = checked_url(test.url, connection=trial.name)
            report = look(trial, wanted, optional=optional, now=now)
            if report.login.casefold() != test.login.casefold():
                raise faults.not_accepted(trial.name, login=test.login, database=test.database)
        except OdooError as error:
            move, said = "fail", {"problem": str(error)}
        else:
            found = report.as_capabilities()
            move, said = (
                "pass",
                {
                    "version": report.version[:40],
                    "report": {"abilities": found.get("abilities", []), "problems": found.get("problems", [])},
                },
            )
        finally:
            forget(trial)
    ACCESS_TESTS.make_all(move, waiting, **said)
    live.announce(["health"])

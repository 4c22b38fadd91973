"""Setting up in an Odoo what the tower needs there, by a command or where somebody asks for it on a page."""

import logging
from collections.abc import Sequence

from django.db import transaction

from apps.audit import trail
from apps.core import live
from apps.core.actor import Actor, system
from apps.core.clock import Clock
from apps.odoo import capabilities, errors, provision
from apps.odoo.models import Connection
from apps.pipeline.upkeep import probing
from apps.workflows import blueprint

logger = logging.getLogger(__name__)


def apply(connection: Connection, *, by: Actor, clock: Clock) -> list[provision.Step]:
    """Create and change in Odoo what is missing or otherwise; what was done, step by step. Raises OdooError."""
    steps = provision.apply(connection, blueprint.of_catalogue())
    probing.probe(connection, now=clock())
    _note("connection.provisioned", connection, steps, by=by, clock=clock)
    return steps


def remove(connection: Connection, *, by: Actor, clock: Clock) -> list[provision.Step]:
    """Take away everything that the tower made in Odoo; what was done, step by step. Raises OdooError."""
    steps = provision.remove(connection)
    probing.probe(connection, now=clock())
    _note("connection.unprovisioned", connection, steps, by=by, clock=clock)
    return steps


@transaction.atomic
def _note(action: str, connection: Connection, steps: Sequence[provision.Step], *, by: Actor, clock: Clock) -> None:
    """Leave on the trail what was changed."""
    trail.record(
        trail.Event(
            action=action,
            actor=by,
            subject=f"connection:{connection.name}",
            data={"steps": [str(step) for step in steps if step.action != "keep"]},
            about=(connection.pk, None),
        ),
        now=clock(),
    )


def provision_again(connection_id: int, *, clock: Clock) -> None:
    """Do what somebody asked for on a page. What goes wrong is kept on the connection, in words, for pages to show."""
    connection = Connection.objects.filter(pk=connection_id, is_active=True).first()
    if connection is None:
        return  # Deleted meanwhile.
    try:
        apply(connection, by=system("provision_again"), clock=clock)
    except errors.OdooError as error:
        logger.warning("%s was not provisioned: %s", connection.name, error)
        if isinstance(error, errors.OF_THE_CONNECTION):
            capabilities.note_failure(connection, error, now=clock())
    live.announce(["health"])

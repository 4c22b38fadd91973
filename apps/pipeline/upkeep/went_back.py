"""An Odoo that went back in time, its database restored from a backup."""

import logging

from django.db import transaction

from apps.audit import trail
from apps.core import actor, live
from apps.core.clock import Clock
from apps.mirror.sync import restored
from apps.odoo import client as wire
from apps.odoo.models import Connection
from apps.pipeline import first_sync
from apps.pipeline.upkeep.reconciliation import compare

logger = logging.getLogger(__name__)


def look_back(connection: Connection, *, clock: Clock) -> bool:
    """Whether this Odoo went back in time, its database restored from a backup; the mirror is then taken back as well.

    Every id of every model is compared, rows are taken as they are there now however old, and what was made after the
    moment of the backup goes. Commands that were carried out stay done: that Odoo lost their effect is for people to
    judge, who see the records in the stages in which they now stand.

    Raises OdooError, SyncBusyError: the next look sees it again.
    """
    back_to = restored.went_back_to(wire.connect(connection), first_sync.present(connection), connection=connection)
    if back_to is None:
        return False
    logger.error("%s went back to %s: its database was restored from a backup", connection.name, back_to)
    for run in compare(connection, clock=clock, restored_to=back_to):
        if run.is_held:
            logger.error("%s", run.note)
    now = clock()
    connection.went_back_at, connection.went_back_to = now, back_to
    with transaction.atomic():
        connection.save(update_fields=["went_back_at", "went_back_to"])
        trail.record(
            trail.Event(
                action="connection.went_back",
                actor=actor.system("upkeep"),
                subject=f"connection:{connection.name}",
                data={"to": back_to.isoformat()},
                about=(connection.pk, None),
            ),
            now=now,
        )
    live.announce(["health"])
    return True

"""A connection that was entered on a page: checked, and read for the first time."""

import logging

from apps.core import live
from apps.core.clock import Clock
from apps.mirror.sync import locks
from apps.odoo import capabilities, errors
from apps.odoo.models import Connection
from apps.pipeline import first_sync
from apps.pipeline.upkeep.probing import probe
from apps.pipeline.upkeep.read_so_far import read_once

logger = logging.getLogger(__name__)


def take_up(connection_id: int, *, clock: Clock) -> None:
    """Check a connection that was entered on the page, and read it for the first time.

    What goes wrong is kept on the connection, in words, for the page to show.
    """
    connection = Connection.objects.filter(pk=connection_id, is_active=True).first()
    if connection is None:
        return  # Deleted meanwhile.
    try:
        probe(connection, now=clock())
        for done in first_sync.first_read(connection, clock=clock):
            logger.info("Read %s rows of %s from %s", done.rows, done.model, connection.name)
            live.announce(["health"])
    except errors.OdooError as error:
        # What is wrong with one model stands with it, and the connection works.
        if isinstance(error, errors.OF_THE_CONNECTION) or not read_once(connection):
            capabilities.note_failure(connection, error, now=clock())
        live.announce(["health"])
    except locks.SyncBusyError as busy:
        logger.info("%s", busy)

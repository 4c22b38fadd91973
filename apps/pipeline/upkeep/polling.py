"""Polling: what has changed since the last look."""

import logging
from datetime import timedelta

from apps.approvals.requests import ended_asks
from apps.core import live
from apps.core.clock import Clock
from apps.mirror.declare import Mirrored
from apps.mirror.sync import backfill, increment, locks
from apps.mirror.sync.increment import Incremented
from apps.odoo import capabilities, errors
from apps.odoo import client as wire
from apps.odoo.models import Connection, ConnectionState
from apps.pipeline import change_processing, first_sync, webhook_coverage
from apps.pipeline.upkeep.read_so_far import read_before, read_once

logger = logging.getLogger(__name__)

# What has not been well for so long is only probed, once a minute, and polled again as soon as a probe is answered.
POLLED_WHILE_FAILING = timedelta(minutes=5)


def poll(connection: Connection, *, clock: Clock, models: list[type[Mirrored]] | None = None) -> list[Incremented]:
    """Look for what has changed since the last look.

    A model that cannot be read is noted as such, and those after it are read.

    Raises OdooError where the connection does not work, or no model of it can be read.

    A first read that broke off is gone on with before, and models that a newer tower mirrors are read.
    """
    client = wire.connect(connection)
    looks = []
    everything = {first_sync.WHOLE, *(model.odoo_model for model in first_sync.present(connection))}
    if models is None and not everything <= read_once(connection):
        try:
            for done in first_sync.first_read(connection, clock=clock):
                logger.info("Read %s rows of %s from %s", done.rows, done.model, connection.name)
        except locks.SyncBusyError as busy:
            logger.info("%s", busy)
        except first_sync.STOPS_ALL:
            raise
        except Exception as error:
            # What fails is noted on its model; those that were read are looked at all the same.
            logger.warning("The first read of %s is not whole: %s", connection.name, error)
    read = read_once(connection)
    failed: list[Exception] = []
    for model in models or first_sync.present(connection):
        if model.odoo_model not in read and models is None:
            continue  # Another process is reading it, or it could not be read.
        try:
            if model.odoo_model not in read:
                backfill.run(client, model, connection=connection, clock=clock)
            else:
                looks.append(
                    increment.run(
                        client,
                        model,
                        connection=connection,
                        clock=clock,
                        on_changes=lambda changes: change_processing.apply_changes(changes, now=clock()),
                    )
                )
        except first_sync.STOPS_ALL:
            raise
        except locks.SyncBusyError as busy:
            logger.info("%s", busy)
        except Exception as error:
            logger.exception("%s of %s could not be read", model.odoo_model, connection.name)
            failed.append(error)
    if failed and not looks:
        raise failed[0]  # It is not one model that does not work.
    _answer_ended_asks(client, connection, clock)
    found = sum(look.changed for look in looks if look.model in webhook_coverage.hooked())
    webhook_coverage.by_looking(connection.pk, webhook_coverage.POLL, found, now=clock())
    live.announce(["health"])
    return looks


def _answer_ended_asks(client: wire.OdooClient, connection: Connection, clock: Clock) -> None:
    """Withdraw the asks that nobody has to decide any more; what fails there stops nothing."""

    def is_in_odoo(model: str, odoo_id: int) -> bool:
        return bool(client.read(model, [odoo_id], ["id"], primary=True)) or client.hides(model, odoo_id)

    try:
        ended_asks.answer(connection, is_in_odoo=is_in_odoo, now=clock())
    except first_sync.STOPS_ALL:
        raise
    except Exception:
        logger.exception("The asks of %s that nobody has to decide could not be answered", connection.name)


def poll_all(*, clock: Clock) -> None:
    """Poll every connection that has been read before; one that fails never stops the others.

    One that has failed for a while (a key that ended, an Odoo that is away) is left to the probe, which asks less.
    """
    for connection in read_before():
        since = connection.state_since
        if connection.state == ConnectionState.FAILING and since is not None and clock() - since > POLLED_WHILE_FAILING:
            continue
        try:
            poll(connection, clock=clock)
        except locks.SyncBusyError as busy:
            logger.info("%s", busy)
        except errors.OdooError as error:
            capabilities.note_failure(connection, error, now=clock())
            logger.warning("%s", error)
        except Exception:
            logger.exception("%s could not be polled; it is tried again at the next look", connection.name)

"""Probing: what an Odoo has, whether it answers, and whether it went back in time."""

import logging
from datetime import datetime

from apps.core import live
from apps.core.clock import Clock
from apps.core.wake import wake_now
from apps.mirror import registry as mirror
from apps.mirror.sync import locks
from apps.odoo import capabilities, errors, jobs, webhook_state
from apps.odoo.capabilities import Report
from apps.odoo.models import Connection, ConnectionState
from apps.pipeline.upkeep.went_back import look_back

logger = logging.getLogger(__name__)

REGISTER = "pipeline.register"
DELETE = "pipeline.delete_connection"


def wanted() -> dict[str, list[str]]:
    """The models and fields that the mirror wants of an Odoo."""
    return {name: model.odoo_fields() for name, model in mirror.models().items()}


def optional() -> list[str]:
    """The models that an Odoo may lack without being any worse for it."""
    return [name for name, model in mirror.models().items() if model.optional]


def probe(connection: Connection, *, now: datetime) -> Report:
    """Ask the connection what it has and keep the answer. Raises OdooError, which is kept on the connection too."""
    try:
        return capabilities.probe(connection, wanted(), optional=optional(), now=now)
    finally:
        live.announce(["health"])


def probe_all(*, clock: Clock) -> None:
    """Probe every active connection, and see whether it went back; one that fails stays marked and never stops the others."""
    for connection_id in Connection.objects.exclude(delete_requested_at=None).values_list("pk", flat=True):
        wake_now(DELETE, connection_id=connection_id)
    for connection in Connection.objects.filter(is_active=True):
        was_connected = connection.state == ConnectionState.CONNECTED
        try:
            probe(connection, now=clock())
            for step in (jobs.look, webhook_state.apply_webhook_state):
                try:
                    step(connection, now=clock())
                except errors.OdooError:
                    raise
                except Exception:
                    logger.exception("One part of probing %s failed; it is tried again in a minute", connection.name)
            look_back(connection, clock=clock)
        except locks.SyncBusyError as busy:
            logger.info("%s", busy)
        except errors.OdooError as error:
            logger.warning("%s", error)
        except Exception:
            logger.exception("%s could not be probed; it is tried again in a minute", connection.name)
        else:
            if was_connected:
                continue
            if connection.sync_states.exclude(backfill_done_at=None).exists():
                wake_now("pipeline.poll")
            else:
                # One that did not answer when it was entered is taken up when it does.
                wake_now(REGISTER, connection_id=connection.pk)

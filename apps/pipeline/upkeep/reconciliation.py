"""Reconciliation: the mirror compared with Odoo, and mended."""

import logging
from collections.abc import Iterator
from datetime import datetime

from django.db import transaction

from apps.core.clock import Clock
from apps.intake import dead_letters
from apps.intake.dead_letters import EVALUATING
from apps.mirror.declare import Mirrored
from apps.mirror.models import SyncRun
from apps.mirror.sync import locks, reconcile
from apps.odoo import client as wire
from apps.odoo import errors
from apps.odoo.models import Connection
from apps.pipeline import change_processing, first_sync, webhook_coverage
from apps.pipeline.upkeep.read_so_far import read_before

logger = logging.getLogger(__name__)


def compare(
    connection: Connection,
    *,
    clock: Clock,
    models: list[type[Mirrored]] | None = None,
    allow_deletions: bool = False,
    restored_to: datetime | None = None,
) -> Iterator[SyncRun]:
    """Compare the mirror with Odoo and mend it; each model's findings as it is done.

    Records that could not be evaluated before are evaluated again.

    Raises OdooError, at once where the connection does not work, and else once all models that can be were compared.
    """
    client = wire.connect(connection)
    failed: list[Exception] = []
    for model in models or first_sync.present(connection):
        try:
            run = reconcile.run(
                client,
                model,
                connection=connection,
                clock=clock,
                allow_deletions=allow_deletions,
                restored_to=restored_to,
                on_changes=lambda changes: change_processing.apply_changes(changes, now=clock()),
            )
            _evaluate_failed(connection, model, clock)
        except (*first_sync.STOPS_ALL, locks.SyncBusyError):
            raise
        except Exception as error:
            logger.exception("%s of %s could not be compared", model.odoo_model, connection.name)
            failed.append(error)
        else:
            yield run
    if failed:
        raise failed[0]


def _evaluate_failed(connection: Connection, model: type[Mirrored], clock: Clock) -> None:
    """Evaluate again the records of ``model`` that have a dead letter for it: what they rest on may be another by now."""
    if failed := dead_letters.records(EVALUATING, connection.pk, model.odoo_model):
        with transaction.atomic():
            change_processing.evaluate_again(connection.pk, {model.odoo_model: failed}, now=clock())


def reconcile_all(*, clock: Clock) -> None:
    """Compare every connection that has been read before; one that fails never stops the others."""
    for connection in read_before():
        try:
            for run in compare(connection, clock=clock):
                if run.odoo_model in webhook_coverage.hooked():
                    missed = run.found_changed + run.found_deleted
                    webhook_coverage.by_looking(connection.pk, webhook_coverage.RECONCILE, missed, now=clock())
                if run.is_held:
                    logger.error("%s", run.note)
        except locks.SyncBusyError as busy:
            logger.info("%s", busy)
        except errors.OdooError as error:
            logger.warning("%s", error)
        except Exception:
            logger.exception("%s could not be compared; it is tried again within the hour", connection.name)

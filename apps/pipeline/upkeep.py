"""What keeps every connection whole without being asked: probing, polling, reconciling, and a first read that broke off."""

import logging
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from django.db import transaction

from apps.approvals import ended_asks
from apps.audit import trail
from apps.core import actor, live
from apps.core.wake import wake_now
from apps.intake import dead_letters
from apps.intake.dead_letters import EVALUATING
from apps.mirror import registry as mirror
from apps.mirror.declare import Mirrored
from apps.mirror.models import SyncRun, SyncState
from apps.mirror.sync import backfill, increment, locks, reconcile, restored
from apps.mirror.sync.increment import Incremented
from apps.odoo import capabilities, errors, jobs, webhook_state
from apps.odoo import client as wire
from apps.odoo.capabilities import Report
from apps.odoo.models import Connection
from apps.pipeline import change_processing, first_sync, webhook_coverage

logger = logging.getLogger(__name__)

Clock = Callable[[], datetime]
# What has not been well for so long is only probed, once a minute, and polled again as soon as a probe is answered.
POLLED_WHILE_FAILING = timedelta(minutes=5)
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
        was_connected = connection.state == "connected"
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


def poll(connection: Connection, *, clock: Clock, models: list[type[Mirrored]] | None = None) -> list[Incremented]:
    """Look for what has changed since the last look.

    A model that cannot be read is noted as such, and those after it are read.

    Raises OdooError where the connection does not work, or no model of it can be read.

    A first read that broke off is gone on with before, and models that a newer tower mirrors are read.
    """
    client = wire.connect(connection)
    looks = []
    everything = {first_sync.WHOLE, *(model.odoo_model for model in first_sync.present(connection))}
    if models is None and not everything <= _read(connection):
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
    read = _read(connection)
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
    for connection in _read_before():
        since = connection.state_since
        if connection.state == "failing" and since is not None and clock() - since > POLLED_WHILE_FAILING:
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


def switch_hooks(*, clock: Clock) -> None:
    """Switch webhooks as people want them; an Odoo that does not answer is tried again when it is probed."""
    for connection in Connection.objects.filter(is_active=True):
        try:
            webhook_state.apply_webhook_state(connection, now=clock())
        except errors.OdooError as error:
            logger.warning("%s", error)
        except Exception:
            logger.exception("The webhooks of %s could not be switched; it is tried again", connection.name)


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
    for connection in _read_before():
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


def _read(connection: Connection) -> set[str]:
    """The models whose first read has ended, and :data:`first_sync.WHOLE` where all of it has."""
    done = SyncState.objects.filter(connection=connection).exclude(backfill_done_at=None)
    return set(done.values_list("odoo_model", flat=True))


def _read_before() -> list[Connection]:
    return list(Connection.objects.filter(is_active=True, sync_states__backfill_done_at__isnull=False).distinct())


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
        if isinstance(error, errors.OF_THE_CONNECTION) or not _read(connection):
            capabilities.note_failure(connection, error, now=clock())
        live.announce(["health"])
    except locks.SyncBusyError as busy:
        logger.info("%s", busy)

"""Which connections and models have been read for the first time."""

import logging

from apps.mirror.models import SyncState
from apps.odoo.models import Connection

logger = logging.getLogger(__name__)


def read_once(connection: Connection) -> set[str]:
    """The models whose first read has ended, and :data:`first_sync.WHOLE` where all of it has."""
    done = SyncState.objects.filter(connection=connection).exclude(backfill_done_at=None)
    return set(done.values_list("odoo_model", flat=True))


def read_before() -> list[Connection]:
    """Return the active connections of which a first read has ended."""
    return list(Connection.objects.filter(is_active=True, sync_states__backfill_done_at__isnull=False).distinct())

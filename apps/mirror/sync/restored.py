"""Seeing that an Odoo went back in time: its database was restored from a backup, and what came after that is lost there.

The dates of a record never go back by themselves, and an id is never given twice. So a few rows tell: of each model the
newest that the mirror knows, and the heartbeat that a provisioned Odoo writes every few minutes.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from apps.mirror.declare import Mirrored
from apps.mirror.models import SyncState
from apps.mirror.sync.times import known_moment
from apps.odoo.client import OdooClient
from apps.odoo.models import Connection

# Rows looked at of each model: as many as nobody deletes at once in the course of business.
WITNESSES = 20
# Those in which business writes all day; the others are compared by the hour anyway.
BUSY = ("x_ct_heartbeat", "sale.order", "purchase.order", "stock.picking", "account.move", "res.partner")
# Of Odoo's newest records, those among which one is looked for that is older than the backup.
COMMON = 1_000
# Odoo's dates are compared by whole seconds.
SECOND = timedelta(seconds=1)


def went_back_to(client: OdooClient, models: Sequence[type[Mirrored]], *, connection: Connection) -> datetime | None:
    """The moment to which this Odoo went back, as far as can be told; None while it goes forward.

    The backup is not older than that: whatever was made later, and is not there, was lost with it.
    Costs one call for each busy model that was read. Raises OdooError.
    """
    found: list[datetime] = []
    read = set(SyncState.objects.filter(connection=connection).exclude(backfill_done_at=None).values_list("odoo_model", flat=True))
    for model in models:
        if model.odoo_model in BUSY and model.odoo_model in read:
            found += _gone_back(client, model, connection)
    return min(found, default=None)


def _gone_back(client: OdooClient, model: type[Mirrored], connection: Connection) -> list[datetime]:
    newest = model.objects.filter(connection=connection, deleted_at=None).order_by("-odoo_id")
    known = {row.odoo_id: row for row in newest.only("odoo_id", "create_date", "write_date")[:WITNESSES]}
    if not known:
        return []
    domain = [("id", "in", sorted(known))]
    # On the primary: a replica that lags looks the same.
    rows = client.search_read(model.odoo_model, domain, ["create_date", "write_date"], primary=True)
    back = []
    is_other = False
    for row in rows:
        ours, written, made = known[row["id"]], known_moment(row["write_date"]), known_moment(row["create_date"])
        if written and ours.write_date and written + SECOND <= ours.write_date:
            back.append(written)
        # Another record under an id that was lost.
        is_other |= bool(made and ours.create_date and made >= ours.create_date + SECOND)
    if is_other or (not rows and len(known) == WITNESSES and _were_lost(client, model, min(known))):
        back.append(_last_common(client, model, connection) or min(row.create_date for row in known.values()) - SECOND)
    return back


def _were_lost(client: OdooClient, model: type[Mirrored], oldest: int) -> bool:
    """Whether rows that are all gone were lost: nothing was made after them, and they are not merely hidden."""
    newest = client.search(model.odoo_model, [], limit=1, order="id desc", primary=True)
    return not (newest and newest[0] >= oldest) and not client.hides(model.odoo_model, oldest)


def _last_common(client: OdooClient, model: type[Mirrored], connection: Connection) -> datetime | None:
    """When the newest record was made that is older than the first one lost; None where none is among Odoo's newest."""
    rows = client.search_read(model.odoo_model, [], ["create_date"], limit=COMMON, order="id desc", primary=True)
    theirs = {row["id"]: at for row in rows if (at := known_moment(row["create_date"]))}
    if not theirs:
        return None
    here = model.objects.filter(connection=connection, deleted_at=None, create_date__isnull=False, odoo_id__gte=min(theirs))
    ours = here.values_list("odoo_id", "create_date")
    lost = min((odoo_id for odoo_id, at in ours if theirs.get(odoo_id) != at.replace(microsecond=0)), default=None)
    return max((at for odoo_id, at in theirs.items() if lost is None or odoo_id < lost), default=None)

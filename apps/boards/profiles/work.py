"""What waits for people about a customer or a vendor: open exceptions and pending approvals."""

from typing import Any

from apps.accounts.access import AccessScope
from apps.approvals.inbox.screens import kind_title
from apps.approvals.models import Request
from apps.approvals.models import Status as RequestStatus
from apps.boards.boards.figures import rows
from apps.boards.profiles.family import Family
from apps.exceptions import queries as exceptions
from apps.exceptions.models import ExceptionCase
from apps.exceptions.types import title_of
from apps.workflows.models import Position

MOST = 50
# A partner may be both: its purchases, bills and receipts are the vendor's, all else is the customer's.
IS_VENDORS = """(p.model = 'purchase.order'
  OR p.model = 'account.move' AND EXISTS (SELECT FROM mirror_account_move m WHERE m.connection_id = p.connection_id
       AND m.odoo_id = p.odoo_id AND m.move_type IN ('in_invoice', 'in_refund', 'in_receipt'))
  OR p.model = 'stock.picking' AND EXISTS (SELECT FROM mirror_stock_picking k WHERE k.connection_id = p.connection_id
       AND k.odoo_id = p.odoo_id AND k.picking_type_code = 'incoming' AND k.return_id IS NULL AND k.sale_id IS NULL))"""
# By the index positions_open_with.
ABOUT = """
SELECT DISTINCT w.id
  FROM workflows_position p
  JOIN {table} w ON w.connection_id = p.connection_id AND w.model = p.model AND w.odoo_id = p.odoo_id AND {waits}
 WHERE p.connection_id = %(connection)s AND p.partner_id = ANY(%(members)s) AND p.is_open AND {seen} AND {side}
"""


def cases_of(family: Family, *, access_scope: AccessScope, is_vendor: bool) -> list[tuple[ExceptionCase, str]]:
    """Return the unresolved exceptions of its open records with their titles, the earliest due first; at most :data:`MOST`."""
    ids = _ids(family, "exceptions_exceptioncase", "w.status <> 'resolved'", access_scope, is_vendor)
    found = exceptions.queue(access_scope).filter(pk__in=ids).order_by("due_at", "id")[:MOST]
    return [(case, title_of(case.type)) for case in found]


def requests_of(family: Family, *, access_scope: AccessScope, is_vendor: bool) -> list[tuple[Request, str]]:
    """Return the approvals that are pending about its open records with their titles; at most :data:`MOST`."""
    ids = _ids(family, "approvals_request", "w.status = 'pending'", access_scope, is_vendor)
    pending = Request.objects.filter(access_scope.of_records(), pk__in=ids, status=RequestStatus.PENDING)
    found = pending.select_related("connection", "decided_by").order_by("due_at", "id")[:MOST]
    return [(request, kind_title(request.kind)) for request in found]


def is_vendors(position: Position) -> bool:
    """Whether the partner of the record stands there as a vendor."""
    return bool(rows(f"SELECT 1 FROM workflows_position p WHERE p.id = %(id)s AND {IS_VENDORS}", {"id": position.pk}))


def _ids(family: Family, table: str, waits: str, access_scope: AccessScope, is_vendor: bool) -> list[int]:
    side = IS_VENDORS if is_vendor else f"NOT {IS_VENDORS}"
    statement = ABOUT.format(table=table, waits=waits, seen=access_scope.sql("p"), side=side)
    values: dict[str, Any] = {"connection": family.connection.pk, "members": list(family.members)}
    return [number for (number,) in rows(statement, values)]

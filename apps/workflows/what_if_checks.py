"""Whether a hypothetical change can be previewed: what it speaks of is there, in sight, and could be changed so in Odoo."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import psycopg
from django.db import OperationalError
from django.db import connection as database
from django.utils.translation import gettext

from apps.accounts.access import AccessScope
from apps.core.refusals import Problem, Refusal
from apps.mirror.models.product_product import Product
from apps.mirror.models.purchase_order import PurchaseOrder
from apps.mirror.models.purchase_order_line import PurchaseOrderLine
from apps.mirror.models.res_partner import Partner
from apps.mirror.models.sale_order import SaleOrder
from apps.mirror.models.stock_warehouse import Warehouse
from apps.workflows import reservable
from apps.workflows.changes import (
    CancelledLine,
    Change,
    NewDate,
    NewPromise,
    NewQuantity,
    OtherVendor,
    ReleasedHold,
    Split,
    Transfer,
)
from apps.workflows.hypothetical import ChangeRefusedError

MOST_CHANGES = 1_000
# A date beyond these only stands for none.
FIRST, LAST = datetime(1990, 1, 1, tzinfo=UTC), datetime(2099, 1, 1, tzinfo=UTC)
LARGEST = Decimal(10) ** 12
# Shorter than PostgreSQL waits before it looks for a deadlock: a preview gives way, never the worker that reads from Odoo.
WAITS_MILLISECONDS = 500


class MirrorBusyError(Refusal):
    """The rows that a preview would change are being read from Odoo at this moment."""

    problem = Problem(
        code="mirror_busy",
        status=409,
        title="The records are being read from Odoo",
        meaning="What the change speaks of is being written to the mirror at this moment.",
        remedy="Ask again after a second.",
    )


@contextmanager
def gives_way() -> Iterator[None]:
    """Turn waiting too long for a row into a refusal. Raises MirrorBusyError."""
    try:
        yield
    except OperationalError as error:
        if isinstance(error.__cause__, psycopg.errors.LockNotAvailable):
            raise MirrorBusyError(gettext("These records are being read from Odoo. Ask again in a moment.")) from None
        raise


def begin() -> None:
    """Have the transaction see one moment of the mirror, where it has only begun, and wait for no row for long."""
    with database.cursor() as cursor:
        if not database.savepoint_ids:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        cursor.execute(f"SET LOCAL lock_timeout = {WAITS_MILLISECONDS}")


def check(connection_id: int, changes: Sequence[Change], *, access_scope: AccessScope, now: datetime) -> None:
    """Raise ChangeRefusedError where a change speaks of what is not there or out of sight, or cannot be made."""
    if not changes:
        raise ChangeRefusedError(gettext("Name at least one change."))
    if len(changes) > MOST_CHANGES:
        raise ChangeRefusedError(gettext("At most %(most)s changes are previewed at once.") % {"most": f"{MOST_CHANGES:,}"})
    known = _Known(connection_id, changes, access_scope, now)
    for change in changes:
        CHECKS[type(change)](known, change)
    for kinds in ((NewDate, Split), (NewQuantity, CancelledLine, Split)):
        of_kind = [change.line_id for change in changes if isinstance(change, kinds)]
        if len(set(of_kind)) < len(of_kind):
            raise ChangeRefusedError(gettext("Two of the changes are of the same line and speak against each other."))


class _Known:
    """What there is of what the changes speak of, in sight: a query a model."""

    def __init__(self, connection_id: int, changes: Sequence[Change], access_scope: AccessScope, now: datetime) -> None:
        self.connection_id, self.seen, self.now = connection_id, access_scope, now
        lines = [one for change in changes if (one := getattr(change, "line_id", None) or getattr(change, "instead_of", None))]
        orders = [change.order_id for change in changes if isinstance(change, ReleasedHold | NewPromise)]
        bought = [change for change in changes if isinstance(change, OtherVendor | Transfer)]
        self.lines = self._rows(PurchaseOrderLine, lines, "order_id", "product_id", "product_qty", "qty_received", "company_id")
        self.purchases = self._rows(PurchaseOrder, [row["order_id"] for row in self.lines.values()], "state", "company_id")
        self.sales = self._rows(SaleOrder, orders, "state", "company_id", "name")
        self.products = self._rows(Product, [one.product_id for one in bought])
        places = [number for one in bought for number in _warehouses_of(one)]
        self.warehouses = self._rows(Warehouse, places, "company_id", "name", "lot_stock_id")
        self.partners = self._rows(Partner, [one.vendor_id for one in bought if isinstance(one, OtherVendor)])

    def _rows(self, model: Any, ids: Sequence[int | None], *columns: str) -> Mapping[int, Mapping[str, Any]]:
        if not ids:
            return {}
        rows = model.objects.filter(connection_id=self.connection_id, odoo_id__in={one for one in ids if one}, deleted_at=None)
        if "company_id" in columns:
            rows = rows.filter(self.seen.of_records())
        return {row["odoo_id"]: row for row in rows.values("odoo_id", *columns)}

    def open_line(self, line_id: int) -> Mapping[str, Any]:
        """Return the purchase line, of which there is still something to come."""
        line = self.lines.get(line_id)
        order = self.purchases.get(line["order_id"]) if line else None
        if line is None or order is None:
            raise ChangeRefusedError(gettext("There is no purchase line %(line)s.") % {"line": line_id})
        if order["state"] == "cancel" or not line["product_id"] or (line["qty_received"] or 0) >= (line["product_qty"] or 0):
            raise ChangeRefusedError(gettext("Nothing is to come on purchase line %(line)s any more.") % {"line": line_id})
        return line

    def sale(self, order_id: int, *states: str) -> None:
        order = self.sales.get(order_id)
        if order is None:
            raise ChangeRefusedError(gettext("There is no sales order %(order)s.") % {"order": order_id})
        if order["state"] not in states:
            raise ChangeRefusedError(gettext("%(order)s is not in the state for it.") % {"order": order["name"]})

    def warehouse(self, number: int) -> Mapping[str, Any]:
        if number not in self.warehouses:
            raise ChangeRefusedError(gettext("There is no warehouse %(warehouse)s.") % {"warehouse": number})
        return self.warehouses[number]

    def product(self, number: int) -> None:
        if number not in self.products:
            raise ChangeRefusedError(gettext("There is no product %(product)s.") % {"product": number})


def _warehouses_of(change: OtherVendor | Transfer) -> Sequence[int]:
    return [change.warehouse_id] if isinstance(change, OtherVendor) else [change.from_warehouse, change.to_warehouse]


def _date(at: datetime) -> None:
    if not FIRST <= at < LAST:
        raise ChangeRefusedError(gettext("The date must lie between 1990 and 2098."))


def _quantity(quantity: Decimal, *, least: Decimal = Decimal(0)) -> None:
    if not quantity.is_finite() or not least <= quantity < LARGEST:
        raise ChangeRefusedError(
            gettext("The quantity must be a number of at least %(least)s.") % {"least": f"{least.normalize():f}"}
        )


def _new_date(known: _Known, change: NewDate) -> None:
    known.open_line(change.line_id)
    _date(change.at)


def _new_quantity(known: _Known, change: NewQuantity) -> None:
    _quantity(change.quantity, least=known.open_line(change.line_id)["qty_received"] or Decimal(0))


def _cancelled(known: _Known, change: CancelledLine) -> None:
    known.open_line(change.line_id)


def _split(known: _Known, change: Split) -> None:
    known.open_line(change.line_id)
    for part in change.parts:
        _date(part.at)
        _quantity(part.quantity)


def _other_vendor(known: _Known, change: OtherVendor) -> None:
    known.product(change.product_id)
    known.warehouse(change.warehouse_id)
    _date(change.at)
    _quantity(change.quantity)
    if change.vendor_id not in known.partners or not known.seen.sees(known.connection_id, change.company_id):
        raise ChangeRefusedError(gettext("There is no vendor %(vendor)s.") % {"vendor": change.vendor_id})
    if change.instead_of is not None:
        known.open_line(change.instead_of)


FREE = f"""
SELECT COALESCE(sum(f.free), 0)
  FROM ({reservable.by_warehouse("q.product_id = %(product)s AND place.warehouse_id = %(warehouse)s")}) AS f
"""


def _transfer(known: _Known, change: Transfer) -> None:
    known.product(change.product_id)
    here, there = known.warehouse(change.from_warehouse), known.warehouse(change.to_warehouse)
    _date(change.at)
    _quantity(change.quantity)
    if change.from_warehouse == change.to_warehouse or here["company_id"] != there["company_id"]:
        raise ChangeRefusedError(gettext("A transfer leads from one warehouse of a company to another one of it."))
    with database.cursor() as cursor:
        of = {"warehouse": change.from_warehouse, "product": change.product_id}
        cursor.execute(FREE, {"connection": known.connection_id, "now": known.now, **of})
        (free,) = cursor.fetchone()
    if change.quantity > free:
        raise ChangeRefusedError(
            gettext("Only %(free)s are free in %(warehouse)s.") % {"free": f"{free.normalize():f}", "warehouse": here["name"]}
        )


def _released(known: _Known, change: ReleasedHold) -> None:
    known.sale(change.order_id, "draft", "sent")


def _promised(known: _Known, change: NewPromise) -> None:
    known.sale(change.order_id, "sale", "done")
    _date(change.at)


CHECKS: Mapping[type, Callable[[_Known, Any], None]] = {
    NewDate: _new_date,
    NewQuantity: _new_quantity,
    CancelledLine: _cancelled,
    Split: _split,
    OtherVendor: _other_vendor,
    Transfer: _transfer,
    ReleasedHold: _released,
    NewPromise: _promised,
}

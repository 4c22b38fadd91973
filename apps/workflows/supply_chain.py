"""The chain that an order hangs in: its deliveries, the moves that wait, and the purchases that are to fill them."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import connection as database
from psycopg.rows import class_row

from apps.core import statements
from apps.workflows import supply_allocation, units
from apps.workflows.models import Position
from apps.workflows.rules import promises


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """A transfer that belongs to the order."""

    odoo_id: int
    name: str
    state: str
    kind: str
    scheduled_at: datetime | None
    done_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Supply:
    """A purchase that is to bring goods that the order waits for.

    Attributes:
        quantity: what is still to come of a purchase that Odoo links, and of another what of it is for this order, in the
            product's own unit.
        linked: Odoo itself links the two (the move's origin); otherwise this purchase is next in the row of who waits for the
            product in the warehouse (:mod:`apps.workflows.supply_allocation`).
    """

    odoo_id: int
    name: str
    supplier: str
    product: str
    quantity: Decimal
    expected_at: datetime | None
    linked: bool


DELIVERIES = """
SELECT p.odoo_id, p.name, p.state, p.picking_type_code AS kind, p.scheduled_date AS scheduled_at, p.date_done AS done_at
  FROM mirror_stock_picking p
 WHERE p.connection_id = %(connection)s AND p.sale_id = %(order)s AND p.deleted_at IS NULL
 ORDER BY p.scheduled_date, p.odoo_id
"""

SUPPLIES = statements.load(
    __file__,
    "order_supplies",
    short_moves=promises.SHORT_MOVES,
    is_fed=supply_allocation.is_fed("s"),
    in_its_row=promises.IN_ITS_ROW,
    still_to_come=units.own("pl.product_qty - pl.qty_received", "pl"),
)


def _rows[T](kind: type[T], statement: str, position: Position, **more: datetime) -> list[T]:
    if position.model != "sale.order":
        return []
    with database.cursor() as cursor, cursor.connection.cursor(row_factory=class_row(kind)) as raw:
        values = {"connection": position.connection_id, "order": position.odoo_id, **more}
        found: list[T] = raw.execute(statement, values).fetchall()
        return found


def deliveries_of(position: Position) -> list[Delivery]:
    """The transfers of the order, in the order in which they are scheduled."""
    return _rows(Delivery, DELIVERIES, position)


def supplies_of(position: Position, *, now: datetime) -> list[Supply]:
    """The purchases that are to bring what the order waits for, the earliest first."""
    return _rows(Supply, SUPPLIES, position, now=now)

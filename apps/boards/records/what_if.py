"""The small form of a purchase order that asks what a change of a line would do."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from zoneinfo import ZoneInfo

from django.db import connection as database
from django.utils.translation import gettext
from psycopg.rows import class_row

from apps.workflows.changes import CancelledLine, Change, NewDate, NewQuantity
from apps.workflows.hypothetical import ChangeRefusedError

SHOWN = 100


@dataclass(frozen=True, kw_only=True)
class OpenLine:
    """A line of a purchase order on which something is still to come.

    Attributes:
        zone: the time zone of the line's company.
    """

    line_id: int
    name: str
    quantity: Decimal
    received: Decimal
    unit: str
    planned_at: datetime | None
    zone: str

    @property
    def day(self) -> date | None:
        """The day on which it is expected, as the company counts days."""
        return self.planned_at.astimezone(ZoneInfo(self.zone)).date() if self.planned_at else None

    @property
    def plain_quantity(self) -> str:
        """Return the quantity as a field of a form takes it."""
        return f"{self.quantity.normalize():f}"


OPEN_LINES = """
SELECT l.odoo_id AS line_id, COALESCE(NULLIF(t.name, ''), l.name, '') AS name, l.product_qty AS quantity,
       COALESCE(l.qty_received, 0) AS received, COALESCE(u.name, '') AS unit, l.date_planned AS planned_at,
       company_zone(l.connection_id, l.company_id) AS zone
  FROM mirror_purchase_order o
  JOIN mirror_purchase_order_line l ON l.connection_id = o.connection_id AND l.order_id = o.odoo_id AND l.deleted_at IS NULL
   AND l.qty_received < l.product_qty AND l.product_id IS NOT NULL
  LEFT JOIN mirror_product_product p ON p.connection_id = l.connection_id AND p.odoo_id = l.product_id
  LEFT JOIN mirror_product_template t ON t.connection_id = p.connection_id AND t.odoo_id = p.product_tmpl_id
  LEFT JOIN mirror_uom_uom u ON u.connection_id = l.connection_id AND u.odoo_id = l.product_uom_id
 WHERE o.connection_id = %(connection)s AND o.odoo_id = %(order)s AND o.state IN ('purchase', 'done') AND o.deleted_at IS NULL
 ORDER BY l.date_planned, l.odoo_id
 LIMIT %(shown)s
"""


def open_lines(connection_id: int, order_id: int) -> list[OpenLine]:
    """Return the lines of a confirmed purchase order on which something is to come, at most :data:`SHOWN`."""
    values = {"connection": connection_id, "order": order_id, "shown": SHOWN}
    with database.cursor() as cursor, cursor.connection.cursor(row_factory=class_row(OpenLine)) as raw:
        found: list[OpenLine] = raw.execute(OPEN_LINES, values).fetchall()
    return found


def changes_of(line: OpenLine, given: Mapping[str, str]) -> list[Change]:
    """Return the changes that the form says: a day, a quantity, or that the rest is cancelled.

    Raises ChangeRefusedError where something of it cannot be read, or nothing is another than it was.
    """
    if given.get("cancel"):
        return [CancelledLine(line_id=line.line_id)]
    found: list[Change] = []
    if text := given.get("date", "").strip():
        day = _day(text)
        if day != line.day:
            zone = ZoneInfo(line.zone)
            time = line.planned_at.astimezone(zone).timetz() if line.planned_at else datetime(2000, 1, 1, 12, tzinfo=zone).timetz()
            found.append(NewDate(line_id=line.line_id, at=datetime.combine(day, time)))
    if text := given.get("quantity", "").strip().replace(",", "."):
        quantity = _quantity(text)
        if quantity != line.quantity:
            found.append(NewQuantity(line_id=line.line_id, quantity=quantity))
    if not found:
        raise ChangeRefusedError(gettext("Choose another date or quantity, or cancel the rest."))
    return found


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ChangeRefusedError(gettext("%(date)s is no date.") % {"date": text[:40]}) from None


def _quantity(text: str) -> Decimal:
    try:
        return Decimal(text[:40])
    except InvalidOperation:
        raise ChangeRefusedError(gettext("%(quantity)s is no quantity.") % {"quantity": text[:40]}) from None

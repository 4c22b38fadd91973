"""Writing a hypothetical change into the mirror, as Odoo would: for a transaction that is rolled back.

One or a few statements a kind of change, however many there are. What Odoo makes of a change was read from Odoo 19's own
(``purchase_stock``, ``stock``) and is compared with a real one in ``tests/odoo/test_what_if.py``. Rows that there are not yet get
numbers from :data:`FIRST_NEW` on.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.db import connection as database
from django.utils.translation import gettext

from apps.core.refusals import Problem, Refusal
from apps.mirror.declare import Mirrored
from apps.mirror.models.purchase_order import PurchaseOrder
from apps.mirror.models.purchase_order_line import PurchaseOrderLine
from apps.mirror.models.stock_move import StockMove
from apps.mirror.models.stock_picking import Picking
from apps.workflows import hypothetical_sql as statements
from apps.workflows import operation_types
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

# Above what any Odoo counts to: of two supplies of one day the newer line is served last, and so are these.
FIRST_NEW = 1 << 60
# Of what is made for a sales order that is confirmed: its id and those of its lines are added.
FIRST_DELIVERY = FIRST_NEW + (1 << 59)


class ChangeRefusedError(Refusal):
    """A hypothetical change speaks of what is not there, or of what nobody could do in Odoo."""

    problem = Problem(
        code="change_impossible",
        status=422,
        title="The change cannot be made",
        meaning="The line, order, product or warehouse is not there or out of sight, or Odoo would refuse the change.",
        remedy="Name an open line or order that you may see, and a date, quantity and place that it can have.",
    )


type Touched = dict[str, set[int]]


def apply(connection_id: int, changes: Sequence[Change], *, now: Any) -> Touched:
    """Write the changes into the mirror, in the caller's transaction.

    The caller has checked what they speak of.

    Returns:
        Odoo's model → the ids of the records that are other ones now.
    """
    writer = _Writer(connection_id, now)
    for kind, act in writer.acts.items():
        some = [change for change in changes if isinstance(change, kind)]
        if some:
            act(some)
    return writer.touched


class _Writer:
    """What was written so far."""

    def __init__(self, connection_id: int, now: Any) -> None:
        self.connection_id, self.now = connection_id, now
        self.touched: Touched = {}
        self.number = FIRST_NEW
        self.acts: Mapping[type, Callable[[Any], None]] = {
            NewDate: self.dates,
            NewQuantity: lambda some: self.quantities([(one.line_id, one.quantity) for one in some]),
            CancelledLine: lambda some: self.quantities([(one.line_id, None) for one in some]),
            Split: self.splits,
            OtherVendor: self.purchases,
            Transfer: self.transfers,
            ReleasedHold: self.releases,
            NewPromise: self.promises,
        }

    def run(self, statement: str, **values: Any) -> list[tuple[Any, ...]]:
        with database.cursor() as cursor:
            cursor.execute(statement, {"connection": self.connection_id, "now": self.now, **values})
            return cursor.fetchall() if cursor.description else []

    def touch(self, model: str, ids: Iterable[int]) -> None:
        self.touched.setdefault(model, set()).update(ids)

    def new_ids(self, count: int) -> list[int]:
        found = list(range(self.number, self.number + count))
        self.number += count
        return found

    def dates(self, some: Sequence[NewDate]) -> None:
        lines, dates = [one.line_id for one in some], [one.at for one in some]
        self.run(statements.NEW_DATES, lines=lines, dates=dates)
        moves = self.run(statements.NEW_DATES_OF_MOVES, lines=lines, dates=dates)
        self.touch("purchase.order.line", lines)
        self.touch("stock.move", [move for (move,) in moves])

    def quantities(self, some: Sequence[tuple[int, Decimal | None]]) -> None:
        """Set lines to their new quantity, and what was received where that is None; their receipts follow."""
        lines = [line for line, _ in some]
        values = {"lines": lines, "quantities": [quantity for _, quantity in some]}
        more = [row[0] for row in self.run(statements.LINES_WITHOUT_RECEIPT, **values)]
        moved = self.run(statements.NEW_QUANTITIES_OF_MOVES, **values)
        self.run(statements.NEW_QUANTITIES, **values)
        emptied = [move for move, state in moved if state == "cancel"]
        if more:
            self.receive(more)
        if emptied:
            freed = self.run(statements.DETACH, moves=emptied)
            self.touch("stock.move", [move for (move,) in freed])
            self.touch("stock.picking", [row[0] for row in self.run(statements.CANCEL_EMPTY_TRANSFERS, moves=emptied)])
        self.touch("purchase.order.line", lines)
        self.touch("stock.move", [move for move, _ in moved])

    def receive(self, lines: Sequence[int]) -> None:
        """Make a receipt for what lines have still to bring, as Odoo does where there is none any more."""
        found = self.run(statements.TO_RECEIVE, lines=lines)
        like, quantities, dates = (list(column) for column in zip(*found, strict=True))
        self.receipts(like, like, quantities, dates)

    def receipts(self, like: list[int], new: list[int], quantities: list[Decimal], dates: list[Any]) -> None:
        statement = statements.receipts(_columns(StockMove))
        moves = self.run(statement, lines=like, new=new, quantities=quantities, dates=dates, first=self.number)
        self.touch("stock.move", self.new_ids(len(moves)))

    def splits(self, some: Sequence[Split]) -> None:
        """Leave the first part on the line, and put every other one on a line of its own in the same order."""
        received = dict(self.run(statements.RECEIVED, lines=[one.line_id for one in some]))
        firsts = [one for one in some if one.parts]
        self.quantities([(one.line_id, received[one.line_id] + one.parts[0].quantity if one.parts else None) for one in some])
        if firsts:
            self.dates([NewDate(line_id=one.line_id, at=one.parts[0].at) for one in firsts])
        rest = [(one.line_id, part) for one in firsts for part in one.parts[1:]]
        if not rest:
            return
        lines = self.new_ids(len(rest))
        like = [line for line, _ in rest]
        quantities, dates = [part.quantity for _, part in rest], [part.at for _, part in rest]
        statement = statements.further_lines(_columns(PurchaseOrderLine))
        self.run(statement, lines=like, new=lines, quantities=quantities, dates=dates)
        self.receipts(like, lines, quantities, dates)
        self.touch("purchase.order.line", lines)

    def purchases(self, some: Sequence[OtherVendor]) -> None:
        if cancelled := [(one.instead_of, None) for one in some if one.instead_of is not None]:
            self.quantities(cancelled)
        for one in some:
            order, line, transfer, move = self.new_ids(4)
            said = {"name": gettext("New order"), "company_id": one.company_id, "read_at": self.now}
            own = {"product_id": one.product_id, **said}
            self.insert(PurchaseOrder, order, state="purchase", partner_id=one.vendor_id, date_planned=one.at, **said)
            self.insert(
                PurchaseOrderLine, line, order_id=order, product_qty=one.quantity, qty_received=0, date_planned=one.at, **own
            )
            kind = self.kind_of_transfer("incoming", one.warehouse_id)
            self.insert(Picking, transfer, state="assigned", picking_type_id=kind, picking_type_code="incoming", **said)
            self.insert(
                StockMove,
                move,
                **{name: value for name, value in own.items() if name != "name"},
                purchase_line_id=line,
                picking_id=transfer,
                picking_type_id=kind,
                state="assigned",
                product_uom_qty=one.quantity,
                quantity=0,
                date=one.at,
                move_orig_ids=[],
            )
            self.touch("purchase.order.line", [line])

    def transfers(self, some: Sequence[Transfer]) -> None:
        for one in some:
            transfer, move, held = self.new_ids(3)
            kind = self.kind_of_transfer("internal", one.from_warehouse)
            ((here, company),) = self.run(statements.STOCK_OF_WAREHOUSE, warehouse=one.from_warehouse)
            ((there, _),) = self.run(statements.STOCK_OF_WAREHOUSE, warehouse=one.to_warehouse)
            said = {"company_id": company, "read_at": self.now}
            self.insert(
                Picking,
                transfer,
                name=gettext("New transfer"),
                state="assigned",
                picking_type_id=kind,
                picking_type_code="internal",
                scheduled_date=one.at,
                **said,
            )
            self.insert(
                StockMove,
                move,
                product_id=one.product_id,
                picking_id=transfer,
                picking_type_id=kind,
                location_id=here,
                location_dest_id=there,
                state="assigned",
                product_uom_qty=one.quantity,
                quantity=one.quantity,
                date=one.at,
                move_orig_ids=[],
                **said,
            )
            self.run(statements.RESERVE, new=held, product=one.product_id, place=here, company=company, quantity=one.quantity)
            self.touch("stock.move", [move])

    def releases(self, some: Sequence[ReleasedHold]) -> None:
        orders = [one.order_id for one in some]
        self.run(statements.CONFIRM, orders=orders)
        moves = self.run(statements.DELIVERIES, orders=orders, first=FIRST_DELIVERY)
        self.touch("sale.order", orders)
        self.touch("stock.move", [move for (move,) in moves])

    def promises(self, some: Sequence[NewPromise]) -> None:
        orders = [one.order_id for one in some]
        values = {"orders": orders, "dates": [one.at for one in some]}
        self.run(statements.NEW_PROMISES, **values)
        moves = self.run(statements.NEW_PROMISES_OF_MOVES, **values)
        self.touch("sale.order", orders)
        self.touch("stock.move", [move for (move,) in moves])

    def kind_of_transfer(self, kind: operation_types.Kind, warehouse: int) -> int | None:
        ((found,),) = self.run(statements.KIND_OF_TRANSFER[kind], warehouse=warehouse)
        return int(found) if found else None

    def insert(self, model: type[Mirrored], odoo_id: int, **values: Any) -> None:
        names = {field.name for field in model._meta.concrete_fields}
        kept = {name: value for name, value in values.items() if name in names}
        model.objects.create(connection_id=self.connection_id, odoo_id=odoo_id, **kept)


def _columns(model: type[Mirrored]) -> list[str]:
    """The columns of the model that a copy of a row takes over."""
    return [str(field.column) for field in model._meta.concrete_fields if field.name not in ("id", "odoo_id")]

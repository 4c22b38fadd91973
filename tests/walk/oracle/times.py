"""When transfers and invoices are due, by Odoo's own dates."""

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from apps.core import clock
from tests.walk.oracle.positions import positions

if TYPE_CHECKING:
    from tests.walk.walk import Walk


def transfers_are_due_when_odoo_says(walk: "Walk") -> list[str]:
    """A transfer is late when its deadline, or what it is scheduled for, has passed; not before."""
    found, stands, now = [], positions(walk, "fulfilment"), clock.now()
    waiting = [("id", "in", walk.transfers([])), ("return_id", "=", False), ("state", "in", ["waiting", "confirmed", "assigned"])]
    for row in walk.rows("stock.picking", waiting, ["name", "scheduled_date", "date_deadline"]):
        if row["id"] not in stands:
            continue
        due = [datetime.fromisoformat(row[name]).replace(tzinfo=UTC) for name in ("scheduled_date", "date_deadline") if row[name]]
        is_late = stands[row["id"]].stage == "late"
        # Deadlines are kept by the day here and there: within a day of it either is right.
        if due and is_late and min(due) > now:
            found.append(f"{row['name']} is late; Odoo plans it for {min(due)}")
        if due and not is_late and max(due) < now - timedelta(days=1, hours=14):
            found.append(f"{row['name']} is not late; Odoo planned it for {max(due)}")
    return found


def invoices_are_due_when_odoo_says(walk: "Walk") -> list[str]:
    """An open invoice is overdue from the day after its due date on."""
    found, stands, today = [], positions(walk, "invoicing"), clock.now().date()
    owed = [
        ("id", "in", walk.ids("account.move")),
        ("state", "=", "posted"),
        ("payment_state", "in", ["not_paid", "partial"]),
    ]
    for row in walk.rows("account.move", owed, ["name", "invoice_date_due", "move_type"]):
        stage = stands[row["id"]].stage if row["id"] in stands else "no stage"
        if not row["invoice_date_due"] or stage not in ("not_due", "overdue"):
            continue
        days = (today - date.fromisoformat(row["invoice_date_due"])).days
        if (stage == "overdue" and days < 0) or (stage == "not_due" and days > 1):
            found.append(f"invoice {row['name']} stands in {stage}; Odoo says it is due on {row['invoice_date_due']}")
    return found

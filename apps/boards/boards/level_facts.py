"""Facts of the figures that say how much there is at a moment: the backlog, what customers owe and what vendors are owed.

Each row counts from one moment to another, so that every day of a trend is told from the same rows, without a copy a day.
"""

from apps.core import statements
from apps.workflows import returned, units

BACKLOG = statements.load(
    __file__,
    "backlog",
    seen="{seen}",
    of_line="{of_line}",
    ordered=units.own("l.product_uom_qty", "l"),
    moved=units.own("m.quantity", "m", units.MOVE),
    goes_back=returned.goes_back("d").strip(),
).strip()


def _ledger(account: str, sign: int, types: str) -> str:
    return statements.load(__file__, "ledger", seen="{seen}", account=account, sign=sign, types=types).strip()


RECEIVABLES = _ledger("asset_receivable", 1, "'out_invoice', 'out_refund', 'out_receipt'")
PAYABLES = _ledger("liability_payable", -1, "'in_invoice', 'in_refund', 'in_receipt'")

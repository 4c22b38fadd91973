"""What the tower's guards and rules cost Odoo's users, as ``bench/guards.py`` measured it beside an Odoo without them.

Odoo does not tell from outside how long a rule runs, and to measure it in an Odoo where people work would take orders that nobody
placed. So the page of a connection shows what a reference machine measured, and says so.
"""

from dataclasses import dataclass
from datetime import date

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

MEASURED_ON, MEASURED_WITH = date(2026, 11, 29), "19.0"


@dataclass(frozen=True)
class Cost:
    """Processor time that Odoo and its database spend on one act: medians, and the median ratio of the rounds.

    Attributes:
        webhooks: how many messages Odoo sends the tower about it.
    """

    act: str | Promise
    without_seconds: float
    with_seconds: float
    ratio: float
    webhooks: int


COSTS = (
    Cost(gettext_lazy("Create a sales order of three lines"), 0.103, 0.229, 2.0, 6),
    Cost(gettext_lazy("Change a line of a quotation"), 0.066, 0.133, 1.8, 4),
    Cost(gettext_lazy("Confirm a sales order"), 0.229, 0.502, 2.2, 16),
    Cost(gettext_lazy("Confirm a purchase order"), 0.26, 0.578, 2.3, 12),
)

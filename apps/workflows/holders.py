"""Who has a record, a request or a case while it waits. Every moment of its time counts for exactly one of them.

A stage declares who holds the records that stand in it; what lies over a stage goes before it: a pending approval, then a command
that waits for Odoo, then a carrier's delay (:mod:`apps.boards.held`, where the whole rule is).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Q
from django.utils.translation import gettext_lazy

from apps.core.looks import Look, StatusChoices


class Holder(StatusChoices):
    """Who has it. Of us it is told by team as well."""

    US = "us", Look("calm", "users"), gettext_lazy("Us")
    CUSTOMER = "customer", Look("done", "user-check"), gettext_lazy("Customer")
    VENDOR = "vendor", Look("risk", "building-2"), gettext_lazy("Vendor")
    CARRIER = "carrier", Look("risk", "truck"), gettext_lazy("Carrier")
    APPROVER = "approver", Look("late", "stamp"), gettext_lazy("Approver")
    ODOO = "odoo", Look("", "refresh-cw"), gettext_lazy("Odoo")
    NOBODY = "nobody", Look("", "circle"), gettext_lazy("Nobody")


@dataclass(frozen=True)
class HeldBy:
    """Who holds what stands in a stage.

    Attributes:
        holder: who, where nothing else is said; us is the stage's owner team.
        where: conditions on the record's own columns that never change, such as its type, each with who holds those records;
            the first that holds counts.
    """

    holder: Holder
    where: Sequence[tuple[Q, Holder]] = ()


US, CUSTOMER, VENDOR = HeldBy(Holder.US), HeldBy(Holder.CUSTOMER), HeldBy(Holder.VENDOR)
APPROVER = HeldBy(Holder.APPROVER)

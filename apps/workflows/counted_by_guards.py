"""What Odoo's guard counted beside what the tower counts."""

from dataclasses import dataclass

from django.db.models import Q


@dataclass(frozen=True, kw_only=True)
class GuardFigures:
    """The columns with what the tower counts, and with what Odoo's guard counted when it asked.

    Attributes:
        measure, limit: what the tower counts, and the limit beyond which somebody has to agree; in the company's currency.
        asked, asked_limit: the same as the guard counted them.
        is_asked: column that holds while the guard's ask is open and has figures.
        excess: column with what the measure is beyond the limit, where there is one.
        from_limit: the limit itself is already beyond it.
        no_limit_is_none: a limit of zero is none at all.
        is_cumulative: the guard counts together what the policy says (:attr:`apps.workflows.declare.ApprovalKind.peers`).
        alone: column with what the record counts alone, where the measure is that with what counts together with it.
        outdated: column that holds where the record was written after the guard had counted it.
    """

    measure: str
    limit: str
    asked: str
    asked_limit: str
    is_asked: str
    excess: str = ""
    from_limit: bool = False
    no_limit_is_none: bool = False
    is_cumulative: bool = False
    alone: str = ""
    outdated: str = ""

    @property
    def columns(self) -> set[str]:
        """All the columns that it names."""
        named = {self.measure, self.limit, self.asked, self.asked_limit, self.is_asked, self.excess, self.alone, self.outdated}
        return named - {""}

    def is_held(self, kind: str) -> Q:
        """The records that are held for the approval ``kind`` and are asked about no longer."""
        return Q(x_ct_hold=kind) & ~Q(**{self.is_asked: True})

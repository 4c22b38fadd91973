"""What a person could ask for about a record now."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from apps.accounts.access import AccessScope
from apps.approvals.models import Request, Status
from apps.workflows import engine, offers, registry
from apps.workflows.declare import ApprovalKind
from apps.workflows.offers import Option


@dataclass(frozen=True, kw_only=True)
class Askable:
    """An approval that may be asked for, and what there is to choose with it."""

    kind: ApprovalKind
    options: Sequence[Option]


def of_record(connection_id: int, model: str, odoo_id: int, *, seen: AccessScope, now: datetime) -> list[Askable]:
    """The kinds of approval that are possible for the record as it stands, and do not wait already; none if out of sight."""
    waiting = set(
        Request.objects.filter(connection_id=connection_id, model=model, odoo_id=odoo_id, status=Status.PENDING).values_list(
            "kind", flat=True
        )
    )
    found = []
    for workflow, kind in registry.approvals_over(model):
        if kind.name in waiting:
            continue
        rows = engine.look(workflow, connection_id=connection_id, odoo_ids=[odoo_id], now=now, condition=kind.possible)
        if not rows or not seen.sees(connection_id, rows[odoo_id]["company_id"]):
            continue
        choice = kind.choice
        options = offers.options(choice, connection_id=connection_id, odoo_id=odoo_id, now=now) if choice else []
        found.append(Askable(kind=kind, options=options))
    return found

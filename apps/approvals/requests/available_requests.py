"""What a person could ask for about a record now, and who would be asked."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from apps.accounts import access
from apps.accounts.models import User
from apps.approvals.models import Request, Status
from apps.approvals.requests import opening
from apps.approvals.requests.expected_steps import ExpectedStep, expected_steps
from apps.odoo.models import Connection
from apps.workflows import engine, offers, registry
from apps.workflows.declare import ApprovalKind
from apps.workflows.offers import Option


@dataclass(frozen=True, kw_only=True)
class Askable:
    """An approval that may be asked for, what there is to choose with it, and the steps that it would go through."""

    kind: ApprovalKind
    options: Sequence[Option]
    steps: Sequence[ExpectedStep]


def of_record(connection: Connection, model: str, odoo_id: int, *, by: User, now: datetime) -> list[Askable]:
    """The kinds of approval that are possible for the record as it stands, and do not wait already; none if out of sight."""
    access_scope = access.scope_of(by)
    waiting = set(
        Request.objects.filter(connection=connection, model=model, odoo_id=odoo_id, status=Status.PENDING).values_list(
            "kind", flat=True
        )
    )
    found = []
    for workflow, kind in registry.approvals_over(model):
        if kind.name in waiting:
            continue
        rows = engine.look(workflow, connection_id=connection.pk, odoo_ids=[odoo_id], now=now, condition=kind.possible)
        if not rows or not access_scope.sees(connection.pk, rows[odoo_id]["company_id"]):
            continue
        choice = kind.choice
        options = offers.options(choice, connection_id=connection.pk, odoo_id=odoo_id, now=now) if choice else []
        asking = opening.Asking(
            workflow=workflow,
            kind=kind,
            connection=connection,
            odoo_id=odoo_id,
            columns=rows[odoo_id],
            cause=opening.ASKED_HERE,
            asked_by=str(by),
            user=by,
        )
        found.append(Askable(kind=kind, options=options, steps=expected_steps(opening.draft(asking, now=now), now=now)))
    return found

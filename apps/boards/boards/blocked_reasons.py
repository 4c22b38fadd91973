"""What a workflow's records wait for: exceptions that are not resolved, decisions that are not taken, stages that block."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from urllib.parse import urlencode

from django.utils.translation import gettext

from apps.accounts.access import AccessScope
from apps.approvals.inbox.screens import kind_title
from apps.boards.boards.figures import rows
from apps.boards.boards.kpi_slices import Part, in_part
from apps.exceptions.types import title_of as type_title
from apps.workflows.declare import Workflow

# By the indexes of what is not resolved and what is pending; a record with two exceptions of a type waits once.
WAITS = """
SELECT what, kind, p.stage, p.currency, count(*) AS count, sum(p.amount) AS amount, min(w.since) AS since
  FROM (
    SELECT 'exception' AS what, c.type AS kind, c.connection_id, c.odoo_id, min(c.opened_at) AS since
      FROM exceptions_exceptioncase c
     WHERE c.status <> 'resolved' AND c.workflow = %(workflow)s AND c.model = %(model)s AND {cases}
     GROUP BY c.type, c.connection_id, c.odoo_id
     UNION ALL
    SELECT 'decision', a.kind, a.connection_id, a.odoo_id, min(a.requested_at)
      FROM approvals_request a
     WHERE a.status = 'pending' AND a.workflow = %(workflow)s AND a.model = %(model)s AND {requests}
     GROUP BY a.kind, a.connection_id, a.odoo_id) AS w
  JOIN workflows_position p ON p.connection_id = w.connection_id AND p.workflow = %(workflow)s AND p.odoo_id = w.odoo_id
   AND p.is_open AND {positions}
 GROUP BY what, kind, p.stage, p.currency
"""


@dataclass(frozen=True, kw_only=True)
class Wait:
    """One thing that records of one stage wait for.

    Attributes:
        what: ``exception`` or ``decision``.
        amount: the value of the records that wait, in ``currency``.
        href: the list in which it is ended.
    """

    what: str
    title: str
    stage: str
    stage_name: str
    count: int
    amount: Decimal | None
    currency: str
    since: datetime
    href: str


def reasons_of(workflow: Workflow, *, access_scope: AccessScope, part: Part | None = None) -> list[Wait]:
    """What the workflow's open records wait for, what holds most records first. One statement."""
    positions = f"{access_scope.sql('p')} AND {in_part(part, workflow.odoo_model, 'p')}"
    statement = WAITS.format(cases=access_scope.sql("c"), requests=access_scope.sql("a"), positions=positions)
    titles = {stage.name: gettext(stage.title) for stage in workflow.stages}
    found = [
        Wait(
            what=what,
            title=type_title(kind) if what == "exception" else kind_title(kind),
            stage=titles.get(stage, stage),
            stage_name=stage,
            count=int(count),
            amount=amount,
            currency=currency,
            since=since,
            href=f"/exceptions/?{urlencode({'type': kind})}" if what == "exception" else "/approvals/",
        )
        for what, kind, stage, currency, count, amount, since in rows(
            statement, {"workflow": workflow.name, "model": workflow.odoo_model}
        )
    ]
    return sorted(found, key=lambda wait: (-wait.count, wait.title, wait.stage, wait.currency))


def relief(waits: list[Wait], worst: str) -> str:
    """What most of the bottleneck's records wait for, in a sentence; "" where nothing is known to hold them."""
    here = [wait for wait in waits if wait.stage_name == worst]
    if not here:
        return ""
    first = here[0]
    if first.what == "decision":
        told = gettext("%(count)s of its records are blocked by a pending approval: %(title)s. Decide these first.")
    else:
        told = gettext("%(count)s of its records are blocked by an open exception: %(title)s. Resolve these first.")
    return told % {"count": first.count, "title": first.title}

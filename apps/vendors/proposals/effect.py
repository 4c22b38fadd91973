"""What accepting a proposal would do to sales orders, before it is accepted."""

from collections.abc import Sequence
from datetime import datetime

from apps.accounts.access import AccessScope
from apps.core.refusals import Refusal
from apps.vendors.models import Proposal
from apps.vendors.orders import open_lines
from apps.vendors.orders.open_lines import OpenLine
from apps.vendors.proposals import lines
from apps.vendors.proposals.lines import ProposedLine
from apps.workflows import what_if
from apps.workflows.changes import CancelledLine, Change, NewDate, NewQuantity, Part, Split
from apps.workflows.what_if import Preview


def effect_of(proposal: Proposal, access_scope: AccessScope, *, now: datetime) -> tuple[Preview | None, str]:
    """Return the preview of all that a proposal changes, or in words why there is none."""
    standing = open_lines.lines_of(proposal.connection_id, [proposal.order_id]).get(proposal.order_id, [])
    here = {line.line_id: line for line in standing}
    proposed = [one for one in lines.read(proposal.lines) if one.line_id in here]
    changes = [change for one in proposed for change in changes_of(one, here[one.line_id])]
    if not changes:
        return None, ""
    try:
        return what_if.preview(proposal.connection_id, changes, now=now, access_scope=access_scope), ""
    except Refusal as error:
        return None, str(error)


def changes_of(proposed: ProposedLine, line: OpenLine) -> Sequence[Change]:
    """Return what a proposed line changes, as the preview reads it."""
    if not proposed.parts:
        return [CancelledLine(line_id=line.line_id)]
    if proposed.is_split:
        parts = [Part(quantity=part.quantity, at=line.moment_of(part.day)) for part in proposed.parts]
        return [Split(line_id=line.line_id, parts=parts)]
    (only,) = proposed.parts
    changed: list[Change] = []
    if only.quantity != line.to_come:
        changed.append(NewQuantity(line_id=line.line_id, quantity=line.received + only.quantity))
    if only.day != line.planned_day:
        changed.append(NewDate(line_id=line.line_id, at=line.moment_of(only.day)))
    return changed

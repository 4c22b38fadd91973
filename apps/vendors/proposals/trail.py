"""What is told of a proposal: an entry on its order's trail, and a word to the pages that show it."""

from datetime import datetime
from typing import Any

from apps.audit import trail
from apps.core import live
from apps.core.actor import Actor
from apps.vendors.models import Proposal
from apps.workflows import subjects

ORDER = "purchase.order"


def topics(proposal: Proposal) -> list[str]:
    """Return what open pages call the proposal and its order."""
    return ["proposals", subjects.topic(proposal.connection_id, ORDER, proposal.order_id)]


def tell(proposal: Proposal, action: str, by: Actor, now: datetime, **data: Any) -> None:
    """Record that ``by`` did something with a proposal, in the caller's transaction."""
    trail.record(
        trail.Event(
            action=action,
            actor=by,
            subject=subjects.audit_subject(proposal.connection.name, ORDER, proposal.order_id),
            data={"proposal": proposal.pk, "order": proposal.order_name, "vendor": proposal.partner_name, **data},
            about=(proposal.connection_id, proposal.company_id),
        ),
        now=now,
    )
    live.announce(topics(proposal))

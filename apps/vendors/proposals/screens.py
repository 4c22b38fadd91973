"""What people see of proposals: the list, and one with all that speaks for and against it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from apps.accounts.access import AccessScope
from apps.mirror import companies
from apps.outbox.models import Command
from apps.vendors.models import Attachment, Proposal, Status
from apps.vendors.proposals import effect, lines, moves, queries
from apps.vendors.proposals.lines import ProposedLine
from apps.workflows.offers import Option
from apps.workflows.what_if import Preview

SHOWN = 100


@dataclass(frozen=True, kw_only=True)
class Row:
    """One proposal in a list."""

    proposal: Proposal
    lines: Sequence[ProposedLine]

    @property
    def days_later(self) -> int | None:
        """By how many days the line that moves most comes later, earlier below zero; None where none moves."""
        moved = [line.days_later for line in self.lines if line.days_later]
        return max(moved, key=abs) if moved else None

    @property
    def refused_count(self) -> int:
        """How many lines the vendor cannot deliver."""
        return sum(not line.parts for line in self.lines)

    @property
    def split_count(self) -> int:
        """How many lines come in several deliveries."""
        return sum(line.is_split for line in self.lines)


@dataclass(frozen=True, kw_only=True)
class Page:
    """One proposal, and what can be done about it.

    Attributes:
        effect: what accepting it would do to sales orders; ``no_effect_because`` says why that is not known.
    """

    row: Row
    company: str
    files: Sequence[Attachment]
    commands: Sequence[Command]
    offers: Sequence[Option]
    newer: Proposal | None
    effect: Preview | None
    no_effect_because: str


def rows(access_scope: AccessScope, status: str) -> list[Row]:
    """Return the newest proposals of a status, or of any where it is empty."""
    found = queries.proposals(access_scope)
    if status:
        found = found.filter(status=status)
    return [Row(proposal=proposal, lines=lines.read(proposal.lines)) for proposal in found[:SHOWN]]


def page_of(proposal: Proposal, access_scope: AccessScope, *, now: datetime) -> Page:
    """Return everything on the page of a proposal."""
    is_open = proposal.status == Status.OPEN
    preview, why = effect.effect_of(proposal, access_scope, now=now) if is_open else (None, "")
    later = queries.of_order(proposal.connection_id, proposal.order_id, access_scope).filter(said_at__gt=proposal.said_at)
    files = Attachment.objects.filter(answer=proposal.answer_id) if proposal.answer_id else Attachment.objects.none()
    return Page(
        row=Row(proposal=proposal, lines=lines.read(proposal.lines)),
        company=companies.name_of(proposal.connection_id, proposal.company_id, access_scope),
        files=list(files.defer("content").order_by("id")),
        commands=list(Command.objects.filter(decision__startswith=f"proposal:{proposal.pk}:").order_by("sequence")[:SHOWN]),
        offers=moves.offers_of(proposal, now=now) if is_open else [],
        newer=later.first(),
        effect=preview,
        no_effect_because=why,
    )

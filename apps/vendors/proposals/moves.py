"""What people decide about a proposal: accept it, push it back to the vendor, or buy elsewhere. Each under a lock, once."""

from collections.abc import Collection, Sequence
from datetime import datetime

from django.utils.html import format_html
from django.utils.translation import gettext, gettext_noop

from apps.accounts import access, languages, permissions
from apps.accounts.models import User
from apps.core.refusals import Problem, Refusal
from apps.core.transactions import atomic_with_retry
from apps.core.words import moment
from apps.mirror.models.purchase_order import PurchaseOrder
from apps.odoo.versions import major
from apps.outbox import enqueue
from apps.vendors import letters
from apps.vendors.links import moves as links
from apps.vendors.links import tokens
from apps.vendors.mail import posting
from apps.vendors.mail.posting import Post
from apps.vendors.models import Proposal, Status, VendorLink
from apps.vendors.orders import open_lines
from apps.vendors.proposals import calls, following, lines, trail
from apps.vendors.transitions import PROPOSALS
from apps.workflows import offers, subjects
from apps.workflows.declare import OdooCall, SuggestedAction
from apps.workflows.offers import Option
from apps.workflows.rules import sourcing

ORDER = "purchase.order"
LONGEST_REPLY = 2_000
ELSEWHERE: SuggestedAction = sourcing.from_another_vendor(sourcing.NEEDED_OF_PURCHASE)
WRITE_TO_VENDOR = gettext_noop("Write to {vendor}")


class ProposalRefusedError(Refusal):
    """The proposal cannot be decided so; the message says why."""

    problem = Problem(
        "proposal_move_refused",
        409,
        "Proposal cannot be decided so",
        meaning="The proposal was decided or changed since it was read, its order was, or the move lacks what it needs.",
        remedy="Read the proposal again; the sentence says who decided it, or what is missing.",
    )


@atomic_with_retry
def accept(proposal_id: int, *, by: User, now: datetime, seen: int | None = None) -> Proposal:
    """Have Odoo told what the vendor said: dates, quantities, split and cancelled lines, and that the vendor has acknowledged.

    Args:
        seen: the proposal's version that the person saw; another one is not decided unseen.

    Raises:
        NotAllowedError: this person may not.
        ProposalRefusedError: it is decided, was changed since it was ``seen``, or Odoo cannot do it.
    """
    proposal = _to_decide(proposal_id, by, seen)
    order = PurchaseOrder.objects.filter(connection=proposal.connection, odoo_id=proposal.order_id, deleted_at=None).first()
    standing = open_lines.lines_of(proposal.connection_id, [proposal.order_id]).get(proposal.order_id, [])
    here = {line.line_id: line for line in standing}
    proposed = lines.read(proposal.lines)
    if order is None or any(one.line_id not in here or lines.again(one, here[one.line_id]) != one for one in proposed):
        raise ProposalRefusedError(
            gettext("%(order)s was changed in Odoo meanwhile. Load it again.") % {"order": proposal.order_name}
        )
    if not calls.can_be_split(major(proposal.connection.version or ""), proposed):
        raise ProposalRefusedError(gettext("Odoo before 17 cannot split a line from here. Split it in Odoo."))
    following.accept(proposal, order, standing, by=by.actor, now=now)
    return proposal


@atomic_with_retry
def push_back(
    proposal_id: int, *, words: str, by: User, now: datetime, seen: int | None = None, days: int = links.DAYS
) -> tuple[Proposal, VendorLink]:
    """Tell the vendor, by Odoo, why not, with a new link to answer again; the proposal and the link.

    Raises NotAllowedError, ProposalRefusedError (also without words).
    """
    said = words.strip()[:LONGEST_REPLY]
    if not said:
        raise ProposalRefusedError(gettext("Enter what the vendor is to read."))
    proposal = _to_decide(proposal_id, by, seen)
    vendor = open_lines.commercial_of(proposal.connection_id, proposal.partner_id) if proposal.partner_id else None
    if vendor is None or proposal.company_id is None:
        raise ProposalRefusedError(gettext("The vendor of %(order)s is not known.") % {"order": proposal.order_name})
    link = links.issue(
        connection=proposal.connection,
        company_id=proposal.company_id,
        partner_id=vendor.odoo_id,
        partner_name=vendor.name or "",
        language=languages.of_odoo(vendor.lang),
        message=said,
        days=min(max(days, 1), links.MOST_DAYS),
        by=by.actor,
        now=now,
    )
    _decide("push_back", proposal, by, now, reply=said)
    address = tokens.address_of(link)
    body = format_html('<p>{}</p><p><a href="{}">{}</a></p>', said, address, address)
    message = Post(
        connection=proposal.connection,
        model=ORDER,
        records=[proposal.order_id],
        recipients=[proposal.partner_id] if proposal.partner_id else [],
        partner_name=proposal.partner_name,
        company_id=proposal.company_id,
        language=letters.spoken(link.language),
        title=WRITE_TO_VENDOR,
        values={"vendor": proposal.partner_name},
        subject=str(proposal.order_name),
        text=f"{said}\n\n{address}",
        body=str(body),
        decision=f"{proposal.decision}:push-back",
    )
    posting.post(message, by=by.actor, now=now)
    return proposal, link


@atomic_with_retry
def buy_elsewhere(proposal_id: int, *, options: Collection[str], by: User, now: datetime, seen: int | None = None) -> Proposal:
    """Have requests for quotation drafted to other vendors, one an option; the order with this vendor stays as it is.

    Raises NotAllowedError, ProposalRefusedError (also without an option, or with one that is offered no longer).
    """
    proposal = _to_decide(proposal_id, by, seen)
    offered = {option.key: option for option in offers_of(proposal, now=now)}
    if not options:
        raise ProposalRefusedError(gettext("Choose from whom to buy."))
    if gone := set(options) - set(offered):
        raise ProposalRefusedError(gettext("%(option)s is no longer available.") % {"option": sorted(gone)[0][:60]})
    chosen = [offered[key] for key in sorted(options)]
    _decide("buy_elsewhere", proposal, by, now, reply="")
    for option in chosen:
        context = {
            **option.columns,
            "record_name": proposal.order_name,
            "decided_by": str(by),
            "record_url": subjects.url(proposal.connection.name, ORDER, proposal.order_id),
        }
        _enqueue(ELSEWHERE.calls, proposal, by, now, context, option.key)
    return proposal


def offers_of(proposal: Proposal, *, now: datetime) -> list[Option]:
    """Return from whom else the order's open lines can be bought now, the best first."""
    return offers.options(ELSEWHERE, connection_id=proposal.connection_id, odoo_id=proposal.order_id, now=now)


def _to_decide(proposal_id: int, by: User, seen: int | None) -> Proposal:
    """Return the proposal, locked, if this person may decide it and it stands as they saw it."""
    permissions.check_may_work_exceptions(by)
    locked = Proposal.objects.select_for_update(of=("self",)).select_related("connection")
    proposal = locked.filter(pk=proposal_id).first()
    if proposal is None or not access.scope_of(by).sees(proposal.connection_id, proposal.company_id):
        raise ProposalRefusedError(gettext("There is no proposal %(id)s.") % {"id": proposal_id})
    if proposal.status != Status.OPEN:
        said = {"order": proposal.order_name, "status": proposal.get_status_display().lower()}
        if proposal.decided_at is None:
            raise ProposalRefusedError(gettext("The proposal for %(order)s is %(status)s already.") % said)
        raise ProposalRefusedError(
            gettext("The proposal for %(order)s is %(status)s already (%(by)s, %(at)s).")
            % {**said, "by": proposal.decided_by, "at": moment(proposal.decided_at)}
        )
    if seen is not None and seen != proposal.version:
        raise ProposalRefusedError(
            gettext("The proposal for %(order)s has changed since you loaded it. Check it again.") % {"order": proposal.order_name}
        )
    return proposal


def _decide(move: str, proposal: Proposal, by: User, now: datetime, *, reply: str) -> None:
    PROPOSALS.make(move, proposal)
    proposal.round, proposal.version = proposal.round + 1, proposal.version + 1
    proposal.decided_at, proposal.decided_by, proposal.reply, proposal.problem = now, str(by)[:200], reply, None
    proposal.save(update_fields=[*following.WRITTEN, "reply"])
    trail.tell(proposal, f"proposal.{proposal.status}", by.actor, now, **({"reason": reply} if reply else {}))


def _enqueue(told: Sequence[OdooCall], proposal: Proposal, by: User, now: datetime, context: dict[str, object], what: str) -> None:
    enqueue.commands(
        told,
        connection=proposal.connection,
        model=ORDER,
        odoo_id=proposal.order_id,
        context=context,
        decision=f"{proposal.decision}:{what}",
        by=by.actor,
        now=now,
    )

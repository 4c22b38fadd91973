"""Which proposals need nobody: off until a person switches it on for one vendor, bounded, and on the trail.

Only dates are accepted so, never quantities, splits or refusals: earlier ones, and later ones for which no sales order waits.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from django.utils.translation import gettext

from apps.accounts import access, permissions
from apps.accounts.models import User
from apps.audit import trail
from apps.core import live
from apps.core.transactions import atomic_with_retry
from apps.odoo.models import Connection
from apps.vendors.links.moves import LinkRefusedError
from apps.vendors.models import Proposal, VendorRule
from apps.vendors.orders import open_lines
from apps.vendors.proposals.lines import ProposedLine
from apps.workflows import impact, parameter_values
from apps.workflows.rules import vendor_answers
from apps.workflows.scopes import Scope

ORDER = "purchase.order"
DAY = timedelta(days=1)


def accepting(proposal: Proposal, changes: Sequence[ProposedLine], *, now: datetime) -> VendorRule | None:
    """Return the vendor's rule where it accepts all of the changes; None where a person has to decide."""
    rule = of_vendor(proposal)
    if rule is None or not changes or not all(_is_date_alone(line) for line in changes):
        return None
    latest = max(line.days_later or 0 for line in changes)
    if any((line.days_later or 0) < 0 for line in changes) and not rule.accepts_earlier:
        return None
    if latest > 0 and not (rule.accepts_later and latest <= _number(vendor_answers.LATER_DAYS.name, proposal)):
        return None
    if latest > 0 and impact.impact_of(proposal.connection_id, ORDER, proposal.order_id, now=now).waiting_count:
        return None
    # Locked: two answers of one vendor do not both take the last of the day.
    VendorRule.objects.select_for_update().get(pk=rule.pk)
    within_a_day = Proposal.objects.filter(rule=rule, decided_at__gt=now - DAY).count()
    return rule if within_a_day < _number(vendor_answers.A_DAY.name, proposal) else None


def of_vendor(proposal: Proposal) -> VendorRule | None:
    """Return the rule of a proposal's vendor; None where nobody ever made one."""
    vendor = open_lines.commercial_of(proposal.connection_id, proposal.partner_id) if proposal.partner_id else None
    if vendor is None or proposal.company_id is None:
        return None
    own = VendorRule.objects.filter(connection=proposal.connection_id, company_id=proposal.company_id, partner_id=vendor.odoo_id)
    return own.first()


def _is_date_alone(line: ProposedLine) -> bool:
    return len(line.parts) == 1 and line.new_quantity == line.old_quantity and line.days_later is not None


def _number(name: str, proposal: Proposal) -> Decimal:
    scope = Scope(connection=proposal.connection, company_id=proposal.company_id)
    return parameter_values.standing_in(scope, [name])[0].number


@atomic_with_retry
def switch(
    connection: Connection, company_id: int, partner_id: int, *, earlier: bool, later: bool, by: User, now: datetime
) -> VendorRule:
    """Say which dates of a vendor are accepted without a person from now on; what is open stays to be decided.

    Args:
        partner_id: the vendor, or any address of it.

    Raises:
        NotAllowedError: this person may not make policies.
        LinkRefusedError: the company, which must be in sight, has ordered nothing from such a vendor.
    """
    permissions.check_may_make_policy(by)
    vendor = open_lines.commercial_of(connection.pk, partner_id)
    # A vendor of another company is told of to nobody.
    is_ours = vendor is not None and open_lines.orders_of(connection.pk, company_id, vendor.odoo_id).exists()
    if vendor is None or not is_ours or not access.scope_of(by).sees(connection.pk, company_id):
        raise LinkRefusedError(gettext("There is no vendor %(partner_id)s.") % {"partner_id": partner_id})
    values = {"accepts_earlier": earlier, "accepts_later": later}
    rule, _ = VendorRule.objects.update_or_create(
        connection=connection,
        company_id=company_id,
        partner_id=vendor.odoo_id,
        defaults={**values, "partner_name": vendor.name or "", "changed_at": now, "changed_by": str(by)[:200]},
    )
    about = (connection.pk, company_id)
    data = {"vendor": rule.partner_name, **values}
    event = trail.Event(action="vendor_rule.set", actor=by.actor, subject=f"vendor-rule:{rule.pk}", data=data, about=about)
    trail.record(event, now=now)
    live.announce(["proposals"])
    return rule

"""Which customers are told without a person: off until somebody switches it on for one customer, limited, and on the trail."""

from datetime import datetime

from django.utils.translation import gettext

from apps.accounts import access, permissions
from apps.accounts.models import User
from apps.audit import trail
from apps.core.refusals import Problem, Refusal
from apps.core.transactions import atomic_with_retry
from apps.customers.models import CustomerRule
from apps.mirror.models.res_partner import Partner
from apps.mirror.models.sale_order import SaleOrder
from apps.odoo.models import Connection


class RuleRefusedError(Refusal):
    """There can be no rule for this; the message says why."""

    problem = Problem(
        "customer_rule_refused",
        409,
        "Customer rule refused",
        meaning="The company, which must be in sight, has no order of such a customer.",
        remedy="Name a customer, or a contact of one, that the company has orders of.",
    )


@atomic_with_retry
def switch(connection: Connection, company_id: int, partner_id: int, *, sends: bool, by: User, now: datetime) -> CustomerRule:
    """Say whether a customer is told of new dates without a person from now on.

    Args:
        partner_id: the customer, or any contact of it.

    Raises NotAllowedError (who makes policies may), RuleRefusedError.
    """
    permissions.check_may_make_policy(by)
    partners = Partner.objects.filter(connection=connection)
    partner = partners.filter(odoo_id=partner_id).first()
    customer_id = (partner.commercial_partner_id or partner.odoo_id) if partner else 0
    of_customer = partners.filter(commercial_partner_id=customer_id).values("odoo_id")
    orders = SaleOrder.objects.filter(connection=connection, company_id=company_id, deleted_at=None, partner_id__in=of_customer)
    # A customer of another company is told of to nobody.
    if partner is None or not access.scope_of(by).sees(connection.pk, company_id) or not orders.exists():
        raise RuleRefusedError(gettext("There is no customer %(partner_id)s.") % {"partner_id": partner_id})
    customer = partners.filter(odoo_id=customer_id).first() or partner
    rule, _ = CustomerRule.objects.update_or_create(
        connection=connection,
        company_id=company_id,
        partner_id=customer.odoo_id,
        defaults={"sends": sends, "partner_name": customer.name or "", "changed_at": now, "changed_by": str(by)[:200]},
    )
    event = trail.Event(
        action="customer_rule.set",
        actor=by.actor,
        subject=f"customer-rule:{rule.pk}",
        data={"customer": rule.partner_name, "sends": sends},
        about=(connection.pk, company_id),
    )
    trail.record(event, now=now)
    return rule

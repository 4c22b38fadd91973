"""What people do with vendor links: make one, revoke one."""

from datetime import datetime, timedelta
from uuid import UUID

from django.utils.translation import gettext

from apps.accounts import access, languages, permissions
from apps.accounts.models import User
from apps.audit import trail
from apps.core import live
from apps.core.actor import Actor
from apps.core.refusals import Problem, Refusal
from apps.core.transactions import atomic_with_retry
from apps.mirror.models.purchase_order import PurchaseOrder
from apps.odoo.models import Connection
from apps.vendors.models import VendorLink
from apps.vendors.orders import open_lines

DAYS, MOST_DAYS = 14, 90
LONGEST_MESSAGE = 2_000


class LinkRefusedError(Refusal):
    """The link cannot be made or revoked so; the message says why."""

    problem = Problem(
        "vendor_link_refused",
        409,
        "Vendor link refused",
        meaning="The purchase order is not ordered, has no company or vendor, or the link is revoked already.",
        remedy="Name a purchase order that is ordered, or make a new link.",
    )


@atomic_with_retry
def create(connection: Connection, order_id: int, *, by: User, now: datetime, days: int = DAYS, message: str = "") -> VendorLink:
    """Make a link to all that is open with the vendor of a purchase order, for the order's company.

    Args:
        order_id: the order's id in Odoo.
        days: how long it is open, at most :data:`MOST_DAYS`.
        message: words to the vendor, shown above the orders.

    Raises:
        NotAllowedError: this person may not, or does not see the order's company.
        LinkRefusedError: there is no such order, or it is not ordered.
    """
    permissions.check_may_work_exceptions(by)
    order = PurchaseOrder.objects.filter(connection=connection, odoo_id=order_id, deleted_at=None).first()
    if order is None or not access.scope_of(by).sees(connection.pk, order.company_id):
        raise LinkRefusedError(gettext("There is no purchase order %(order_id)s.") % {"order_id": order_id})
    vendor = open_lines.commercial_of(connection.pk, order.partner_id) if order.partner_id else None
    if order.state not in open_lines.ORDERED or order.company_id is None or vendor is None:
        raise LinkRefusedError(
            gettext("%(order)s is not ordered, or its vendor is not known. A link shows what is ordered.") % {"order": order.name}
        )
    return issue(
        connection=connection,
        company_id=order.company_id,
        partner_id=vendor.odoo_id,
        partner_name=vendor.name or "",
        language=languages.of_odoo(vendor.lang),
        message=message.strip()[:LONGEST_MESSAGE],
        days=min(max(days, 1), MOST_DAYS),
        by=by.actor,
        now=now,
    )


def issue(
    *,
    connection: Connection,
    company_id: int,
    partner_id: int,
    partner_name: str,
    language: str,
    message: str,
    days: int,
    by: Actor,
    now: datetime,
) -> VendorLink:
    """Make a link, in the caller's transaction, which has checked that ``by`` may."""
    link = VendorLink.objects.create(
        connection=connection,
        company_id=company_id,
        partner_id=partner_id,
        partner_name=partner_name,
        language=language,
        message=message,
        created_at=now,
        created_by=by.name[:200],
        expires_at=now + timedelta(days=days),
    )
    _tell(link, "vendor_link.created", by, now)
    return link


@atomic_with_retry
def revoke(link_id: UUID, *, by: User, now: datetime) -> VendorLink:
    """Close a link for good; who holds it is told that it is closed.

    Raises:
        NotAllowedError: this person may not, or does not see its company.
        LinkRefusedError: it is revoked already, or there is none.
    """
    permissions.check_may_work_exceptions(by)
    link = VendorLink.objects.select_for_update().filter(pk=link_id).first()
    if link is None or not access.scope_of(by).sees(link.connection_id, link.company_id):
        raise LinkRefusedError(gettext("There is no such vendor link."))
    if link.revoked_at is not None:
        raise LinkRefusedError(gettext("This link was revoked by %(by)s already.") % {"by": link.revoked_by})
    link.revoked_at, link.revoked_by = now, str(by)[:200]
    link.save(update_fields=["revoked_at", "revoked_by"])
    _tell(link, "vendor_link.revoked", by.actor, now)
    return link


def _tell(link: VendorLink, action: str, by: Actor, now: datetime) -> None:
    data = {"vendor": link.partner_name, "until": link.expires_at.isoformat()}
    about = (link.connection_id, link.company_id)
    trail.record(trail.Event(action=action, actor=by, subject=f"vendor-link:{link.pk}", data=data, about=about), now=now)
    live.announce(["proposals"])

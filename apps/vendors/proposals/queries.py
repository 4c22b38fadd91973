"""Reading proposals, and the links of vendors."""

from datetime import datetime

from django.db.models import QuerySet

from apps.accounts.access import AccessScope
from apps.vendors.models import Proposal, Status, VendorLink, VendorRule


def proposals(access_scope: AccessScope) -> QuerySet[Proposal]:
    """Return every proposal in sight, the newest first."""
    return Proposal.objects.filter(access_scope.of_records()).select_related("connection", "answer").order_by("-said_at", "-id")


def to_decide(access_scope: AccessScope) -> QuerySet[Proposal]:
    """Return what somebody still has to decide."""
    return proposals(access_scope).filter(status=Status.OPEN)


def of_order(connection_id: int, order_id: int, access_scope: AccessScope) -> QuerySet[Proposal]:
    """Return the proposals of one purchase order, the newest first."""
    return proposals(access_scope).filter(connection_id=connection_id, order_id=order_id)


def links(access_scope: AccessScope) -> QuerySet[VendorLink]:
    """Return every link in sight, the newest first."""
    return VendorLink.objects.filter(access_scope.of_records()).select_related("connection").order_by("-created_at", "-id")


def open_links(access_scope: AccessScope, *, now: datetime) -> QuerySet[VendorLink]:
    """Return the links that lead somewhere."""
    return links(access_scope).filter(revoked_at=None, expires_at__gt=now)


def rules(access_scope: AccessScope) -> QuerySet[VendorRule]:
    """Return the vendors of whom some dates are accepted without a person, and those of whom they were."""
    return VendorRule.objects.filter(access_scope.of_records()).select_related("connection").order_by("partner_name", "id")

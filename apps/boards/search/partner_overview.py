"""What is open with one customer or supplier."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import Q
from django.utils.translation import gettext

from apps.accounts.access import AccessScope
from apps.boards.boards.figures import rows
from apps.mirror.models.res_partner import Partner
from apps.odoo.models import Connection
from apps.workflows import registry
from apps.workflows.models import Position

MOST = 200


def partners_in_sight(access_scope: AccessScope, alias: str) -> str:
    """SQL of which partners may be found. One of no company belongs to all of them: whoever sees some companies alone finds
    it by what is open with it there."""
    whole = AccessScope(None if access_scope.parts is None else frozenset(part for part in access_scope.parts if part[1] is None))
    return f"""({whole.sql(alias)} OR ({alias}.company_id IS NOT NULL AND {access_scope.sql(alias)}) OR EXISTS (
      SELECT 1 FROM workflows_position p
       WHERE p.connection_id = {alias}.connection_id AND p.partner_id = {alias}.odoo_id AND p.is_open
         AND p.company_id IS NOT NULL AND {access_scope.sql("p")}))"""


@dataclass(frozen=True, kw_only=True)
class OpenRecord:
    """A record that is on its way, with the words for where."""

    position: Position
    workflow: str
    stage: str


@dataclass(frozen=True, kw_only=True)
class PartnerPage:
    """What is open with one partner, under any of its names.

    Attributes:
        buys_from: whether it has open purchase orders, so that there is a page of what they put at risk.
    """

    connection: Connection
    name: str
    odoo_id: int
    odoo_url: str
    records: list[OpenRecord]
    amounts: dict[str, Decimal]
    late: int
    buys_from: bool


def partner_of(connection: Connection, odoo_id: int, *, access_scope: AccessScope, now: datetime) -> PartnerPage | None:
    """One customer or supplier; None where the tower knows no such partner, or it is out of sight."""
    partners = Partner.objects.filter(connection=connection, deleted_at=None)
    partner = partners.filter(odoo_id=odoo_id).values("id", "name", "commercial_partner_id").first()
    if partner is None or not rows(
        f"SELECT 1 FROM mirror_res_partner r WHERE r.id = %(id)s AND {partners_in_sight(access_scope, 'r')}", {"id": partner["id"]}
    ):
        return None
    known_as = partners.filter(commercial_partner_id=partner["commercial_partner_id"] or odoo_id).values("odoo_id")
    opened = Position.objects.filter(
        access_scope.of_records(), Q(partner_id=odoo_id) | Q(partner_id__in=known_as), connection=connection, is_open=True
    ).order_by("due_at", "id")
    workflows = registry.workflows()
    records = [
        OpenRecord(
            position=one,
            workflow=gettext(workflows[one.workflow].title),
            stage=gettext(workflows[one.workflow].stage(one.stage).title),
        )
        for one in opened[:MOST]
        if one.workflow in workflows
    ]
    amounts: dict[str, Decimal] = defaultdict(Decimal)
    for record in records:
        if record.position.amount is not None:
            amounts[record.position.currency] += record.position.amount
    return PartnerPage(
        connection=connection,
        name=partner["name"],
        odoo_id=odoo_id,
        odoo_url=connection.record_url("res.partner", odoo_id),
        records=records,
        amounts=dict(amounts),
        late=sum(1 for record in records if record.position.due_at and record.position.due_at < now),
        buys_from=access_scope.sees_whole(connection.pk) and any(record.position.model == "purchase.order" for record in records),
    )

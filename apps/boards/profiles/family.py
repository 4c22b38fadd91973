"""Whom a customer's or vendor's figures are of: the commercial entity with all its addresses, as far as somebody sees it."""

from collections.abc import Sequence
from dataclasses import dataclass

from apps.accounts.access import AccessScope
from apps.boards.boards.figures import rows
from apps.odoo.models import Connection

# By the index partners_by_commercial. A commercial entity that is gone leaves the partner on its own.
MEMBERS = """
SELECT head.odoo_id, head.name, COALESCE(head.active, TRUE), asked.name,
       ARRAY(SELECT m.odoo_id FROM mirror_res_partner m
              WHERE m.connection_id = head.connection_id AND m.commercial_partner_id = head.odoo_id
              UNION SELECT head.odoo_id)
  FROM mirror_res_partner asked
  JOIN mirror_res_partner head ON head.connection_id = asked.connection_id AND head.deleted_at IS NULL
   AND head.odoo_id = COALESCE((SELECT c.odoo_id FROM mirror_res_partner c
                                 WHERE c.connection_id = asked.connection_id AND c.odoo_id = asked.commercial_partner_id
                                   AND c.deleted_at IS NULL), asked.odoo_id)
 WHERE asked.connection_id = %(connection)s AND asked.odoo_id = %(partner)s AND asked.deleted_at IS NULL
"""
# Who sees some companies alone sees whom those deal with, or have dealt with.
DEALS = """
SELECT EXISTS (SELECT FROM mirror_res_partner r WHERE r.connection_id = %(connection)s AND r.odoo_id = ANY(%(members)s)
                  AND r.company_id IS NOT NULL AND {partner})
    OR EXISTS (SELECT FROM workflows_position p WHERE p.connection_id = %(connection)s AND p.partner_id = ANY(%(members)s)
                  AND p.is_open AND p.company_id IS NOT NULL AND {position})
    OR EXISTS (SELECT FROM mirror_sale_order o WHERE o.connection_id = %(connection)s AND o.partner_id = ANY(%(members)s)
                  AND o.state IN ('draft', 'sent', 'sale') AND o.company_id IS NOT NULL AND {order})
    OR EXISTS (SELECT FROM mirror_purchase_order b WHERE b.connection_id = %(connection)s AND b.partner_id = ANY(%(members)s)
                  AND b.company_id IS NOT NULL AND {purchase})
"""


@dataclass(frozen=True, kw_only=True)
class Family:
    """A commercial entity.

    Attributes:
        odoo_id, name: the commercial entity's.
        contact: the name of the address that was asked for, where that is another.
        members: the ids of all its addresses, its own among them.
    """

    connection: Connection
    odoo_id: int
    name: str
    is_active: bool
    contact: str
    members: Sequence[int]

    @property
    def odoo_url(self) -> str:
        """Its page in Odoo."""
        return self.connection.record_url("res.partner", self.odoo_id)


def family_of(connection: Connection, odoo_id: int, *, access_scope: AccessScope) -> Family | None:
    """Return the commercial entity of a partner; None where there is none of that number any more, or it is out of sight."""
    found = rows(MEMBERS, {"connection": connection.pk, "partner": odoo_id})
    if not found:
        return None
    number, name, is_active, contact, members = found[0]
    if not access_scope.sees_whole(connection.pk):
        deals = DEALS.format(
            partner=access_scope.sql("r"),
            position=access_scope.sql("p"),
            order=access_scope.sql("o"),
            purchase=access_scope.sql("b"),
        )
        if not rows(deals, {"connection": connection.pk, "members": members})[0][0]:
            return None
    return Family(
        connection=connection,
        odoo_id=number,
        name=name or "",
        is_active=is_active,
        contact=(contact or "") if number != odoo_id else "",
        members=members,
    )

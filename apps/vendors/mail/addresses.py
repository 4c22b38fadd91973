"""To which addresses a message goes, and where it is answered."""

from collections.abc import Collection
from email.utils import getaddresses

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from apps.accounts.models import User
from apps.core.actor import Actor
from apps.mirror.models.purchase_order import PurchaseOrder
from apps.mirror.models.res_partner import Partner
from apps.mirror.models.res_users import OdooUser
from apps.mirror.models.sale_order import SaleOrder
from apps.odoo.models import Connection

RECORDS: dict[str, type[PurchaseOrder] | type[SaleOrder]] = {"purchase.order": PurchaseOrder, "sale.order": SaleOrder}


def of_partners(connection: Connection, partner_ids: Collection[int]) -> list[tuple[str, str]]:
    """Return name and address of each partner who has one, each address once; Odoo lets a partner have several."""
    partners = Partner.objects.filter(connection=connection, odoo_id__in=list(partner_ids), deleted_at=None)
    found: dict[str, str] = {}
    for partner in partners.order_by("odoo_id"):
        for address in _valid(partner.email or ""):
            found.setdefault(address, " ".join((partner.name or "").split()))
    return [(name, address) for address, name in found.items()]


def reply_to(connection: Connection, model: str, odoo_id: int, by: Actor) -> str:
    """Return the address of who buys or sells a record in Odoo, else of the person who sends; empty where none has one."""
    here = {"connection": connection}
    record = RECORDS[model].objects.filter(**here, odoo_id=odoo_id).first()
    user = OdooUser.objects.filter(**here, odoo_id=record.user_id).first() if record is not None and record.user_id else None
    person = User.objects.filter(pk=by.id).first() if by.kind == "user" and by.id.isdecimal() else None
    known = [user.email or user.login or "" if user else "", person.email if person else ""]
    return next((address for one in known for address in _valid(one)), "")


def _valid(said: str) -> list[str]:
    found = []
    for _, address in getaddresses([" ".join(said.replace(";", ",").split())]):
        try:
            validate_email(address)
        except ValidationError:
            continue
        found.append(address)
    return found

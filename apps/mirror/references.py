"""Reading again what points at records that are gone: Odoo changes such references in the database, without a date.

Odoo's own merge of contacts (and of products, where its data cleaning is installed) rewrites all references to the merged
record by SQL and then deletes it; a deletion sets references to nothing in the same way. No ``write_date`` moves, so no look
finds those rows, and no comparison of dates does.
"""

import logging
from collections.abc import Collection, Sequence
from datetime import datetime
from functools import cache

from django.db.models import Q

from apps.intake import refresh_requests
from apps.mirror import registry
from apps.mirror.declare import Ids, Many2one, Mirrored
from apps.mirror.upsert import Changes

logger = logging.getLogger(__name__)

# Master data by the columns that point at it. Documents and their lines are deleted all day and merged by nothing.
TARGETS = {
    "partner_id": "res.partner",
    "partner_invoice_id": "res.partner",
    "partner_shipping_id": "res.partner",
    "commercial_partner_id": "res.partner",
    "product_id": "product.product",
    "product_tmpl_id": "product.template",
    "uom_id": "uom.uom",
    "product_uom": "uom.uom",
    "product_uom_id": "uom.uom",
    "relative_uom_id": "uom.uom",
    "lot_id": "stock.lot",
    "owner_id": "res.partner",
    "carrier_id": "delivery.carrier",
    "user_id": "res.users",
    "invoice_user_id": "res.users",
    "resource_calendar_id": "resource.calendar",
}
# Documents and their lines by the columns that point at them. Where a column of that name points at something else in a model,
# the model's parent says so (Mirrored.children).
DOCUMENTS = {
    "picking_id": "stock.picking",
    "return_id": "stock.picking",
    "backorder_id": "stock.picking",
    "sale_id": "sale.order",
    "sale_line_id": "sale.order.line",
    "sale_line_ids": "sale.order.line",
    "purchase_line_id": "purchase.order.line",
    "reversed_entry_id": "account.move",
    "move_id": "stock.move",
    "move_orig_ids": "stock.move",
}
# Of one model after one batch of deletions. Of more the newest are read; what ended long ago decides nothing any more.
MOST_READ = 20_000


def pointing_at(target: str) -> list[tuple[type[Mirrored], Sequence[str]]]:
    """Return the mirrored models that point at records of ``target``, each with the columns that do."""
    return _pointing().get(target, [])


@cache
def _pointing() -> dict[str, list[tuple[type[Mirrored], Sequence[str]]]]:
    found: dict[str, list[tuple[type[Mirrored], Sequence[str]]]] = {}
    for model in registry.models().values():
        columns: dict[str, list[str]] = {}
        for column in model._meta.concrete_fields:
            if isinstance(column, Many2one) and (target := target_of(model, column.name)):
                columns.setdefault(target, []).append(column.name)
        for target, names in columns.items():
            found.setdefault(target, []).append((model, names))
    return found


def target_of(model: type[Mirrored], column: str) -> str:
    """Return the master data at which the column points; empty where it points at something else."""
    if column == "parent_id":
        return model.odoo_model if model.odoo_model == "res.partner" else ""
    return TARGETS.get(column, "")


@cache
def followed(model: type[Mirrored]) -> dict[str, str]:
    """Return the columns of ``model`` by which another record is evaluated, each with the model at which it points."""
    parents = {
        link: parent.odoo_model
        for parent in registry.models().values()
        for name, link in parent.children
        if name == model.odoo_model
    }
    found = {}
    for column in model._meta.concrete_fields:
        if isinstance(column, Many2one | Ids):
            target = parents.get(column.name) or target_of(model, column.name) or DOCUMENTS.get(column.name, "")
            if target:
                found[column.name] = target
    return found


def read_again(changes: Changes, *, now: datetime) -> None:
    """Have every mirrored row read again that points at what ``changes`` found deleted, in the caller's transaction."""
    if not changes.deleted:
        return
    for model, columns in pointing_at(changes.model):
        rows = _rows(model, columns, changes.connection_id, changes.deleted)
        if len(rows) == MOST_READ:
            logger.warning(
                "More than %s rows of %s point at deleted records of %s; the newest are read again",
                MOST_READ,
                model.odoo_model,
                changes.model,
            )
        if rows:
            refresh_requests.add(
                connection_id=changes.connection_id, model=model.odoo_model, odoo_ids=rows, source="references", now=now
            )


def _rows(model: type[Mirrored], columns: Sequence[str], connection_id: int, deleted: Collection[int]) -> list[int]:
    points = Q()
    for column in columns:
        points |= Q(**{f"{column}__in": list(deleted)})
    found = model.objects.filter(points, connection=connection_id, deleted_at=None)
    return list(found.order_by("-odoo_id").values_list("odoo_id", flat=True)[:MOST_READ])

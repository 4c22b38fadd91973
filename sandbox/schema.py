"""The models and fields of the sandbox company: those of ``fields.txt``, and those made while it runs."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

LINE = re.compile(r"(\w+) (\w+)(?:\(([\w.]+)(?::(\w+))?\))?((?: required| computed)*) \| (.*)")
MAGIC = (
    ("id", "integer", "ID", ""),
    ("display_name", "char", "Display Name", ""),
    ("create_uid", "many2one", "Created by", "res.users"),
    ("create_date", "datetime", "Created on", ""),
    ("write_uid", "many2one", "Last Updated by", "res.users"),
    ("write_date", "datetime", "Last Updated on", ""),
)
X2MANY = ("one2many", "many2many")
# Many2many fields that are the other end of one that is kept in the row.
OTHER_END = {
    ("res.users", "group_ids"): ("res.groups", "user_ids"),
    ("stock.move", "move_dest_ids"): ("stock.move", "move_orig_ids"),
    ("sale.order.line", "invoice_lines"): ("account.move.line", "sale_line_ids"),
}
# Fields that are read through a many2one and kept nowhere else.
RELATED = {
    ("product.product", "name"): "product_tmpl_id.name",
    ("product.product", "list_price"): "product_tmpl_id.list_price",
    ("product.product", "lst_price"): "product_tmpl_id.list_price",
    ("product.product", "uom_id"): "product_tmpl_id.uom_id",
    ("product.product", "type"): "product_tmpl_id.type",
    ("product.product", "sale_ok"): "product_tmpl_id.sale_ok",
    ("product.product", "is_storable"): "product_tmpl_id.is_storable",
    ("stock.picking", "picking_type_code"): "picking_type_id.code",
    ("stock.move", "picking_type_id"): "picking_id.picking_type_id",
    ("stock.move.line", "state"): "move_id.state",
    # Odoo keeps them on the line as well; here the goods of a move never part.
    ("stock.move.line", "location_id"): "move_id.location_id",
    ("stock.move.line", "location_dest_id"): "move_id.location_dest_id",
    ("sale.order.line", "order_partner_id"): "order_id.partner_id",
    ("sale.order.line", "salesman_id"): "order_id.user_id",
    ("purchase.order.line", "partner_id"): "order_id.partner_id",
    ("purchase.order.line", "state"): "order_id.state",
    ("ir.actions.server", "model_name"): "model_id.model",
    ("base.automation", "model_name"): "model_id.model",
}
# Fields that code computes when they are read (see :mod:`sandbox.computed`).
COMPUTED = {
    ("res.partner", "credit"),
    ("res.partner", "use_partner_credit_limit"),
    ("product.product", "qty_available"),
    ("sale.order", "invoice_ids"),
    ("account.move", "invoice_line_ids"),
    ("purchase.order", "picking_ids"),
}


@dataclass(frozen=True)
class Field:
    """One field, as ``fields_get`` tells of it."""

    name: str
    type: str
    string: str
    relation: str = ""
    inverse: str = ""
    required: bool = False
    store: bool = True
    manual: bool = False
    help: str = ""

    def described(self) -> dict[str, Any]:
        """Every attribute, by the names that Odoo gives them."""
        said: dict[str, Any] = {
            "name": self.name,
            "type": self.type,
            "string": self.string,
            "required": self.required,
            "store": self.store,
            "readonly": False,
            "searchable": True,
            "sortable": self.store,
            "manual": self.manual,
        }
        if self.relation:
            said["relation"] = self.relation
        if self.inverse:
            said["relation_field"] = self.inverse
        if self.help:
            said["help"] = self.help
        return said


Fields = dict[str, Field]


def magic_fields() -> Fields:
    """The fields that every model has."""
    return {name: Field(name, kind, label, relation) for name, kind, label, relation in MAGIC}


@cache
def standard() -> dict[str, Fields]:
    """``{model: {field: Field}}`` of ``fields.txt``."""
    models: dict[str, Fields] = {}
    fields: Fields = {}
    for line in (Path(__file__).parent / "fields.txt").read_text().splitlines():
        if line.startswith("["):
            fields = models[line.strip("[]")] = magic_fields()
        elif found := LINE.fullmatch(line):
            name, kind, relation, inverse, flags, label = found.groups()
            fields[name] = Field(name, kind, label, relation or "", inverse or "", "required" in flags, "computed" not in flags)
    return models


def empty(field: Field) -> Any:
    """What Odoo reads where nothing was written."""
    if field.type in ("integer",):
        return 0
    if field.type in ("float", "monetary"):
        return 0.0
    return [] if field.type in X2MANY else False

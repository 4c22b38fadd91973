"""Parts of the business that figures can be asked for: one warehouse, salesperson, class of customers or category of products."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from django.db import connection as database
from django.utils.translation import gettext_noop

from apps.accounts.access import AccessScope
from apps.odoo.models import Connection


class Subject(StrEnum):
    """What record a figure's facts are of: their alias ``r``."""

    ORDER, PURCHASE, TRANSFER, INVOICE = "order", "purchase", "transfer", "invoice"
    NONE = ""


OF_PICKING_TYPE = """(SELECT y.warehouse_id FROM mirror_stock_picking_type y
          WHERE y.connection_id = r.connection_id AND y.odoo_id = r.picking_type_id) = {number}"""
# Where a purchase is received is said by its transfers alone.
OF_RECEIPTS = """EXISTS (
         SELECT FROM mirror_purchase_order_line bought
           JOIN mirror_stock_move received ON received.connection_id = bought.connection_id
            AND received.purchase_line_id = bought.odoo_id AND received.deleted_at IS NULL
           JOIN mirror_stock_picking_type y ON y.connection_id = received.connection_id AND y.odoo_id = received.picking_type_id
          WHERE bought.connection_id = r.connection_id AND bought.order_id = r.odoo_id AND y.warehouse_id = {number})"""
OF_ORDER = """EXISTS (
         SELECT FROM mirror_sale_order sold
          WHERE sold.connection_id = r.connection_id AND sold.odoo_id = r.sale_id AND {term})"""
# A class stands on the contact or on the company that it belongs to.
OF_CLASS = """EXISTS (
         SELECT FROM mirror_res_partner contact
           LEFT JOIN mirror_res_partner whole ON whole.connection_id = contact.connection_id
            AND whole.odoo_id = contact.commercial_partner_id
          WHERE contact.connection_id = r.connection_id AND contact.odoo_id = {partner}
            AND (contact.category_id @> ARRAY[{number}::bigint] OR whole.category_id @> ARRAY[{number}::bigint]))"""
# A category is all that is below it too.
OF_CATEGORY = """{product} IN (
         WITH RECURSIVE below(odoo_id) AS (
           SELECT {number}::bigint
            UNION
           SELECT c.odoo_id FROM below
             JOIN mirror_product_category c ON c.connection_id = {connection} AND c.parent_id = below.odoo_id)
         SELECT variant.odoo_id FROM below
           JOIN mirror_product_template template ON template.connection_id = {connection} AND template.categ_id = below.odoo_id
           JOIN mirror_product_product variant ON variant.connection_id = {connection}
            AND variant.product_tmpl_id = template.odoo_id)"""
OF_SOLD_LINE = OF_CATEGORY.replace("{product}", "l.product_id")
OF_MOVES = f"""EXISTS (
         SELECT FROM mirror_stock_move moved
          WHERE moved.connection_id = r.connection_id AND moved.picking_id = r.odoo_id AND moved.deleted_at IS NULL
            AND moved.state <> 'cancel' AND {OF_CATEGORY.replace("{product}", "moved.product_id")})"""
OF_INVOICED = f"""EXISTS (
         SELECT FROM mirror_account_move_line invoiced
          WHERE invoiced.connection_id = r.connection_id AND invoiced.move_id = r.odoo_id AND invoiced.deleted_at IS NULL
            AND {OF_CATEGORY.replace("{product}", "invoiced.product_id")})"""


@dataclass(frozen=True, kw_only=True)
class Slice:
    """One way to take a part.

    Attributes:
        terms: SQL of what belongs to the part ``{number}`` of ``{connection}``, by what the figure's facts are of; figures of
            others are left out.
        line_terms: SQL of which lines ``l`` of it belong to the part, for facts that are of lines.
        options: the statement of the parts there are in the connection ``%(connection)s``: number and name.
    """

    name: str
    title: str
    terms: Mapping[Subject, str]
    options: str
    line_terms: Mapping[Subject, str] = field(default_factory=dict)


SLICES: dict[str, Slice] = {
    one.name: one
    for one in (
        Slice(
            name="warehouse",
            title=gettext_noop("Warehouse"),
            terms={
                Subject.ORDER: "r.warehouse_id = {number}",
                Subject.TRANSFER: OF_PICKING_TYPE,
                Subject.PURCHASE: OF_RECEIPTS,
            },
            options="""
            SELECT s.odoo_id, s.name FROM mirror_stock_warehouse s
             WHERE s.connection_id = %(connection)s AND s.deleted_at IS NULL AND {seen}
             ORDER BY s.name, s.odoo_id""",
        ),
        Slice(
            name="salesperson",
            title=gettext_noop("Salesperson"),
            terms={
                Subject.ORDER: "r.user_id = {number}",
                Subject.TRANSFER: OF_ORDER.replace("{term}", "sold.user_id = {number}"),
                Subject.INVOICE: "r.invoice_user_id = {number}",
            },
            options="""
            SELECT s.odoo_id, s.name FROM mirror_res_users s
             WHERE s.connection_id = %(connection)s AND s.deleted_at IS NULL AND s.active AND NOT COALESCE(s.share, FALSE)
               AND {seen}
             ORDER BY s.name, s.odoo_id""",
        ),
        Slice(
            name="customer_class",
            title=gettext_noop("Customer class"),
            terms={
                Subject.ORDER: OF_CLASS.replace("{partner}", "r.partner_id"),
                Subject.TRANSFER: OF_ORDER.replace("{term}", OF_CLASS.replace("{partner}", "sold.partner_id")),
                Subject.INVOICE: OF_CLASS.replace("{partner}", "r.partner_id"),
            },
            options="""
            SELECT s.odoo_id, s.name FROM mirror_res_partner_category s
             WHERE s.connection_id = %(connection)s AND s.deleted_at IS NULL
             ORDER BY s.name, s.odoo_id""",
        ),
        Slice(
            name="product_category",
            title=gettext_noop("Product category"),
            terms={Subject.ORDER: "TRUE", Subject.PURCHASE: "TRUE", Subject.TRANSFER: OF_MOVES, Subject.INVOICE: OF_INVOICED},
            line_terms={Subject.ORDER: OF_SOLD_LINE, Subject.PURCHASE: OF_SOLD_LINE},
            options="""
            WITH RECURSIVE named(odoo_id, name, depth) AS (
              SELECT s.odoo_id, s.name, 0 FROM mirror_product_category s
               WHERE s.connection_id = %(connection)s AND s.deleted_at IS NULL AND s.parent_id IS NULL
               UNION ALL
              SELECT s.odoo_id, named.name || ' / ' || s.name, named.depth + 1
                FROM named JOIN mirror_product_category s ON s.connection_id = %(connection)s AND s.parent_id = named.odoo_id
                 AND s.deleted_at IS NULL
               WHERE named.depth < 20)
            SELECT odoo_id, name FROM named ORDER BY name, odoo_id""",
        ),
    )
}


@dataclass(frozen=True, kw_only=True)
class Part:
    """A part that is asked for: of a connection, the number of each slice that is named."""

    connection_id: int
    numbers: Mapping[str, int]

    def sql(self, subject: Subject) -> str | None:
        """Return SQL that narrows a figure of ``subject`` to the part, numbers only; None where it cannot be told."""
        terms = [SLICES[name].terms.get(subject) for name in self.numbers]
        if any(term is None for term in terms):
            return None
        shown = [self._filled(term, number) for term, number in zip(terms, self.numbers.values(), strict=True) if term]
        return "".join(f"\n       AND {term}" for term in [f"r.connection_id = {int(self.connection_id)}", *shown])

    def line_sql(self, subject: Subject) -> str:
        """Return SQL of the lines ``l`` that belong to the part, of a figure whose facts are of lines; numbers only."""
        terms = [
            self._filled(SLICES[name].line_terms[subject], number)
            for name, number in self.numbers.items()
            if subject in SLICES[name].line_terms
        ]
        return " AND ".join(terms) or "TRUE"

    def _filled(self, term: str, number: int) -> str:
        return term.replace("{number}", str(int(number))).replace("{connection}", str(int(self.connection_id)))


def options(connection_id: int, seen: AccessScope) -> dict[str, list[tuple[int, str]]]:
    """Return the parts that there are in a connection, as far as they are in sight, by slice; no slice with fewer than two."""
    found = {}
    with database.cursor() as cursor:
        for one in SLICES.values():
            cursor.execute(one.options.format(seen=seen.sql("s")), {"connection": connection_id})
            found[one.name] = [(number, name) for number, name in cursor.fetchall() if name]
    return {name: rows for name, rows in found.items() if len(rows) > 1}


def connection_of(choice: tuple[int, int | None] | None, seen: AccessScope) -> int | None:
    """Return the connection that numbers of Odoo are of: the one chosen, or the only one in sight; None where several are."""
    if choice is not None:
        return choice[0]
    found = list(Connection.objects.filter(seen.of_connections()).values_list("pk", flat=True)[:2])
    return found[0] if len(found) == 1 else None

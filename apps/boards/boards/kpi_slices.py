"""Parts of the business that figures and boards can be asked for: one warehouse, salesperson, class of customers, category of
products, customer or vendor.

Here alone stands how a record belongs to one.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from django.db import connection as database
from django.utils.translation import gettext_noop

from apps.accounts.access import AccessScope
from apps.mirror import registry
from apps.odoo.models import Connection
from apps.workflows import returned


class Subject(StrEnum):
    """What record a figure's facts, or a board's positions, are of: their alias ``r``."""

    ORDER, PURCHASE, TRANSFER, INVOICE = "order", "purchase", "transfer", "invoice"
    COUNT, TICKET, WAREHOUSE = "count", "ticket", "warehouse"
    NONE = ""


SUBJECTS = {
    "sale.order": Subject.ORDER,
    "purchase.order": Subject.PURCHASE,
    "stock.picking": Subject.TRANSFER,
    "account.move": Subject.INVOICE,
    "stock.quant": Subject.COUNT,
    "helpdesk.ticket": Subject.TICKET,
    "stock.warehouse": Subject.WAREHOUSE,
}
# Where the lines of an order are.
LINES = {Subject.ORDER: "mirror_sale_order_line", Subject.PURCHASE: "mirror_purchase_order_line"}


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
# A partner is all who belong to it too: its contacts and addresses. They are few, and found first: so an index leads to the rest.
OF_PARTNER = """{partner} = ANY (ARRAY(
         SELECT {number}::bigint
          UNION
         SELECT belongs.odoo_id FROM mirror_res_partner belongs
          WHERE belongs.connection_id = {connection} AND belongs.commercial_partner_id = {number}))"""
OF_RECORDS_PARTNER = OF_PARTNER.replace("{partner}", "r.partner_id")
# Without an order a transfer is of the customer whom it goes to, or comes back from.
OF_CUSTOMERS_TRANSFER = f"""({OF_ORDER.replace("{term}", OF_PARTNER.replace("{partner}", "sold.partner_id"))}
      OR r.sale_id IS NULL AND (r.picking_type_code = 'outgoing' OR {returned.from_customer("r").strip()})
         AND {OF_RECORDS_PARTNER})"""
# A dropship goes to the customer: what a transfer brings of a vendor is said by the purchase.
OF_VENDORS_TRANSFER = f"""EXISTS (
         SELECT FROM mirror_stock_move brought
           JOIN mirror_purchase_order_line bought ON bought.connection_id = brought.connection_id
            AND bought.odoo_id = brought.purchase_line_id
           JOIN mirror_purchase_order purchase ON purchase.connection_id = bought.connection_id
            AND purchase.odoo_id = bought.order_id
          WHERE brought.connection_id = r.connection_id AND brought.picking_id = r.odoo_id AND brought.deleted_at IS NULL
            AND {OF_PARTNER.replace("{partner}", "purchase.partner_id")})"""
OF_LOCATION = """(SELECT place.warehouse_id FROM mirror_stock_location place
          WHERE place.connection_id = r.connection_id AND place.odoo_id = r.location_id) = {number}"""
OF_SOLD_LINE = OF_CATEGORY.replace("{product}", "l.product_id")
OF_MOVES = f"""EXISTS (
         SELECT FROM mirror_stock_move moved
          WHERE moved.connection_id = r.connection_id AND moved.picking_id = r.odoo_id AND moved.deleted_at IS NULL
            AND moved.state <> 'cancel' AND {OF_CATEGORY.replace("{product}", "moved.product_id")})"""
OF_INVOICED = f"""EXISTS (
         SELECT FROM mirror_account_move_line invoiced
          WHERE invoiced.connection_id = r.connection_id AND invoiced.move_id = r.odoo_id AND invoiced.deleted_at IS NULL
            AND {OF_CATEGORY.replace("{product}", "invoiced.product_id")})"""

# Those with whom most is open; who has little open is found by its page. Whoever is chosen is among them.
MOST_PARTNERS = 200
OPEN_WITH = """
SELECT found.odoo_id, found.name
  FROM (SELECT whole.odoo_id, whole.name, sum(one.count) AS count
          FROM (SELECT p.partner_id, count(*) AS count
                  FROM workflows_position p
                 WHERE p.connection_id = %(connection)s AND p.is_open AND p.partner_id IS NOT NULL AND {seen}
                   AND ({whose})
                 GROUP BY p.partner_id) AS one
          JOIN mirror_res_partner contact ON contact.connection_id = %(connection)s AND contact.odoo_id = one.partner_id
          JOIN mirror_res_partner whole ON whole.connection_id = %(connection)s
           AND whole.odoo_id = COALESCE(contact.commercial_partner_id, contact.odoo_id)
         GROUP BY whole.odoo_id, whole.name
         ORDER BY COALESCE(whole.odoo_id = %(chosen)s, FALSE) DESC, count DESC, whole.odoo_id
         LIMIT %(most)s) AS found
 ORDER BY found.name, found.odoo_id"""
BILL = """p.model = 'account.move' AND EXISTS (
                     SELECT FROM mirror_account_move bill
                      WHERE bill.connection_id = p.connection_id AND bill.odoo_id = p.odoo_id
                        AND starts_with(bill.move_type, '{side}'))"""


@dataclass(frozen=True, kw_only=True)
class Slice:
    """One way to take a part.

    Attributes:
        terms: SQL of what belongs to the part ``{number}`` of ``{connection}``, by what the figure's facts are of; figures and
            boards of others are left out.
        line_terms: SQL of which lines ``l`` of it belong to the part, for facts that are of lines.
        options: the statement of the parts there are in the connection ``%(connection)s``: number and name.
        alias: the table in it of which ``{seen}`` says what is in sight.
    """

    name: str
    title: str
    terms: Mapping[Subject, str]
    options: str
    line_terms: Mapping[Subject, str] = field(default_factory=dict)
    alias: str = "s"


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
                Subject.COUNT: OF_LOCATION,
                Subject.WAREHOUSE: "r.odoo_id = {number}",
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
                Subject.TICKET: OF_CLASS.replace("{partner}", "r.partner_id"),
            },
            options="""
            SELECT s.odoo_id, s.name FROM mirror_res_partner_category s
             WHERE s.connection_id = %(connection)s AND s.deleted_at IS NULL
             ORDER BY s.name, s.odoo_id""",
        ),
        Slice(
            name="product_category",
            title=gettext_noop("Product category"),
            terms={
                Subject.ORDER: "TRUE",
                Subject.PURCHASE: "TRUE",
                Subject.TRANSFER: OF_MOVES,
                Subject.INVOICE: OF_INVOICED,
                Subject.COUNT: OF_CATEGORY.replace("{product}", "r.product_id"),
            },
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
# Boards are asked for these too. Of a figure they are another thing: whose records it counts at all (Kpi.partner).
BOARD_SLICES: dict[str, Slice] = SLICES | {
    one.name: one
    for one in (
        Slice(
            name="customer",
            title=gettext_noop("Customer"),
            terms={
                Subject.ORDER: OF_RECORDS_PARTNER,
                Subject.TRANSFER: OF_CUSTOMERS_TRANSFER,
                Subject.INVOICE: f"starts_with(r.move_type, 'out_') AND {OF_RECORDS_PARTNER}",
                Subject.TICKET: OF_RECORDS_PARTNER,
            },
            options=OPEN_WITH.replace("{whose}", f"p.model IN ('sale.order', 'helpdesk.ticket') OR {BILL.format(side='out_')}"),
            alias="p",
        ),
        Slice(
            name="vendor",
            title=gettext_noop("Vendor"),
            terms={
                Subject.PURCHASE: OF_RECORDS_PARTNER,
                Subject.TRANSFER: OF_VENDORS_TRANSFER,
                Subject.INVOICE: f"starts_with(r.move_type, 'in_') AND {OF_RECORDS_PARTNER}",
            },
            options=OPEN_WITH.replace("{whose}", f"p.model = 'purchase.order' OR {BILL.format(side='in_')}"),
            alias="p",
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
        terms = [BOARD_SLICES[name].terms.get(subject) for name in self.numbers]
        if any(term is None for term in terms):
            return None
        shown = [self._filled(term, number) for term, number in zip(terms, self.numbers.values(), strict=True) if term]
        return "".join(f"\n       AND {term}" for term in [f"r.connection_id = {int(self.connection_id)}", *shown])

    def line_sql(self, subject: Subject) -> str:
        """Return SQL of the lines ``l`` that belong to the part, of a figure whose facts are of lines; numbers only."""
        terms = [
            self._filled(BOARD_SLICES[name].line_terms[subject], number)
            for name, number in self.numbers.items()
            if subject in BOARD_SLICES[name].line_terms
        ]
        return " AND ".join(terms) or "TRUE"

    def sql_of(self, odoo_model: str, alias: str) -> str:
        """Return SQL of whether a row that names a record of the model is of the part, numbers only; never more than none.

        An order is of a category where one of its lines is. A model that knows no such part has none.

        Args:
            alias: of a row with ``connection_id`` and ``odoo_id``.
        """
        subject = SUBJECTS.get(odoo_model, Subject.NONE)
        terms = self.sql(subject)
        if terms is None:
            return "FALSE"
        of_records = f"""EXISTS (
      SELECT FROM {registry.models()[odoo_model]._meta.db_table} r
       WHERE r.connection_id = {alias}.connection_id AND r.odoo_id = {alias}.odoo_id{terms})"""
        if (lines := self.line_sql(subject)) == "TRUE":
            return of_records
        # Beside it, not within: so that not all orders there ever were are joined with their lines.
        return f"""{of_records} AND EXISTS (
      SELECT FROM {LINES[subject]} l
       WHERE l.connection_id = {alias}.connection_id AND l.order_id = {alias}.odoo_id AND l.deleted_at IS NULL
         AND l.connection_id = {int(self.connection_id)} AND {lines})"""

    def _filled(self, term: str, number: int) -> str:
        return filled(term, number=number, connection_id=self.connection_id)


def filled(term: str, *, number: int, connection_id: int) -> str:
    """Return a term of a slice for one part of it; numbers only, so it is safe."""
    return term.replace("{number}", str(int(number))).replace("{connection}", str(int(connection_id)))


def in_part(part: Part | None, odoo_model: str, alias: str) -> str:
    """Return SQL of whether a row that names a record of the model is of the part; TRUE where none is asked for."""
    return part.sql_of(odoo_model, alias) if part else "TRUE"


def slices_of(odoo_models: Collection[str]) -> dict[str, Slice]:
    """Return the slices that records of one of the models can be narrowed by."""
    subjects = {SUBJECTS.get(model, Subject.NONE) for model in odoo_models}
    return {name: one for name, one in BOARD_SLICES.items() if not subjects.isdisjoint(one.terms)}


def options(
    connection_id: int, access_scope: AccessScope, *, slices: Mapping[str, Slice] = SLICES, part: Part | None = None
) -> dict[str, list[tuple[int, str]]]:
    """Return the parts that there are in a connection, as far as they are in sight, by slice.

    No slice with fewer than two, unless it is asked for by ``part``: what is asked for always stands among them, as far as it is
    in sight.
    """
    numbers = part.numbers if part else {}
    found = {}
    with database.cursor() as cursor:
        for one in slices.values():
            values = {"connection": connection_id, "chosen": numbers.get(one.name), "most": MOST_PARTNERS}
            cursor.execute(one.options.format(seen=access_scope.sql(one.alias)), values)
            found[one.name] = [(number, name) for number, name in cursor.fetchall() if name]
    return {name: rows for name, rows in found.items() if len(rows) > 1 or name in numbers}


def connection_of(choice: tuple[int, int | None] | None, access_scope: AccessScope) -> int | None:
    """Return the connection that numbers of Odoo are of: the one chosen, or the only one in sight; None where several are."""
    if choice is not None:
        return choice[0]
    found = list(Connection.objects.filter(access_scope.of_connections()).values_list("pk", flat=True)[:2])
    return found[0] if len(found) == 1 else None

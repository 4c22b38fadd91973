"""Which transfers take goods back, as SQL that facts and declarations share.

Odoo names the transfer that a return belongs to (``return_id``), but not on the backorder that holds the rest of a return, nor on
a return made from scratch; and it names it on what a vendor brings in exchange, which is a receipt. So where the goods come from
and go to decides: from a customer, or to a vendor, whatever type of operation takes them there (what was shipped straight from the
vendor goes back by a dropship). Where the place is not mirrored, ``return_id`` alone tells.
"""

from apps.workflows import units
from apps.workflows.declare import Dependency, Unwatched


def place_is(usage: str, place: str, transfer: str) -> str:
    """Return SQL for whether a place of a transfer is of a kind; false where the place is not mirrored.

    Args:
        usage: Odoo's word for the kind, such as ``customer``.
        place: the column that names the place.
        transfer: the alias of a row of ``mirror_stock_picking``.
    """
    return f"""
EXISTS (SELECT FROM mirror_stock_location place
         WHERE place.connection_id = {transfer}.connection_id AND place.odoo_id = {transfer}.{place}
           AND place.usage = '{usage}')"""


def from_customer(transfer: str) -> str:
    """Return SQL for whether a transfer brings goods back from a customer; never NULL.

    Args:
        transfer: the alias of a row of ``mirror_stock_picking``.
    """
    return f"""
CASE WHEN {place_is("customer", "location_id", transfer)} THEN NOT {place_is("customer", "location_dest_id", transfer)}
     ELSE COALESCE({transfer}.picking_type_code = 'incoming', FALSE) AND {transfer}.return_id IS NOT NULL
          AND NOT {place_is("supplier", "location_id", transfer)} END"""


def goes_back(transfer: str) -> str:
    """Return SQL for whether a transfer takes goods back, from a customer or to a vendor; never NULL."""
    return f"""
CASE WHEN {from_customer(transfer)} THEN TRUE
     WHEN {transfer}.picking_type_code = 'incoming' THEN FALSE
     WHEN {transfer}.picking_type_code = 'outgoing'
     THEN CASE WHEN {transfer}.return_id IS NULL THEN {place_is("supplier", "location_dest_id", transfer)}
               ELSE NOT {place_is("customer", "location_dest_id", transfer)} END
     ELSE {transfer}.return_id IS NOT NULL END"""


def credited_apart(line: str) -> str:
    """Return SQL for what of an order's line is credited by notes that name its invoice and not the line.

    Accounting writes such a note by hand, or replaces the lines of a reversal. It is counted for the first line of the order that
    the invoice bills and that is of the same product.

    Args:
        line: the alias of a row of ``mirror_sale_order_line``.

    Returns:
        a quantity in the product's own unit, 0 where there is none.
    """
    return f"""
COALESCE((
  SELECT sum({units.own("apart.quantity", "apart")})
    FROM (SELECT DISTINCT billing.move_id
            FROM mirror_account_move_line billing
           WHERE billing.connection_id = {line}.connection_id AND billing.sale_line_ids @> ARRAY[{line}.odoo_id]
             AND billing.deleted_at IS NULL) AS billed
    JOIN mirror_account_move note ON note.connection_id = {line}.connection_id AND note.reversed_entry_id = billed.move_id
     AND note.move_type = 'out_refund' AND note.state = 'posted' AND note.deleted_at IS NULL
    JOIN mirror_account_move_line apart ON apart.connection_id = note.connection_id AND apart.move_id = note.odoo_id
     AND apart.product_id = {line}.product_id AND COALESCE(apart.sale_line_ids, '{{}}') = '{{}}' AND apart.deleted_at IS NULL
   WHERE NOT EXISTS (
     SELECT FROM mirror_account_move_line twin
       JOIN mirror_sale_order_line first ON first.connection_id = twin.connection_id AND first.odoo_id = ANY(twin.sale_line_ids)
        AND first.product_id = {line}.product_id AND first.odoo_id < {line}.odoo_id
      WHERE twin.connection_id = note.connection_id AND twin.move_id = billed.move_id AND twin.deleted_at IS NULL)), 0)"""


def still_to_deliver(line: str) -> str:
    """Return SQL for what of an order's line is still on its way out, in exchange or as the rest of it; of a kit nothing.

    Args:
        line: the alias of a row of ``mirror_sale_order_line``.

    Returns:
        a quantity in the product's own unit, 0 where there is none.
    """
    return f"""
COALESCE((
  SELECT sum({units.own("leaving.product_uom_qty", "leaving", units.MOVE)})
    FROM mirror_stock_move leaving
    JOIN mirror_stock_picking delivery ON delivery.connection_id = leaving.connection_id
     AND delivery.odoo_id = leaving.picking_id AND delivery.picking_type_code IN ('outgoing', 'dropship')
     AND delivery.deleted_at IS NULL
   WHERE leaving.connection_id = {line}.connection_id AND leaving.sale_line_id = {line}.odoo_id
     AND leaving.product_id = {line}.product_id AND leaving.state NOT IN ('draft', 'done', 'cancel')
     AND leaving.deleted_at IS NULL), 0)"""


# The order lines that an invoice bills which changed credit notes reverse; {notes} is SQL of the notes' ids.
LINES_REVERSED = """
SELECT unnest(billing.sale_line_ids)
  FROM mirror_account_move note
  JOIN mirror_account_move_line billing ON billing.connection_id = note.connection_id AND billing.move_id = note.reversed_entry_id
 WHERE note.connection_id = %(connection)s AND note.odoo_id IN ({notes})
"""

# The notes that changed lines belong to.
NOTES_OF_LINES = """
SELECT changed.move_id FROM mirror_account_move_line changed
 WHERE changed.connection_id = %(connection)s AND changed.odoo_id = ANY(%(ids)s)
"""

# Places by which transfers of other records are told apart.
PLACES = Unwatched(
    model="stock.location",
    columns=["usage"],
    because="Odoo refuses another usage for a place that holds stock, and a transfer that is done went where it went.",
)
TRANSFERS = Unwatched(
    model="stock.picking",
    columns=["location_dest_id", "location_id", "picking_type_code", "return_id"],
    because="Where a transfer goes and what it returns is settled as it is made; its moves, which are watched, say the rest.",
)


def told_by_place(workflow: str, belongs: str) -> Dependency:
    """Open transfers are looked at again when what a place is tells that they belong to the workflow, or no longer.

    A place may be read after a transfer that uses it. A count writes to its place, of which nothing is looked up: only customers'
    and vendors' places tell. Transfers that stay where they are, which are nearly all, are left alone.

    Args:
        workflow: the name of the workflow.
        belongs: SQL for whether the transfer ``p`` belongs to it.
    """
    return Dependency(
        model="stock.location",
        sql=f"""
        SELECT p.odoo_id
          FROM mirror_stock_picking p
         WHERE p.connection_id = %(connection)s AND p.state NOT IN ('done', 'cancel') AND p.deleted_at IS NULL
           AND EXISTS (SELECT FROM mirror_stock_location l
                        WHERE l.connection_id = %(connection)s AND l.odoo_id = ANY(%(ids)s) AND l.usage IN ('customer', 'supplier'))
           AND (p.location_id = ANY(%(ids)s) OR p.location_dest_id = ANY(%(ids)s))
           AND ({belongs}) <> EXISTS (
             SELECT FROM workflows_position o
              WHERE o.connection_id = p.connection_id AND o.workflow = '{workflow}' AND o.odoo_id = p.odoo_id)
    """,
    )

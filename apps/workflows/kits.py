"""Kits, as SQL that facts and pages share: one line of an order, and a move for each of its components.

What is short, late, returned or at risk of a kit is told once a line, never once a component: of so many sets as the component
that lacks most leaves incomplete, as Odoo counts what is delivered of a kit. A component's part in a set is what the line's
moves say, so kits in kits and fractions of units need no bill of materials here.
"""

from apps.workflows import returned, units

# The moves {move} with which a line's goods set out: not the later steps of the same goods, and not what comes back.
SETS_OUT = f"""
NOT EXISTS (SELECT FROM mirror_stock_move kit_before
             WHERE kit_before.connection_id = {{move}}.connection_id AND kit_before.odoo_id = ANY({{move}}.move_orig_ids)
               AND kit_before.{{line_id}} = {{move}}.{{line_id}})
   AND NOT EXISTS (SELECT FROM mirror_stock_picking kit_back
                    WHERE kit_back.connection_id = {{move}}.connection_id AND kit_back.odoo_id = {{move}}.picking_id
                      AND {returned.goes_back("kit_back")})
"""


def is_kit(line: str, product: str) -> str:
    """Return SQL for whether goods ``product`` of the line are a component of what the line is of."""
    return f"COALESCE({product} <> {line}.product_id, FALSE)"


def wanted(line: str, product: str, *, quantity: str = "product_uom_qty", line_id: str = "sale_line_id") -> str:
    """Return SQL for how much of ``product`` the whole line needs, in the product's own unit.

    Where the line's unit is not mirrored yet, as much as its moves say.

    Args:
        line: the alias of the line; its product is ``product``, or a kit that ``product`` belongs to.
        product: SQL expression of the product's id.
        quantity: the line's column for the quantity ordered.
        line_id: the column with which moves name the line.
    """
    return f"""
CASE WHEN {is_kit(line, product)} OR {units.is_unknown(f"{line}.product_uom_id", connection=f"{line}.connection_id")}
     THEN (SELECT sum({units.own("kit_move.product_uom_qty", "kit_move", units.MOVE)})
             FROM mirror_stock_move kit_move
            WHERE kit_move.connection_id = {line}.connection_id AND kit_move.{line_id} = {line}.odoo_id
              AND kit_move.product_id = {product} AND kit_move.state <> 'cancel' AND kit_move.deleted_at IS NULL
              AND {SETS_OUT.format(move="kit_move", line_id=line_id)})
     ELSE {units.own(f"{line}.{quantity}", line)} END"""


def components(line: str, *, line_id: str = "sale_line_id") -> str:
    """Return SQL for the number of components of a line that is of a kit."""
    return f"""
(SELECT count(DISTINCT kit_part.product_id) FROM mirror_stock_move kit_part
  WHERE kit_part.connection_id = {line}.connection_id AND kit_part.{line_id} = {line}.odoo_id AND kit_part.deleted_at IS NULL
    AND kit_part.product_id <> {line}.product_id AND kit_part.state <> 'cancel')"""


def sets(part: str, ordered: str) -> str:
    """Return SQL for the sets that ``part`` of all (0 to 1) leaves incomplete, of so many ``ordered``."""
    return f"LEAST(ceil(round({part} * {ordered}, 4)), {ordered})"


# The same inside Odoo, for guards: of ``kits``, the quantity of each component by (line of an order, product), the sets that they
# make up, by line, each with what the line ordered, in its product's own unit.
IN_ODOO = """
def sets_of_kits(env, kits):
    sets_of = {}
    for sold_id, product_id in kits:
        sold = env['sale.order.line'].sudo().browse(sold_id)
        unit = sold['product_uom_id' if 'product_uom_id' in sold._fields else 'product_uom']
        ordered = unit._compute_quantity(sold.product_uom_qty, sold.product_id.uom_id, round=False, raise_if_failure=False)
        whole = 0.0
        line_moves = env['stock.move'].sudo().search([('sale_line_id', '=', sold_id)])
        for out in line_moves:
            if out.product_id.id != product_id or out.state == 'cancel':
                continue
            if out.picking_id.return_id or out.location_id.usage == 'customer' or out.move_orig_ids & line_moves:
                continue
            whole = whole + out.product_uom._compute_quantity(
                out.product_uom_qty, out.product_id.uom_id, round=False, raise_if_failure=False)
        if whole and ordered:
            sets = min(-(-round(kits[(sold_id, product_id)] / whole * ordered, 4) // 1), ordered)
            known = sets_of.get(sold_id, (0.0, ordered))
            sets_of[sold_id] = (max(known[0], sets), ordered)
    return sets_of
"""

"""What of an invoice was not agreed: its differences to the lines of orders that it bills, in SQL and as Odoo's guard counts them.

Both come to the same figure: :func:`match` over mirrored rows, :data:`IN_ODOO` as Python that Odoo runs.
"""

from apps.core import statements
from apps.workflows import units
from apps.workflows.rules import money, typed_tax

# Below a per mille of the line, and below two cents, a difference in price is rounding. Down payments are lines of the
# order with nothing ordered and nothing delivered: nothing there to be compared. A line that bills several lines of
# orders at once has no one price to be compared with. Later invoices are counted, not asked for with EXISTS: for a first row
# alone the planner would read all entries that there are.
# Quantities are told in the product's own unit; the line's own price is held against the price agreed for the unit of the bill,
# which may be another than the order's. How many of the product's own the bill's unit holds:
OF_BILL = units.ratio("il.product_uom_id", product="{line}.product_id", connection="il.connection_id")
# What a later line of a bill bills of the same: it bears the excess before the earlier ones.
LATER = f"GREATEST({units.own('later.quantity', 'later')}, 0)"


# The invoice's line bills one line of an order alone.
SOLD_ONCE = "cardinality(il.sale_line_ids) = 1"

# Which orders the invoice ``r`` bills, by name.
SOLD_ON = """
    SELECT string_agg(DISTINCT so.name, ', ')
      FROM mirror_account_move_line beside
      JOIN mirror_sale_order_line sl ON sl.connection_id = beside.connection_id AND sl.odoo_id = ANY(beside.sale_line_ids)
      JOIN mirror_sale_order so ON so.connection_id = sl.connection_id AND so.odoo_id = sl.order_id
     WHERE r.move_type = 'out_invoice' AND beside.connection_id = r.connection_id AND beside.move_id = r.odoo_id
       AND beside.deleted_at IS NULL
"""
BOUGHT_ON = """
    SELECT string_agg(DISTINCT po.name, ', ')
      FROM mirror_account_move_line beside
      JOIN mirror_purchase_order_line pl ON pl.connection_id = beside.connection_id AND pl.odoo_id = beside.purchase_line_id
      JOIN mirror_purchase_order po ON po.connection_id = pl.connection_id AND po.odoo_id = pl.order_id
     WHERE r.move_type = 'in_invoice' AND beside.connection_id = r.connection_id AND beside.move_id = r.odoo_id
       AND beside.deleted_at IS NULL
"""
ORDERS = f"COALESCE(({SOLD_ON}), ({BOUGHT_ON}))"


def other_partner(*partners: str) -> str:
    """Return SQL for the name of the order's partner where the invoice ``r`` is of another commercial entity, else NULL.

    Args:
        partners: columns with the order's partners, of any of which the invoice may be.
    """
    return f"""SELECT CASE WHEN bool_and(party.commercial_partner_id <> r.commercial_partner_id) THEN min(party.name) END AS name
                       FROM mirror_res_partner party
                      WHERE party.connection_id = r.connection_id AND party.odoo_id IN ({", ".join(partners)})"""


def tax_of(line: str, order: str, ordered: str, *, is_known: str = "TRUE") -> str:
    """Return SQL for the tax of the bill's line ``il`` by the line of its order, and below which difference that is rounding.

    What Odoo computed on the order's line counts, by what is billed before tax: fixed taxes, taxes within the price and fiscal
    positions are in it, and it needs no rate between currencies. What is free bears the tax of its quantity. Where nothing is
    ordered (any more), there is no tax to be compared with.

    Args:
        line, order: the aliases of the order's line and of the order.
        ordered: the column of the line's quantity.
        is_known: SQL for whether the bill's line has this one line of an order.
    """
    tax, part = f"({line}.price_total - {line}.price_subtotal)", f"il.price_subtotal / NULLIF({line}.price_subtotal, 0)"
    free = f"il.quantity * {OF_BILL.format(line=line)} / NULLIF({units.own(f'{line}.{ordered}', line)}, 0)"
    return f"""CASE WHEN NOT ({is_known}) OR {line}.{ordered} = 0 THEN NULL
                               WHEN {line}.price_subtotal <> 0 THEN {tax} * {part}
                               WHEN {order}.currency_id = il.currency_id THEN {tax} * {free} END AS agreed_tax,
                          GREATEST(2 * {money.smallest_in("il")}, abs(il.price_subtotal) / 1000,
                                   2 * {money.smallest_in(order)} * abs({part})) AS tax_rounding"""


def match(which: str) -> str:
    """Return SQL for what the invoices ``r`` bill that was not agreed; no row where nothing differs.

    Args:
        which: SQL over ``r`` that tells which are compared at all.
    """
    return statements.load(
        __file__,
        "invoice_match",
        billed_price=money.rounded("sum(d.quantity * d.price) * d.rate", money.SMALLEST),
        ordered_price=money.rounded("sum(d.quantity * d.agreed) * d.rate", money.SMALLEST),
        price_difference=money.rounded("sum(d.price_off) * d.rate", money.SMALLEST),
        billed_tax=money.rounded("sum(d.tax) * d.rate", money.SMALLEST),
        ordered_tax=money.rounded("sum(d.agreed_tax) * d.rate", money.SMALLEST),
        tax_difference=money.rounded("sum(d.tax_off) * d.rate", money.SMALLEST),
        tax_by_hand=money.rounded("sum(d.raised) * d.rate", money.SMALLEST),
        amount_over=money.rounded("sum(d.over * d.price) * d.rate", money.SMALLEST),
        disputed_amount=money.rounded(
            "sum(abs(d.price_off) + abs(d.tax_off) + abs(d.over * d.price) + d.raised) * d.rate", money.SMALLEST
        ),
        sold=units.own("sl.product_uom_qty", "sl"),
        delivered=units.own("sl.qty_delivered", "sl"),
        invoiced=units.own("sl.qty_invoiced", "sl"),
        excess=units.own("e.excess", "sl"),
        sold_unit=OF_BILL.format(line="sl"),
        sold_once=SOLD_ONCE,
        sold_ratio=units.ratio_of("sl"),
        later_billed=LATER,
        tax_of_sold=tax_of("sl", "so", "product_uom_qty", is_known=f"{SOLD_ONCE} AND other.name IS NULL"),
        other_customer=other_partner("so.partner_id", "so.partner_invoice_id"),
        bought=units.own("pl.product_qty", "pl"),
        received=units.own("pl.qty_received", "pl"),
        bought_invoiced=units.own("pl.qty_invoiced", "pl"),
        bought_excess=units.own("e.excess", "pl"),
        bought_unit=OF_BILL.format(line="pl"),
        bought_ratio=units.ratio_of("pl"),
        tax_of_bought=tax_of("pl", "po", "product_qty", is_known="other.name IS NULL"),
        other_vendor=other_partner("po.partner_id"),
        apart=units.own("il.quantity", "il"),
        apart_unit=units.ratio_of("il"),
        orders=ORDERS,
        which=which,
        raised=typed_tax.RAISED,
    )


# The figures of match, line by line.
IN_ODOO = f"""
{typed_tax.IN_ODOO.strip()}
def difference_of(env, move):
    # What of an invoice was not agreed: by price, in quantity, the sum in dispute, what of it is on lines of no order, by tax, by a
    # tax that was raised by hand, and what was ordered of or by somebody else, and of whom.
    off = 0.0
    too_many = 0.0
    disputed = 0.0
    apart = 0.0
    taxed = 0.0
    elsewhere = 0.0
    others = []
    is_sale = move.move_type == 'out_invoice'
    link = 'sale_line_ids' if is_sale else 'purchase_line_id'
    rate = abs(move.amount_total_signed / move.amount_total) if move.amount_total else 1.0
    lines = move.invoice_line_ids
    if link not in lines._fields:
        lines = lines[:0]
    is_of_order = False
    for line in lines:
        if line.display_type == 'product' and line[link]:
            is_of_order = True
    for line in lines:
        if line.display_type != 'product':
            continue
        if is_of_order and not line[link]:
            # Beside what an order names, nobody has agreed to it.
            apart = apart + line.price_subtotal * rate
            disputed = disputed + abs(line.price_subtotal) * rate
        for agreed in line[link]:
            ordered = agreed.product_uom_qty if is_sale else agreed.product_qty
            order = agreed.order_id
            parties = order.partner_id | order.partner_invoice_id if is_sale else order.partner_id
            if parties and move.commercial_partner_id not in parties.mapped('commercial_partner_id'):
                price = line.price_unit * (1 - line.discount / 100.0)
                if not is_sale and line.quantity:
                    price = line.price_subtotal / line.quantity
                elsewhere = elsewhere + abs(line.quantity * price) * rate
                disputed = disputed + abs(line.quantity * price) * rate
                if order.partner_id.name not in others:
                    others.append(order.partner_id.name)
                continue
            if not ordered and not (agreed.qty_delivered if is_sale else agreed.qty_received):
                continue
            # How many of the bill's units one of the order's holds.
            holds = 1.0
            if line.product_uom_id and agreed.product_id:
                unit = agreed['product_uom_id' if 'product_uom_id' in agreed._fields else 'product_uom']
                holds = unit._compute_quantity(1.0, line.product_uom_id, round=False, raise_if_failure=False) or 1.0
            same_currency = agreed.order_id.currency_id == line.currency_id
            if is_sale:
                price = line.price_unit * (1 - line.discount / 100.0)
                right = agreed.price_unit * (1 - agreed.discount / 100.0) / holds
                if len(line[link]) > 1 or not same_currency:
                    right = price
            else:
                price = line.price_subtotal / line.quantity if line.quantity else line.price_unit
                right = agreed.price_subtotal / agreed.product_qty if agreed.product_qty else 0.0
                right = (right or agreed.price_unit) / holds if same_currency else price
            by_price = line.quantity * (price - right)
            if abs(by_price) > max(0.02, abs(line.quantity * right) / 1000.0):
                off = off + by_price * rate
                disputed = disputed + abs(by_price) * rate
            # Where nothing is ordered (any more), there is no tax to be compared with.
            if ordered and len(line[link]) == 1 and (agreed.price_subtotal or same_currency):
                part = line.price_subtotal / agreed.price_subtotal if agreed.price_subtotal else line.quantity / (ordered * holds)
                by_tax = line.price_total - line.price_subtotal - (agreed.price_total - agreed.price_subtotal) * part
                rounding = 2 * line.currency_id.rounding
                if agreed.price_subtotal:
                    rounding = max(rounding, 2 * agreed.order_id.currency_id.rounding * abs(part))
                if abs(by_tax) > max(rounding, abs(line.price_subtotal) / 1000.0):
                    taxed = taxed + by_tax * rate
                    disputed = disputed + abs(by_tax) * rate
            excess = -agreed.qty_to_invoice
            if agreed.order_id.state == 'cancel':
                excess = agreed.qty_invoiced
            elif not is_sale:
                # More than ordered is not agreed to by being received.
                excess = max(excess, agreed.qty_invoiced - agreed.product_qty)
            excess = excess * holds
            if excess > 0:
                # What is billed later bears it first.
                for later in env['account.move.line'].sudo().search([
                        (link, '=' if not is_sale else 'in', agreed.id if not is_sale else agreed.ids), ('id', '>', line.id),
                        ('move_id.move_type', '=', move.move_type),
                        '|', ('move_id.state', '=', 'draft'), '&', ('move_id.state', '=', 'posted'),
                        ('move_id.payment_state', 'in', ['not_paid', 'partial', 'blocked'])]):
                    billed = later.quantity
                    if later.product_uom_id and line.product_uom_id:
                        billed = later.product_uom_id._compute_quantity(
                            billed, line.product_uom_id, round=False, raise_if_failure=False)
                    excess = excess - max(billed, 0.0)
            excess = min(excess, line.quantity)
            if excess > 0:
                too_many = too_many + excess
                disputed = disputed + excess * abs(price) * rate
    raised = tax_by_hand(move) * rate if is_of_order else 0.0
    disputed = move.company_id.currency_id.round(round(disputed + raised, 8))
    return off, too_many, disputed, apart, taxed, raised, elsewhere, others
"""

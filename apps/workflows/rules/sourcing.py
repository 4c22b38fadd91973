"""Ways to get goods that are late or short: from another warehouse, or from another vendor; and a new promise meanwhile.

Each takes a query of what is needed: ``product_id``, ``quantity``, ``place_id`` (the place where it is needed),
``company_id``, ``vendor_id`` (who was to bring it, or NULL), ``buyer_id`` (whose order it was, or NULL) and ``receive_type_id`` (by
which operation type it was to come in, or NULL). Quantities are in the product's own unit, and so are the transfers that are
drafted, by name; a request for quotation is in the unit and the currency that the vendor's price is for.
"""

from apps.core import statements
from apps.workflows import guard_requests, impact, operation_types, reservable, supply_allocation, units
from apps.workflows.declare import OdooCall, SuggestedAction
from apps.workflows.placeholders import ENTERED
from apps.workflows.rules import effects
from apps.workflows.sql_message import company_day, say

# What a purchase order still has to bring, where its receipts put it, and by which operation type they come in.
NEEDED_OF_PURCHASE = f"""
    SELECT n.product_id, n.quantity, n.vendor_id, n.buyer_id, n.company_id, receipt.place_id, receipt.type_id AS receive_type_id
      FROM (
        SELECT l.product_id, sum({units.own("l.product_qty - l.qty_received", "l")}) AS quantity, o.partner_id AS vendor_id,
               o.user_id AS buyer_id, o.company_id, o.connection_id, min(l.odoo_id) AS line_id
          FROM mirror_purchase_order o
          JOIN mirror_purchase_order_line l
            ON l.connection_id = o.connection_id AND l.order_id = o.odoo_id AND l.deleted_at IS NULL
           AND l.product_id IS NOT NULL AND l.qty_received < l.product_qty
         WHERE o.connection_id = %(connection)s AND o.odoo_id = %(record)s AND o.state IN ('purchase', 'done')
         GROUP BY o.connection_id, l.product_id, o.partner_id, o.user_id, o.company_id
      ) AS n
      LEFT JOIN LATERAL (
        SELECT m.location_dest_id AS place_id, p.picking_type_id AS type_id
          FROM mirror_stock_move m
          LEFT JOIN mirror_stock_picking p ON p.connection_id = m.connection_id AND p.odoo_id = m.picking_id
         WHERE m.connection_id = n.connection_id AND m.purchase_line_id = n.line_id AND m.deleted_at IS NULL
         ORDER BY m.odoo_id DESC LIMIT 1
      ) AS receipt ON true
"""

# What a transfer lacks, at the place from which it takes its goods.
NEEDED_OF_TRANSFER = f"""
    SELECT m.product_id, sum({units.own("m.product_uom_qty - COALESCE(m.quantity, 0)", "m", units.MOVE)}) AS quantity,
           NULL::bigint AS vendor_id, NULL::bigint AS buyer_id, m.company_id, m.location_id AS place_id,
           NULL::bigint AS receive_type_id
      FROM mirror_stock_move m
     WHERE m.connection_id = %(connection)s AND m.picking_id = %(record)s AND m.deleted_at IS NULL
       AND m.state IN ('waiting', 'confirmed', 'partially_available')
       AND m.product_uom_qty > COALESCE(m.quantity, 0)
     GROUP BY m.product_id, m.company_id, m.location_id
"""

# What a sales order's deliveries lack.
NEEDED_OF_ORDER = f"""
    SELECT m.product_id, sum({units.own("m.product_uom_qty - COALESCE(m.quantity, 0)", "m", units.MOVE)}) AS quantity,
           NULL::bigint AS vendor_id, NULL::bigint AS buyer_id, m.company_id, m.location_id AS place_id,
           NULL::bigint AS receive_type_id
      FROM mirror_sale_order_line l
      JOIN mirror_stock_move m ON m.connection_id = l.connection_id AND m.sale_line_id = l.odoo_id AND m.deleted_at IS NULL
       AND m.state IN ('waiting', 'confirmed', 'partially_available') AND m.product_uom_qty > COALESCE(m.quantity, 0)
     WHERE l.connection_id = %(connection)s AND l.order_id = %(record)s AND l.deleted_at IS NULL
     GROUP BY m.product_id, m.company_id, m.location_id
"""

# A move that waits for another one, or that something is chained to, gets from Odoo what that brings and nothing else.
FROM_STOCK = f"AND m.state <> 'waiting' AND NOT ({supply_allocation.is_fed('m')}) GROUP BY"
STOCK_FOR_TRANSFER = NEEDED_OF_TRANSFER.replace("GROUP BY", FROM_STOCK)
STOCK_FOR_ORDER = NEEDED_OF_ORDER.replace("GROUP BY", FROM_STOCK)

PRODUCT = """
      JOIN mirror_product_product pr ON pr.connection_id = %(connection)s AND pr.odoo_id = n.product_id
      JOIN mirror_product_template t ON t.connection_id = pr.connection_id AND t.odoo_id = pr.product_tmpl_id
"""


FREE_THERE = say(
    "{quantity:quantity} {product} from {place}, {free:quantity} available",
    quantity="LEAST(q.free, n.quantity)",
    product="t.name",
    place="place.complete_name",
    free="q.free",
)


def from_another_warehouse(needed: str) -> SuggestedAction:
    """Move what lies free in another warehouse of the company, as an internal transfer ready to be picked there."""
    return SuggestedAction(
        name="move_stock",
        title="Transfer from another warehouse",
        columns=[
            "product_id",
            "quantity",
            "place_id",
            "from_id",
            "type_id",
            "product_name",
            "text",
            "from_warehouse",
            "to_warehouse",
            "arrives_at",
        ],
        effect=effects.of_transfer,
        sql=statements.load(
            __file__,
            "move_stock",
            free_there=FREE_THERE,
            needed=needed,
            product=PRODUCT,
            free=reservable.by_place("n.product_id"),
            is_stock=reservable.is_in_stock("place", "w"),
            needed_in=reservable.is_in_stock("needed_at", "h"),
            internal=operation_types.of_warehouse("internal", "place.warehouse_id"),
        ),
        calls=[
            OdooCall(
                title="Draft a transfer of {quantity:quantity} {product_name} from another warehouse",
                method="create",
                model="stock.picking",
                arguments={
                    "vals_list": [
                        {
                            "picking_type_id": "{type_id:number}",
                            "location_id": "{from_id:number}",
                            "location_dest_id": "{place_id:number}",
                            "origin": "{record_name}",
                            "move_ids": [
                                [
                                    0,
                                    0,
                                    {
                                        "product_id": "{product_id:number}",
                                        "product_uom_qty": "{quantity:number}",
                                        "location_id": "{from_id:number}",
                                        "location_dest_id": "{place_id:number}",
                                    },
                                ]
                            ],
                        }
                    ]
                },
            ),
            guard_requests.note("{decided_by} takes {text}, in Control Tower."),
        ],
    )


# In whole units of the vendor's, where those are larger than the product's own: half a dozen is not sold by the dozen.
IN_VENDORS_UNIT = f"""
SELECT GREATEST(needed.quantity, i.min_qty) AS quantity, i.min_qty > needed.quantity AS is_raised, per.unit AS per_unit,
       vendors.name AS unit, vendors.name IS DISTINCT FROM own.name AS is_other
  FROM (SELECT {units.ratio("i.product_uom_id", product="n.product_id")} AS unit) AS per
 CROSS JOIN LATERAL (
   SELECT CASE WHEN per.unit > 1 THEN ceil(round(n.quantity / per.unit, 4)) ELSE round(n.quantity / per.unit, 6) END AS quantity
 ) AS needed
 CROSS JOIN (SELECT {units.name_of("i.product_uom_id")} AS name) AS vendors
 CROSS JOIN (SELECT {units.name_of("t.uom_id")} AS name) AS own
"""

SOLD_THERE = say(
    "{quantity:quantity} {product} from {vendor} at {price:money} {currency}, {days} days to deliver",
    when={
        "i.unit > '' AND i.is_other": (
            "{quantity:quantity} {unit} of {product} from {vendor} at {price:money} {currency} each, {days} days to deliver"
        ),
        "cu.name IS NULL": "{quantity:quantity} {product} from {vendor} at {price:money}, {days} days to deliver",
    },
    quantity="i.quantity",
    product="t.name",
    vendor="v.name",
    # What is paid, once the vendor's discount is off.
    price="i.price * (1 - COALESCE(i.discount, 0) / 100)",
    currency="COALESCE(cu.name, '')",
    days="i.delay",
    unit="i.unit",
)


# Odoo fills these in when somebody picks the vendor on the form. Who has no buyer there, and none before, has none: the session
# that writes the request is nobody's.
OF_VENDOR = ["payment_term_id", "fiscal_position_id", "user_id"]

# A request for quotation of one line, for the warehouse that needs it. What Odoo decides itself is left to it: the unit where the
# vendor's price names none, the operation type where the place belongs to no warehouse.
REQUEST = OdooCall(
    title="Draft a request for quotation to {vendor_name}",
    method="create",
    model="purchase.order",
    arguments={
        "vals_list": [
            {
                ENTERED: ["purchase.order", "partner_id", OF_VENDOR],
                "partner_id": "{partner_id:number}",
                "company_id": "{company_id:number}",
                "currency_id": "{currency_id:optional}",
                "picking_type_id": "{receive_type_id:optional}",
                "user_id": "{buyer_id:optional}",
                "origin": "{record_name}",
                "order_line": [
                    [
                        0,
                        0,
                        {
                            "product_id": "{product_id:number}",
                            "product_qty": "{quantity:number}",
                            # Odoo itself would take our quantity for one in the vendor's unit.
                            "product_uom_id": "{unit_id:optional}",
                            # Where a price is given, Odoo takes no discount from the vendor's.
                            "price_unit": "{price:number}",
                            "discount": "{discount:optional}",
                            "date_planned": "{planned_for}",
                        },
                    ]
                ],
            }
        ]
    },
)


def from_another_vendor(needed: str) -> SuggestedAction:
    """Draft a request for quotation to another vendor who has a price for the product; confirming it is the buyer's."""
    return SuggestedAction(
        name="buy_elsewhere",
        title="Buy from another vendor",
        columns=[
            "product_id",
            "quantity",
            "price",
            "discount",
            "partner_id",
            "product_name",
            "vendor_name",
            "planned_for",
            "company_id",
            "currency_id",
            "receive_type_id",
            "buyer_id",
            "unit_id",
            "text",
            "own_quantity",
            "arrives_at",
            "to_warehouse",
        ],
        effect=effects.of_purchase,
        sql=statements.load(
            __file__,
            "buy_elsewhere",
            sold_there=SOLD_THERE,
            needed=needed,
            product=PRODUCT,
            today=company_day("%(now)s::timestamptz", "n.company_id"),
            in_vendors_unit=IN_VENDORS_UNIT,
            receipts=operation_types.of_warehouse("incoming", "needed_at.warehouse_id"),
        ),
        calls=[
            REQUEST,
            guard_requests.note("{decided_by} asks for {text}, in Control Tower."),
        ],
    )


OF_ORDER = "(SELECT o.company_id FROM mirror_sale_order o WHERE o.connection_id = %(connection)s AND o.odoo_id = w.odoo_id)"
LATER = say(
    "{order}, {customer}: {day:day} instead of {promised:day}",
    when={"w.promised_at IS NULL": "{order}, {customer}: {day:day} instead of no date"},
    order="w.name",
    customer="w.customer",
    day=company_day("w.expected_at", OF_ORDER),
    promised=company_day("w.promised_at", OF_ORDER),
)


def promise_later(orders: str, *, because: str) -> SuggestedAction:
    """Promise an order for the day on which it can be delivered: one option an order, since each customer is told apart.

    Args:
        orders: a query of the orders that cannot keep their promise: ``odoo_id``, ``name``, ``customer``, ``promised_at`` and
            ``expected_at``.
        because: ends the note on the order, after its new date.
    """
    return SuggestedAction(
        name="promise_later",
        title="Change the delivery date",
        columns=["order_id", "order_name", "new_date", "new_day", "new_at", "old_date", "company_id"],
        effect=effects.of_promise,
        sql=f"""
            SELECT w.odoo_id::text AS option,
                   {LATER} AS text,
                   w.odoo_id AS order_id, w.name AS order_name, w.expected_at AS new_at,
                   to_char(w.expected_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS') AS new_date,
                   to_char({company_day("w.expected_at", OF_ORDER)}, 'YYYY-MM-DD') AS new_day,
                   to_char(w.promised_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS') AS old_date,
                   (SELECT o.company_id FROM mirror_sale_order o
                     WHERE o.connection_id = %(connection)s AND o.odoo_id = w.odoo_id) AS company_id
              FROM ({orders}) AS w
        """,
        undo=[
            OdooCall(
                title="Set the delivery date of {order_name} back to {old_date:day}",
                model="sale.order",
                record="order_id",
                method="write",
                only_if="old_date",
                arguments={"vals": {"commitment_date": "{old_date}"}},
                require=[["commitment_date", "=", "{new_date}"]],
                expect=[["commitment_date", "=", "{old_date}"]],
            ),
        ],
        calls=[
            OdooCall(
                title="Set the delivery date of {order_name} to {new_day:day}",
                model="sale.order",
                record="order_id",
                method="write",
                arguments={"vals": {"commitment_date": "{new_date}"}},
                require=[["state", "in", ["sale", "done"]]],
                expect=[["commitment_date", "=", "{new_date}"]],
            ),
            OdooCall(
                title="Add a note on {order_name}: date changed",
                model="sale.order",
                record="order_id",
                method="message_post",
                arguments={"body": f"Now promised for {{new_day}}: {because}. By {{decided_by}} in Control Tower."},
            ),
        ],
    )


PROMISE_LATER = promise_later(
    f"SELECT * FROM ({impact.statement('purchase.order')}) AS waiting WHERE is_at_risk AND expected_at IS NOT NULL",
    because="{record_name} is late",
)

# Stock has come in since Odoo last tried. Offered where all that is missing is free in the warehouse: what Odoo then shows
# is that nothing is missing any more.
RESERVE_AGAIN = SuggestedAction(
    name="reserve_again",
    title="Reserve available stock",
    columns=[],
    sql=f"""
        SELECT 'now' AS option,
               {
        say(
            "The missing quantity on {lines} lines is now available in the warehouse",
            when={"count(*) = 1": "The missing quantity on one line is now available in the warehouse"},
            lines="count(*)",
        )
    } AS text
          FROM ({STOCK_FOR_TRANSFER}) AS n
         CROSS JOIN LATERAL ({reservable.at_place("n.product_id", "n.place_id")}) AS free
        HAVING count(*) > 0 AND bool_and(free.quantity >= n.quantity)
    """,
    calls=[
        OdooCall(
            title="Check the transfer's availability again",
            method="action_assign",
            require=[["state", "in", ["confirmed", "waiting", "assigned"]]],
            expect=["!", ["move_ids.state", "in", ["confirmed", "partially_available"]]],
        )
    ],
)

# What the vendor says outside of Odoo, put where Odoo plans by it: on the lines that were to come before, each with its
# receipt. Whoever was promised the goods for earlier is told apart (:data:`PROMISE_LATER`).
MOVED = say(
    "{product}: {day:day} instead of {planned:day}, reported by {source}",
    product="l.name",
    day=company_day("e.expected_at", "l.company_id"),
    planned=company_day("l.date_planned", "l.company_id"),
    source="e.source",
)

RESCHEDULE = SuggestedAction(
    name="reschedule",
    title="Reschedule the receipt to the vendor's new date",
    columns=["line_id", "move_id", "receipt_name", "new_date", "new_day", "product_name", "said_by", "new_at"],
    effect=effects.of_date,
    sql=statements.load(
        __file__,
        "reschedule",
        moved=MOVED,
        new_day=company_day("e.expected_at", "l.company_id"),
        planned_day=company_day("l.date_planned", "l.company_id"),
    ),
    calls=[
        OdooCall(
            title="Set the expected arrival of {product_name} to {new_day:day}",
            model="purchase.order.line",
            record="line_id",
            method="write",
            arguments={"vals": {"date_planned": "{new_date}"}},
            require=[["state", "in", ["purchase", "done"]]],
            expect=[["date_planned", "=", "{new_date}"]],
        ),
        OdooCall(
            # What else the receipt brings comes when it was to come.
            title="Reschedule {product_name} on {receipt_name} for {new_day:day}",
            model="stock.move",
            record="move_id",
            method="write",
            only_if="move_id",
            arguments={"vals": {"date": "{new_date}"}},
            require=[["state", "not in", ["done", "cancel"]]],
            expect=[["date", "=", "{new_date}"]],
        ),
        guard_requests.note(
            "{product_name} is expected on {new_day}, as {said_by} said. Planned by {decided_by} in Control Tower."
        ),
    ],
)

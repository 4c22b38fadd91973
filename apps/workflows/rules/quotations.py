"""Ways to settle an order that should not stand as it does: cancel one that was entered twice, cancel or renew a quotation."""

from apps.workflows import guard_requests
from apps.workflows.declare import OdooCall, SuggestedAction
from apps.workflows.sql_message import company_day, say

RENEWED_DAYS = 30

# Up to Odoo 18 a wizard asks back where the customer knows of the order; the person has been asked here.
WITHOUT_WIZARD = {"disable_cancel_warning": True}
VALUE = "o.amount_total"
OF_ORDER = """
          LEFT JOIN mirror_res_partner c ON c.connection_id = o.connection_id AND c.odoo_id = o.partner_id
          LEFT JOIN mirror_res_currency cu ON cu.connection_id = o.connection_id AND cu.odoo_id = o.currency_id
"""
CANCELLED = OdooCall(
    title="Cancel {order_name}",
    model="sale.order",
    record="order_id",
    method="action_cancel",
    arguments={"context": WITHOUT_WIZARD},
    require=[["state", "=", "{order_state}"], ["amount_total", "=", "{amount:number}"]],
    expect=[["state", "=", "cancel"]],
)

# Nothing of it has left, and nobody has locked it: Odoo would cancel what is still to be delivered alone.
UNTOUCHED = """
           NOT EXISTS (
             SELECT FROM mirror_stock_picking p
              WHERE p.connection_id = o.connection_id AND p.sale_id = o.odoo_id AND p.state = 'done' AND p.deleted_at IS NULL)
           AND NOT EXISTS (
             SELECT FROM mirror_sale_order_line l
              WHERE l.connection_id = o.connection_id AND l.order_id = o.odoo_id AND l.deleted_at IS NULL AND l.qty_invoiced > 0)
           AND o.locked IS NOT TRUE
"""

ONE_OF_TWO = say(
    "Cancel {order} of {customer} ({amount:money} {currency}), keep {kept}",
    order="o.name",
    customer="COALESCE(c.name, '')",
    amount=VALUE,
    currency="COALESCE(cu.name, '')",
    kept="kept.name",
)

CANCEL_DUPLICATE = SuggestedAction(
    name="cancel_duplicate",
    title="Cancel one of the two",
    asks="{customer_name} ordered it once: {order_name} is cancelled, {kept_name} stays",
    columns=["order_id", "order_name", "order_state", "amount", "customer_name", "kept_id", "kept_name"],
    sql=f"""
        SELECT concat(o.odoo_id, '-', o.state, '-', trim_scale({VALUE})) AS option,
               {ONE_OF_TWO} AS text,
               o.odoo_id AS order_id, o.name AS order_name, o.state AS order_state, {VALUE} AS amount,
               COALESCE(c.name, '') AS customer_name, kept.odoo_id AS kept_id, kept.name AS kept_name
          FROM mirror_sale_order own
          JOIN mirror_sale_order other
            ON other.connection_id = own.connection_id AND other.odoo_id::text = %(cause)s AND other.deleted_at IS NULL
           AND other.company_id IS NOT DISTINCT FROM own.company_id AND other.state <> 'cancel'
         CROSS JOIN LATERAL (VALUES (own.odoo_id, other.odoo_id), (other.odoo_id, own.odoo_id)) AS pair(cancelled, kept)
          JOIN mirror_sale_order o ON o.connection_id = own.connection_id AND o.odoo_id = pair.cancelled
          JOIN mirror_sale_order kept ON kept.connection_id = own.connection_id AND kept.odoo_id = pair.kept
          {OF_ORDER}
         WHERE own.connection_id = %(connection)s AND own.odoo_id = %(record)s AND own.deleted_at IS NULL
           AND o.state IN ('draft', 'sent', 'sale') AND {UNTOUCHED}
         ORDER BY o.odoo_id = own.odoo_id DESC
    """,
    calls=[
        CANCELLED,
        OdooCall(
            title="Add a note on {order_name}: entered twice",
            model="sale.order",
            record="order_id",
            method="message_post",
            arguments={"body": "Entered twice: {kept_name} stays. Cancelled by {decided_by} in Control Tower."},
        ),
        OdooCall(
            title="Add a note on {kept_name}: the other was cancelled",
            model="sale.order",
            record="kept_id",
            method="message_post",
            arguments={"body": "{order_name} was the same order and is cancelled. By {decided_by} in Control Tower."},
        ),
    ],
)

CANCEL_QUOTATION = SuggestedAction(
    name="cancel_quotation",
    title="Cancel the quotation",
    asks="{customer_name} does not order what {order_name} offers any more",
    columns=["order_id", "order_name", "order_state", "amount", "customer_name"],
    sql=f"""
        SELECT concat(o.state, '-', trim_scale({VALUE})) AS option,
               {
        say(
            "Cancel {order} of {customer} ({amount:money} {currency})",
            order="o.name",
            customer="COALESCE(c.name, '')",
            amount=VALUE,
            currency="COALESCE(cu.name, '')",
        )
    } AS text,
               o.odoo_id AS order_id, o.name AS order_name, o.state AS order_state, {VALUE} AS amount,
               COALESCE(c.name, '') AS customer_name
          FROM mirror_sale_order o
          {OF_ORDER}
         WHERE o.connection_id = %(connection)s AND o.odoo_id = %(record)s AND o.deleted_at IS NULL
           AND o.state IN ('draft', 'sent') AND o.locked IS NOT TRUE
    """,
    calls=[CANCELLED, guard_requests.note("Stood still for too long: cancelled by {decided_by} in Control Tower.")],
)

RENEW_QUOTATION = SuggestedAction(
    name="renew_quotation",
    title="Renew the quotation",
    columns=["order_name", "order_state", "valid_until", "valid_before", "amount"],
    sql=f"""
        SELECT to_char(d.until, 'YYYY-MM-DD') AS option,
               {
        say(
            "{order} holds until {day:day}, instead of {before:day}",
            when={"o.validity_date IS NULL": "{order} holds until {day:day}"},
            order="o.name",
            day="d.until",
            before="o.validity_date",
        )
    } AS text,
               o.name AS order_name, o.state AS order_state, to_char(d.until, 'YYYY-MM-DD') AS valid_until,
               to_char(o.validity_date, 'YYYY-MM-DD') AS valid_before, {VALUE} AS amount
          FROM mirror_sale_order o
         CROSS JOIN LATERAL (
           SELECT {company_day("%(now)s::timestamptz", "o.company_id")} + {RENEWED_DAYS} AS until) AS d
         WHERE o.connection_id = %(connection)s AND o.odoo_id = %(record)s AND o.deleted_at IS NULL
           AND o.state IN ('draft', 'sent') AND (o.validity_date IS NULL OR o.validity_date < d.until)
    """,
    calls=[
        OdooCall(
            title="Let {order_name} hold until {valid_until:day}",
            method="write",
            arguments={"vals": {"validity_date": "{valid_until}"}},
            require=[["state", "=", "{order_state}"]],
            expect=[["validity_date", "=", "{valid_until}"]],
        ),
        guard_requests.note("Holds until {valid_until}: renewed by {decided_by} in Control Tower."),
    ],
    undo=[
        OdooCall(
            title="Let {order_name} hold until {valid_before:day} again",
            method="write",
            only_if="valid_before",
            arguments={"vals": {"validity_date": "{valid_before}"}},
            require=[["state", "=", "{order_state}"], ["validity_date", "=", "{valid_until}"]],
            expect=[["validity_date", "=", "{valid_before}"]],
        )
    ],
)

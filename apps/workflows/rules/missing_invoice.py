"""The invoice that nobody has written, and the credit note for what came back: drafted by Odoo itself, and posted.

Odoo's own wizard makes both, of what it says is to be invoiced: quantities that came back count below zero. What was drafted is
found again by its order, by who made it and by its number, so that nothing that somebody else drafts is posted.
"""

from collections.abc import Sequence

from apps.core import statements
from apps.workflows import guard_requests
from apps.workflows.declare import OdooCall, SuggestedAction
from apps.workflows.rules import over_delivery
from apps.workflows.sql_message import company_day, say

COLUMNS = ["order_id", "order_name", "amount", "least", "most", "currency", "customer_name", "after_id", "tower_uid"]
# Odoo rounds each line, and takes taxes out of prices that hold them.
TOLERANCE = 0.005
OF_ORDER = "%(record)s"
OF_TRANSFER = (
    "(SELECT p.sale_id FROM mirror_stock_picking p"
    " WHERE p.connection_id = %(connection)s AND p.odoo_id = %(record)s AND p.deleted_at IS NULL)"
)


def _said(template: str) -> str:
    return say(
        template, amount="round(b.amount, 2)", currency="COALESCE(cu.name, '')", order="o.name", customer="COALESCE(c.name, '')"
    )


INVOICE = _said("Invoice {customer} {amount:money} {currency} before tax, of {order}")
CREDIT = _said("Credit {customer} {amount:money} {currency} before tax, of {order}")


def _draft(title: str) -> OdooCall:
    return OdooCall(
        title=title,
        model="sale.order",
        record="order_id",
        method="create_invoices",
        wizard=(
            "sale.advance.payment.inv",
            {"advance_payment_method": "delivered", "sale_order_ids": [[6, 0, ["{order_id:number}"]]]},
        ),
        require=[["state", "in", ["sale", "done"]], ["invoice_status", "=", "to invoice"]],
        expect=[["invoice_status", "!=", "to invoice"]],
    )


def _post(title: str, move_type: str) -> OdooCall:
    return OdooCall(
        title=title,
        model="account.move",
        method="action_post",
        found=[
            ["line_ids.sale_line_ids.order_id", "=", "{order_id:number}"],
            ["id", ">", "{after_id:number}"],
            ["create_uid", "=", "{tower_uid:number}"],
            ["move_type", "=", move_type],
            ["state", "=", "draft"],
        ],
        # What was delivered or came back since is in the draft as well, and nobody has agreed to that sum.
        require=[["state", "=", "draft"], ["amount_untaxed", ">=", "{least:number}"], ["amount_untaxed", "<=", "{most:number}"]],
        expect=[["state", "=", "posted"]],
    )


def _sql(text: str, order_of: str, direction: int) -> str:
    return statements.load(
        __file__,
        "to_invoice",
        text=text,
        order_of=order_of,
        list_price=over_delivery.LIST_PRICE,
        before_tax=over_delivery.BEFORE_TAX,
        direction=direction,
        tolerance=TOLERANCE,
    )


def _note(done: str) -> Sequence[OdooCall]:
    return [
        OdooCall(
            title="Add a note on {order_name}",
            model="sale.order",
            record="order_id",
            method="message_post",
            arguments={"body": f"{done}: {{amount}} {{currency}} before tax. By {{decided_by}} in Control Tower."},
        )
    ]


CREATE_AND_POST = SuggestedAction(
    name="invoice",
    title="Create the invoice and post it",
    asks="{customer_name} owes {amount:money} {currency} before tax: a posted invoice is not deleted, only credited",
    columns=COLUMNS,
    sql=_sql(INVOICE, OF_ORDER, 1),
    calls=[
        _draft("Create the invoice of {order_name}: {amount:money} {currency} before tax"),
        _post("Post the invoice of {order_name}", "out_invoice"),
        *_note("Invoiced"),
    ],
)

CREATE_DRAFT = SuggestedAction(
    name="draft_invoice",
    title="Create a draft of the invoice",
    columns=COLUMNS,
    sql=_sql(INVOICE, OF_ORDER, 1),
    calls=[
        _draft("Create the invoice of {order_name}: {amount:money} {currency} before tax"),
        guard_requests.note("Invoice drafted by {decided_by} in Control Tower."),
    ],
)

POST_DRAFT = SuggestedAction(
    name="post_invoice",
    title="Post the invoice",
    asks="{customer_name} owes {amount:money} {currency}: a posted invoice is not deleted, only credited",
    columns=["amount", "currency", "customer_name"],
    sql=f"""
        SELECT trim_scale(r.amount_total)::text AS option,
               {
        say(
            "Post {amount:money} {currency} to {customer}, a draft since {day:day}",
            amount="r.amount_total",
            currency="COALESCE(cu.name, '')",
            customer="COALESCE(c.name, '')",
            day=company_day("r.create_date", "r.company_id"),
        )
    } AS text,
               r.amount_total AS amount, COALESCE(cu.name, '') AS currency, COALESCE(c.name, '') AS customer_name
          FROM mirror_account_move r
          LEFT JOIN mirror_res_partner c ON c.connection_id = r.connection_id AND c.odoo_id = r.partner_id
          LEFT JOIN mirror_res_currency cu ON cu.connection_id = r.connection_id AND cu.odoo_id = r.currency_id
         WHERE r.connection_id = %(connection)s AND r.odoo_id = %(record)s AND r.deleted_at IS NULL
           AND r.move_type = 'out_invoice' AND r.state = 'draft' AND r.amount_total > 0 AND COALESCE(r.x_ct_hold, '') = ''
    """,
    calls=[
        OdooCall(
            title="Post the invoice: {amount:money} {currency}",
            method="action_post",
            require=[["state", "=", "draft"], ["amount_total", "=", "{amount:number}"]],
            expect=[["state", "=", "posted"]],
        ),
        guard_requests.note("Posted by {decided_by} in Control Tower."),
    ],
)

CREDIT_RETURNED = SuggestedAction(
    name="credit",
    title="Credit what came back",
    asks="{customer_name} is credited {amount:money} {currency} before tax: a posted credit note is not deleted",
    columns=COLUMNS,
    sql=_sql(CREDIT, OF_TRANSFER, -1),
    calls=[
        _draft("Create the credit note of {order_name}: {amount:money} {currency} before tax"),
        _post("Post the credit note of {order_name}", "out_refund"),
        *_note("Credited"),
    ],
)

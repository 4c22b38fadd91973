"""Ways to settle an invoice that differs from the order or the delivery."""

from apps.workflows import guard_requests
from apps.workflows.declare import OdooCall, SuggestedAction
from apps.workflows.sql_message import say

# A posted invoice that nobody has paid on can be opened again; what was paid has to be credited.
CORRECT = SuggestedAction(
    name="correct",
    title="Correct the invoice",
    columns=[],
    sql=f"""
        SELECT 'draft' AS option, {say("Odoo resets it to draft, to be corrected and posted")} AS text
          FROM mirror_account_move m
         WHERE m.connection_id = %(connection)s AND m.odoo_id = %(record)s AND m.deleted_at IS NULL
           AND m.state = 'posted' AND m.payment_state = 'not_paid'
    """,
    calls=[
        OdooCall(
            title="Set the invoice back to draft",
            method="button_draft",
            require=[["state", "=", "posted"], ["payment_state", "=", "not_paid"]],
            expect=[["state", "=", "draft"]],
        ),
        guard_requests.note("Opened again by {decided_by} in Control Tower: it differs from the order or the delivery."),
    ],
)

SETTLED = say(
    "{person} gets an activity: give the customer a credit note",
    when={
        "m.move_type LIKE 'in_%%'": "{person} gets an activity: claim a credit note from the vendor",
        "m.state = 'draft'": "{person} gets an activity: correct the invoice before it is posted",
    },
    person="u.name",
)

CLAIM = SuggestedAction(
    name="claim",
    title="Settle the difference",
    columns=["user_id", "user_name", "what"],
    sql=f"""
        SELECT m.odoo_id::text AS option, u.odoo_id AS user_id, u.name AS user_name, w.what, {SETTLED} AS text
          FROM mirror_account_move m
          JOIN mirror_res_users u
            ON u.connection_id = m.connection_id AND u.odoo_id = m.invoice_user_id
         CROSS JOIN LATERAL (
           SELECT CASE WHEN m.move_type LIKE 'in_%%' THEN 'claim a credit note from the vendor'
                       WHEN m.state = 'draft' THEN 'correct the invoice before it is posted'
                       ELSE 'give the customer a credit note' END AS what
         ) AS w
         WHERE m.connection_id = %(connection)s AND m.odoo_id = %(record)s AND m.deleted_at IS NULL
    """,
    calls=[
        guard_requests.activity(
            "{what}", name="user_name", text="{record_name} differs from the order or the delivery. {record_url}"
        ),
        guard_requests.note("{decided_by} asked {user_name} to {what}, in Control Tower."),
    ],
)

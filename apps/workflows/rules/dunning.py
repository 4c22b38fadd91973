"""Reminders of what a customer has not paid: one message with all overdue invoices, firmer the longer the oldest is due.

The message stands on the invoice in Odoo, which sends it, in the customer's language. A step is sent once for the same sum; the
next step, and another sum, is another message.
"""

from apps.core import statements
from apps.workflows.declare import OdooCall, SuggestedAction
from apps.workflows.sql_message import company_day, say

SECOND_AFTER_DAYS, LAST_AFTER_DAYS = 14, 30
DAYS_TO_PAY = 7

# In another sign where Odoo's version has it so.
OWED = "CASE WHEN m.move_type = 'out_refund' THEN -abs(m.amount_residual) ELSE m.amount_residual END"
LINE = say(
    "{invoice}: {amount:money} {currency}, due on {day:day}",
    when={"m.move_type = 'out_refund'": "{invoice}: {amount:money} {currency}, credited to you"},
    invoice="m.name",
    amount=OWED,
    currency="cu.name",
    day="m.invoice_date_due",
)

FIRST = (
    "Dear {customer},\n\nthese invoices are due, and we have not received your payment yet:\n\n{invoices}\n\n"
    "Together: {total:money} {currency}. Please pay by {day:day}. If you have paid already, thank you.\n\n{company}"
)
SECOND = (
    "Dear {customer},\n\nthese invoices have been due for more than two weeks, and they are still open:\n\n{invoices}\n\n"
    "Together: {total:money} {currency}. Please pay by {day:day}, or tell us what keeps you from it.\n\n{company}"
)
LAST = (
    "Dear {customer},\n\nthis is our last reminder of these invoices:\n\n{invoices}\n\n"
    "Together: {total:money} {currency}. We expect your payment by {day:day}.\n\n{company}"
)
LETTER = say(
    FIRST,
    when={"step.number = 3": LAST, "step.number = 2": SECOND},
    customer="p.name",
    invoices="owed.invoices",
    total="owed.total",
    currency="owed.currency",
    day="step.pay_by",
    company="co.name",
)

REMIND = SuggestedAction(
    name="remind_customer",
    title="Remind the customer",
    asks="{customer_name} gets this message: {letter}",
    letter="letter",
    columns=["letter", "lang", "step", "total", "currency", "invoices_count", "oldest_on", "partner_id", "customer_name"],
    sql=statements.load(
        __file__,
        "dunning",
        text=say(
            "Reminder {step} to {customer}: {count} invoices, {total:money} {currency}, the oldest due on {day:day}",
            when={
                "owed.invoices_count = 1": "Reminder {step} to {customer}: one invoice, {total:money} {currency}, due on {day:day}"
            },
            step="step.number",
            customer="p.name",
            count="owed.invoices_count",
            total="owed.total",
            currency="owed.currency",
            day="owed.since",
        ),
        letter=LETTER,
        line=LINE,
        owed=OWED,
        today=company_day("%(now)s::timestamptz", "r.company_id"),
        pay_by=f"at.today + {DAYS_TO_PAY}",
        step=f"CASE WHEN at.today - owed.since > {LAST_AFTER_DAYS} THEN 3"
        f" WHEN at.today - owed.since > {SECOND_AFTER_DAYS} THEN 2 ELSE 1 END",
    ),
    calls=[
        OdooCall(
            title="Send reminder {step} to {customer_name}: {total:money} {currency}",
            method="message_post",
            arguments={
                "body": "{letter}",
                "partner_ids": ["{partner_id:number}"],
                "message_type": "comment",
                "subtype_xmlid": "mail.mt_comment",
            },
        )
    ],
)

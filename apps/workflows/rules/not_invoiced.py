"""Sales orders that were delivered and are not invoiced: declared here, used by order to cash.

What is to be invoiced is Odoo's own reckoning, the order line's ``qty_to_invoice``, in which drafts count as invoiced: a
draft that nobody posts is the invoice's own trouble. Since when is the last delivery. It is told of once the order has been
delivered for as long as its stage's target allows, however little it is worth; that it stands still is not told
beside it.
"""

from datetime import timedelta

from django.db.models import Q

from apps.core import figures, statements
from apps.core.figures import Figure
from apps.workflows import parameters, playbooks, responsible, root_causes, units
from apps.workflows.declare import ExceptionType, Fact
from apps.workflows.playbooks import Shows, Step, StepKind
from apps.workflows.root_causes import RootCause
from apps.workflows.rules import missing_invoice, money

# The stage in which it waits, and how long it may: the fact reads what is set for the stage.
STAGE, GRACE = "to_invoice", timedelta(days=2)
GRACE_SQL = f"make_interval(secs => ({parameters.value_sql(f'order_to_cash.{STAGE}.target', GRACE.days)} * 86400)::float)"

FACT = Fact(
    name="billing",
    columns=[
        "uninvoiced_amount",
        "uninvoiced_quantity",
        "delivered_goods_quantity",
        "invoiced_before_quantity",
        "uninvoiced_products_names",
        "last_delivered_at",
        "uninvoiced_days",
        "is_invoice_late",
        "invoice_look_at",
    ],
    sql=statements.load(
        __file__,
        "billing",
        amount=money.rounded("g.value / COALESCE(NULLIF(r.currency_rate, 0), 1)", money.SMALLEST),
        grace=GRACE_SQL,
        to_invoice=units.own("l.qty_to_invoice", "l"),
        delivered=units.own("l.qty_delivered", "l"),
        invoiced=units.own("l.qty_invoiced", "l"),
    ),
)

# When an order must be looked at again: what comes first of its promise, this, and the end of a quotation.
LOOK = Fact(
    name="look",
    columns=["next_look_at"],
    sql="SELECT LEAST(promise.promise_look_at, billing.invoice_look_at, validity.expires_at) AS next_look_at",
)

EXCEPTION = ExceptionType(
    name="invoice.delivered_not_invoiced",
    title="Delivered, not invoiced",
    when=Q(is_invoice_late=True),
    team="finance",
    due=timedelta(hours=16),
    amount="uninvoiced_amount",
    evidence={
        "partner_name": Figure("Customer", figures.text),
        "uninvoiced_amount": Figure("Not invoiced, before tax", figures.money),
        "last_delivered_at": Figure("Delivered at", figures.moment),
        "uninvoiced_days": Figure("Days since", figures.days),
        "delivered_goods_quantity": Figure("Delivered", figures.quantity),
        "invoiced_before_quantity": Figure("Of which invoiced", figures.quantity),
        "uninvoiced_quantity": Figure("To be invoiced", figures.quantity),
        "uninvoiced_products_names": Figure("Products", figures.text),
        "company_amount": Figure("The whole order", figures.money),
        "salesperson": Figure("Account owner", figures.text),
    },
    severity=("uninvoiced_amount", (1_000, 10_000, 50_000)),
    root_causes=[RootCause(kind=root_causes.SALES_ORDER, record="odoo_id")],
    playbook=[
        playbooks.owned(),
        Step(name="why", title="Find out why nothing was invoiced"),
        Step(name="invoiced", title="Create and post the invoice", kind=StepKind.ACTION, done_when=Shows.MOVED),
    ],
    closed_because="The delivery is invoiced",
    actions=[
        missing_invoice.CREATE_AND_POST,
        missing_invoice.CREATE_DRAFT,
        responsible.ask(responsible.SALES_ORDER, "invoice what was delivered, or say why not yet"),
    ],
)

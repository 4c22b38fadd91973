"""Sales orders that may have been entered twice: declared here, used by order to cash."""

from datetime import timedelta

from django.db.models import Q
from django.utils.translation import gettext_noop

from apps.core import figures, statements
from apps.core.figures import Figure
from apps.workflows import parameters, playbooks, responsible, units
from apps.workflows.declare import Dependency, ExceptionType, Fact
from apps.workflows.parameters import Parameter
from apps.workflows.playbooks import Step, StepKind
from apps.workflows.rules import quotations
from apps.workflows.sql_message import say

HOURS = Parameter(
    name="duplicate_hours",
    title=gettext_noop("Possible duplicate: hours"),
    type=parameters.TIME,
    unit=parameters.HOURS,
    default=12,
    bounds=(0, 72),
    help=gettext_noop("An order of the same goods within so many hours of another may have been entered twice."),
)
# Who orders more often than this within those hours orders the same again on purpose: a shop, a marketplace, a call centre.
ORDERS_IN_THEM = 20
# References are compared as people write them (the database function reference_key).
# Customers use a reference again in time: a call-off of last year is no duplicate.
REFERENCE_DAYS = Parameter(
    name="duplicate_reference_days",
    title=gettext_noop("Possible duplicate: days of a reference"),
    type=parameters.TIME,
    unit=parameters.DAYS,
    default=90,
    bounds=(1, 730),
    help=gettext_noop("An order with the customer's reference of another is a possible duplicate for so many days."),
)

QUANTITY = units.own("l.product_uom_qty", "l")
# In the product's own unit: two dozen are twenty-four.
LINES = f"""
(SELECT string_agg(concat(l.product_id, 'x', trim_scale({QUANTITY})), ',' ORDER BY l.product_id, {QUANTITY})
   FROM mirror_sale_order_line l
  WHERE l.connection_id = {{order}}.connection_id AND l.order_id = {{order}}.odoo_id AND l.product_id IS NOT NULL
    AND l.product_uom_qty > 0 AND l.deleted_at IS NULL)
"""

# As Odoo calls it.
STATE = f"""CASE WHEN o.state IN ('draft', 'sent', 'sale')
                    THEN {say("sale", when={"o.state = 'draft'": "draft", "o.state = 'sent'": "sent"})}
                    ELSE to_jsonb(o.state) END"""

# The later order is the duplicate, as long as not all of it is delivered.
DUPLICATE = Fact(
    name="duplicate",
    columns=["duplicate_of_id", "duplicate_of", "duplicate_of_state", "duplicate_why", "duplicate_hours_quantity"],
    sql=statements.load(
        __file__,
        "duplicate",
        state=STATE,
        same_reference=say("the same customer reference"),
        reference_days=REFERENCE_DAYS.sql,
        same_goods=say("the same products and quantities"),
        hours=HOURS.sql,
        orders_and_one=ORDERS_IN_THEM + 1,
        orders=ORDERS_IN_THEM,
        lines_of_other=LINES.format(order="o"),
        lines_of_own=LINES.format(order="r"),
    ),
)

# Within the widest bounds that a company may set; which of these are duplicates the fact says.
DEPENDENCY = Dependency(
    model="sale.order",
    sql=f"""
        SELECT later.odoo_id
          FROM mirror_sale_order o
         CROSS JOIN LATERAL (
            SELECT l.odoo_id
              FROM mirror_sale_order l
             WHERE l.connection_id = o.connection_id AND l.partner_id = o.partner_id AND l.state IN ('draft', 'sent', 'sale')
               AND l.odoo_id > o.odoo_id
               AND l.create_date BETWEEN o.create_date AND o.create_date + interval '{HOURS.bounds[1]} hours'
             ORDER BY l.create_date, l.odoo_id
             LIMIT {ORDERS_IN_THEM + 1}
          ) AS later
         WHERE o.connection_id = %(connection)s AND o.odoo_id = ANY(%(ids)s)
         UNION
        SELECT later.odoo_id
          FROM mirror_sale_order o
          JOIN mirror_sale_order later ON later.connection_id = o.connection_id
           AND reference_key(later.client_order_ref) = reference_key(o.client_order_ref) AND later.odoo_id > o.odoo_id
           AND later.create_date < o.create_date + interval '{REFERENCE_DAYS.bounds[1]} days'
         WHERE o.connection_id = %(connection)s AND o.odoo_id = ANY(%(ids)s) AND o.client_order_ref > ''
    """,
)

POSSIBLE_DUPLICATE = ExceptionType(
    name="order.possible_duplicate",
    title="Possible duplicate",
    when=Q(duplicate_of_id__isnull=False),
    team="sales",
    due=timedelta(hours=4),
    amount="company_amount",
    evidence={
        "duplicate_of": Figure("Possible duplicate of", figures.text),
        "duplicate_why": Figure("Matched on", figures.word),
        "duplicate_of_state": Figure("The other order is", figures.word),
        "duplicate_hours_quantity": Figure("Hours between them", figures.hours),
        "client_order_ref": Figure("Customer's reference", figures.text),
        "partner_name": Figure("Customer", figures.text),
        "company_amount": Figure("Value", figures.money),
    },
    cause="duplicate_of_id",
    severity=("company_amount", (1_000, 10_000, 50_000)),
    closed_because="One of the two is cancelled, changed or delivered",
    actions=[
        quotations.CANCEL_DUPLICATE,
        responsible.ask(responsible.SALES_ORDER, "see whether the order was entered twice, and cancel one of the two"),
    ],
    playbook=[
        playbooks.owned(),
        Step(name="compare", title="Compare lines, reference and dates with the other order"),
        Step(name="customer", title="Ask the customer which of them stands", kind=StepKind.MESSAGE),
        playbooks.applied("Cancel the one too many"),
    ],
)

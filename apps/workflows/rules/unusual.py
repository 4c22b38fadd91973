"""Sales orders that are far from what their customer usually orders: declared here, used by order to cash.

An order is held against the newest :data:`ORDERS` confirmed orders of the customer before it, of every address that the
customer trades under: its value against theirs, and the quantity of each product, in its own unit, against the quantities in
which they had it. Sizes of orders differ by factors, not by sums, so both are compared in logarithms, and robustly: the
middle is the median, the spread the median distance from it (times 1.4826, which makes it a standard deviation where sizes
are normal). One wild order in the past moves neither. Beyond :data:`FAR` such deviations, the usual bound for this score, a
size is unusual. A customer who always orders the same has hardly any spread: it counts as no less than :data:`LEAST_SPREAD`,
so that nothing below twice the usual is named. Nothing is said where there are too few orders to compare with; what there
were is part of the evidence.

Only what is larger than usual is named: a small order puts nothing at risk. What is read is bounded by those orders, however
long the customer's history is.
"""

from datetime import timedelta

from django.db.models import Q
from django.utils.translation import gettext_noop

from apps.core import figures, statements
from apps.core.figures import Figure
from apps.workflows import parameters, playbooks, responsible, units
from apps.workflows.declare import ExceptionType, Fact
from apps.workflows.parameters import Parameter
from apps.workflows.playbooks import Step, StepKind
from apps.workflows.rules import money
from apps.workflows.sql_message import joined, say

ORDERS = 16
FEWEST_ORDERS, FEWEST_OF_PRODUCT = 8, 5
FAR = Parameter(
    name="unusual_deviations",
    title=gettext_noop("Unusual order: deviations"),
    type=parameters.NUMBER,
    unit=gettext_noop("deviations"),
    default=3.5,
    bounds=(1, 20),
    help=gettext_noop("An order is unusual that lies so many deviations beyond what its customer usually orders."),
)
LEAST_SPREAD = 0.2

MEDIAN = "percentile_cont(0.5) WITHIN GROUP (ORDER BY {size})"
SPREAD = f"GREATEST(1.4826 * {MEDIAN.format(size='abs({size} - {middle})')}, {LEAST_SPREAD})"

BEYOND = say(
    "{product}: {quantity:quantity}, usually {usual:quantity} (in {times} orders)",
    product="l.name",
    quantity="l.quantity",
    usual="round(exp(u.middle)::numeric, 1)",
    times="u.times",
)

FACT = Fact(
    name="unusual",
    columns=[
        "compared_count",
        "compared_amount",
        "usual_amount",
        "value_times_quantity",
        "value_deviations_quantity",
        "unusual_lines_count",
        "unusual_lines_names",
        "beyond_usual_amount",
        "is_unusual",
    ],
    sql=statements.load(
        __file__,
        "unusual",
        orders=ORDERS,
        median=MEDIAN.format(size="size"),
        spread_of_orders=SPREAD.format(size="p.size", middle="t.middle"),
        quantity=units.own("l.product_uom_qty", "l"),
        fewest_of_product=FEWEST_OF_PRODUCT,
        spread_of_product=SPREAD.format(size="h.size", middle="u.middle"),
        names=joined(f"jsonb_agg({BEYOND} ORDER BY l.subtotal DESC)", by="; "),
        far=f"{FAR.sql}::float8",
        amount=money.rounded("f.amount", money.SMALLEST),
        beyond_amount=money.rounded("CASE WHEN f.is_large THEN f.amount - f.usual ELSE f.beyond / f.rate END", money.SMALLEST),
        usual=money.rounded("exp(v.middle)::numeric", money.SMALLEST),
        fewest_orders=FEWEST_ORDERS,
    ),
)

EXCEPTION = ExceptionType(
    name="order.unusual",
    title="Unusual order",
    when=Q(is_unusual=True),
    team="sales",
    due=timedelta(hours=8),
    amount="beyond_usual_amount",
    evidence={
        "partner_name": Figure("Customer", figures.text),
        "compared_amount": Figure("This order, before tax", figures.money),
        "usual_amount": Figure("Usual order, before tax", figures.money),
        "value_times_quantity": Figure("Multiple of usual", figures.count),
        "value_deviations_quantity": Figure("Deviations from usual orders", figures.count),
        "unusual_lines_names": Figure("Unusual quantities", figures.text),
        "beyond_usual_amount": Figure("Excess value", figures.money),
        "compared_count": Figure("Comparison orders", figures.count),
        "salesperson": Figure("Account owner", figures.text),
    },
    severity=("beyond_usual_amount", (2_500, 10_000, 50_000)),
    closed_because="The order is no longer unusual, or is delivered or cancelled",
    actions=[responsible.ask(responsible.SALES_ORDER, "ask the customer whether the quantities are right")],
    playbook=[
        playbooks.owned(),
        Step(name="compare", title="Compare with what the customer usually orders"),
        Step(name="confirm", title="Have the customer confirm product and quantity", kind=StepKind.MESSAGE),
        Step(name="meant", title="Was it meant, or a mistake?", kind=StepKind.QUESTION),
    ],
)

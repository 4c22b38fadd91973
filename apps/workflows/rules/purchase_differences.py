"""Where a purchase went other than ordered: quantities at the dock, prices against the vendor's list and on the bill."""

from datetime import timedelta

from django.db.models import Q
from django.utils.translation import gettext_noop

from apps.core import figures, statements
from apps.core.figures import Figure
from apps.workflows import parameters, playbooks, responsible, units
from apps.workflows.declare import Dependency, ExceptionType, Fact
from apps.workflows.playbooks import Step, StepKind
from apps.workflows.rules import money
from apps.workflows.sql_message import say

TOLERANCE = parameters.percent(
    name="price_tolerance_percent",
    title=gettext_noop("Purchase price tolerance"),
    default=2,
    help=gettext_noop("A vendor's price differs where it is more than this above or below the order's."),
)
LEAST_DIFFERENCE = parameters.Parameter(
    name="least_price_difference",
    title=gettext_noop("Smallest purchase price difference"),
    type=parameters.AMOUNT,
    unit=gettext_noop("the order's currency"),
    default=1,
    bounds=(0, parameters.LARGEST_AMOUNT),
    help=gettext_noop("A price that makes less difference on a line is not raised."),
)

# Whether a line brings anything more: one whose receipts are all done or cancelled does not, whatever is missing.
CLOSED_SHORT = """
(SELECT COALESCE(bool_and(mv.state IN ('done', 'cancel')), FALSE)
   FROM mirror_stock_move mv
  WHERE l.qty_received < l.product_qty AND mv.connection_id = l.connection_id AND mv.purchase_line_id = l.odoo_id
    AND mv.deleted_at IS NULL)
"""

DIFFERENCE = "COALESCE(sum(abs(d.difference) * d.price) / COALESCE(NULLIF(r.currency_rate, 0), 1), 0)"

# Until everything is billed: then the vendor has been paid for what came, or the bill itself is disputed.
QUANTITIES = Fact(
    name="quantities",
    columns=["over_received_quantity", "short_received_quantity", "receipt_difference_amount", "differing_products_names"],
    sql=f"""
        SELECT trim_scale(COALESCE(sum(d.difference) FILTER (WHERE d.difference > 0), 0)) AS over_received_quantity,
               trim_scale(COALESCE(-sum(d.difference) FILTER (WHERE d.difference < 0), 0)) AS short_received_quantity,
               {money.rounded(DIFFERENCE, money.SMALLEST)}
                 AS receipt_difference_amount,
               string_agg(DISTINCT d.name, ', ') AS differing_products_names
          FROM (
            SELECT l.name, {units.own("l.qty_received - l.product_qty", "l")} AS difference,
                   l.price_subtotal / NULLIF({units.own("l.product_qty", "l")}, 0) AS price
              FROM mirror_purchase_order_line l
             WHERE r.state IN ('purchase', 'done') AND COALESCE(r.invoice_status, '') <> 'invoiced'
               AND l.connection_id = r.connection_id AND l.order_id = r.odoo_id AND l.deleted_at IS NULL AND l.product_qty > 0
               AND (l.qty_received > l.product_qty OR {CLOSED_SHORT})
          ) AS d
    """,
)

ON_BILL = say(
    "the order, on bill {bill}", when={"COALESCE(NULLIF(b.name, '/'), '') = ''": "the order, on bill in draft"}, bill="b.name"
)

# Prices per the product's own unit: the order, the vendor and the bill each have one of their own.
PRICE_OF_LINE = f"l.price_unit * (1 - COALESCE(l.discount, 0) / 100) / {units.ratio_of('l')}"
PER_UNIT_OF_VENDOR = units.ratio("s.product_uom_id", product="l.product_id", connection="s.connection_id")
PER_UNIT_OF_BILL = units.ratio("bl.product_uom_id", product="l.product_id", connection="bl.connection_id")

# What is still to come is held against the vendor's list, what is billed and not paid against the order.
PRICES = Fact(
    name="prices",
    columns=[
        "price_lines_count",
        "price_product",
        "price_against",
        "price_expected",
        "price_found",
        "price_difference_percent",
        "price_difference_amount",
        "price_currency",
    ],
    sql=statements.load(
        __file__,
        "prices",
        price_expected=money.price("d.expected"),
        price_found=money.price("d.found"),
        amount=money.rounded("sum(abs(d.difference)) / COALESCE(NULLIF(r.currency_rate, 0), 1)", money.SMALLEST),
        price_list=say("the vendor's price list"),
        still_to_come=units.own("l.product_qty - l.qty_received", "l"),
        price_of_line=PRICE_OF_LINE,
        per_unit_of_vendor=PER_UNIT_OF_VENDOR,
        ordered=units.own("l.product_qty", "l"),
        on_bill=ON_BILL,
        per_unit_of_bill=PER_UNIT_OF_BILL,
        tolerance=TOLERANCE.sql,
        least_difference=LEAST_DIFFERENCE.sql,
    ),
)

DEPENDENCIES = [
    Dependency(
        model="product.supplierinfo",
        sql="""
            SELECT DISTINCT pl.order_id
              FROM mirror_product_supplierinfo s
              JOIN mirror_product_product p ON p.connection_id = s.connection_id AND p.product_tmpl_id = s.product_tmpl_id
              JOIN mirror_purchase_order_line pl ON pl.connection_id = p.connection_id AND pl.product_id = p.odoo_id
               AND pl.qty_received < pl.product_qty AND pl.deleted_at IS NULL
             WHERE s.connection_id = %(connection)s AND s.odoo_id = ANY(%(ids)s)
        """,
    ),
    Dependency(
        model="account.move",
        sql="SELECT DISTINCT l.order_id FROM mirror_account_move_line bl JOIN mirror_purchase_order_line l"
        " ON l.connection_id = bl.connection_id AND l.odoo_id = bl.purchase_line_id"
        " WHERE bl.connection_id = %(connection)s AND bl.move_id = ANY(%(ids)s)",
    ),
    Dependency(
        model="account.move.line",
        sql="SELECT DISTINCT l.order_id FROM mirror_account_move_line bl JOIN mirror_purchase_order_line l"
        " ON l.connection_id = bl.connection_id AND l.odoo_id = bl.purchase_line_id"
        " WHERE bl.connection_id = %(connection)s AND bl.odoo_id = ANY(%(ids)s)",
    ),
]

RECEIPT_DIFFERS = ExceptionType(
    name="purchase.receipt_differs",
    title="Receipt differs from order",
    when=Q(over_received_quantity__gt=0) | Q(short_received_quantity__gt=0),
    team="purchasing",
    due=timedelta(hours=16),
    amount="receipt_difference_amount",
    evidence={
        "partner_name": Figure("Vendor", figures.text),
        "buyer_name": Figure("Buyer", figures.text),
        "differing_products_names": Figure("Products", figures.text),
        "over_received_quantity": Figure("Received more than ordered", figures.quantity),
        "short_received_quantity": Figure("Closed without receipt", figures.quantity),
        "receipt_difference_amount": Figure("Value of the difference", figures.money),
    },
    severity=("receipt_difference_amount", (500, 5_000, 25_000)),
    closed_because="The receipt matches the order, or is billed",
    actions=[responsible.ask(responsible.PURCHASE_ORDER, "settle with the vendor what was received more or less than ordered")],
    playbook=[
        playbooks.owned(),
        Step(name="count", title="Count what came, and compare it with order and delivery slip"),
        Step(name="vendor", title="Tell the vendor what is missing or too much", kind=StepKind.MESSAGE),
        playbooks.applied("Have the order or the receipt corrected"),
        Step(name="reason", title="What did the vendor give as the reason?", kind=StepKind.QUESTION),
    ],
)

PRICE_DIFFERS = ExceptionType(
    name="purchase.price_differs",
    title="Purchase price differs",
    when=Q(price_lines_count__gt=0),
    team="purchasing",
    due=timedelta(hours=16),
    amount="price_difference_amount",
    evidence={
        "partner_name": Figure("Vendor", figures.text),
        "buyer_name": Figure("Buyer", figures.text),
        "price_product": Figure("Product with the largest difference", figures.text),
        "price_against": Figure("Differs from", figures.word),
        "price_expected": Figure("Expected price", figures.price.unit_from("price_currency")),
        "price_found": Figure("Actual price", figures.price.unit_from("price_currency")),
        "price_difference_percent": Figure("Difference in %", figures.percent),
        "price_lines_count": Figure("Differing lines", figures.count),
        "price_difference_amount": Figure("Value of the difference", figures.money),
    },
    severity=("price_difference_amount", (250, 2_500, 10_000)),
    closed_because="The prices agree, or the bill is paid",
    actions=[responsible.ask(responsible.PURCHASE_ORDER, "agree the price with the vendor, or correct the order")],
    playbook=[
        playbooks.owned(),
        Step(name="compare", title="Compare order, bill and price list line by line"),
        Step(name="vendor", title="Have the vendor explain or credit the difference", kind=StepKind.MESSAGE),
        playbooks.applied("Have the order or the bill corrected"),
    ],
)

"""Another product for one that is short: told to Odoo on the sales order, so that delivery and invoice follow it.

What may stand in for a product: its other variants, and products of its category that cost the customer little more or less
(:data:`PRICE_BAND`), both tracked alike, and in each case as much of it free in the warehouse as is missing. The customer pays what
was agreed, in the unit agreed: the line keeps its price and discount. Odoo takes the missing quantity off the delivery and
adds the other product.
"""

from django.utils.translation import gettext_noop

from apps.core import statements
from apps.workflows import parameters, reservable, units
from apps.workflows.declare import OdooCall, SuggestedAction
from apps.workflows.sql_message import say

PRICE_BAND = parameters.percent(
    name="substitute_price_band",
    title=gettext_noop("Substitute: price difference"),
    default=20,
    help=gettext_noop("Another product of the category may stand in that costs so much more or less at the most."),
)

INSTEAD = say(
    "{quantity:quantity} {substitute} instead of {product} on {order}, {free:quantity} available",
    when={
        "other.product_tmpl_id = pr.product_tmpl_id": (
            "{quantity:quantity} {substitute} instead of {product} on {order}, {free:quantity} available (another variant)"
        ),
    },
    quantity="n.missing",
    substitute="ot.name",
    product="t.name",
    order="n.order_name",
    free="free.quantity",
)


# Takes what is short off its line and adds the other product.
INSTEAD_OF_IT = OdooCall(
    title="Substitute {quantity:quantity} {substitute_name} for {product_name} on {order_name}",
    model="sale.order",
    record="order_id",
    method="write",
    arguments={
        "vals": {
            "order_line": [
                [1, "{line_id:number}", {"product_uom_qty": "{kept:number}"}],
                [
                    0,
                    0,
                    {
                        "product_id": "{substitute_id:number}",
                        "product_uom_qty": "{quantity:number}",
                        # In the unit of the line that it takes from; the other product's own is the same as this one's.
                        "product_uom_id": "{unit_id:optional}",
                        "price_unit": "{price:number}",
                        "discount": "{discount:number}",
                    },
                ],
            ]
        }
    },
    # Whoever changed it since, by a quantity or a price, meant another order.
    require=[["state", "=", "sale"], ["amount_total", "=", "{amount_total:number}"]],
    expect=[["order_line.product_id", "=", "{substitute_id:number}"]],
)


SUBSTITUTE = SuggestedAction(
    name="substitute",
    title="Deliver another product instead",
    asks="{customer_name} agrees to get {quantity:quantity} {substitute_name} instead of {product_name} on {order_name}, "
    "at the price agreed",
    columns=[
        "customer_name",
        "order_id",
        "order_name",
        "amount_total",
        "line_id",
        "kept",
        "substitute_id",
        "quantity",
        "price",
        "discount",
        "product_name",
        "substitute_name",
        "unit_id",
    ],
    sql=statements.load(
        __file__,
        "substitute",
        instead=INSTEAD,
        missing=units.own("m.product_uom_qty - COALESCE(m.quantity, 0)", "m", units.MOVE),
        ratio=units.ratio_of("l"),
        free=reservable.at_place("other.odoo_id", "n.location_id"),
        price_span=f"{parameters.value_for_sql(PRICE_BAND, 'n.company_id')} / 100",
    ),
    calls=[
        INSTEAD_OF_IT,
        OdooCall(
            title="Add a note on {order_name}: product substituted",
            model="sale.order",
            record="order_id",
            method="message_post",
            arguments={
                "body": "{quantity} {substitute_name} instead of {product_name}, which is short, at the price agreed. "
                "By {decided_by} in Control Tower."
            },
        ),
    ],
)

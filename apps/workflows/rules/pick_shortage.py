"""Goods that a transfer wants and does not get: declared here, used by fulfilment."""

from datetime import timedelta

from django.db.models import Q

from apps.core import figures, statements
from apps.core.figures import Figure
from apps.workflows import kits, playbooks, reservable, responsible, returned, root_causes, supply_allocation, units
from apps.workflows.declare import ExceptionType, Fact, Unwatched
from apps.workflows.playbooks import Step, StepKind
from apps.workflows.root_causes import RootCause
from apps.workflows.rules import money, sourcing, substitution
from apps.workflows.rules.goods_value import UNIT_VALUE
from apps.workflows.sql_message import joined, say

# Three ways to come short. A transfer that could go now, or a part of which is there, lacks some of what was asked for;
# a back order brings what another transfer left behind; goods were cancelled though the order still wants them, which the
# last move that they were cancelled from answers for. From 19 on, Odoo keeps what a picker drops on the move that is done,
# as a demand beyond what was moved; before, it is a cancelled move of its own. A receipt lacks nothing: what does not come
# is the purchase's. Quantities are in the product's own unit; of a kit, the component that lacks most says what is missing in
# money, since the others are worth nothing to the customer without it.
WHY = say(
    "Not enough on hand",
    when={
        "m.is_dropped": "Cancelled while the order wants it",
        "r.backorder_id IS NOT NULL": "Back-ordered",
        "stock.on_hand - stock.reserved >= m.missing": "Picked less than on hand in Odoo",
        "stock.on_hand >= m.wanted": "Reserved for others",
    },
)
DROPPED = "CASE m.state WHEN 'cancel' THEN m.product_uom_qty WHEN 'done' THEN m.product_uom_qty - m.quantity END"
IN_WAREHOUSE = say("{warehouse} {quantity:quantity}", warehouse="w.name", quantity="w.free")
IN_WAREHOUSES = f"""jsonb_agg({IN_WAREHOUSE} ORDER BY w.name)
                               FILTER (WHERE NOT w.is_here AND w.free > 0)"""
ELSEWHERE = say("{product}: {warehouses}", product="s.product", warehouses="s.elsewhere")

FACT = Fact(
    name="shortage",
    columns=[
        "short_count",
        "short_products_names",
        "shortage_names",
        "wanted_quantity",
        "available_quantity",
        "missing_quantity",
        "on_hand_quantity",
        "reserved_for_others_quantity",
        "free_elsewhere_quantity",
        "elsewhere_names",
        "missing_amount",
        "short_product_ids",
    ],
    unwatched=[
        returned.TRANSFERS,
        Unwatched(
            model="stock.warehouse",
            columns=["company_id", "name"],
            because="Odoo refuses another company for a warehouse; its name follows with the next change of its stock.",
        ),
        supply_allocation.STOCK_OF_WAREHOUSES,
    ],
    sql=statements.load(
        __file__,
        "shortage",
        reasons=joined("jsonb_agg(DISTINCT s.why)"),
        elsewhere=joined(f"jsonb_agg(DISTINCT {ELSEWHERE}) FILTER (WHERE s.elsewhere IS NOT NULL)", by="; "),
        missing_amount=money.rounded("sum(s.missing * s.unit * s.components * s.lacks_most)", money.SMALLEST),
        ratio=units.ratio_of("m", units.MOVE),
        why=WHY,
        wanted=units.own("m.product_uom_qty", "m", units.MOVE),
        reserved=units.own("COALESCE(m.quantity, 0)", "m", units.MOVE),
        missing=units.own("m.product_uom_qty - COALESCE(m.quantity, 0)", "m", units.MOVE),
        dropped=units.own(DROPPED, "m", units.MOVE),
        kit_part=kits.wanted("sl", "m.product_id"),
        on_the_way=units.own("o.product_uom_qty", "o", units.MOVE),
        components=kits.components("kl"),
        line_wants=kits.wanted("kl", "u.product_id"),
        is_kit=kits.is_kit("kl", "u.product_id"),
        unit_value=UNIT_VALUE,
        stock=reservable.by_warehouse("q.product_id = m.product_id"),
        in_warehouses=joined(IN_WAREHOUSES),
    ),
)

EXCEPTION = ExceptionType(
    name="fulfilment.pick_shortage",
    title="Pick shortage",
    when=Q(short_count__gt=0),
    team="warehouse",
    due=timedelta(hours=4),
    amount="missing_amount",
    evidence={
        "partner_name": Figure("Customer", figures.text),
        "order_name": Figure("Order", figures.text),
        "shortage_names": Figure("Why", figures.word),
        "short_products_names": Figure("Products", figures.text),
        "short_count": Figure("Short lines", figures.count),
        "wanted_quantity": Figure("Requested", figures.quantity),
        "available_quantity": Figure("Available", figures.quantity),
        "missing_quantity": Figure("Missing", figures.quantity),
        "on_hand_quantity": Figure("On hand in this warehouse", figures.quantity),
        "reserved_for_others_quantity": Figure("Of which reserved for others", figures.quantity),
        "free_elsewhere_quantity": Figure("Available in other warehouses", figures.quantity),
        "elsewhere_names": Figure("Available in", figures.text),
        "promised_at": Figure("Promised for", figures.moment),
        "missing_amount": Figure("Value missing", figures.money),
    },
    severity=("missing_amount", (250, 2_500, 25_000)),
    playbook=[
        playbooks.owned(),
        Step(name="shelf", title="Look on the shelf, and count what is there"),
        playbooks.applied("Replenish, substitute or deliver a part"),
        Step(name="why", title="Why was it missing?", kind=StepKind.QUESTION),
    ],
    closed_because="Nothing is missing, or no order needs it",
    root_causes=[
        RootCause(kind=root_causes.SALES_ORDER, record="sale_id"),
        RootCause(kind=root_causes.SHORT_PRODUCT, record="short_product_ids", place="here_warehouse_id"),
    ],
    actions=[
        sourcing.RESERVE_AGAIN,
        sourcing.from_another_warehouse(sourcing.STOCK_FOR_TRANSFER),
        substitution.SUBSTITUTE,
        sourcing.from_another_vendor(sourcing.NEEDED_OF_TRANSFER),
        responsible.ask(responsible.TRANSFER, "agree with the customer on a part, another product or a later date"),
    ],
)

"""Expedited freight: somebody asks that an order's delivery goes at once and by a faster carrier, and somebody else agrees.

Nothing in Odoo is held for it. It is asked for in the tower, where one of Odoo's carriers is chosen, or by the action on the
order in Odoo, which leaves the carrier as it is.
"""

from django.db.models import Q

from apps.core import figures
from apps.core.figures import Figure
from apps.workflows import default_policies, guard_requests
from apps.workflows.declare import ApprovalKind, Choice, Fact, OdooCall, Unwatched
from apps.workflows.rules import involvement, money
from apps.workflows.rules.promises import STEPS
from apps.workflows.sql_message import say

ASKED = guard_requests.asked("expedited_freight", "sale.order", prefix="express_")

# The transfer that goes first, the first open step of its chain: one that is ready rather than one that waits. Goods that are
# still to come cannot go sooner.
FACT = Fact(
    name="express",
    columns=[
        "express_transfer_id",
        "express_transfer_name",
        "express_planned_at",
        "express_at",
        "express_moment",
        "express_present_name",
    ],
    unwatched=[
        Unwatched(
            model="delivery.carrier", columns=["name"], because="It is the name alone, of the carrier that is not to be taken."
        ),
    ],
    sql=f"""
        SELECT p.odoo_id AS express_transfer_id, p.name AS express_transfer_name, p.scheduled_date AS express_planned_at,
               goes.at AS express_at, to_char(goes.at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS') AS express_moment,
               (SELECT c.name FROM mirror_delivery_carrier c
                 WHERE c.connection_id = r.connection_id AND c.odoo_id = p.carrier_id) AS express_present_name
          FROM ({STEPS}) AS p
         CROSS JOIN LATERAL (
           -- By the hour: a moment that moved with the clock would be another fact whenever one looks.
           SELECT date_trunc('hour', LEAST(
                    p.scheduled_date, GREATEST(CASE WHEN p.state <> 'assigned' THEN promise.supplied_at END, %(now)s)
                  )) AS at
         ) AS goes
         WHERE COALESCE(p.kind, '') NOT IN ('incoming', 'dropship')
         ORDER BY (p.state = 'assigned') DESC, p.scheduled_date, p.odoo_id
         LIMIT 1
    """,
)

POSSIBLE = Q(express_transfer_id__isnull=False)

PRICED = f"""CASE WHEN price.cost IS NULL THEN to_jsonb(c.name)
                    ELSE {say("{carrier} at {cost:money}", carrier="c.name", cost="price.cost")} END"""

COST = money.rounded("c.fixed_price", money.SMALLEST)

CARRIER = Choice(
    title="By which carrier",
    columns=["carrier_id", "carrier_name", "freight_cost"],
    sql=f"""
        SELECT c.odoo_id::text AS option,
               CASE WHEN c.odoo_id = p.carrier_id THEN {say("{carrier}, as planned", carrier=PRICED)} ELSE {PRICED} END AS text,
               c.odoo_id AS carrier_id, c.name AS carrier_name, price.cost AS freight_cost
          FROM mirror_sale_order r
          JOIN mirror_delivery_carrier c
            ON c.connection_id = r.connection_id AND c.deleted_at IS NULL AND c.active
           AND (c.company_id IS NULL OR c.company_id = r.company_id)
         CROSS JOIN LATERAL (SELECT CASE WHEN c.delivery_type = 'fixed' THEN {COST} END AS cost) AS price
          LEFT JOIN LATERAL (
            SELECT t.carrier_id FROM mirror_stock_picking t
             WHERE t.connection_id = r.connection_id AND t.sale_id = r.odoo_id AND t.deleted_at IS NULL
               AND t.picking_type_code IN ('outgoing', 'internal') AND t.state IN ('waiting', 'confirmed', 'assigned')
             ORDER BY (t.state = 'assigned') DESC, t.scheduled_date, t.odoo_id
             LIMIT 1
          ) AS p ON TRUE
         WHERE r.connection_id = %(connection)s AND r.odoo_id = %(record)s
         ORDER BY (c.name ILIKE '%%express%%') DESC, price.cost DESC NULLS LAST, c.odoo_id
    """,
)

APPROVAL = ApprovalKind(
    name="expedited_freight",
    title="Expedited freight",
    matters="{undelivered_amount:money} {currency} at risk, {promise_late_days} days late",
    question="Expedite {express_transfer_name} of {record_name} ({partner_name})?",
    when=POSSIBLE & Q(express_ask_state="open"),
    possible=POSSIBLE,
    choice=CARRIER,
    cause="express_ask_cause",
    amount="undelivered_amount",
    asked_by="express_asked_by",
    involved=["express_asked_uid", *involvement.OF_RECORD],
    account_owner=("salesperson_login", "salesperson_email"),
    exception="order.promise_at_risk",
    context={
        "undelivered_amount": Figure("Revenue at risk", figures.money),
        "commitment_date": Figure("Promised", figures.moment),
        "forecast_at": Figure("Forecast", figures.moment),
        "promise_late_days": Figure("Days late", figures.days),
        "carrier_name": Figure("By carrier", figures.text),
        "freight_cost": Figure("Freight costs", figures.money),
        "express_present_name": Figure("Planned carrier", figures.text),
        "express_planned_at": Figure("Planned for", figures.moment),
        "express_at": Figure("Expected shipment", figures.moment),
        "short_products_names": Figure("Missing products", figures.text),
        "order_margin": Figure("Margin of the order", figures.money),
        "partner_name": Figure("Customer", figures.text),
        "customer_class_names": Figure("Customer class", figures.text),
        "salesperson": Figure("Account owner", figures.text),
        "express_asked_by": Figure("Requested by", figures.text),
        "express_asked_at": Figure("Requested at", figures.moment),
    },
    bounds=["freight_cost"],
    on_asked=[],
    on_approval=[
        guard_requests.answer("approved", prefix="express_"),
        OdooCall(
            title="Make {express_transfer_name} urgent and bring it forward to {express_moment:moment}",
            model="stock.picking",
            record="express_transfer_id",
            method="write",
            arguments={"vals": {"priority": "1", "scheduled_date": "{express_moment}"}},
            require=[["state", "not in", ["done", "cancel"]]],
            expect=[["priority", "=", "1"], ["scheduled_date", "<=", "{express_moment}"]],
        ),
        OdooCall(
            title="Send {express_transfer_name} by {carrier_name}",
            model="stock.picking",
            record="express_transfer_id",
            method="write",
            only_if="carrier_id",
            arguments={"vals": {"carrier_id": "{carrier_id:number}"}},
            require=[["state", "not in", ["done", "cancel"]]],
            expect=[["carrier_id", "=", "{carrier_id:number}"]],
        ),
        guard_requests.note("Express approved by {decided_by} in Control Tower: {express_transfer_name} {carrier_name}. {reason}"),
    ],
    on_rejection=[
        guard_requests.answer("rejected", "{decided_by}: {reason}", prefix="express_"),
        guard_requests.note("Express refused by {decided_by} in Control Tower; the promise stays at risk. {reason}"),
    ],
    on_withdrawal=[guard_requests.answer("withdrawn", prefix="express_")],
    on_expiry=[guard_requests.answer("expired", prefix="express_")],
    default_policy=default_policies.policy(
        default_policies.step("Warehouse", ("team", "warehouse"), ("role", "approver"), ("role", "manager"), minutes=120),
    ),
)

"""The return limit: what a customer may send back before somebody has to agree.

The rule is written twice, as SQL over mirrored rows and as Odoo server-action code: what comes back is worth its quantity at
the price that was agreed, and from :data:`LIMIT` on that needs an authorisation. A return is asked about as soon as it is
made; Odoo refuses to receive it until the tower has released it. What was authorised is that value: a return that has grown
needs a new decision.

Odoo has no button between a return that is made and its receipt, so the guard stands where its goods are received.
"""

from django.db.models import F, Q

from apps.workflows import asks, ladders
from apps.workflows.declare import ApprovalKind, Fact, Guard, OdooCall

# In the company's currency, before tax.
LIMIT = 500

ASKED = asks.asked("return_authorisation", "stock.picking")

# A return is asked about each time it comes to wait, whether or not somebody has tried to receive it.
ASKING = Fact(
    name="asking",
    columns=["return_cause", "return_asked_by", "return_asked_login", "maker_login", "return_limit", "is_unconfirmed"],
    sql=f"""
        SELECT (SELECT concat('return@', to_char(p.since AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS'))
                  FROM workflows_position p
                 WHERE p.connection_id = r.connection_id AND p.workflow = 'returns' AND p.odoo_id = r.odoo_id) AS return_cause,
               COALESCE(asked.asked_by, u.name, '{asks.SOMEBODY}') AS return_asked_by,
               COALESCE(asked.asked_login, '') AS return_asked_login, COALESCE(u.login, '') AS maker_login,
               {LIMIT} AS return_limit, r.state = 'draft' AS is_unconfirmed
          FROM (SELECT r.user_id) AS own
          LEFT JOIN mirror_res_users u ON u.connection_id = r.connection_id AND u.odoo_id = own.user_id
    """,
)

BROKEN = (
    ~Q(state__in=["cancel", "done"])
    & Q(return_value__gte=LIMIT)
    & ~Q(x_ct_released_value__gte=F("return_value"))
)

APPROVAL = ApprovalKind(
    name="return_authorisation",
    title="Return authorisation",
    matters="{returned_quantity:quantity} of {product_names} to come back",
    question="May {partner_name} send back {returned_quantity:quantity} of {product_names} for {return_value:money} {currency}?",
    when=BROKEN,
    possible=~Q(state__in=["cancel", "done"]),
    cause="return_cause",
    amount="return_value",
    asked_by="return_asked_by",
    involved=["return_asked_login", "maker_login"],
    account_owner=("salesperson_login", "salesperson_email"),
    exception="returns.authorisation_pending",
    context={
        "partner_name": "Customer",
        "order_name": "Order",
        "returned_of": "Delivered by",
        "salesperson": "Salesperson",
        "product_names": "Products",
        "returned_quantity": "Returned",
        "return_value": "Value of the return",
        "return_limit": "Needs an authorisation from",
        "return_asked_by": "Asked by",
    },
    on_asked=[
        asks.hold(
            "return_authorisation",
            title="Mark the return as held for authorisation",
            reason="{return_value:money} {currency} come back, which needs an authorisation.",
            require=[["state", "not in", ["done", "cancel"]]],
        )
    ],
    on_approval=[
        OdooCall(
            title="Release the return up to {return_value:money} {currency}",
            method="write",
            arguments={
                "vals": {"x_ct_hold": False, "x_ct_hold_reason": False, "x_ct_released_value": "{return_value:number}"}
            },
            require=[["state", "not in", ["done", "cancel"]]],
            expect=[["x_ct_hold", "=", False], ["x_ct_released_value", ">=", "{return_value:number}"]],
        ),
        OdooCall(
            title="Confirm the return",
            method="action_confirm",
            only_if="is_unconfirmed",
            require=[["state", "=", "draft"]],
            expect=[["state", "in", ["waiting", "confirmed", "assigned", "done"]]],
        ),
        asks.note("Return authorised by {decided_by} in Control Tower. {reason}"),
        asks.answer("approved"),
    ],
    on_rejection=[
        OdooCall(
            title="Cancel the return",
            method="action_cancel",
            require=[["state", "not in", ["done", "cancel"]]],
            expect=[["state", "=", "cancel"]],
        ),
        asks.LIFT,
        asks.answer("rejected", "{decided_by}: {reason}"),
        asks.note("Return refused by {decided_by} in Control Tower. {reason}"),
    ],
    on_withdrawal=[asks.LIFT, asks.answer("withdrawn")],
    default_policy=ladders.policy(
        ladders.step("Service", ("team", "service"), ("role", "approver"), ("role", "manager"), minutes=480),
        ladders.step("Management", ("role", "manager"), minutes=480, from_amount=10_000),
    ),
)

GUARD = Guard(
    approval="return_authorisation",
    model="stock.move",
    state_value="done",
    release=(
        "x_ct_released_value",
        "Released up to",
        "Control Tower authorised a return that is worth up to this value",
    ),
    subject="""
move = record.sudo()
record = move.picking_id
if not record.return_id or record.picking_type_id.code != 'incoming':
    record = env['stock.picking'].sudo()
""",
    condition=f"""
if record:
    company = record.company_id
    amount = 0.0
    for line in record.move_ids:
        if line.state != 'cancel':
            sold = line.sale_line_id
            price = line.product_id.list_price
            if sold and sold.product_uom_qty:
                price = sold.price_subtotal / sold.product_uom_qty / (sold.order_id.currency_rate or 1.0)
            amount = amount + line.product_uom_qty * price
    if company.currency_id.compare_amounts(amount, {LIMIT}) >= 0:
        if company.currency_id.compare_amounts(record.x_ct_released_value, amount) < 0:
            why = 'The return %s is worth %.2f %s; from {LIMIT} on a return needs an authorisation.' % (
                record.name, amount, company.currency_id.name)
""",
)

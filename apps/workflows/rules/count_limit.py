"""The count limit: how much a count may change before somebody has to agree.

As the other limits, the rule is written twice: as SQL over mirrored rows and as Odoo server-action code. Both say: what a
count changes is worth its difference at the product's standard cost, and from :data:`LIMIT` on it needs an approval. A count
that goes beyond it is asked about as soon as it is entered; Odoo refuses to apply it until the tower has released it.

What Odoo sees of an application is the move that makes the stock agree with the count, so that is where the guard stands.
A quantity that is set without a count being kept first (*Update Quantity* on the product) leaves nothing to decide about;
beyond the limit Odoo refuses it and says how to count. A release is for one application, and is taken back after it.
"""

from datetime import timedelta

from django.db.models import F, Q

from apps.workflows import asks, ladders
from apps.workflows.declare import ApprovalKind, ExceptionType, Fact, Guard, OdooCall

# In the company's currency.
LIMIT = 250

ASKED = asks.asked("inventory_adjustment", "stock.quant")

# A count is asked about each time it comes to wait, whether or not somebody has tried to apply it.
ASKING = Fact(
    name="asking",
    columns=["count_cause", "count_asked_by", "counter_login", "counter_email", "count_asked_login", "count_limit"],
    sql=f"""
        SELECT (SELECT concat('count@', to_char(p.since AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS'))
                  FROM workflows_position p
                 WHERE p.connection_id = r.connection_id AND p.workflow = 'inventory_control' AND p.odoo_id = r.odoo_id)
                 AS count_cause,
               COALESCE(asked.asked_by, u.name, '{asks.SOMEBODY}') AS count_asked_by, COALESCE(u.login, '') AS counter_login,
               COALESCE(u.email, '') AS counter_email, COALESCE(asked.asked_login, '') AS count_asked_login,
               {LIMIT} AS count_limit
          FROM (SELECT r.user_id) AS own
          LEFT JOIN mirror_res_users u ON u.connection_id = r.connection_id AND u.odoo_id = own.user_id
    """,
)

# A count that was rejected is gone from Odoo; what stays is the reason, and that no other count came after it. One that was
# entered and applied the same day, between two looks of the tower, is not seen: webhooks tell of each.
REJECTION = Fact(
    name="rejection",
    columns=["was_rejected"],
    sql="""
        SELECT COALESCE((SELECT CASE WHEN r.last_count_date > (t.at AT TIME ZONE 'UTC')::date THEN 'applied' ELSE t.to_stage END
                           FROM workflows_transition t
                          WHERE t.connection_id = r.connection_id AND t.model = 'stock.quant' AND t.odoo_id = r.odoo_id
                            AND t.workflow = 'inventory_control' AND t.to_stage IN ('counted', 'awaiting_approval')
                          ORDER BY t.at DESC, t.id DESC
                          LIMIT 1), 'awaiting_approval') = 'awaiting_approval' AS was_rejected
         WHERE r.x_ct_hold_reason <> '' AND r.inventory_quantity_set IS NOT TRUE
    """,
)

BROKEN = Q(inventory_quantity_set=True, difference_value__gte=LIMIT) & ~Q(x_ct_released_value__gte=F("difference_value"))

FIGURES = {
    "product_name": "Product",
    "location_name": "Place",
    "warehouse_name": "Warehouse",
    "counted_by": "Counted by",
    "counted_quantity": "Counted",
    "system_quantity": "In the system",
    "difference_quantity": "Difference",
    "unit_cost": "Unit cost",
    "difference_value": "Value of the difference",
}

EXCEPTION = ExceptionType(
    name="inventory.count_adjustment",
    title="Count adjustment over threshold",
    when=BROKEN,
    team="warehouse",
    due=timedelta(hours=8),
    amount="difference_value",
    evidence=FIGURES,
    severity=("difference_value", (1_000, 5_000, 25_000)),
    closed_because="The count was approved, changed or cleared",
)

# What is decided about is this difference: another count meanwhile is another decision.
THIS_COUNT = [["inventory_quantity_set", "=", True], ["inventory_diff_quantity", "=", "{inventory_diff_quantity:number}"]]


def _note(body: str) -> OdooCall:
    """A note on the product: a quant has no chatter."""
    return OdooCall(
        title="Note the decision in the product's chatter",
        model="product.product",
        record="product_id",
        method="message_post",
        arguments={"body": body},
    )


COUNT_IN_WORDS = "{counted_quantity} counted in {location_name}, {system_quantity} in the system."

APPROVAL = ApprovalKind(
    name="inventory_adjustment",
    title="Inventory adjustment",
    matters="{counted_quantity:quantity} counted, {system_quantity:quantity} in the system",
    question="May the count of {record_name} change the stock by {difference_value:money} {currency}?",
    when=BROKEN,
    possible=Q(inventory_quantity_set=True),
    cause="count_cause",
    amount="difference_value",
    asked_by="count_asked_by",
    involved=["count_asked_login", "counter_login"],
    account_owner=("counter_login", "counter_email"),
    exception="inventory.count_adjustment",
    context={**FIGURES, "count_limit": "Needs an approval from"},
    on_asked=[
        asks.hold(
            "inventory_adjustment",
            title="Mark the count as held for approval",
            reason="The count changes the stock by {difference_value:money} {currency}, which needs an approval.",
            require=THIS_COUNT,
        )
    ],
    on_approval=[
        OdooCall(
            title="Release the count up to {difference_value:money} {currency}",
            method="write",
            arguments={
                "vals": {"x_ct_hold": False, "x_ct_hold_reason": False, "x_ct_released_value": "{difference_value:number}"}
            },
            require=THIS_COUNT,
            expect=[["x_ct_hold", "=", False], ["x_ct_released_value", ">=", "{difference_value:number}"]],
        ),
        OdooCall(
            title="Apply the count",
            method="action_apply_inventory",
            require=THIS_COUNT,
            expect=[["inventory_quantity_set", "=", False]],
        ),
        OdooCall(
            title="Take the release back: it was for this count",
            method="write",
            arguments={"vals": {"x_ct_released_value": 0.0}},
            expect=[["x_ct_released_value", "=", 0.0]],
        ),
        _note(f"Count approved by {{decided_by}} in Control Tower: {COUNT_IN_WORDS} {{reason}}"),
        asks.answer("approved"),
    ],
    on_rejection=[
        OdooCall(
            title="Clear the count",
            method="action_clear_inventory_quantity",
            require=THIS_COUNT,
            expect=[["inventory_quantity_set", "=", False]],
        ),
        OdooCall(
            title="Lift the hold, and keep the reason",
            method="write",
            arguments={"vals": {"x_ct_hold": False, "x_ct_hold_reason": "Rejected by {decided_by}: {reason}"}},
            expect=[["x_ct_hold", "=", False], ["x_ct_hold_reason", "=", "Rejected by {decided_by}: {reason}"]],
        ),
        _note(f"Count rejected by {{decided_by}} in Control Tower: {COUNT_IN_WORDS} {{reason}}"),
        asks.answer("rejected", "{decided_by}: {reason}"),
    ],
    on_withdrawal=[asks.LIFT, asks.answer("withdrawn")],
    default_policy=ladders.policy(
        ladders.step("Stock control", ("team", "warehouse"), ("role", "approver"), ("role", "manager"), minutes=480),
        ladders.step("Management", ("role", "manager"), minutes=480, from_amount=10_000),
    ),
)

GUARD = Guard(
    approval="inventory_adjustment",
    model="stock.move",
    state_value="done",
    release=(
        "x_ct_released_value",
        "Released up to",
        "Control Tower released a count that changes the stock by up to this value",
    ),
    subject="""
move = record.sudo()
record = env['stock.quant'].sudo()
if move.is_inventory and move.quantity:
    record = record.search([
        ('product_id', '=', move.product_id.id), ('location_id', 'in', [move.location_id.id, move.location_dest_id.id]),
        ('inventory_quantity_set', '=', True)
    ], limit=1)
""",
    condition=f"""
if record:
    company = move.company_id
    amount = abs(move.quantity) * move.product_id.with_company(company).standard_price
    if company.currency_id.compare_amounts(amount, {LIMIT}) >= 0:
        if company.currency_id.compare_amounts(record.x_ct_released_value, amount) < 0:
            why = 'The count of %s in %s changes the stock by %.2f %s; from {LIMIT} on a count needs an approval.' % (
                move.product_id.name, record.location_id.complete_name, amount, company.currency_id.name)
            before = env.registry.cursor()
            try:
                kept = env(cr=before, su=True)['stock.quant'].search([
                    ('id', '=', record.id), ('inventory_quantity_set', '=', True)])
            finally:
                before.close()
            if not kept:
                raise UserError('%s Enter it under Physical Inventory first, so that it can be decided about.' % why)
""",
)

"""The count limit: how much a count may change before somebody has to agree.

As the other limits, the rule is written twice: as SQL over mirrored rows and as Odoo server-action code. Both say: what a
count changes is worth its difference at the product's standard cost, and from :data:`LIMIT` on it needs an approval. A count
that goes beyond it is asked about as soon as it is entered; Odoo refuses to apply it until the tower has released it.

What Odoo sees of an application is the move that makes the stock agree with the count, so that is where the guard stands.
A quantity that is set without a count being kept first (*Update Quantity* on the product), a scrap and any other move between
stock and an inventory loss change the stock by the same value and leave nothing to decide about; beyond the limit Odoo
refuses them and says how to count. The same holds for what is changed of such a move after it was done, and for goods that are
said afterwards to have come from, or gone to, another place than they did. A
release is for one application, and is taken back after it.
"""

from datetime import timedelta

from django.db.models import F, Q
from django.utils.translation import gettext_noop

from apps.core import figures
from apps.core.figures import Figure
from apps.workflows import days, default_policies, guard_requests, parameters, playbooks, units
from apps.workflows.counted_by_guards import GuardFigures
from apps.workflows.declare import ApprovalKind, ExceptionType, Fact, Guard, OdooCall
from apps.workflows.playbooks import Shows, Step, StepKind
from apps.workflows.rules import counting, involvement, money

LIMIT = parameters.limit(
    name="count_limit",
    title=gettext_noop("Count limit"),
    default=250,
    help=gettext_noop("From this difference at standard cost on, a count needs an approval before it is applied."),
)
KIND = "inventory_adjustment"

ASKED = guard_requests.asked(KIND, "stock.quant")

# A count is asked about each time it comes to wait, whether or not somebody has tried to apply it.
ASKING = Fact(
    name="asking",
    columns=["count_cause", "count_asked_by", "counter_login", "counter_email", "count_asked_uid", "count_terms", "count_measure"],
    sql=f"""
        SELECT {guard_requests.comes_to_wait("count", "inventory_control")} AS count_cause,
               COALESCE(asked.asked_by, u.name, '{guard_requests.SOMEBODY}') AS count_asked_by,
               COALESCE(u.login, '') AS counter_login,
               COALESCE(u.email, '') AS counter_email, asked.asked_uid AS count_asked_uid,
               jsonb_build_object('company', r.company_id, 'product', r.product_id, 'location', r.location_id,
                                  'lot', COALESCE(r.lot_id, 0), 'counted', r.inventory_quantity)::text AS count_terms,
               count.difference_value AS count_measure
          FROM (SELECT r.user_id) AS own
          LEFT JOIN mirror_res_users u ON u.connection_id = r.connection_id AND u.odoo_id = own.user_id
    """,
)

# A count that was rejected is gone from Odoo; what stays is the reason, and that no other count came after it. One that was
# entered and applied the same day, between two looks of the tower, is not seen: webhooks tell of each.
REJECTION = Fact(
    name="rejection",
    columns=["was_rejected"],
    sql=f"""
        SELECT COALESCE((SELECT CASE WHEN r.last_count_date > {days.day("t.at", at=days.zone())} THEN 'applied' ELSE t.to_stage END
                           FROM workflows_transition t
                          WHERE t.connection_id = r.connection_id AND t.model = 'stock.quant' AND t.odoo_id = r.odoo_id
                            AND t.workflow = 'inventory_control' AND t.to_stage IN ('counted', 'awaiting_approval')
                          ORDER BY t.at DESC, t.id DESC
                          LIMIT 1), 'awaiting_approval') = 'awaiting_approval' AS was_rejected
         WHERE r.x_ct_hold_reason <> '' AND r.inventory_quantity_set IS NOT TRUE
    """,
)

# What the guard asks is asked, whatever the tower counts.
BROKEN = Q(inventory_quantity_set=True) & (
    Q(is_asked=True) | Q(difference_value__gte=LIMIT.column) & ~Q(x_ct_released_value__gte=F("difference_value"))
)

FIGURES = {
    "product_name": Figure("Product", figures.text),
    "location_name": Figure("Place", figures.text),
    "warehouse_name": Figure("Warehouse", figures.text),
    "counted_by": Figure("Counted by", figures.text),
    "counted_quantity": Figure("Counted", figures.quantity.unit_from("unit_name")),
    "system_quantity": Figure("In the system", figures.quantity.unit_from("unit_name")),
    "difference_quantity": Figure("Difference", figures.quantity.unit_from("unit_name")),
    "unit_cost": Figure("Unit cost", figures.price),
    "difference_value": Figure("Value of the difference", figures.money),
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
    actions=[counting.CLEAR_COUNT],
    playbook=[
        playbooks.owned(),
        Step(name="again", title="Count once more, by somebody else"),
        Step(name="decided", title="Have the adjustment approved, or count anew", kind=StepKind.ACTION, done_when=Shows.DECIDED),
        Step(name="why", title="How did it come about?", kind=StepKind.QUESTION),
    ],
)

# What was moved between stock and an inventory loss within the days of a cumulative policy, by counts, scraps and the like: the
# guard counts the same. A count has no partner; its person is who moved it.
PEERS = f"""
    SELECT p.odoo_id, p.record_name, {money.rounded("p.quantity * p.cost", "p.smallest")} AS amount, p.at
      FROM (
        SELECT m.odoo_id, concat_ws(' in ', t.name, CASE WHEN l.usage = 'internal' THEN l.complete_name ELSE d.complete_name END)
                 AS record_name,
               abs({units.own("m.quantity", "m", units.MOVE)}) AS quantity, m.date AS at, {money.SMALLEST} AS smallest,
               COALESCE({money.in_company("standard_price", "pr")}, 0) AS cost
          FROM mirror_stock_quant r
          JOIN mirror_stock_move m
            ON m.connection_id = r.connection_id AND m.company_id IS NOT DISTINCT FROM r.company_id AND m.state = 'done'
           AND m.deleted_at IS NULL AND (m.date >= %(since)s OR m.create_date >= %(since)s)
           AND (NOT %(by_person)s OR m.create_uid = ANY(%(people)s::bigint[]))
          JOIN mirror_stock_location l ON l.connection_id = m.connection_id AND l.odoo_id = m.location_id
          JOIN mirror_stock_location d ON d.connection_id = m.connection_id AND d.odoo_id = m.location_dest_id
          LEFT JOIN mirror_product_product pr ON pr.connection_id = m.connection_id AND pr.odoo_id = m.product_id
          LEFT JOIN mirror_product_template t ON t.connection_id = pr.connection_id AND t.odoo_id = pr.product_tmpl_id
         WHERE r.connection_id = %(connection)s AND r.odoo_id = %(record)s
           AND (l.usage = 'internal' AND d.usage = 'inventory' OR l.usage = 'inventory' AND d.usage = 'internal')
        OFFSET 0
      ) AS p
     WHERE p.quantity * p.cost > 0
"""

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
    name=KIND,
    title="Inventory adjustment",
    requestable=("a count that is not applied", [["inventory_quantity_set", "=", True]]),
    matters="{counted_quantity:quantity} counted, {system_quantity:quantity} in the system",
    question="Apply the count of {record_name} ({difference_value:money} {currency} stock difference)?",
    when=BROKEN,
    possible=Q(inventory_quantity_set=True),
    cause="count_cause",
    amount="difference_value",
    asked_by="count_asked_by",
    involved=["count_asked_uid", *involvement.OF_RECORD],
    account_owner=("counter_login", "counter_email"),
    exception="inventory.count_adjustment",
    context={**FIGURES, "count_limit": Figure("Approval required from", figures.money)},
    figures=GuardFigures(
        measure="count_measure",
        alone="difference_value",
        limit="count_limit",
        asked="ask_exposure",
        asked_limit="ask_limit",
        is_asked="is_asked",
        from_limit=True,
        is_cumulative=True,
        outdated="ask_is_outdated",
    ),
    peers=PEERS,
    peers_model="stock.move",
    on_asked=[
        guard_requests.hold(
            KIND,
            title="Mark the count as held for approval",
            reason="The count changes the stock by {counted_in_words}, which needs an approval.",
            require=THIS_COUNT,
        )
    ],
    on_approval=[
        guard_requests.answer("approved"),
        guard_requests.release(
            "x_ct_released_value",
            title="Release the count up to {difference_value:money} {currency}",
            amount="difference_value",
            terms="count_terms",
            require=THIS_COUNT,
        ),
        OdooCall(
            title="Apply the count",
            method="action_apply_inventory",
            require=THIS_COUNT,
            expect=[["inventory_quantity_set", "=", False]],
        ),
        OdooCall(
            title="Withdraw the release: it covered this count only",
            method="write",
            arguments={"vals": {"x_ct_released_value": 0.0, "x_ct_released_value_for": False}},
            expect=[["x_ct_released_value", "=", 0.0]],
        ),
        _note(f"Count approved by {{decided_by}} in Control Tower: {COUNT_IN_WORDS} {{counted_in_words}}. {{reason}}"),
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
        guard_requests.answer("rejected", "{decided_by}: {reason}"),
    ],
    on_withdrawal=[guard_requests.LIFT, guard_requests.answer("withdrawn")],
    on_expiry=[guard_requests.answer("expired")],
    default_policy=default_policies.policy(
        default_policies.step("Stock control", ("team", "warehouse"), ("role", "approver"), ("role", "manager"), minutes=480),
        default_policies.step("Management", ("role", "manager"), minutes=480, from_amount=10_000),
    ),
)

GUARD = Guard(
    approval=KIND,
    model="stock.move",
    state_value="done",
    release=(
        "x_ct_released_value",
        "Released up to",
        "Control Tower released a count that changes the stock by up to this value",
    ),
    terms="""
terms = {'company': record.company_id.id, 'product': record.product_id.id, 'location': record.location_id.id,
         'lot': record.lot_id.id or 0, 'counted': round(record.inventory_quantity, 6)}
""",
    identity=["inventory_quantity"],
    watch=["quantity", "location_id", "location_dest_id"],
    lines=[("stock.move.line", "move_id", ("location_id", "location_dest_id"))],
    subject=f"""
def value_of(move, quantity):
    currency = move.company_id.currency_id
    return currency.round(round(abs(quantity) * move.product_id.with_company(move.company_id).standard_price, 8))
def quantity_of(move):
    if move.product_uom == move.product_id.uom_id:
        return move.quantity
    return move.product_uom._compute_quantity(move.quantity, move.product_id.uom_id, round=False)
def lost_of(move):
    # What the lines of a move took from stock to an inventory loss, or, below zero, brought from there.
    lost = 0.0
    if not move.move_line_ids and 'inventory' in [move.location_id.usage, move.location_dest_id.usage]:
        return quantity_of(move) if 'internal' in [move.location_id.usage, move.location_dest_id.usage] else 0.0
    for line in move.move_line_ids:
        quantity = line.product_uom_id._compute_quantity(line.quantity, line.product_id.uom_id, round=False)
        if line.location_id.usage == 'internal' and line.location_dest_id.usage == 'inventory':
            lost = lost + quantity
        elif line.location_id.usage == 'inventory' and line.location_dest_id.usage == 'internal':
            lost = lost - quantity
    return lost
def stock_of(lines):
    # What lines brought into stock, or, below zero, took from it, each by its id.
    found = {{}}
    for line in lines:
        quantity = line.product_uom_id._compute_quantity(line.quantity, line.product_id.uom_id, round=False)
        found[line.id] = [line.location_id.id, line.location_dest_id.id, quantity * (
            (1 if line.location_dest_id.usage == 'internal' else 0) - (1 if line.location_id.usage == 'internal' else 0))]
    return found
def moved_together(env, move, quant, rule):
    # What changed the stock within the days of a cumulative policy, and counts that wait: the sum, and what they are called.
    people = [env.uid, quant.user_id.id, quant.create_uid.id, move.create_uid.id]
    found = 0.0
    names = []
    for other in env['stock.move'].sudo().search([
            ('id', '!=', move.id), ('company_id', '=', move.company_id.id), ('state', '=', 'done'),
            '|', ('date', '>=', rule['since']), ('create_date', '>=', rule['since']),
            '|', '&', ('location_id.usage', '=', 'internal'), ('location_dest_id.usage', '=', 'inventory'),
            '&', ('location_id.usage', '=', 'inventory'), ('location_dest_id.usage', '=', 'internal')]
            + of_the_same(env, '{KIND}', 'stock.move', rule, [], ['create_uid'], people)):
        value = value_of(other, quantity_of(other))
        if value:
            found = found + value
            place = other.location_id if other.location_id.usage == 'internal' else other.location_dest_id
            names.append('%s in %s' % (other.product_id.name, place.complete_name))
    for other in env['stock.quant'].sudo().search([
            ('id', '!=', quant.id), ('company_id', '=', move.company_id.id), ('inventory_quantity_set', '=', True),
            '|', ('id', 'in', asked_before(env, '{KIND}', quant, rule['since'])),
            '&', ('id', '<', quant.id or 0), '&', ('x_ct_hold', '=', '{KIND}'), ('x_ct_rejected', '=', False)]
            + of_the_same(env, '{KIND}', 'stock.quant', rule, [], ['user_id', 'create_uid'], people)):
        currency = move.company_id.currency_id
        value = currency.round(round(abs(other.inventory_diff_quantity)
                                     * other.product_id.with_company(move.company_id).standard_price, 8))
        if value:
            found = found + value
            names.append('%s in %s' % (other.product_id.name, other.location_id.complete_name))
    return found, names
move = record.sudo()
record = env['stock.quant'].sudo()
if move.is_inventory and move.quantity and not is_change:
    counted = [('product_id', '=', move.product_id.id), ('inventory_quantity_set', '=', True),
               ('location_id', 'in', [move.location_id.id, move.location_dest_id.id])]
    # Each lot, package and owner at a place is counted by itself.
    line = move.move_line_ids[:1]
    package = line.package_id or line.result_package_id
    record = record.search(counted + [('lot_id', '=', line.lot_id.id), ('package_id', '=', package.id),
                                      ('owner_id', '=', line.owner_id.id)], limit=1) or record.search(counted, limit=1)
taken = 0.0
# A move that calls itself a count, where nothing was counted, is none.
if not past and (is_change or not record):
    taken = lost_of(move)
    if is_change:
        # What was done is changed afterwards: the difference moves stock as well, and so does another place.
        before = env.registry.cursor()
        try:
            done = env(cr=before, su=True)['stock.move'].search([('id', '=', move.id), ('state', '=', 'done')])
            taken = taken - lost_of(done) if done else (0.0 if move.is_inventory else taken)
            were = stock_of(done.move_line_ids)
        finally:
            before.close()
        are = stock_of(move.move_line_ids)
        moved = 0.0
        for line_id in were:
            if line_id in are and are[line_id][:2] != were[line_id][:2]:
                moved = moved + are[line_id][2] - were[line_id][2]
        taken = max(abs(taken), abs(moved))
if taken:
    currency = move.company_id.currency_id
    value = value_of(move, taken)
    rule = cumulative_rule(env, '{KIND}', move.company_id) if value else False
    found_together = moved_together(env, move, record, rule) if rule else (0.0, [])
    most = {LIMIT.in_odoo("move.company_id")}
    if currency.compare_amounts(value + found_together[0], most) >= 0:
        raise UserError('Moving %s %s between %s and %s changes the stock by %s; from %.10g on %sthat needs an approval. '
                        'Enter it under Physical Inventory first, so that it can be decided about.' % (
                            abs(taken), move.product_id.display_name, move.location_id.complete_name,
                            move.location_dest_id.complete_name,
                            in_words(currency, value, value + found_together[0], found_together[1], rule), most,
                            'together ' if found_together[1] else ''))
""",
    condition=f"""
if record:
    company = move.company_id
    money = company.currency_id
    amount = value_of(move, quantity_of(move))
    released = money.compare_amounts(released_up_to, amount) >= 0
    rule = False if released else cumulative_rule(env, '{KIND}', company)
    others, named = moved_together(env, move, record, rule) if rule else (0.0, [])
    exposure = money.round(round(amount + others, 8))
    limit = {LIMIT.in_odoo("company")}
    if not released and money.compare_amounts(exposure, limit) >= 0:
        why = 'The count of %s in %s changes the stock by %s; from %.10g on %s.' % (
            move.product_id.name, record.location_id.complete_name, in_words(money, amount, exposure, named, rule), limit,
            'together they need an approval' if named else 'a count needs an approval')
        before = env.registry.cursor()
        try:
            kept = env(cr=before, su=True)['stock.quant'].search([
                ('id', '=', record.id), ('inventory_quantity_set', '=', True)])
            # Another quantity set over a count that waits is no such count.
            if kept and float_compare(kept.inventory_quantity, record.inventory_quantity, precision_digits=4) != 0:
                kept = False
        finally:
            before.close()
        if not kept:
            raise UserError('%s Enter it under Physical Inventory first, so that it can be decided about.' % why)
""",
)

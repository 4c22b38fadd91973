"""The return limit: what a customer may send back before somebody has to agree.

The rule is written twice, as SQL over mirrored rows and as Odoo server-action code: what comes back is worth its quantity at
the price that was agreed, each in the product's own
unit, and from :data:`LIMIT` on that needs an authorisation. A return is asked about as soon as it is
made; Odoo refuses to receive it until the tower has released it. No line takes off what another is worth. What was
authorised is that value: a return that has grown
needs a new decision.

What comes back is what is to come, or what was received where that is more; and what was received is not raised afterwards.

Odoo has no button between a return that is made and its receipt, so the guard stands where its goods are received.
"""

from django.db.models import F, Q
from django.utils.translation import gettext_noop

from apps.core import figures
from apps.core.figures import Figure
from apps.workflows import default_policies, guard_requests, kits, parameters
from apps.workflows.counted_by_guards import GuardFigures
from apps.workflows.declare import ApprovalKind, Fact, Guard, OdooCall
from apps.workflows.rules import involvement

LIMIT = parameters.limit(
    name="return_limit",
    title=gettext_noop("Return limit"),
    default=500,
    help=gettext_noop("From this value on, before tax, goods that come back, and credit beyond them, need an authorisation."),
)
KIND = "return_authorisation"

ASKED = guard_requests.asked(KIND, "stock.picking")

# A return is asked about each time it comes to wait, whether or not somebody has tried to receive it.
ASKING = Fact(
    name="asking",
    columns=[
        "return_cause",
        "return_asked_by",
        "return_asked_uid",
        "return_person_id",
        "return_measure",
        "is_unconfirmed",
        "return_terms",
    ],
    sql=f"""
        SELECT {guard_requests.comes_to_wait("return", "returns")} AS return_cause,
               COALESCE(asked.asked_by, u.name, '{guard_requests.SOMEBODY}') AS return_asked_by,
               asked.asked_uid AS return_asked_uid,
               COALESCE(CASE WHEN asked.asked_uid > 1 AND asked.asked_by <> '{guard_requests.CUSTOMER}' THEN asked.asked_uid END,
                        r.user_id) AS return_person_id,
               goods.return_value AS return_measure, r.state = 'draft' AS is_unconfirmed,
               jsonb_build_object(
                 'partner', (SELECT p.commercial_partner_id FROM mirror_res_partner p
                              WHERE p.connection_id = r.connection_id AND p.odoo_id = r.partner_id),
                 'company', r.company_id, 'origin', r.return_id,
                 'lines', COALESCE((
                   SELECT jsonb_agg(jsonb_build_array(m.product_id, m.product_uom, GREATEST(m.product_uom_qty, m.quantity), 0, 0))
                     FROM mirror_stock_move m
                    WHERE m.connection_id = r.connection_id AND m.picking_id = r.odoo_id AND m.deleted_at IS NULL
                      AND m.state <> 'cancel'), '[]'))::text AS return_terms
          FROM (SELECT r.user_id) AS own
          LEFT JOIN mirror_res_users u ON u.connection_id = r.connection_id AND u.odoo_id = own.user_id
    """,
)

BROKEN = (
    ~Q(state__in=["cancel", "done"])
    # What the guard asks is asked, whatever the tower counts.
    & (Q(is_asked=True) | Q(return_value__gte=LIMIT.column) & ~Q(x_ct_released_value__gte=F("return_value")))
)

APPROVAL = ApprovalKind(
    name=KIND,
    title="Return authorisation",
    requestable=(
        "a return that is not done",
        [["state", "not in", ["done", "cancel"]], "|", ["return_id", "!=", False], ["location_id.usage", "=", "customer"]],
    ),
    matters="{returned_quantity:quantity} {product_names} to be returned",
    question="Accept the return of {returned_quantity:quantity} {product_names} from {partner_name} "
    "for {return_value:money} {currency}?",
    when=BROKEN,
    possible=~Q(state__in=["cancel", "done"]),
    cause="return_cause",
    amount="return_value",
    asked_by="return_asked_by",
    involved=["return_asked_uid", "salesperson_uid", *involvement.OF_RECORD],
    account_owner=("salesperson_login", "salesperson_email"),
    exception="returns.authorisation_pending",
    context={
        "partner_name": Figure("Customer", figures.text),
        "order_name": Figure("Order", figures.text),
        "returned_of": Figure("Delivered by", figures.text),
        "salesperson": Figure("Salesperson", figures.text),
        "product_names": Figure("Products", figures.text),
        "returned_quantity": Figure("Returned", figures.quantity),
        "return_value": Figure("Value of the return", figures.money),
        "return_limit": Figure("Authorisation required from", figures.money),
        "return_asked_by": Figure("Requested by", figures.text),
    },
    figures=GuardFigures(
        measure="return_measure",
        alone="return_value",
        limit="return_limit",
        asked="ask_exposure",
        asked_limit="ask_limit",
        is_asked="is_asked",
        from_limit=True,
        is_cumulative=True,
        outdated="ask_is_outdated",
    ),
    on_asked=[
        guard_requests.hold(
            KIND,
            title="Mark the return as held for authorisation",
            reason="{counted_in_words} come back, which needs an authorisation.",
            require=[["state", "not in", ["done", "cancel"]]],
        )
    ],
    on_approval=[
        guard_requests.answer("approved"),
        guard_requests.release(
            "x_ct_released_value",
            title="Release the return up to {return_value:money} {currency}",
            amount="return_value",
            terms="return_terms",
            require=[["state", "not in", ["done", "cancel"]]],
        ),
        OdooCall(
            title="Confirm the return",
            method="action_confirm",
            only_if="is_unconfirmed",
            require=[["state", "=", "draft"]],
            expect=[["state", "in", ["waiting", "confirmed", "assigned", "done"]]],
        ),
        guard_requests.activity(
            "Receive the return: authorised by {decided_by}", person="return_person_id", name="return_asked_by"
        ),
        guard_requests.note("Return authorised by {decided_by} in Control Tower: {counted_in_words}. {reason}"),
    ],
    on_rejection=[
        OdooCall(
            title="Cancel the return",
            method="action_cancel",
            require=[["state", "not in", ["done", "cancel"]]],
            expect=[["state", "=", "cancel"]],
        ),
        guard_requests.LIFT,
        guard_requests.answer("rejected", "{decided_by}: {reason}"),
        guard_requests.activity("Return refused by {decided_by}", person="return_person_id", name="return_asked_by"),
        guard_requests.note("Return refused by {decided_by} in Control Tower. {reason}"),
    ],
    on_withdrawal=[guard_requests.LIFT, guard_requests.answer("withdrawn")],
    on_expiry=[guard_requests.answer("expired")],
    default_policy=default_policies.policy(
        default_policies.step("Service", ("team", "service"), ("role", "approver"), ("role", "manager"), minutes=480),
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
        "Control Tower authorised a return that is worth up to this value",
    ),
    terms="""
terms = {'partner': record.partner_id.commercial_partner_id.id, 'company': record.company_id.id, 'origin': record.return_id.id,
         'lines': []}
for move in record.move_ids:
    if move.state != 'cancel':
        terms['lines'].append([move.product_id.id, move.product_uom.id, max(move.product_uom_qty, move.quantity), 0.0, 0.0])
""",
    identity=["partner_id", "company_id"],
    watch=["quantity"],
    subject="""
move = record.sudo()
record = move.picking_id
source = record.location_id.usage
is_return = record.return_id and record.picking_type_id.code == 'incoming' and source != 'supplier'
if source == 'customer':
    is_return = record.location_dest_id.usage != 'customer'
# Its goods may come from elsewhere than the transfer says.
is_astray = not is_return and move.location_dest_id.usage != 'customer' and 'customer' in [
    place.usage for place in move.location_id | move.move_line_ids.location_id]
if not is_return and not is_astray:
    record = env['stock.picking'].sudo()
""",
    condition=f"""
{kits.IN_ODOO.strip()}
def return_value_of(env, picking, is_received):
    value = 0.0
    kits = {{}}
    for line in picking.move_ids:
        if line.state != 'cancel':
            sold = line.sale_line_id
            own = line.product_id.uom_id
            quantity = line.product_uom._compute_quantity(
                line.quantity if is_received else max(line.product_uom_qty, line.quantity), own,
                round=False, raise_if_failure=False)
            price = line.product_id.list_price
            if sold and sold.product_uom_qty:
                if sold.product_id and sold.product_id != line.product_id:
                    kits[(sold.id, line.product_id.id)] = kits.get((sold.id, line.product_id.id), 0.0) + quantity
                    continue
                unit = sold['product_uom_id' if 'product_uom_id' in sold._fields else 'product_uom']
                ordered = unit._compute_quantity(sold.product_uom_qty, own, round=False, raise_if_failure=False)
                price = sold.price_subtotal / ordered / (sold.order_id.currency_rate or 1.0)
            value = value + max(quantity * price, 0.0)
    sets_of = sets_of_kits(env, kits)
    for sold_id in sets_of:
        sold = env['sale.order.line'].sudo().browse(sold_id)
        price = sold.price_subtotal / sets_of[sold_id][1] / (sold.order_id.currency_rate or 1.0)
        value = value + max(sets_of[sold_id][0] * price, 0.0)
    return picking.company_id.currency_id.round(round(value, 8))
if record:
    company = record.company_id
    amount = return_value_of(env, record, False)
    released = company.currency_id.compare_amounts(released_up_to, amount) >= 0
    others = 0.0
    named = []
    rule = False if released else cumulative_rule(env, '{KIND}', company)
    if rule:
        hands = ['user_id', 'create_uid']
        people = [env.uid, record.user_id.id, record.create_uid.id]
        if 'sale_id' in record._fields:
            hands.append('sale_id.user_id')
            people.append(record.sale_id.user_id.id)
        for other in env['stock.picking'].sudo().search([
                ('id', '!=', record.id), ('company_id', '=', company.id), ('location_id.usage', '!=', 'supplier'),
                '|', '&', ('location_id.usage', '=', 'customer'), ('location_dest_id.usage', '!=', 'customer'),
                '&', ('picking_type_id.code', '=', 'incoming'), ('return_id', '!=', False),
                '|',
                '&', ('state', '=', 'done'), '|', '|', ('date_done', '>=', rule['since']), ('create_date', '>=', rule['since']),
                ('id', 'in', asked_before(env, '{KIND}', record, rule['since'])),
                '&', ('state', 'not in', ['done', 'cancel']),
                '|', '|', ('id', 'in', asked_before(env, '{KIND}', record, rule['since'])),
                '&', ('x_ct_released_value', '>', 0), ('create_date', '>=', rule['since']),
                '&', ('id', '<', record.id), '&', ('x_ct_hold', '=', '{KIND}'), ('x_ct_rejected', '=', False)]
                + of_the_same(env, '{KIND}', 'stock.picking', rule,
                              [('partner_id.commercial_partner_id', '=', record.partner_id.commercial_partner_id.id)],
                              hands, people)):
            whole = return_value_of(env, other, other.state == 'done')
            if whole:
                others = others + whole
                named.append(other.name)
    exposure = company.currency_id.round(round(amount + others, 8))
    measure = exposure
    limit = {LIMIT.in_odoo("company")}
    if not released and company.currency_id.compare_amounts(exposure, limit) >= 0:
        why = 'The return %s is worth %s; from %.10g on %s.' % (
            record.name, in_words(company.currency_id, amount, exposure, named, rule), limit,
            'together they need an authorisation' if named else 'a return needs an authorisation')
        if is_astray:
            remedy = 'Its goods come from a customer. Take them back on a transfer that says so.'
        elif is_change:
            remedy = 'What was received cannot be raised to that. Make another return for the rest.'
""",
)

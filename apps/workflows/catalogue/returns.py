"""Returns: goods that come back from customers, until they are credited.

A return is a transfer that brings goods from a customer (:mod:`apps.workflows.returned`). What goes back to a vendor, or from
one shelf to another, is no return of a customer's.

Whether a return is credited is in no one field of Odoo. For each line of the order, what is billed on posted invoices less
posted credit notes is set against what is delivered, from which Odoo has taken the return off: what is billed beyond it is
still to be credited, the newest return last. So a return of goods that were never billed asks for no credit, and a
draft of a credit note is none yet. What goes out again in exchange needs no credit, as long as it is not cancelled; and a
credit note that names the invoice, but not the order's line, credits it all the same.
"""

from dataclasses import replace
from datetime import timedelta

from django.db.models import Q

from apps.core import figures, statements
from apps.core.figures import Figure
from apps.workflows import days, guard_requests, holders, kits, playbooks, responsible, returned, supply_allocation, units
from apps.workflows.declare import Dependency, ExceptionType, Fact, Sample, Stage, Workflow
from apps.workflows.playbooks import Shows, Step, StepKind
from apps.workflows.rules import involvement, missing_invoice, money, return_limit

PARTIES = Fact(
    name="parties",
    columns=[
        "partner_name",
        "currency",
        "order_name",
        "salesperson",
        "salesperson_login",
        "salesperson_email",
        "salesperson_uid",
        "returned_of",
    ],
    sql="""
        SELECT (SELECT p.name FROM mirror_res_partner p
                 WHERE p.connection_id = r.connection_id AND p.odoo_id = r.partner_id) AS partner_name,
               (SELECT c.name FROM mirror_res_company co
                  JOIN mirror_res_currency c ON c.connection_id = co.connection_id AND c.odoo_id = co.currency_id
                 WHERE co.connection_id = r.connection_id AND co.odoo_id = r.company_id) AS currency,
               so.name AS order_name, COALESCE(u.name, '') AS salesperson,
               COALESCE(u.login, '') AS salesperson_login, COALESCE(u.email, '') AS salesperson_email,
               so.user_id AS salesperson_uid,
               (SELECT p.name FROM mirror_stock_picking p
                 WHERE p.connection_id = r.connection_id AND p.odoo_id = r.return_id) AS returned_of
          FROM (SELECT r.sale_id) AS own
          LEFT JOIN mirror_sale_order so ON so.connection_id = r.connection_id AND so.odoo_id = own.sale_id
          LEFT JOIN mirror_res_users u ON u.connection_id = so.connection_id AND u.odoo_id = so.user_id
    """,
)

# More than was to come may be entered as received.
BACK = "COALESCE(CASE WHEN r.state = 'done' THEN m.quantity ELSE GREATEST(m.product_uom_qty, m.quantity) END, 0)"

# Values are at the price that was agreed, after discount and before tax; without an order, at the list price. Quantities are in
# the product's own unit, of a kit in sets: its components come back together.
GOODS = Fact(
    name="goods",
    columns=[
        "product_names",
        "returned_quantity",
        "return_value",
        "to_credit_quantity",
        "to_credit_value",
        "received_days",
        "next_change_at",
    ],
    sql=statements.load(
        __file__,
        "goods",
        return_value=money.rounded("COALESCE(sum(GREATEST(line.quantity * line.price, 0)), 0)", money.SMALLEST),
        to_credit_value=money.rounded("COALESCE(sum(line.to_credit * line.price), 0)", money.SMALLEST),
        line_ordered=units.own("sl.product_uom_qty", "sl"),
        sets_back=kits.sets("max(p.quantity / NULLIF(p.wanted, 0))", "min(p.ordered)"),
        is_kit=kits.is_kit("s", "b.product_id"),
        wanted=kits.wanted("s", "b.product_id"),
        ordered=units.own("s.product_uom_qty", "s"),
        back=units.own(BACK, "m", units.MOVE),
        billed=units.own("il.quantity", "il"),
        delivered=units.own("sl.qty_delivered", "sl"),
        credited_apart=returned.credited_apart("sl"),
        still_to_deliver=returned.still_to_deliver("sl"),
        sets_later=kits.sets("max(b.part)", units.own("sl.product_uom_qty", "sl")),
        is_kit_later=kits.is_kit("sl", "o.product_id"),
        wanted_later=kits.wanted("sl", "o.product_id"),
        back_later=units.own("o.quantity", "o", units.MOVE),
        from_customer=returned.from_customer("op"),
        zoned=days.zoned(),
    ),
)

# The returns that bring back what lines of orders sold.
OF_LINES = f"""
    SELECT m.picking_id
      FROM mirror_stock_move m
      JOIN mirror_stock_picking p ON p.connection_id = m.connection_id AND p.odoo_id = m.picking_id
       AND p.deleted_at IS NULL AND {returned.from_customer("p")}
     WHERE m.connection_id = %(connection)s AND m.sale_line_id = ANY(ARRAY({{lines}})) AND m.deleted_at IS NULL
"""

DEPENDENCIES = [
    Dependency(model="uom.uom", sql=supply_allocation.TRANSFERS_OF_UNITS),
    # Without an order goods are worth their list price.
    Dependency(
        model="product.template",
        sql=f"""
            SELECT DISTINCT m.picking_id
              FROM workflows_position p
              JOIN mirror_stock_move m ON m.connection_id = p.connection_id AND m.picking_id = p.odoo_id AND m.deleted_at IS NULL
               AND m.product_id IN ({supply_allocation.PRODUCTS_OF_TEMPLATES})
             WHERE p.connection_id = %(connection)s AND p.workflow = 'returns' AND p.is_open
        """,
    ),
    returned.told_by_place("returns", returned.from_customer("p")),
    involvement.people("returns", "stock.picking", "mirror_stock_picking", "user_id"),
    # The order says who sold it, and at which rate.
    Dependency(
        model="sale.order",
        sql="SELECT p.odoo_id FROM mirror_stock_picking p WHERE p.connection_id = %(connection)s AND p.sale_id = ANY(%(ids)s)"
        f" AND p.deleted_at IS NULL AND {returned.from_customer('p')} UNION "
        + OF_LINES.format(
            lines="SELECT l.odoo_id FROM mirror_sale_order_line l"
            " WHERE l.connection_id = %(connection)s AND l.order_id = ANY(%(ids)s)"
        ),
    ),
    guard_requests.about("stock.picking"),
    guard_requests.together(return_limit.KIND, "stock.picking"),
    Dependency(
        model="stock.move",
        sql="SELECT p.odoo_id FROM mirror_stock_move m JOIN mirror_stock_picking p ON p.connection_id = m.connection_id"
        f" AND p.odoo_id = m.picking_id AND {returned.from_customer('p')}"
        " WHERE m.connection_id = %(connection)s AND m.odoo_id = ANY(%(ids)s) UNION "
        # What is delivered in exchange, or is not any more.
        + OF_LINES.format(
            lines="SELECT c.sale_line_id FROM mirror_stock_move c WHERE c.connection_id = %(connection)s"
            " AND c.odoo_id = ANY(%(ids)s) AND c.sale_line_id IS NOT NULL"
        ),
    ),
    # Another return of the same lines: only the newest waits for what is not credited.
    Dependency(
        model="stock.picking",
        sql=OF_LINES.format(
            lines="SELECT c.sale_line_id FROM mirror_stock_move c JOIN mirror_stock_picking cp"
            f" ON cp.connection_id = c.connection_id AND cp.odoo_id = c.picking_id AND {returned.from_customer('cp')}"
            " WHERE c.connection_id = %(connection)s AND c.picking_id = ANY(%(ids)s) AND c.sale_line_id IS NOT NULL"
        ),
    ),
    Dependency(model="sale.order.line", sql=OF_LINES.format(lines="SELECT unnest(%(ids)s::bigint[])")),
    Dependency(
        model="account.move",
        sql=OF_LINES.format(
            lines="SELECT unnest(il.sale_line_ids) FROM mirror_account_move_line il"
            " WHERE il.connection_id = %(connection)s AND il.move_id = ANY(%(ids)s)"
            " UNION " + returned.LINES_REVERSED.format(notes="SELECT unnest(%(ids)s::bigint[])")
        ),
    ),
    Dependency(
        model="account.move.line",
        sql=OF_LINES.format(
            lines="SELECT unnest(il.sale_line_ids) FROM mirror_account_move_line il"
            " WHERE il.connection_id = %(connection)s AND il.odoo_id = ANY(%(ids)s)"
            " UNION " + returned.LINES_REVERSED.format(notes=returned.NOTES_OF_LINES)
        ),
    ),
]

# What came back within the days of a cumulative policy: the guard counts the same.
PEERS = f"""
    SELECT r.odoo_id, r.name AS record_name, goods.return_value AS amount, COALESCE(r.date_done, r.create_date) AS at
      FROM mirror_stock_picking own
      JOIN mirror_stock_picking r
        ON r.connection_id = own.connection_id AND r.company_id IS NOT DISTINCT FROM own.company_id AND r.odoo_id <> own.odoo_id
       AND r.deleted_at IS NULL AND r.state = 'done' AND (r.date_done >= %(since)s OR r.create_date >= %(since)s
            OR {guard_requests.was_asked(return_limit.KIND, "stock.picking")})
       AND {returned.from_customer("r")}
      LEFT JOIN mirror_res_partner of_own ON of_own.connection_id = own.connection_id AND of_own.odoo_id = own.partner_id
      LEFT JOIN mirror_res_partner of_r ON of_r.connection_id = r.connection_id AND of_r.odoo_id = r.partner_id
      LEFT JOIN mirror_sale_order sold ON sold.connection_id = r.connection_id AND sold.odoo_id = r.sale_id
     CROSS JOIN LATERAL ({GOODS.sql}) AS goods
     WHERE own.connection_id = %(connection)s AND own.odoo_id = %(record)s AND goods.return_value > 0
       AND (NOT %(by_partner)s OR of_r.commercial_partner_id IS NOT DISTINCT FROM of_own.commercial_partner_id)
       AND (NOT %(by_person)s OR r.user_id = ANY(%(people)s::bigint[]) OR r.create_uid = ANY(%(people)s::bigint[])
            OR sold.user_id = ANY(%(people)s::bigint[])
            OR {guard_requests.asked_by_the_same(return_limit.KIND, "stock.picking")})
"""

REFUSED = Q(state="cancel")
RECEIVED = Q(state="done")
OPEN = ~REFUSED & ~RECEIVED
NEEDS_AUTHORISATION = return_limit.BROKEN
IS_DRAFT = Q(state="draft")
TO_CREDIT = RECEIVED & Q(to_credit_quantity__gt=0)

STAGES = [
    Stage(
        name="requested",
        title="Requested",
        when=OPEN & IS_DRAFT & ~NEEDS_AUTHORISATION,
        owner="service",
        target=timedelta(days=2),
        first_seen_since="create_date",
    ),
    Stage(
        name="awaiting_authorisation",
        title="Awaiting authorisation",
        when=NEEDS_AUTHORISATION,
        owner="service",
        target=timedelta(days=1),
        first_seen_since="create_date",
        held_by=holders.APPROVER,
    ),
    Stage(
        name="awaiting_goods",
        title="Awaiting goods",
        when=OPEN & ~IS_DRAFT & ~NEEDS_AUTHORISATION,
        owner="warehouse",
        target=timedelta(days=14),
        first_seen_since="create_date",
        held_by=holders.CUSTOMER,
    ),
    Stage(
        name="to_credit",
        title="Received, to credit",
        when=TO_CREDIT,
        owner="finance",
        target=timedelta(days=3),
        first_seen_since="date_done",
    ),
    Stage(
        name="credited",
        title="Credited",
        when=RECEIVED & ~TO_CREDIT,
        owner="finance",
        is_open=False,
        first_seen_since="date_done",
    ),
    Stage(name="refused", title="Refused", when=REFUSED, owner="service", is_open=False),
]

RETURN_FIGURES = {
    "partner_name": Figure("Customer", figures.text),
    "order_name": Figure("Order", figures.text),
    "returned_of": Figure("Delivered by", figures.text),
    "salesperson": Figure("Salesperson", figures.text),
    "product_names": Figure("Products", figures.text),
    "returned_quantity": Figure("Returned", figures.quantity),
    "return_value": Figure("Value of the return", figures.money),
}

WORKFLOW = Workflow(
    name="returns",
    title="Returns",
    odoo_model="stock.picking",
    rank=50,
    belongs_sql=returned.from_customer("r"),
    amount="return_value",
    currency="currency",
    look_again="next_change_at",
    facts=[PARTIES, GOODS, return_limit.ASKED, return_limit.ASKING],
    dependencies=DEPENDENCIES,
    stages=STAGES,
    parameters=[return_limit.LIMIT],
    exceptions=[
        ExceptionType(
            name="returns.authorisation_pending",
            title="Return waits for authorisation",
            when=NEEDS_AUTHORISATION,
            team="service",
            due=timedelta(hours=8),
            amount="return_value",
            evidence=RETURN_FIGURES,
            severity=("return_value", (1_000, 5_000, 25_000)),
            closed_because="The return was authorised, received or refused",
            actions=[responsible.ask(responsible.TRANSFER, "have the return authorised, or refuse it")],
            playbook=[
                playbooks.owned(),
                Step(name="reason", title="Read why the customer sends it back, and what was agreed"),
                Step(name="decided", title="Have it authorised or refused", kind=StepKind.ACTION, done_when=Shows.DECIDED),
                Step(name="tell", title="Tell the customer how it goes on", kind=StepKind.MESSAGE),
            ],
        ),
        ExceptionType(
            name="returns.not_credited",
            title="Received and not credited",
            when=TO_CREDIT,
            team="finance",
            due=timedelta(hours=16),
            amount="to_credit_value",
            evidence={
                **RETURN_FIGURES,
                "to_credit_quantity": Figure("Not credited", figures.quantity),
                "to_credit_value": Figure("Value not credited", figures.money),
                "date_done": Figure("Received at", figures.moment),
                "received_days": Figure("Days since", figures.days),
            },
            severity=("to_credit_value", (500, 5_000, 25_000)),
            closed_because="The return is credited",
            actions=[
                missing_invoice.CREDIT_RETURNED,
                responsible.ask(responsible.TRANSFER, "credit what came back, or say why not"),
            ],
            playbook=[
                playbooks.owned(),
                Step(name="condition", title="See in what condition it came back"),
                playbooks.applied("Credit what came back"),
                Step(name="tell", title="Tell the customer what was credited", kind=StepKind.MESSAGE),
            ],
        ),
    ],
    approvals=[replace(return_limit.APPROVAL, peers=PEERS)],
    guards=[return_limit.GUARD],
    form="stock.view_picking_form",
    hooks={"stock.picking": ["state", "return_id", "x_ct_hold"], "account.move": ["state"]},
    samples=[
        Sample(row={"state": "draft"}, stage="requested"),
        Sample(row={"state": "confirmed"}, stage="awaiting_goods"),
        Sample(row={"state": "assigned"}, stage="awaiting_goods"),
        Sample(row={"state": "done"}, stage="credited"),
        Sample(row={"state": "cancel"}, stage="refused"),
    ],
)

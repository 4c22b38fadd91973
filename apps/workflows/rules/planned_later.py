"""More is ready than a warehouse ships in a shift: what is due first is picked first, the rest is planned for when it is due."""

from apps.core import statements
from apps.workflows.declare import OdooCall, SuggestedAction
from apps.workflows.sql_message import company_day, say

LATER = say(
    "{transfer}, {lines} lines, {customer}: on {day:day}, when it is due, instead of {planned:day}",
    when={"goods.lines = 1": "{transfer}, one line, {customer}: on {day:day}, when it is due, instead of {planned:day}"},
    transfer="k.name",
    lines="goods.lines",
    customer="COALESCE(c.name, '')",
    day=company_day("k.date_deadline", "k.company_id"),
    planned=company_day("k.scheduled_date", "k.company_id"),
)

# Where everything is urgent, nothing is.
MOST_URGENT = 5

PICK_FIRST = SuggestedAction(
    name="pick_first",
    title="Pick first what is due first",
    columns=["transfer_id", "transfer_name"],
    sql=statements.load(
        __file__,
        "pick_first",
        text=say(
            "{transfer}, {lines} lines, {customer}: due on {day:day}",
            when={"k.lines = 1": "{transfer}, one line, {customer}: due on {day:day}"},
            transfer="k.name",
            lines="k.lines",
            customer="COALESCE(c.name, '')",
            day=company_day("k.due_at", "k.company_id"),
        ),
        most=MOST_URGENT,
    ),
    calls=[
        OdooCall(
            title="Mark {transfer_name} as urgent",
            model="stock.picking",
            record="transfer_id",
            method="write",
            arguments={"vals": {"priority": "1"}},
            require=[["state", "=", "assigned"]],
            expect=[["priority", "=", "1"]],
        )
    ],
    undo=[
        OdooCall(
            title="Mark {transfer_name} as not urgent again",
            model="stock.picking",
            record="transfer_id",
            method="write",
            arguments={"vals": {"priority": "0"}},
            require=[["state", "=", "assigned"], ["priority", "=", "1"]],
            expect=[["priority", "=", "0"]],
        )
    ],
)

PLAN_LATER = SuggestedAction(
    name="plan_later",
    title="Plan deliveries that are not due yet for later",
    columns=["transfer_id", "transfer_name", "new_date", "new_day", "old_date"],
    sql=f"""
        SELECT concat(k.odoo_id, '@', to_char(k.date_deadline AT TIME ZONE 'UTC', 'YYYY-MM-DD')) AS option, {LATER} AS text,
               k.odoo_id AS transfer_id, k.name AS transfer_name,
               to_char(k.date_deadline AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS') AS new_date,
               to_char(k.scheduled_date AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS') AS old_date,
               to_char({company_day("k.date_deadline", "k.company_id")}, 'YYYY-MM-DD') AS new_day
          FROM mirror_stock_picking_type t
          JOIN mirror_stock_picking k
            ON k.connection_id = t.connection_id AND k.picking_type_id = t.odoo_id AND k.state = 'assigned' AND k.deleted_at IS NULL
           AND {company_day("k.date_deadline", "k.company_id")} > {company_day("%(now)s::timestamptz", "k.company_id")} + 1
           AND {company_day("k.scheduled_date", "k.company_id")} <= {company_day("%(now)s::timestamptz", "k.company_id")}
           AND k.date_deadline < %(now)s::timestamptz + interval '1 year'
          LEFT JOIN mirror_res_partner c ON c.connection_id = k.connection_id AND c.odoo_id = k.partner_id
         CROSS JOIN LATERAL (
           SELECT count(*) AS lines FROM mirror_stock_move m
            WHERE m.connection_id = k.connection_id AND m.picking_id = k.odoo_id AND m.state <> 'cancel' AND m.deleted_at IS NULL
         ) AS goods
         WHERE t.connection_id = %(connection)s AND t.warehouse_id = %(record)s AND t.code = 'outgoing'
         ORDER BY k.date_deadline DESC, goods.lines DESC, k.odoo_id
    """,
    calls=[
        OdooCall(
            title="Plan {transfer_name} for {new_day:day}",
            model="stock.picking",
            record="transfer_id",
            method="write",
            arguments={"vals": {"scheduled_date": "{new_date}"}},
            require=[["state", "=", "assigned"], ["scheduled_date", "=", "{old_date}"]],
            expect=[["scheduled_date", "=", "{new_date}"]],
        )
    ],
    undo=[
        OdooCall(
            title="Plan {transfer_name} for {old_date:day} again",
            model="stock.picking",
            record="transfer_id",
            method="write",
            arguments={"vals": {"scheduled_date": "{old_date}"}},
            require=[["state", "=", "assigned"], ["scheduled_date", "=", "{new_date}"]],
            expect=[["scheduled_date", "=", "{old_date}"]],
        )
    ],
)

"""Service: what customers ask for help with, until it is closed. Where an Odoo has no helpdesk, there is nothing here.

The helpdesk of Odoo Enterprise and that of the OCA (``helpdesk_mgmt``) share the ticket's name and keep its stage apart.
What a stage means is the OCA's own marks (``unattended``, ``closed``); in Enterprise a folded stage is where tickets end,
and a ticket is new until somebody has it. Neither marks a stage as one of waiting: there it is a ticket that is blocked,
or one in a stage that is called so, in English.

Until when a ticket is to be closed is Enterprise's own ``sla_deadline``, without the hours in which it did not count.
Otherwise it is the ticket's priority that says, from the moment at which it was opened: within 3 days, 1 day, 8 or 4
hours. In the last quarter of its time a ticket is at risk, unless it waits for somebody else.
"""

from datetime import timedelta

from django.db.models import Q

from apps.core import figures
from apps.core.figures import Figure
from apps.workflows import holders, playbooks, responsible
from apps.workflows.declare import Dependency, ExceptionType, Fact, Sample, Stage, Workflow
from apps.workflows.playbooks import Shows, Step, StepKind
from apps.workflows.rules import involvement, tickets
from apps.workflows.sql_message import say

STANDING = Fact(
    name="standing",
    columns=["label", "stage_name", "stage_is_new", "stage_is_waiting", "stage_is_closed", "closed_at"],
    sql="""
        SELECT concat_ws(' ', NULLIF(COALESCE(NULLIF(r.number, ''), r.ticket_ref), ''), NULLIF(r.name, '')) AS label,
               COALESCE(o.name, e.name) AS stage_name,
               COALESCE(o.unattended, r.user_id IS NULL) AS stage_is_new,
               COALESCE(r.kanban_state = 'blocked', FALSE)
                 OR COALESCE(COALESCE(o.name, e.name) ~* '(wait|hold|pending)', FALSE) AS stage_is_waiting,
               COALESCE(o.closed, e.fold, r.closed_date IS NOT NULL OR r.close_date IS NOT NULL) AS stage_is_closed,
               COALESCE(r.closed_date, r.close_date, r.write_date) AS closed_at
          FROM (SELECT r.stage_id) AS own
          LEFT JOIN mirror_helpdesk_ticket_stage o ON o.connection_id = r.connection_id AND o.odoo_id = own.stage_id
          LEFT JOIN mirror_helpdesk_stage e ON e.connection_id = r.connection_id AND e.odoo_id = own.stage_id
    """,
)

PARTIES = Fact(
    name="parties",
    columns=["partner_name", "currency", "assigned_to", "open_orders"],
    # What the customer has ordered and not been billed for: the business that an unhappy one puts at risk.
    sql="""
        SELECT p.name AS partner_name,
               (SELECT c.name FROM mirror_res_company co
                  JOIN mirror_res_currency c ON c.connection_id = co.connection_id AND c.odoo_id = co.currency_id
                 WHERE co.connection_id = r.connection_id AND co.odoo_id = r.company_id) AS currency,
               (SELECT u.name FROM mirror_res_users u
                 WHERE u.connection_id = r.connection_id AND u.odoo_id = r.user_id) AS assigned_to,
               round(COALESCE(
                 (SELECT sum(o.amount_total / COALESCE(NULLIF(o.currency_rate, 0), 1))
                    FROM mirror_res_partner member
                    JOIN mirror_sale_order o ON o.connection_id = member.connection_id AND o.partner_id = member.odoo_id
                     AND o.state = 'sale' AND o.invoice_status IN ('no', 'to invoice', 'upselling') AND o.company_id = r.company_id
                     AND o.deleted_at IS NULL
                   WHERE NOT standing.stage_is_closed AND member.connection_id = r.connection_id
                     AND member.commercial_partner_id = p.commercial_partner_id), 0), 2) AS open_orders
          FROM (SELECT r.partner_id) AS own
          LEFT JOIN mirror_res_partner p ON p.connection_id = r.connection_id AND p.odoo_id = own.partner_id
    """,
)

PRIORITY = say("low", when={"d.rank = 3": "very high", "d.rank = 2": "high", "d.rank = 1": "medium"})

CLOCK = Fact(
    name="clock",
    columns=["answer_by", "is_at_risk", "is_over", "hours_left", "priority_rank", "priority_name", "next_change_at"],
    sql=f"""
        SELECT d.answer_by, d.answer_by - d.margin <= %(now)s AS is_at_risk, d.answer_by <= %(now)s AS is_over,
               round(extract(epoch FROM d.answer_by - %(now)s::timestamptz) / 3600)::text AS hours_left,
               d.rank AS priority_rank, {PRIORITY} AS priority_name,
               CASE WHEN NOT standing.stage_is_closed THEN
                 LEAST(CASE WHEN d.answer_by - d.margin > %(now)s THEN d.answer_by - d.margin END,
                       CASE WHEN d.answer_by > %(now)s THEN d.answer_by END) END AS next_change_at
          FROM (
            SELECT t.rank, t.answer_by, GREATEST((t.answer_by - r.create_date) / 4, interval '0') AS margin
              FROM (
                SELECT p.rank, COALESCE(r.sla_deadline,
                         r.create_date + (ARRAY[interval '3 days', '1 day', '8 hours', '4 hours'])[p.rank + 1]) AS answer_by
                  FROM (SELECT CASE r.priority WHEN '3' THEN 3 WHEN '2' THEN 2 WHEN '1' THEN 1 ELSE 0 END AS rank) AS p
              ) AS t
          ) AS d
    """,
)

OF_STAGE = (
    "SELECT t.odoo_id FROM mirror_helpdesk_ticket t WHERE t.connection_id = %(connection)s AND t.stage_id = ANY(%(ids)s)"
    " AND t.deleted_at IS NULL"
)
DEPENDENCIES = [
    Dependency(model="helpdesk.ticket.stage", sql=OF_STAGE),
    Dependency(model="helpdesk.stage", sql=OF_STAGE),
    involvement.people("service", "helpdesk.ticket", "mirror_helpdesk_ticket", "user_id"),
    # What the customers of open tickets have ordered.
    Dependency(
        model="sale.order",
        sql="""
            SELECT p.odoo_id
              FROM mirror_sale_order o
              JOIN mirror_res_partner b ON b.connection_id = o.connection_id AND b.odoo_id = o.partner_id
              JOIN mirror_res_partner m ON m.connection_id = b.connection_id AND m.commercial_partner_id = b.commercial_partner_id
              JOIN workflows_position p ON p.connection_id = m.connection_id AND p.partner_id = m.odoo_id AND p.is_open
               AND p.workflow = 'service'
             WHERE o.connection_id = %(connection)s AND o.odoo_id = ANY(%(ids)s)
        """,
    ),
]

CLOSED = Q(stage_is_closed=True)
WAITING = ~CLOSED & Q(stage_is_waiting=True)
NEW = ~CLOSED & ~WAITING & Q(stage_is_new=True)
IN_PROGRESS = ~CLOSED & ~WAITING & ~NEW

STAGES = [
    Stage(
        name="new",
        title="New",
        when=NEW,
        owner="service",
        target=timedelta(hours=4),
        first_seen_since="create_date",
    ),
    Stage(name="in_progress", title="In progress", when=IN_PROGRESS, owner="service", target=timedelta(days=1)),
    Stage(name="waiting", title="Waiting", when=WAITING, owner="service", target=timedelta(days=3), held_by=holders.CUSTOMER),
    Stage(name="closed", title="Closed", when=CLOSED, owner="service", is_open=False, first_seen_since="closed_at"),
]

WORKFLOW = Workflow(
    name="service",
    title="Service",
    odoo_model="helpdesk.ticket",
    rank=70,
    belongs=~Q(active=False),
    label="label",
    look_again="next_change_at",
    amount="open_orders",
    currency="currency",
    facts=[STANDING, PARTIES, CLOCK],
    dependencies=DEPENDENCIES,
    stages=STAGES,
    exceptions=[
        ExceptionType(
            name="service.ticket_at_risk",
            title="Ticket SLA at risk",
            when=(NEW | IN_PROGRESS) & Q(is_at_risk=True),
            team="service",
            due=timedelta(hours=2),
            amount="open_orders",
            evidence={
                "partner_name": Figure("Customer", figures.text),
                "stage_name": Figure("Stage", figures.text),
                "priority_name": Figure("Priority", figures.word),
                "assigned_to": Figure("Assigned to", figures.text),
                "answer_by": Figure("Due", figures.moment),
                "hours_left": Figure("Hours left", figures.hours),
                "open_orders": Figure("The customer's open orders", figures.money),
            },
            severity=("priority_rank", (1, 2, 3)),
            severity_kind=figures.rank,
            closed_because="The ticket was closed, is on hold, or has a later due time",
            actions=[
                tickets.CLOSE,
                tickets.WAIT,
                responsible.ask(responsible.TICKET, "answer the customer before the SLA is missed"),
            ],
            playbook=[
                playbooks.owned(),
                Step(name="answer", title="Answer the customer", kind=StepKind.MESSAGE),
                playbooks.applied("Close it, or say whom it waits for"),
                Step(name="moved", title="The ticket has moved on", done_when=Shows.MOVED),
            ],
        ),
    ],
    stuck_actions=[tickets.CLOSE, tickets.WAIT],
    approvals=[],
    hooks={"helpdesk.ticket": ["stage_id", "user_id", "priority", "kanban_state", "active"]},
    samples=[
        Sample(row={"stage_id": 1}, stage="new"),
        Sample(row={"stage_id": 2}, stage="in_progress"),
        Sample(row={"stage_id": 2, "kanban_state": "blocked"}, stage="waiting"),
        Sample(row={"stage_id": 3}, stage="waiting"),
        Sample(row={"stage_id": 4, "kanban_state": "blocked"}, stage="closed"),
    ],
)

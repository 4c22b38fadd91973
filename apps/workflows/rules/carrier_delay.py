"""What a carrier says of a shipment: later than it was promised, until it is delivered or comes in time after all."""

from datetime import timedelta

from django.db.models import Q

from apps.core import figures
from apps.core.figures import Figure
from apps.workflows import days, playbooks, responsible, root_causes
from apps.workflows.declare import BlockerRule, ExceptionType, Fact
from apps.workflows.playbooks import Step, StepKind
from apps.workflows.root_causes import RootCause
from apps.workflows.rules import sourcing
from apps.workflows.sql_message import day, say

# The newest date that a carrier gave for transfer {transfer}, unless it has said since that the goods are there.
NEWEST = """
    SELECT e.expected_at, e.source, e.occurred_at, e.text
      FROM (SELECT s.* FROM events_event s
             WHERE s.connection_id = {transfer}.connection_id AND s.model = 'stock.picking' AND s.odoo_id = {transfer}.odoo_id
               AND s.status = 'matched' AND s.kind IN ('shipment_delayed', 'eta_changed') AND s.expected_at IS NOT NULL
             ORDER BY s.occurred_at DESC, s.id DESC
             LIMIT 1) AS e
     WHERE NOT EXISTS (
       SELECT FROM events_event d
        WHERE d.connection_id = {transfer}.connection_id AND d.model = 'stock.picking' AND d.odoo_id = {transfer}.odoo_id
          AND d.status = 'matched' AND d.kind = 'shipment_delivered' AND d.occurred_at >= e.occurred_at)
"""

# Days, not hours: a deadline is a promise for the day.
LATE_DAYS = f"""
    {days.day("c.expected_at", at=days.zone("{transfer}"))}
    - {days.day(days.real("COALESCE({transfer}.date_deadline, {transfer}.scheduled_date)"), at=days.zone("{transfer}"))}
"""

FACT = Fact(
    name="carrier",
    columns=[
        "carrier_expected_at",
        "carrier_late_days",
        "carrier_said_by",
        "carrier_said_at",
        "carrier_text_name",
        "is_carrier_late",
    ],
    sql=f"""
        SELECT c.expected_at AS carrier_expected_at, GREATEST({LATE_DAYS.format(transfer="r")}, 0) AS carrier_late_days,
               c.source AS carrier_said_by, c.occurred_at AS carrier_said_at, NULLIF(c.text, '') AS carrier_text_name,
               COALESCE({LATE_DAYS.format(transfer="r")} > 0, FALSE) AS is_carrier_late
          FROM ({NEWEST.format(transfer="r")}) AS c
    """,
)

EXCEPTION = ExceptionType(
    name="fulfilment.carrier_delay",
    title="Carrier delay",
    when=~Q(state="cancel") & Q(is_carrier_late=True),
    team="warehouse",
    due=timedelta(hours=8),
    amount="company_amount",
    evidence={
        "partner_name": Figure("Customer", figures.text),
        "order_name": Figure("Order", figures.text),
        "due_at": Figure("Deadline", figures.moment),
        "promised_at": Figure("Promised for", figures.moment),
        "carrier_expected_at": Figure("New expected date", figures.moment),
        "carrier_late_days": Figure("Days later", figures.days),
        "carrier_said_by": Figure("Reported by", figures.text),
        "carrier_said_at": Figure("Reported at", figures.moment),
        "carrier_text_name": Figure("Original text", figures.text),
        "company_amount": Figure("Value", figures.money),
    },
    severity=("company_amount", (1_000, 10_000, 50_000)),
    root_causes=[RootCause(kind=root_causes.SALES_ORDER, record="sale_id")],
    closed_because="The carrier has delivered it, or expects to deliver on time",
    actions=[
        sourcing.promise_later(
            f"""
            SELECT o.odoo_id, o.name, COALESCE(b.name, '') AS customer, o.commitment_date AS promised_at, c.expected_at
              FROM mirror_stock_picking p
              JOIN mirror_sale_order o
                ON o.connection_id = p.connection_id AND o.odoo_id = p.sale_id AND o.state = 'sale' AND o.deleted_at IS NULL
              LEFT JOIN mirror_res_partner b ON b.connection_id = o.connection_id AND b.odoo_id = o.partner_id
             CROSS JOIN LATERAL ({NEWEST.format(transfer="p")}) AS c
             WHERE p.connection_id = %(connection)s AND p.odoo_id = %(record)s AND p.deleted_at IS NULL
               AND (o.commitment_date IS NULL OR c.expected_at > o.commitment_date)
            """,
            because="the carrier is late with {record_name}",
        ),
        responsible.ask(responsible.TRANSFER, "tell the customer of the new date, and press the carrier"),
    ],
    playbook=[
        playbooks.owned(),
        Step(name="track", title="Look up the shipment at the carrier"),
        playbooks.applied("Promise later, or send again"),
        Step(name="tell", title="Tell the customer what to expect", kind=StepKind.MESSAGE),
    ],
)

EXPECTED = say(
    "{source} expects {transfer} on {day:day}, {days} days late",
    when={"c.text > ''": "{source} expects {transfer} on {day:day}, {days} days late: {text}"},
    source="c.source",
    transfer="p.name",
    day=day("c.expected_at", at=days.zone("p")),
    text="c.text",
    days=LATE_DAYS.format(transfer="p").strip(),
)

OF_ORDER = BlockerRule(
    kind="carrier_delay",
    sql=f"""
        SELECT c.occurred_at AS since, 'stock.picking' AS model, p.odoo_id, p.name, {EXPECTED} AS text
          FROM mirror_stock_picking p
         CROSS JOIN LATERAL ({NEWEST.format(transfer="p")}) AS c
         WHERE p.connection_id = %(connection)s AND p.sale_id = %(record)s AND p.deleted_at IS NULL AND p.state <> 'cancel'
           AND {LATE_DAYS.format(transfer="p")} > 0
    """,
)

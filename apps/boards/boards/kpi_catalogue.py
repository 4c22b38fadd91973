"""The KPIs that there are: of the business and of the orchestration.

What customers and vendors feel is of the business; what the tower and the people at it make of it is of the orchestration.
"""

from django.utils.translation import gettext_noop

from apps.boards.boards import case_facts, level_facts, line_facts
from apps.boards.boards.kpi import (
    AGE_LEVEL,
    BUSINESS,
    CUSTOMER,
    DAY,
    HOUR,
    ORCHESTRATION,
    OUTSTANDING_LEVEL,
    SHARED,
    VALUE_LEVEL,
    VENDOR,
    Kpi,
    Unit,
)
from apps.boards.boards.kpi_slices import Subject
from apps.core import statements
from apps.workflows import returned

# Index pickings_done.
SHIPPED = f"""
SELECT 'fulfilment' AS workflow, r.connection_id, 'stock.picking' AS model, r.odoo_id, r.date_done AS at,
       r.date_done <= r.date_deadline AS is_met
  FROM mirror_stock_picking r
 WHERE r.state = 'done' AND r.picking_type_code IN ('outgoing', 'dropship') AND r.date_deadline IS NOT NULL AND r.deleted_at IS NULL
   AND r.date_done > %(since)s AND {{seen}} AND NOT {returned.place_is("supplier", "location_dest_id", "r").strip()}"""
RECEIVED = f"""
SELECT 'procure_to_pay' AS workflow, r.connection_id, 'stock.picking' AS model, r.odoo_id, r.date_done AS at,
       (r.date_done AT TIME ZONE z.zone)::date <= (r.date_deadline AT TIME ZONE z.zone)::date AS is_met
  FROM (SELECT connection_id, odoo_id, company_zone(connection_id, odoo_id) AS zone FROM mirror_res_company OFFSET 0) AS z
  JOIN mirror_stock_picking r ON r.connection_id = z.connection_id AND r.company_id = z.odoo_id
 WHERE r.state = 'done' AND r.picking_type_code = 'incoming' AND r.date_deadline IS NOT NULL
   AND r.deleted_at IS NULL AND r.date_done > %(since)s AND {{seen}} AND NOT {returned.from_customer("r").strip()}"""
ORDER_TO_SHIPMENT = """
SELECT 'order_to_cash' AS workflow, r.connection_id, 'stock.picking' AS model, r.odoo_id, r.date_done AS at,
       greatest(extract(epoch FROM r.date_done - o.date_order), 0) AS seconds
  FROM mirror_stock_picking r
  JOIN mirror_sale_order o ON o.connection_id = r.connection_id AND o.odoo_id = r.sale_id
 WHERE r.state = 'done' AND r.picking_type_code IN ('outgoing', 'dropship') AND r.deleted_at IS NULL AND o.date_order IS NOT NULL
   AND r.date_done > %(since)s AND {seen}"""
DOCK_TO_STOCK = statements.load(__file__, "dock_to_stock", seen="{seen}", from_customer=returned.from_customer("d").strip())
# Index transitions_by_time.
PAID = """
SELECT 'invoicing' AS workflow, t.connection_id, 'account.move' AS model, t.odoo_id, t.at,
       (t.at AT TIME ZONE company_zone(r.connection_id, r.company_id))::date <= r.invoice_date_due AS is_met
  FROM workflows_transition t
  JOIN mirror_account_move r ON r.connection_id = t.connection_id AND r.odoo_id = t.odoo_id
 WHERE t.workflow = 'invoicing' AND t.to_stage = 'paid' AND t.from_stage <> '' AND r.move_type = 'out_invoice'
   AND r.invoice_date_due IS NOT NULL AND t.at > %(since)s AND t.at <= %(now)s AND {seen}"""
# Index requests_by_decision.
DECIDED = """
SELECT r.workflow, r.connection_id, r.model, r.odoo_id, r.decided_at AS at,
       extract(epoch FROM r.decided_at - r.requested_at) AS seconds
  FROM approvals_request r
 WHERE r.status IN ('approved', 'rejected') AND r.decided_at > %(since)s AND {seen}"""
# Index commands_by_end. A decision is an approval's, or a suggested action that somebody applied.
EFFECT = """
SELECT coalesce(q.workflow, e.workflow) AS workflow, c.connection_id, c.model, c.odoo_id, c.done_at AS at,
       greatest(extract(epoch FROM c.done_at - c.created_at), 0) AS seconds
  FROM outbox_command c
  LEFT JOIN approvals_request q
    ON q.id = CASE WHEN c.decision LIKE 'approval:%%' THEN split_part(c.decision, ':', 2)::bigint END
  LEFT JOIN exceptions_exceptioncase e
    ON e.id = CASE WHEN c.decision LIKE 'exception:%%' THEN split_part(c.decision, ':', 2)::bigint END
 WHERE c.status = 'done' AND c.done_at > %(since)s AND coalesce(q.id, e.id) IS NOT NULL AND {seen}"""


KPIS: tuple[Kpi, ...] = (
    Kpi(
        name="otif",
        kind=BUSINESS,
        title=gettext_noop("OTIF"),
        facts=line_facts.OTIF,
        shared=line_facts.SOLD_LINES,
        alias="r",
        target=0.9,
        unit=Unit.SHARE,
        partner=CUSTOMER,
        subject=Subject.ORDER,
        meaning=gettext_noop("Order lines delivered in full by the end of the promised day."),
    ),
    Kpi(
        name="on_time",
        kind=BUSINESS,
        title=gettext_noop("On time"),
        facts=line_facts.ON_TIME,
        shared=line_facts.SOLD_LINES,
        alias="r",
        target=0.95,
        unit=Unit.SHARE,
        partner=CUSTOMER,
        subject=Subject.ORDER,
        meaning=gettext_noop("Order lines of which nothing was delivered after the promised day."),
    ),
    Kpi(
        name="in_full",
        kind=BUSINESS,
        title=gettext_noop("In full"),
        facts=line_facts.IN_FULL,
        shared=line_facts.SOLD_LINES,
        alias="r",
        target=0.95,
        unit=Unit.SHARE,
        partner=CUSTOMER,
        subject=Subject.ORDER,
        meaning=gettext_noop("Order lines delivered in full by now, of those promised."),
    ),
    Kpi(
        name="fill_rate",
        kind=BUSINESS,
        title=gettext_noop("Fill rate"),
        facts=line_facts.FILL_RATE,
        shared=line_facts.SOLD_LINES,
        alias="r",
        target=0.95,
        unit=Unit.SHARE,
        is_mean=True,
        partner=CUSTOMER,
        subject=Subject.ORDER,
        meaning=gettext_noop("The part of an order line that was delivered by the end of the promised day, on average."),
    ),
    Kpi(
        name="perfect_order",
        kind=BUSINESS,
        title=gettext_noop("Perfect order"),
        facts=line_facts.PERFECT_ORDER,
        shared=line_facts.SOLD_LINES,
        alias="r",
        target=0.85,
        unit=Unit.SHARE,
        partner=CUSTOMER,
        subject=Subject.ORDER,
        meaning=gettext_noop("Orders with all lines in full by the promised day, and nothing returned or credited."),
    ),
    Kpi(
        name="supplier_otif",
        kind=BUSINESS,
        title=gettext_noop("Supplier OTIF"),
        facts=line_facts.SUPPLIER_OTIF,
        alias="r",
        target=0.9,
        unit=Unit.SHARE,
        partner=VENDOR,
        subject=Subject.PURCHASE,
        meaning=gettext_noop("Purchase lines received in full by the end of the planned day."),
    ),
    Kpi(
        name="supplier_lead_time",
        kind=BUSINESS,
        title=gettext_noop("Supplier lead time"),
        facts=line_facts.SUPPLIER_LEAD_TIME,
        alias="r",
        target=14 * DAY,
        partner=VENDOR,
        subject=Subject.PURCHASE,
        meaning=gettext_noop("From the confirmation of a purchase until a line is received in full."),
    ),
    Kpi(
        name="shipped_on_time",
        kind=BUSINESS,
        title=gettext_noop("Shipped on time"),
        facts=SHIPPED,
        subject=Subject.TRANSFER,
        alias="r",
        target=0.95,
        unit=Unit.SHARE,
        meaning=gettext_noop("Customer deliveries done by their deadline."),
    ),
    Kpi(
        name="order_to_shipment",
        kind=BUSINESS,
        title=gettext_noop("Order cycle time"),
        facts=ORDER_TO_SHIPMENT,
        subject=Subject.TRANSFER,
        alias="r",
        target=3 * DAY,
        meaning=gettext_noop("From the order date until each delivery is done."),
    ),
    Kpi(
        name="received_on_time",
        kind=BUSINESS,
        title=gettext_noop("Received on time"),
        facts=RECEIVED,
        subject=Subject.TRANSFER,
        alias="r",
        target=0.9,
        unit=Unit.SHARE,
        meaning=gettext_noop("Vendor receipts done by their due date, in the company's time zone."),
    ),
    Kpi(
        name="paid_on_time",
        kind=BUSINESS,
        title=gettext_noop("Paid on time"),
        facts=PAID,
        subject=Subject.INVOICE,
        alias="t",
        target=0.8,
        unit=Unit.SHARE,
        meaning=gettext_noop("Customer invoices paid by their due date."),
    ),
    Kpi(
        name="backlog_value",
        kind=BUSINESS,
        title=gettext_noop("Backlog value"),
        facts=SHARED,
        shared=level_facts.BACKLOG,
        level=VALUE_LEVEL,
        unit=Unit.MONEY,
        alias="r",
        partner=CUSTOMER,
        subject=Subject.ORDER,
        meaning=gettext_noop("Untaxed value of what confirmed orders still have to deliver."),
    ),
    Kpi(
        name="backlog_age",
        kind=BUSINESS,
        title=gettext_noop("Backlog age"),
        facts=SHARED,
        shared=level_facts.BACKLOG,
        level=AGE_LEVEL,
        alias="r",
        partner=CUSTOMER,
        subject=Subject.ORDER,
        target=7 * DAY,
        meaning=gettext_noop("Time since the order date of orders that still have something to deliver."),
    ),
    Kpi(
        name="dock_to_stock",
        kind=BUSINESS,
        title=gettext_noop("Dock to stock"),
        facts=DOCK_TO_STOCK,
        alias="r",
        subject=Subject.TRANSFER,
        target=1 * DAY,
        meaning=gettext_noop(
            "From the receipt of goods until they are put away in stock, where goods are received in several steps."
        ),
    ),
    Kpi(
        name="dso",
        kind=BUSINESS,
        title=gettext_noop("DSO"),
        facts=level_facts.RECEIVABLES,
        level=OUTSTANDING_LEVEL,
        alias="r",
        partner=CUSTOMER,
        target=45 * DAY,
        meaning=gettext_noop(
            "Days sales outstanding: what customers owe, divided by what was invoiced in the range, times its days."
        ),
    ),
    Kpi(
        name="dpo",
        kind=BUSINESS,
        title=gettext_noop("DPO"),
        facts=level_facts.PAYABLES,
        level=OUTSTANDING_LEVEL,
        alias="r",
        partner=VENDOR,
        meaning=gettext_noop(
            "Days payable outstanding: what vendors are owed, divided by what they billed in the range, times its days."
        ),
    ),
    Kpi(
        name="detected_to_owned",
        kind=ORCHESTRATION,
        title=gettext_noop("Time to assign"),
        facts=case_facts.OWNED,
        alias="c",
        target=0.25 * HOUR,
        meaning=gettext_noop("From opening to first assignment; automatic closures are excluded."),
    ),
    Kpi(
        name="detected_to_resolved",
        kind=ORCHESTRATION,
        title=gettext_noop("Time to resolve"),
        facts=case_facts.OPENED_TO_RESOLVED,
        alias="c",
        target=8 * HOUR,
        meaning=gettext_noop("From opening to resolution, by a person or automatically."),
    ),
    Kpi(
        name="resolved_in_time",
        kind=ORCHESTRATION,
        title=gettext_noop("Resolved within SLA"),
        facts=case_facts.RESOLVED,
        alias="c",
        target=0.9,
        unit=Unit.SHARE,
        meaning=gettext_noop("Exceptions resolved within their SLA."),
    ),
    Kpi(
        name="first_time_resolution",
        kind=ORCHESTRATION,
        title=gettext_noop("First-time resolution"),
        facts=case_facts.FIRST_TIME,
        alias="c",
        target=0.9,
        unit=Unit.SHARE,
        meaning=gettext_noop("Exceptions that did not come back within seven days, counted when these have passed."),
    ),
    Kpi(
        name="repeat_exceptions",
        kind=ORCHESTRATION,
        title=gettext_noop("Repeat exceptions"),
        facts=case_facts.REPEATED,
        alias="c",
        target=0.1,
        unit=Unit.SHARE,
        is_lower_better=True,
        meaning=gettext_noop("Exceptions that the same record had already had within thirty days."),
    ),
    Kpi(
        name="asked_to_decided",
        kind=ORCHESTRATION,
        title=gettext_noop("Approval lead time"),
        facts=DECIDED,
        alias="r",
        target=4 * HOUR,
        meaning=gettext_noop("From the approval request until it is approved or rejected."),
    ),
    Kpi(
        name="decided_to_effect",
        kind=ORCHESTRATION,
        title=gettext_noop("Write-back latency"),
        facts=EFFECT,
        alias="c",
        target=60.0,
        meaning=gettext_noop("From the decision until the change is visible in Odoo."),
    ),
)

"""Business figures and figures of the orchestration, told apart, by workflow, each with its target and its trend.

Each figure is one statement that gives a row a day, one for the range and one for the range before it; ``docs/kpi-queries.md`` is
written from them. A share is a part of one, a time is the median in seconds, with the time within which nine of ten ended as its
spread.
"""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection as database
from django.utils.translation import gettext, gettext_noop

from apps.accounts.access import AccessScope
from apps.boards.boards import case_facts, line_facts
from apps.boards.boards.kpi_slices import Part, Subject
from apps.boards.boards.zone import zone_in_sight
from apps.boards.models import KpiTarget
from apps.workflows import registry, returned

WINDOW = timedelta(days=30)
BUSINESS, ORCHESTRATION = "business", "orchestration"
HOUR = 3600.0
DAY = 24 * HOUR

# A row a day, as the company in sight counts days, and, without a day, one for the whole range and one for the range before it,
# which is as long: all from the same raw rows.
BY_DAY = """
SELECT f.workflow, f.at > %(begin)s AS is_of_range, (f.at AT TIME ZONE %(zone)s)::date AS day, {measure} AS value, {spread} AS p90,
       count(*)
  FROM ({facts}) AS f
 WHERE f.at > %(since)s AND f.at <= %(now)s
 GROUP BY GROUPING SETS ((f.workflow, is_of_range, day), (f.workflow, is_of_range))
 ORDER BY f.workflow, is_of_range, day NULLS FIRST
"""
SHARE, MEAN = "avg(f.is_met::int)", "avg(f.part)"
MEDIAN, NINE_OF_TEN = (f"percentile_cont({part}) WITHIN GROUP (ORDER BY f.seconds)" for part in (0.5, 0.9))
SIDES = CUSTOMER, VENDOR = "customer", "vendor"

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


@dataclass(frozen=True, kw_only=True)
class Kpi:
    """One figure, declared.

    Attributes:
        alias: the table in ``facts`` whose connection and company say who may see the row.
        target: a share that is to be reached, or seconds that are not to be passed; a manager may set another
            (:mod:`apps.boards.boards.targets`).
        facts: a row each of what is counted, with ``workflow``, ``connection_id``, ``model``, ``odoo_id``, ``at``, and ``is_met``,
            ``part`` or ``seconds``.
        is_lower_better: whether a share is not to be passed, as a time is not.
        is_mean: whether a share is the mean of parts, and not of what is met.
        partner: whose records it is of, ``CUSTOMER`` or ``VENDOR``, so that it can be asked for one of them; "" for neither.
        subject: what record ``r`` of its facts is, so that it can be asked for a part of the business.
    """

    name: str
    kind: str
    title: str
    meaning: str
    facts: str
    alias: str
    target: float
    is_share: bool = False
    is_mean: bool = False
    is_lower_better: bool = False
    partner: str = ""
    subject: Subject = Subject.NONE

    @property
    def is_higher_better(self) -> bool:
        """Whether more of it is better."""
        return self.is_share and not self.is_lower_better

    @property
    def sql(self) -> str:
        """The statement, with a place for the filter of who may see what."""
        share = MEAN if self.is_mean else SHARE
        measure, spread = (share, "NULL") if self.is_share else (MEDIAN, NINE_OF_TEN)
        return BY_DAY.format(measure=measure, spread=spread, facts=self.facts.strip())


KPIS: tuple[Kpi, ...] = (
    Kpi(
        name="otif",
        kind=BUSINESS,
        title=gettext_noop("OTIF"),
        facts=line_facts.OTIF,
        alias="r",
        target=0.9,
        is_share=True,
        partner=CUSTOMER,
        subject=Subject.ORDER,
        meaning=gettext_noop("Order lines delivered in full by the end of the promised day."),
    ),
    Kpi(
        name="on_time",
        kind=BUSINESS,
        title=gettext_noop("On time"),
        facts=line_facts.ON_TIME,
        alias="r",
        target=0.95,
        is_share=True,
        partner=CUSTOMER,
        subject=Subject.ORDER,
        meaning=gettext_noop("Order lines of which nothing was delivered after the promised day."),
    ),
    Kpi(
        name="in_full",
        kind=BUSINESS,
        title=gettext_noop("In full"),
        facts=line_facts.IN_FULL,
        alias="r",
        target=0.95,
        is_share=True,
        partner=CUSTOMER,
        subject=Subject.ORDER,
        meaning=gettext_noop("Order lines delivered in full by now, of those promised."),
    ),
    Kpi(
        name="fill_rate",
        kind=BUSINESS,
        title=gettext_noop("Fill rate"),
        facts=line_facts.FILL_RATE,
        alias="r",
        target=0.95,
        is_share=True,
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
        alias="r",
        target=0.85,
        is_share=True,
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
        is_share=True,
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
        is_share=True,
        meaning=gettext_noop("Customer deliveries done by their deadline."),
    ),
    Kpi(
        name="order_to_shipment",
        kind=BUSINESS,
        title=gettext_noop("Order to shipment"),
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
        is_share=True,
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
        is_share=True,
        meaning=gettext_noop("Customer invoices paid by their due date."),
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
        is_share=True,
        meaning=gettext_noop("Exceptions resolved within their SLA."),
    ),
    Kpi(
        name="first_time_resolution",
        kind=ORCHESTRATION,
        title=gettext_noop("First-time resolution"),
        facts=case_facts.FIRST_TIME,
        alias="c",
        target=0.9,
        is_share=True,
        meaning=gettext_noop("Exceptions that did not come back within seven days, counted when these have passed."),
    ),
    Kpi(
        name="repeat_exceptions",
        kind=ORCHESTRATION,
        title=gettext_noop("Repeat exceptions"),
        facts=case_facts.REPEATED,
        alias="c",
        target=0.1,
        is_share=True,
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


@dataclass(frozen=True, kw_only=True)
class Point:
    """One day of a trend."""

    day: date
    value: float
    count: int


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One figure of one workflow: over the whole range, day by day, and over the range before. ``target`` is today's."""

    kpi: Kpi
    workflow: str
    title: str
    target: float
    value: float
    count: int
    p90: float | None = None
    before: float | None = None
    before_count: int = 0
    trend: list[Point] = field(default_factory=list)

    @property
    def is_met(self) -> bool:
        """Whether the target is reached."""
        return self.value >= self.target if self.kpi.is_higher_better else self.value <= self.target

    @property
    def is_better(self) -> bool | None:
        """Whether it went better than in the range before; None where there is no telling."""
        if self.before is None or self.value == self.before:
            return None
        return (self.value > self.before) == self.kpi.is_higher_better


def targets() -> dict[str, float]:
    """The targets that somebody has set, by the figure's name."""
    return dict(KpiTarget.objects.values_list("kpi", "value"))


def figures(
    *,
    now: datetime,
    seen: AccessScope,
    since: datetime | None = None,
    kind: str = "",
    of_partner: tuple[str, int, int] | None = None,
    part: Part | None = None,
) -> list[Figure]:
    """Return the figures of all workflows, of what is in sight: one statement a figure.

    Args:
        now: the end of the range.
        since: its begin; thirty days before ``now``, where nothing is said. The range before it is as long.
        kind: the kind of figures; "" for all.
        of_partner: ``CUSTOMER`` or ``VENDOR``, its connection and its number in Odoo, for the figures of one, its contacts and
            addresses included. What has no data has no figure.
        part: a part of the business; figures that know no such part are left out.
    """
    titles = {name: gettext(workflow.title) for name, workflow in registry.workflows().items()} | {
        "integration": gettext("Integration")
    }
    found: list[Figure] = []
    held, zone = targets(), zone_in_sight(seen).key
    begin = since or now - WINDOW
    values: dict[str, Any] = {"since": begin - (now - begin), "begin": begin, "now": now, "zone": zone}
    for kpi in KPIS:
        if (kind and kpi.kind != kind) or (of_partner and kpi.partner != of_partner[0]):
            continue
        if part and part.sql(kpi.subject) is None:
            continue
        with database.cursor() as cursor:
            cursor.execute(kpi.sql.format(seen=seen_sql(kpi, seen, of_partner, part)), values)
            rows = cursor.fetchall()
        before: dict[str, tuple[float, int]] = {}
        for workflow, is_of_range, day, value, p90, count in rows:
            if not is_of_range:
                if day is None:
                    before[workflow] = float(value), count
            elif day is None:
                title = titles.get(workflow, workflow)
                value_before, count_before = before.get(workflow, (None, 0))
                found.append(
                    Figure(
                        kpi=kpi,
                        workflow=workflow,
                        title=title,
                        value=float(value),
                        count=count,
                        p90=None if p90 is None else float(p90),
                        before=value_before,
                        before_count=count_before,
                        target=held.get(kpi.name, kpi.target),
                    )
                )
            else:
                found[-1].trend.append(Point(day=day, value=float(value), count=count))
    return found


def seen_sql(kpi: Kpi, seen: AccessScope, of_partner: tuple[str, int, int] | None = None, part: Part | None = None) -> str:
    """Return SQL that narrows the figure's facts to what is in sight, and of that to one customer's or vendor's, or to a part."""
    scope = seen.sql("t", company="r.company_id") if kpi.alias == "t" else seen.sql(kpi.alias)
    narrowed = scope + (_of_partner(*of_partner[1:]) if of_partner else "")
    return narrowed + ((part.sql(kpi.subject) or "") if part else "")


def _of_partner(connection_id: int, partner_id: int) -> str:
    """SQL that narrows records to those of a partner and of all who belong to it; numbers only, so it is safe."""
    return f"""
       AND r.connection_id = {int(connection_id)} AND (r.partner_id = {int(partner_id)} OR r.partner_id IN (
         SELECT belongs.odoo_id FROM mirror_res_partner belongs
          WHERE belongs.connection_id = {int(connection_id)} AND belongs.commercial_partner_id = {int(partner_id)}))"""

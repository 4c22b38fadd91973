"""What an exception weighs beside its money: the day that somebody was promised, and the class of the customer.

Its type's thresholds say how bad it is by money. It weighs a step more where the promise is nearer than :data:`SOON` or has
passed, and another where Odoo tags the customer, or the company that it belongs to, with one of the classes that the setting
``KEY_CUSTOMER_CLASSES`` names. Every workflow has this; the exception says in words what made it weigh more. A record is
looked at again as its promise comes near and as it passes (:mod:`apps.workflows.engine`).
"""

from dataclasses import replace
from datetime import timedelta

from django.conf import settings
from psycopg import sql

from apps.core.figures import Figure, text
from apps.workflows import days
from apps.workflows.declare import Dependency, Fact, Workflow
from apps.workflows.sql_message import day, joined, literal, say, those

SOON = timedelta(days=2)
STEPS, REASONS = "weight_steps_count", "weight_reasons_names"

CLASSES_OF_CUSTOMER = """
    SELECT string_agg(t.name, ', ' ORDER BY t.name)
      FROM mirror_res_partner p
      JOIN mirror_res_partner cp ON cp.connection_id = p.connection_id AND cp.odoo_id = p.commercial_partner_id
      JOIN mirror_res_partner_category t
        ON t.connection_id = cp.connection_id AND (t.odoo_id = ANY(cp.category_id) OR t.odoo_id = ANY(p.category_id))
       AND t.deleted_at IS NULL AND t.name IN ({names})
     WHERE p.connection_id = r.connection_id AND p.odoo_id = r.partner_id
"""

# What is open with partners that changed and with their contacts: names, classes and credit limits are theirs.
OF_PARTNERS = """
    SELECT p.odoo_id
      FROM workflows_position p
     WHERE p.connection_id = %(connection)s AND p.workflow = {workflow} AND p.is_open AND p.partner_id IN (
       SELECT m.odoo_id FROM mirror_res_partner m WHERE m.connection_id = %(connection)s AND m.odoo_id = ANY(%(ids)s)
        UNION
       SELECT m.odoo_id FROM mirror_res_partner m
        WHERE m.connection_id = %(connection)s AND m.commercial_partner_id = ANY(%(ids)s))
"""

# Classes rarely change: no index is kept for it.
OF_CLASSES = """
    SELECT p.odoo_id
      FROM workflows_position p
      JOIN mirror_res_partner m ON m.connection_id = p.connection_id AND m.odoo_id = p.partner_id
      LEFT JOIN mirror_res_partner cp ON cp.connection_id = m.connection_id AND cp.odoo_id = m.commercial_partner_id
     WHERE p.connection_id = %(connection)s AND p.workflow = {workflow} AND p.is_open
       AND (m.category_id && %(ids)s::bigint[] OR cp.category_id && %(ids)s::bigint[])
"""

PROMISED = say("promised for {day:day} already", when={"w.is_past": "promised for {day:day}"}, day="w.day")


def with_weight(workflow: Workflow, *, has_partner: bool) -> Workflow:
    """``workflow`` with what its exceptions weigh beside their money, and with what its partners' changes concern.

    Args:
        has_partner: whether its records have a ``partner_id``: stock in a place has none.
    """
    classes = settings.KEY_CUSTOMER_CLASSES if has_partner else []
    of_customer = CLASSES_OF_CUSTOMER.format(names=", ".join(map(literal, classes))) if classes else "SELECT NULL::text"
    fact = Fact(
        name="weight",
        columns=[STEPS, REASONS],
        sql=f"""
            SELECT w.is_soon::int + (w.classes IS NOT NULL)::int AS {STEPS},
                   {joined(those(f"CASE WHEN w.is_soon THEN {PROMISED} END", "to_jsonb(w.classes)"))} AS {REASONS}
              FROM (
                SELECT COALESCE(o.promised <= %(now)s::timestamptz + interval '{SOON.days} days', FALSE) AS is_soon,
                       COALESCE(o.promised <= %(now)s::timestamptz, FALSE) AS is_past,
                       {day("o.promised", at=days.zone())} AS day, ({of_customer}) AS classes
                  FROM (SELECT {days.real(_promise(workflow) + "::timestamptz")} AS promised) AS o
              ) AS w
        """,
    )
    raised_by = {REASONS: Figure("Severity raised by", text)}
    exceptions = [replace(kind, evidence={**kind.evidence, **raised_by}) for kind in workflow.exceptions]
    dependencies = [
        Dependency(model=model, sql=sql_text.format(workflow=literal(workflow.name)))
        for model, sql_text in (("res.partner", OF_PARTNERS), ("res.partner.category", OF_CLASSES))
        if has_partner
    ]
    return replace(
        workflow,
        facts=[*workflow.facts, fact],
        exceptions=exceptions,
        dependencies=[*workflow.dependencies, *dependencies],
    )


def _promise(workflow: Workflow) -> str:
    if not workflow.promise:
        return "NULL"
    source = next((fact.name for fact in workflow.facts if workflow.promise in fact.columns), "r")
    return f"{source}.{workflow.promise}"


def next_look(promised: sql.Composable) -> sql.Composable:
    """SQL of the next moment at which a promise makes its record weigh more; NULL where there is none."""
    soon = sql.SQL("make_interval(secs => {})").format(sql.Literal(SOON.total_seconds()))
    return sql.SQL("(SELECT min(m) FROM unnest(ARRAY[{} - {}, {}]) AS m WHERE m > %(now)s)").format(promised, soon, promised)

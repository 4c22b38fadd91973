"""An activity in Odoo, due today, for whoever is responsible for a record: a suggested action where only a person can help.

Odoo's users who can be asked are those whom the record names, the nearest first, and who are there: active, no customers of the
portal, not Odoo itself and not the tower.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from apps.mirror import registry as mirror
from apps.workflows import guard_requests
from apps.workflows.declare import SuggestedAction
from apps.workflows.sql_message import company_day, say

# Fields that name who is responsible, the nearest first.
NAMED = ("user_id", "invoice_user_id", "create_uid")
# The salesperson of the order that the record belongs to.
OF_ITS_ORDER = "(SELECT o.user_id FROM mirror_sale_order o WHERE o.connection_id = r.connection_id AND o.odoo_id = r.sale_id)"
# Who the tower is in Odoo: it is not asked itself.
TOWER = "(SELECT c.uid FROM odoo_connection c WHERE c.id = %(connection)s)"
# Models on which Odoo keeps no activities.
WITHOUT_ACTIVITIES = {"stock.quant", "stock.warehouse"}


@dataclass(frozen=True, kw_only=True)
class Responsible:
    """Who is responsible for the records of a model.

    Attributes:
        table: the mirrored table of the records, called ``r`` in ``people``.
        people: SQL of Odoo users' ids, the nearest first.
    """

    table: str
    people: Sequence[str]


SALES_ORDER = Responsible(table="mirror_sale_order", people=("r.user_id", "r.create_uid"))
PURCHASE_ORDER = Responsible(table="mirror_purchase_order", people=("r.user_id", "r.create_uid"))
TRANSFER = Responsible(table="mirror_stock_picking", people=("r.user_id", OF_ITS_ORDER, "r.create_uid"))
INVOICE = Responsible(table="mirror_account_move", people=("r.invoice_user_id", "r.create_uid"))
TICKET = Responsible(table="mirror_helpdesk_ticket", people=("r.user_id",))


def responsible_for(odoo_model: str) -> Responsible | None:
    """Return who is responsible for records of a mirrored model; None where it names nobody, or Odoo keeps no activities on it."""
    model = mirror.models().get(odoo_model)
    if model is None or odoo_model in WITHOUT_ACTIVITIES:
        return None
    fields = model.odoo_fields()
    people = [f"r.{name}" for name in NAMED if name in fields]
    if "sale_id" in fields:
        people.insert(1, OF_ITS_ORDER)
    return Responsible(table=model._meta.db_table, people=people) if people else None


def ask(of: Responsible, task: str, *, name: str = "ask_responsible") -> SuggestedAction:
    """Return the action that gives the person an activity, due today, with what is wrong in numbers.

    Args:
        task: what is to be done, in the words of Odoo's users.
    """
    return SuggestedAction(
        name=name,
        title="Ask who is responsible",
        columns=["user_id", "user_name", "due_on"],
        sql=f"""
            SELECT u.odoo_id::text AS option, {say(f"{{person}} gets an activity, due today: {task}", person="u.name")} AS text,
                   u.odoo_id AS user_id, u.name AS user_name, to_char(named.today, 'YYYY-MM-DD') AS due_on
              FROM (
                SELECT p.uid, min(p.rank) AS rank, {company_day("%(now)s::timestamptz", "r.company_id")} AS today
                  FROM {of.table} r
                 CROSS JOIN LATERAL unnest(ARRAY[{", ".join(of.people)}]::bigint[]) WITH ORDINALITY AS p(uid, rank)
                 WHERE r.connection_id = %(connection)s AND r.odoo_id = %(record)s AND r.deleted_at IS NULL AND p.uid > 1
                 GROUP BY p.uid, r.company_id
              ) AS named
              JOIN mirror_res_users u
                ON u.connection_id = %(connection)s AND u.odoo_id = named.uid AND u.active AND u.share IS NOT TRUE
               AND u.deleted_at IS NULL
               AND u.odoo_id IS DISTINCT FROM {TOWER}
             ORDER BY named.rank
        """,
        calls=[guard_requests.activity(task, name="user_name", text="{reason} {record_url}", due="due_on")],
    )

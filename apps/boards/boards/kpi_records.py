"""The records behind a figure: each one that it counts, with what it adds."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection as database
from django.urls import reverse

from apps.accounts.access import AccessScope
from apps.boards.boards.kpi import Kpi
from apps.boards.boards.kpi_slices import Part
from apps.boards.boards.kpis import WINDOW, narrowed
from apps.odoo.models import Connection

PAGE_SIZE = 50
RECORDS = """
SELECT k.name, f.model, f.odoo_id, COALESCE(p.name, NULLIF(e.name, ''), f.model || ' ' || f.odoo_id), f.at, {value}, {currency},
       p.name IS NOT NULL
  FROM ({facts}) AS f
  JOIN odoo_connection k ON k.id = f.connection_id
  LEFT JOIN LATERAL (
    SELECT max(p.name) AS name FROM workflows_position p
     WHERE p.connection_id = f.connection_id AND p.model = f.model AND p.odoo_id = f.odoo_id) AS p ON TRUE
  LEFT JOIN mirror_account_move e ON f.model = 'account.move' AND e.connection_id = f.connection_id AND e.odoo_id = f.odoo_id
 WHERE {when} f.workflow = %(workflow)s {missed}
 ORDER BY {worst}, f.at DESC, f.connection_id, f.model, f.odoo_id
OFFSET %(offset)s LIMIT %(limit)s
"""
# What counts at the end of the range, a row a record.
AT_THE_END = """
SELECT f.workflow, f.connection_id, f.model, f.odoo_id, min(f.at) AS at, f.currency, sum(f.amount) AS amount,
       extract(epoch FROM %(now)s::timestamptz - min(f.begins)) AS age
  FROM ({facts}) AS f
 WHERE f.begins <= %(now)s AND (f.ends IS NULL OR f.ends > %(now)s)
 GROUP BY f.workflow, f.connection_id, f.model, f.odoo_id, f.currency
HAVING sum(f.amount) <> 0"""


@dataclass(frozen=True, kw_only=True)
class Counted:
    """One row of a figure: the record, when it counts, and its share (0 to 1), its seconds, or its sum in a currency.

    ``url`` is its page, or what shows it in Odoo where it has none here.
    """

    connection: str
    model: str
    odoo_id: int
    name: str
    at: datetime
    value: float
    currency: str = ""
    url: str = ""


def records_behind(
    kpi: Kpi,
    workflow: str,
    *,
    now: datetime,
    access_scope: AccessScope,
    since: datetime | None = None,
    of_partner: tuple[str, int, int] | None = None,
    part: Part | None = None,
    only_missed: bool = False,
    offset: int = 0,
) -> list[Counted]:
    """Return a page of what the figure of ``workflow`` counts, the worst first, and one more if there are more.

    The mean (of a share) or median (of a time) over all pages is the figure itself. An order stands there once a line that counts.
    Of a level there is what counts at the end of the range, each record once, with what it adds.

    Args:
        since: the begin of the range that ends now; thirty days before, where nothing is said.
        of_partner, part: as :func:`apps.boards.boards.kpis.figures` takes them.
        only_missed: leave out what was on time, in full or complete; of a time, nothing is.
    """
    facts = kpi.rows.format(**narrowed(kpi, access_scope, of_partner, part))
    if kpi.level:
        value, facts = f"f.{kpi.level.adds}", AT_THE_END.format(facts=facts)
    else:
        value = "f.seconds" if not kpi.is_share else "f.part" if kpi.is_mean else "f.is_met::int"
    statement = RECORDS.format(
        value=value,
        currency="f.currency" if kpi.level else "''",
        facts=facts,
        when="" if kpi.level else "f.at > %(since)s AND f.at <= %(now)s AND",
        missed=f"AND {value} {'> 0' if kpi.is_lower_better else '< 1'}" if only_missed and kpi.is_share else "",
        worst=value if kpi.is_higher_better else f"{value} DESC",
    )
    begin = since or now - WINDOW
    values: dict[str, Any] = {
        "since": begin,
        "begin": begin,
        "now": now,
        "workflow": workflow,
        "offset": offset,
        "limit": PAGE_SIZE + 1,
    }
    with database.cursor() as cursor:
        cursor.execute(statement, values)
        rows = cursor.fetchall()
    # A payment is no record of a workflow: it is looked at in Odoo.
    elsewhere = {row[0] for row in rows if not row[-1]}
    connections = {one.name: one for one in Connection.objects.filter(name__in=elsewhere)} if elsewhere else {}
    return [
        Counted(
            connection=connection,
            model=model,
            odoo_id=odoo_id,
            name=name,
            at=at,
            value=float(counted),
            currency=currency,
            url=reverse("boards:record", args=[connection, model, odoo_id])
            if has_page
            else connections[connection].record_url(model, odoo_id),
        )
        for connection, model, odoo_id, name, at, counted, currency, has_page in rows
    ]

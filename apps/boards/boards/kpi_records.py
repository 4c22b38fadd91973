"""The records behind a figure: each one that it counts, with what it adds."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection as database

from apps.accounts.access import AccessScope
from apps.boards.boards.kpi_slices import Part
from apps.boards.boards.kpis import WINDOW, Kpi, seen_sql

PAGE_SIZE = 50
RECORDS = """
SELECT k.name, f.model, f.odoo_id, COALESCE(p.name, f.model || ' ' || f.odoo_id), f.at, {value}
  FROM ({facts}) AS f
  JOIN odoo_connection k ON k.id = f.connection_id
  LEFT JOIN LATERAL (
    SELECT max(p.name) AS name FROM workflows_position p
     WHERE p.connection_id = f.connection_id AND p.model = f.model AND p.odoo_id = f.odoo_id) AS p ON TRUE
 WHERE f.at > %(since)s AND f.at <= %(now)s AND f.workflow = %(workflow)s {missed}
 ORDER BY {worst}, f.at DESC, f.connection_id, f.model, f.odoo_id
OFFSET %(offset)s LIMIT %(limit)s
"""


@dataclass(frozen=True, kw_only=True)
class Counted:
    """One row of a figure: the record, when it counts, and its share (0 to 1) or its seconds."""

    connection: str
    model: str
    odoo_id: int
    name: str
    at: datetime
    value: float


def records_behind(
    kpi: Kpi,
    workflow: str,
    *,
    now: datetime,
    seen: AccessScope,
    since: datetime | None = None,
    of_partner: tuple[str, int, int] | None = None,
    part: Part | None = None,
    only_missed: bool = False,
    offset: int = 0,
) -> list[Counted]:
    """Return a page of what the figure of ``workflow`` counts, the worst first, and one more if there are more.

    The mean (of a share) or median (of a time) over all pages is the figure itself. An order stands there once a line that counts.

    Args:
        since: the begin of the range that ends now; thirty days before, where nothing is said.
        of_partner, part: as :func:`apps.boards.boards.kpis.figures` takes them.
        only_missed: leave out what was on time, in full or complete; of a time, nothing is.
    """
    value = "f.seconds" if not kpi.is_share else "f.part" if kpi.is_mean else "f.is_met::int"
    statement = RECORDS.format(
        value=value,
        facts=kpi.facts.strip().format(seen=seen_sql(kpi, seen, of_partner, part)),
        missed=f"AND {value} {'> 0' if kpi.is_lower_better else '< 1'}" if only_missed and kpi.is_share else "",
        worst=value if kpi.is_higher_better else f"{value} DESC",
    )
    values: dict[str, Any] = {
        "since": since or now - WINDOW,
        "now": now,
        "workflow": workflow,
        "offset": offset,
        "limit": PAGE_SIZE + 1,
    }
    with database.cursor() as cursor:
        cursor.execute(statement, values)
        return [
            Counted(connection=connection, model=model, odoo_id=odoo_id, name=name, at=at, value=float(counted))
            for connection, model, odoo_id, name, at, counted in cursor.fetchall()
        ]

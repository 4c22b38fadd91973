"""In which time zone the days of boards and figures begin and end: that of the company whose records they show."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db import connection as database

from apps.accounts.access import AccessScope

# Of several companies in sight the first one's: a chart has one day at a time.
FIRST_COMPANY = """
SELECT company_zone(c.connection_id, c.odoo_id)
  FROM mirror_res_company c
 WHERE c.deleted_at IS NULL AND {seen}
 ORDER BY c.connection_id, c.odoo_id
 LIMIT 1
"""


def zone_in_sight(access_scope: AccessScope) -> ZoneInfo:
    """Return the zone of the first company in sight; UTC where there is none."""
    with database.cursor() as cursor:
        cursor.execute(FIRST_COMPANY.format(seen=access_scope.sql("c", company="c.odoo_id")))
        found = cursor.fetchone()
    return ZoneInfo(found[0] if found else "UTC")


def zone_midnight(now: datetime, *, zone: ZoneInfo, back: int = 0) -> datetime:
    """Return the moment at which the day began that is ``back`` days before today, as ``zone`` counts."""
    return begin_of(now.astimezone(zone).date() - timedelta(days=back), zone=zone)


def begin_of(day: date, *, zone: ZoneInfo) -> datetime:
    """Return the moment at which ``day`` begins in ``zone``."""
    return datetime.combine(day, time(), tzinfo=zone)

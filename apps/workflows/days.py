"""Days are the company's days: SQL that turns moments into days and days into moments, as the record's company counts them.

The zone is that of the connection's own setting, else of the company's address in Odoo, else of its working calendar there,
else UTC: the database function ``company_zone`` says which (apps/mirror/migrations), and never returns one that PostgreSQL
does not know. Facts ask it once a record.

A date that only says "never" or "unknown", such as 9999-12-31, 2099-12-31 or 1900-01-01, is no date.
"""

FIRST_DAY, LAST_DAY = "1990-01-01", "2099-01-01"


def zone(of: str = "r") -> str:
    """SQL of the time zone of the company of record ``of``."""
    return f"company_zone({of}.connection_id, {of}.company_id)"


def zoned(of: str = "r") -> str:
    """SQL of one row with ``zone`` and ``today``, the company's, to be joined under a name."""
    return (
        f"(SELECT z.zone, (%(now)s::timestamptz AT TIME ZONE z.zone)::date AS today"
        f" FROM (SELECT {zone(of)} AS zone OFFSET 0) AS z OFFSET 0)"
    )


def day(moment: str, *, at: str) -> str:
    """SQL of the day of ``moment`` in the zone ``at``."""
    return f"({moment} AT TIME ZONE {at})::date"


def midnight(day_: str, *, at: str) -> str:
    """SQL of the moment at which ``day_`` begins in the zone ``at``."""
    return f"(({day_})::timestamp AT TIME ZONE {at})"


def real(date: str) -> str:
    """SQL of ``date`` (a day or a moment), or NULL where it only stands for none."""
    return f"(CASE WHEN {date} >= '{FIRST_DAY}' AND {date} < '{LAST_DAY}' THEN {date} END)"

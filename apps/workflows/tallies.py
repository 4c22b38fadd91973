"""Counts of where records stand and how they move, kept as they happen, so that no board counts a million records.

Triggers on positions and transitions append what each statement adds and takes away: whatever writes them is counted, and
no writer waits for another. Folding sums up what was appended. Both are the same sum at any moment.
"""

from django.db import connection as database
from django.db import transaction

# Taken for the transaction, so that two workers never fold at once.
LOCK = 7_340_031

DAY = "({} AT TIME ZONE 'UTC')::date"
STANDING = f"""
SELECT connection_id, company_id, workflow, stage, currency, {DAY.format("since")} AS since_day, {DAY.format("due_at")} AS due_day,
       count(*) AS count, COALESCE(sum(amount), 0) AS amount
  FROM workflows_position
 WHERE is_open
 GROUP BY 1, 2, 3, 4, 5, 6, 7
"""
FLOW = """
SELECT connection_id, company_id, workflow, from_stage, to_stage, date_trunc('hour', at, 'UTC') AS hour, count(*) AS count
  FROM workflows_transition
 GROUP BY 1, 2, 3, 4, 5, 6
"""

FOLD_STANDING = """
WITH gone AS (DELETE FROM workflows_standingtally WHERE NOT is_folded RETURNING *), sums AS (
  SELECT connection_id, company_id, workflow, stage, currency, since_day, due_day, sum(count) AS count, sum(amount) AS amount
    FROM gone
   GROUP BY 1, 2, 3, 4, 5, 6, 7
  HAVING sum(count) <> 0 OR sum(amount) <> 0
)
INSERT INTO workflows_standingtally AS t
  (connection_id, company_id, workflow, stage, currency, since_day, due_day, count, amount, is_folded)
SELECT *, TRUE FROM sums
    ON CONFLICT (workflow, connection_id, company_id, stage, currency, since_day, due_day) WHERE is_folded
    DO UPDATE SET count = t.count + excluded.count, amount = t.amount + excluded.amount
"""
FOLD_FLOW = """
WITH gone AS (DELETE FROM workflows_flowtally WHERE NOT is_folded RETURNING *), sums AS (
  SELECT connection_id, company_id, workflow, from_stage, to_stage, hour, sum(count) AS count
    FROM gone
   GROUP BY 1, 2, 3, 4, 5, 6
  HAVING sum(count) <> 0
)
INSERT INTO workflows_flowtally AS t (connection_id, company_id, workflow, from_stage, to_stage, hour, count, is_folded)
SELECT *, TRUE FROM sums
    ON CONFLICT (workflow, hour, connection_id, company_id, from_stage, to_stage) WHERE is_folded
    DO UPDATE SET count = t.count + excluded.count
"""
EMPTIED = [
    "DELETE FROM workflows_standingtally WHERE is_folded AND count = 0 AND amount = 0",
    "DELETE FROM workflows_flowtally WHERE is_folded AND count = 0",
]


def fold() -> bool:
    """Sum up what was appended; False where another worker is at it. Readers see the same sums before and after."""
    with transaction.atomic(), database.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
        if not cursor.fetchone()[0]:
            return False
        for statement in (FOLD_STANDING, FOLD_FLOW, *EMPTIED):
            cursor.execute(statement)
    return True


def differences() -> dict[str, int]:
    """In how many places each tally says something else than the rows that it counts: 0 wherever all is well."""
    found = {}
    for table, counted, value in (
        ("workflows_standingtally", STANDING, "count, amount"),
        ("workflows_flowtally", FLOW, "count"),
    ):
        names = "connection_id, company_id, workflow, " + (
            "stage, currency, since_day, due_day" if "standing" in table else "from_stage, to_stage, hour"
        )
        sums = ", ".join(f"sum({one}) AS {one}" for one in value.split(", "))
        kept = f"SELECT {names}, {sums} FROM {table} GROUP BY {names} HAVING sum(count) <> 0"
        counted = f"SELECT {names}, {value} FROM ({counted}) AS c"
        with database.cursor() as cursor:
            cursor.execute(f"SELECT count(*) FROM ((({kept}) EXCEPT ({counted})) UNION ALL (({counted}) EXCEPT ({kept}))) AS d")
            found[table] = int(cursor.fetchone()[0])
    return found

-- How many stand in each stage of a workflow, and for how many seconds the middle and the oldest of them have.
-- The day in which the middle record stands is found by the tallies, the record itself by the index positions_open.
--
-- %(workflow)s   text         the workflow
-- %(now)s        timestamptz  the moment at which the ages are told
-- {{tallies}}    boolean      whether the person may see tally t
-- {{positions}}  boolean      whether the person may see position p

WITH days AS (
  SELECT t.stage, t.since_day, sum(t.count) AS count
    FROM workflows_standingtally t
   WHERE t.workflow = %(workflow)s AND {{tallies}}
   GROUP BY t.stage, t.since_day
  HAVING sum(t.count) > 0
), ranked AS (
  SELECT stage, since_day, count, sum(count) OVER (PARTITION BY stage ORDER BY since_day) - count AS before,
         sum(count) OVER (PARTITION BY stage) AS total
    FROM days
)
SELECT r.stage, r.total, middle.age, oldest.age
  FROM ranked r
 CROSS JOIN LATERAL (
   SELECT avg(extract(epoch FROM %(now)s - m.since)) AS age
     FROM (SELECT p.since
             FROM workflows_position p
            WHERE p.workflow = %(workflow)s AND p.stage = r.stage AND p.is_open AND {{positions}}
              AND p.since >= r.since_day::timestamp AT TIME ZONE 'UTC'
            ORDER BY p.since
           OFFSET (div(r.total - 1, 2) - r.before)::bigint LIMIT (2 - r.total %% 2)::bigint) AS m) AS middle
 CROSS JOIN LATERAL (
   SELECT extract(epoch FROM %(now)s - p.since) AS age
     FROM workflows_position p
    WHERE p.workflow = %(workflow)s AND p.stage = r.stage AND p.is_open AND {{positions}}
    ORDER BY p.since
    LIMIT 1) AS oldest
 WHERE div(r.total - 1, 2) >= r.before AND div(r.total - 1, 2) < r.before + r.count

-- What stands in each stage of a workflow, of a part of the business: of a stage as a whole, and of each currency in it.
--
-- %(workflow)s   text           the workflow
-- %(now)s        timestamptz    the moment at which all is told
-- %(stages)s     text[]         the stages that have a target
-- %(cut_0)s      timestamptz[]  where their ages are cut first
-- %(cut_1)s      timestamptz[]  where second
-- %(cut_2)s      timestamptz[]  where third
-- {{positions}}  boolean        whether the person may see position p
-- {{part}}       boolean        whether it is of the part

WITH mine AS MATERIALIZED (
  SELECT p.stage, p.currency, p.since, COALESCE(p.amount, 0) AS amount, COALESCE(p.due_at < %(now)s, FALSE) AS is_late
    FROM workflows_position p
   WHERE p.workflow = %(workflow)s AND p.is_open AND {{positions}} AND {{part}}
)
SELECT m.stage, grouping(m.currency) = 1 AS is_whole, m.currency, count(*) AS count,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM %(now)s - m.since)) AS median_age,
       max(extract(epoch FROM %(now)s - m.since)) AS oldest_age, count(*) FILTER (WHERE m.is_late) AS over_target,
       sum(m.amount) AS amount, COALESCE(sum(m.amount) FILTER (WHERE m.is_late), 0) AS late_amount,
       count(*) FILTER (WHERE m.since < cut.first), count(*) FILTER (WHERE m.since < cut.second),
       count(*) FILTER (WHERE m.since < cut.third)
  FROM mine m
  LEFT JOIN unnest(%(stages)s::text[], %(cut_0)s::timestamptz[], %(cut_1)s::timestamptz[], %(cut_2)s::timestamptz[])
            AS cut(stage, first, second, third) ON cut.stage = m.stage
 GROUP BY GROUPING SETS ((m.stage), (m.stage, m.currency))

-- Split the whole time of each subject among those who held it; the parts add up to the whole to the second.
-- Of spans that overlap, the one of the lowest rank counts. Where none is, nobody held it. Moments are whole seconds from the start
-- on, so that nothing is rounded.
--
-- {{subjects}}  queries  lives(subject text, key text, began, until bigint, seconds of the epoch; is_ended boolean)
--                        spans(subject text, rank integer, holder text, team text, during int8multirange)
-- {{counted}}   boolean  which of the lives count

WITH {{subjects}}, layers AS (
  SELECT subject, NULL AS key, rank, holder, team, range_agg(during) AS held, NULL::int8multirange AS whole
    FROM spans
   GROUP BY subject, rank, holder, team
   UNION ALL
  -- Below all of them the whole time is nobody's. Windows, and no joins: what these are, no statistics tell.
  SELECT subject, key, 9, 'nobody', '', int8multirange(int8range(began, GREATEST(began, until))),
         int8multirange(int8range(began, GREATEST(began, until)))
    FROM lives
   WHERE {{counted}}
), parts AS (
  SELECT max(key) OVER subjects AS key, holder, team, whole, held * range_agg(whole) OVER subjects
         - COALESCE(range_agg(held) OVER (PARTITION BY subject ORDER BY rank GROUPS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING),
                    '{}') AS held
    FROM layers
  WINDOW subjects AS (PARTITION BY subject)
)
SELECT p.key, p.holder, p.team, COALESCE(sum(length.held), 0)::bigint AS seconds,
       sum(count(p.whole)) OVER (PARTITION BY p.key)::bigint AS count,
       sum(COALESCE(sum(length.whole), 0)) OVER (PARTITION BY p.key)::bigint AS whole
  FROM parts p
 CROSS JOIN LATERAL (
   SELECT (SELECT sum(upper(one) - lower(one)) FROM unnest(p.held) AS one) AS held,
          (SELECT sum(upper(one) - lower(one)) FROM unnest(p.whole) AS one) AS whole) AS length
 WHERE p.key IS NOT NULL
 GROUP BY p.key, p.holder, p.team

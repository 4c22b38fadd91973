-- Place changed records of a workflow in their stages, note their transitions and return who moved.
--
-- %(connection)s    bigint                      the connection
-- %(ids)s           bigint[]                    ids of the changed records in Odoo
-- %(caused)s        bigint[]                    those of them that another record's change made look at
-- %(caused_at)s     timestamptz[]               when that was written, in the same order
-- %(now)s           timestamptz                 the moment of the evaluation
-- {{label}}         text                        the record's name
-- {{stage}}         text                        the stage in which it stands now; NULL for none
-- {{look_again}}    timestamptz                 when it must be looked at again; NULL where time changes nothing
-- {{promise}}       timestamptz                 what was promised; NULL where nothing was
-- {{amount}}        numeric, record's currency  what it is worth
-- {{currency}}      text                        ISO code
-- {{partner_id}}    bigint                      the partner's id in Odoo
-- {{partner_name}}  text                        the partner's name
-- {{latest}}        timestamptz                 the latest moment that is believed
-- {{first_seen}}    columns                     since when each stage counts for a record that was not known
-- {{source}}        FROM clause                 the record as r, with the facts that are named
-- {{belongs}}       boolean                     whether the record belongs to the workflow
-- {{since}}         timestamptz                 since when the record stands in its stage where it was not known before
-- {{later}}         interval                    the least between two moves
-- {{workflow}}      text                        the workflow
-- {{model}}         text                        Odoo's name of its model
-- {{target}}        interval                    how long a record may stand in its stage; NULL for any time
-- {{is_open}}       boolean                     whether the stage is one of those still to be worked on
-- {{stuck_look}}    timestamptz                 when it counts as stuck
-- {{promise_look}}  timestamptz                 when the promise comes closer than the severity allows

WITH seen AS (
  SELECT r.connection_id, r.odoo_id, COALESCE({{label}}, '') AS name, {{stage}} AS stage, {{look_again}} AS look_again_at,
         {{promise}} AS promised,
         ({{amount}})::numeric(21, 3) AS amount,
         left(COALESCE({{currency}}, ''), 10) AS currency, r.company_id, {{partner_id}} AS partner_id,
         COALESCE({{partner_name}}, '') AS partner_name,
         CASE WHEN r.write_date > {{latest}} THEN {{latest}} ELSE r.write_date END AS write_date,
         CASE WHEN cause.written_at > {{latest}} THEN {{latest}} ELSE cause.written_at END AS written_at,
         parameters.parameter_values, {{first_seen}}
    FROM {{source}}
    LEFT JOIN unnest(%(caused)s::bigint[], %(caused_at)s::timestamptz[]) AS cause(odoo_id, written_at)
      ON cause.odoo_id = r.odoo_id
   WHERE r.connection_id = %(connection)s AND r.odoo_id = ANY(%(ids)s) AND r.deleted_at IS NULL AND {{belongs}}
), stood AS (
  SELECT seen.*, CASE WHEN here.stage_here IS NULL THEN {{since}}
                      WHEN here.stage_here = stage THEN here.since_here
                      ELSE GREATEST(here.since_here + {{later}}, write_date, written_at) END AS stands_since
    FROM seen
    LEFT JOIN (SELECT odoo_id AS here_id, stage AS stage_here, since AS since_here FROM workflows_position
                WHERE connection_id = %(connection)s AND workflow = {{workflow}} AND odoo_id = ANY(%(ids)s)) AS here
      ON here.here_id = odoo_id
), placed AS (
  INSERT INTO workflows_position AS p (connection_id, workflow, model, odoo_id, name, stage, since, due_at, is_open,
                                       amount, currency, company_id, partner_id, partner_name, look_again_at)
  SELECT connection_id, {{workflow}}, {{model}}, odoo_id, name, stage, {{since}}, {{since}} + {{target}}, {{is_open}},
         amount, currency, company_id, partner_id, partner_name,
         LEAST(look_again_at, {{stuck_look}}, CASE WHEN {{is_open}} THEN {{promise_look}} END)
    FROM stood
   WHERE stage IS NOT NULL
  ON CONFLICT (connection_id, workflow, odoo_id) DO UPDATE
     SET name = excluded.name, stage = excluded.stage, is_open = excluded.is_open, amount = excluded.amount,
         currency = excluded.currency, company_id = excluded.company_id, partner_id = excluded.partner_id,
         partner_name = excluded.partner_name, look_again_at = excluded.look_again_at,
         since = CASE WHEN p.stage = excluded.stage THEN p.since
                      ELSE GREATEST(p.since + {{later}}, (SELECT GREATEST(s.write_date, s.written_at) FROM seen s
                                               WHERE s.odoo_id = excluded.odoo_id)) END,
         due_at = CASE WHEN p.stage = excluded.stage THEN p.since + (excluded.due_at - excluded.since)
                       ELSE GREATEST(p.since + {{later}}, (SELECT GREATEST(s.write_date, s.written_at) FROM seen s
                                                WHERE s.odoo_id = excluded.odoo_id))
                            + (excluded.due_at - excluded.since) END
   WHERE (p.name, p.stage, p.amount, p.currency, p.company_id, p.partner_id, p.partner_name, p.look_again_at)
         IS DISTINCT FROM
         (excluded.name, excluded.stage, excluded.amount, excluded.currency, excluded.company_id, excluded.partner_id,
          excluded.partner_name, excluded.look_again_at)
         -- Another target: the stage is the same, the moment is not.
         OR p.stage = excluded.stage AND p.due_at IS DISTINCT FROM p.since + (excluded.due_at - excluded.since)
  RETURNING new.odoo_id, COALESCE(old.stage, '') AS from_stage, new.stage AS to_stage, new.since, new.amount, new.company_id
), moved AS (
  INSERT INTO workflows_transition
    (connection_id, workflow, model, odoo_id, from_stage, to_stage, at, seen_at, amount, company_id)
  SELECT %(connection)s, {{workflow}}, {{model}}, odoo_id, from_stage, to_stage, since, %(now)s, amount, company_id
    FROM placed
   WHERE from_stage <> to_stage
)
SELECT odoo_id, from_stage, to_stage FROM placed

-- Suggested actions on a ticket: the stages to which it can be moved.
--
-- %(connection)s  bigint   the connection
-- %(record)s      bigint   the ticket's id in Odoo
-- {{text}}        jsonb    what is offered, in words
-- {{oca}}         boolean  which stages s of helpdesk_mgmt are meant
-- {{enterprise}}  boolean  which stages s of Odoo's own helpdesk are meant

SELECT s.odoo_id::text AS option,
       {{text}} AS text,
       s.odoo_id AS stage_id, s.name AS stage_name, r.stage_id AS old_stage_id, COALESCE(c.name, '') AS customer_name,
       concat_ws(' ', NULLIF(COALESCE(NULLIF(r.number, ''), r.ticket_ref), ''), NULLIF(r.name, '')) AS ticket_name
  FROM mirror_helpdesk_ticket r
  LEFT JOIN mirror_res_partner c ON c.connection_id = r.connection_id AND c.odoo_id = r.partner_id
  JOIN (
    SELECT s.connection_id, s.odoo_id, s.name, s.sequence
      FROM mirror_helpdesk_ticket_stage s WHERE {{oca}} AND s.deleted_at IS NULL
     UNION ALL
    SELECT s.connection_id, s.odoo_id, s.name, s.sequence
      FROM mirror_helpdesk_stage s WHERE {{enterprise}} AND s.deleted_at IS NULL
  ) AS s ON s.connection_id = r.connection_id AND s.odoo_id <> r.stage_id
 WHERE r.connection_id = %(connection)s AND r.odoo_id = %(record)s AND r.deleted_at IS NULL AND r.stage_id IS NOT NULL
 ORDER BY s.sequence, s.odoo_id

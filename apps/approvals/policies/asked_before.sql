-- The other records of an approval kind that count together with one record, each by the newest request about it.
--
-- %(connection)s  bigint       the connection
-- %(workflow)s    text         the workflow of the record
-- %(kind)s        text         the approval kind
-- %(model)s       text         Odoo's name of the record's model
-- %(record)s      bigint       the record's id in Odoo
-- %(company)s     bigint       the record's company in Odoo; NULL where it has none
-- %(currency)s    text         ISO code of the record's currency
-- %(since)s       timestamptz  since when requests count
-- %(by_partner)s  boolean      only those of the same commercial partner
-- %(by_person)s   boolean      only those that one of the people had part in
-- %(people)s      bigint[]     ids of users in Odoo
-- %(own)s         bigint       the record's own request that waits; NULL where there is none
-- %(by_record)s   boolean      the record itself tells what it is worth, so that the newest request alone counts

WITH own AS (
    SELECT (SELECT m.commercial_partner_id
              FROM workflows_position p
              JOIN mirror_res_partner m ON m.connection_id = p.connection_id AND m.odoo_id = p.partner_id
             WHERE p.connection_id = %(connection)s AND p.workflow = %(workflow)s AND p.odoo_id = %(record)s) AS partner_id
)
SELECT q.model, q.odoo_id, q.record_name, q.amount, q.requested_at AS at
  FROM own
 CROSS JOIN (
    SELECT DISTINCT ON (r.odoo_id) r.*, counts.it
      FROM approvals_request r
     CROSS JOIN LATERAL (
        SELECT r.status = 'approved' OR r.status = 'pending' AND (%(own)s::bigint IS NULL OR r.id < %(own)s::bigint) AS it
     ) AS counts
     WHERE r.connection_id = %(connection)s AND r.kind = %(kind)s AND r.model = %(model)s AND r.requested_at >= %(since)s
       AND r.odoo_id <> %(record)s AND (counts.it OR %(by_record)s)
     ORDER BY r.odoo_id, r.id DESC
  ) AS q
  JOIN workflows_position p
    ON p.connection_id = q.connection_id AND p.workflow = q.workflow AND p.odoo_id = q.odoo_id AND p.stage <> 'cancelled'
  LEFT JOIN mirror_res_partner m ON m.connection_id = p.connection_id AND m.odoo_id = p.partner_id
 WHERE q.it AND q.company_id IS NOT DISTINCT FROM %(company)s AND q.currency = %(currency)s
   AND (NOT %(by_partner)s OR m.commercial_partner_id IS NOT DISTINCT FROM own.partner_id)
   AND (NOT %(by_person)s OR q.owner_uids && %(people)s::bigint[])

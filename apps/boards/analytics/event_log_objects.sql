-- The objects of an OCEL log: the records that moved, their partners and their companies.
--
-- %(workflows)s  text[]       names of the workflows
-- %(first)s      timestamptz  since when; NULL for all
-- %(now)s        timestamptz  until when
-- {{seen}}       boolean      whether the person may see transition t

WITH moved AS (
  SELECT DISTINCT t.connection_id, t.workflow, t.model, t.odoo_id, t.company_id
    FROM workflows_transition t
   WHERE t.workflow = ANY(%(workflows)s) AND t.at <= %(now)s AND (%(first)s::timestamptz IS NULL OR t.at >= %(first)s) AND {{seen}}
), records AS (
  SELECT m.connection_id, m.model, m.odoo_id, max(p.name) AS name, max(p.partner_id) AS partner_id,
         max(p.partner_name) AS partner_name, max(p.amount) AS amount, max(p.currency) AS currency, max(m.company_id) AS company_id
    FROM moved m
    LEFT JOIN workflows_position p ON p.connection_id = m.connection_id AND p.workflow = m.workflow AND p.odoo_id = m.odoo_id
   GROUP BY m.connection_id, m.model, m.odoo_id
)
SELECT k.name AS connection, r.model, r.odoo_id, COALESCE(r.name, r.model || ' ' || r.odoo_id) AS name, r.partner_id, r.company_id,
       r.amount, r.currency,
       CASE WHEN EXISTS (SELECT 1 FROM records o WHERE o.connection_id = r.connection_id AND o.model = 'sale.order'
                            AND o.odoo_id = s.sale_id) THEN s.sale_id END AS sale_id
  FROM records r
  JOIN odoo_connection k ON k.id = r.connection_id
  LEFT JOIN mirror_stock_picking s ON r.model = 'stock.picking' AND s.connection_id = r.connection_id AND s.odoo_id = r.odoo_id
 UNION ALL
SELECT DISTINCT ON (r.connection_id, r.partner_id)
       k.name, 'res.partner', r.partner_id, r.partner_name, NULL::bigint, NULL::bigint, NULL::numeric, '', NULL::bigint
  FROM records r JOIN odoo_connection k ON k.id = r.connection_id WHERE r.partner_id IS NOT NULL
 UNION ALL
SELECT DISTINCT k.name, 'res.company', r.company_id, COALESCE(c.name, 'Company ' || r.company_id), NULL::bigint, NULL::bigint,
       NULL::numeric, '', NULL::bigint
  FROM moved r
  JOIN odoo_connection k ON k.id = r.connection_id
  LEFT JOIN mirror_res_company c ON c.connection_id = r.connection_id AND c.odoo_id = r.company_id
 WHERE r.company_id IS NOT NULL
 ORDER BY 1, 2, 3

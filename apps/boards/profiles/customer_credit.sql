-- What a customer may owe and owes, a row a company in sight; of a root company and its branches once.
--
-- %(connection)s   bigint   the connection
-- %(customer)s     bigint   the customer's commercial entity
-- {{credit}}       one row  the credit rule's fact of order r
-- {{in_sight}}     boolean  whether somebody sees company co
-- {{root_in_sight}}  boolean  whether somebody sees the parent of company co

SELECT co.odoo_id AS company_id, COALESCE(co.name, '') AS company, COALESCE(cu.name, '') AS currency,
       COALESCE(f.credit_limit, 0) AS credit_limit, f.open_invoices, f.draft_invoices, f.open_orders, f.exposure,
       f.overdue_amount AS overdue, COALESCE(f.overdue_days, 0) AS overdue_days
  FROM mirror_res_company co
  LEFT JOIN mirror_res_currency cu ON cu.connection_id = co.connection_id AND cu.odoo_id = co.currency_id
 CROSS JOIN LATERAL (
   SELECT co.connection_id, co.odoo_id AS company_id, co.currency_id, 0::bigint AS odoo_id, 'draft'::text AS state,
          %(customer)s::bigint AS partner_id, NULL::bigint AS partner_invoice_id, 0::numeric AS amount_total,
          1::numeric AS currency_rate) AS r
 CROSS JOIN (SELECT NULL::boolean AS credit_ask_stands, NULL::text AS credit_ask_state, NULL::text AS credit_ask_terms,
                    NULL::numeric AS credit_ask_amount) AS credit_asked
 CROSS JOIN LATERAL ({{credit}}) AS f
 WHERE co.connection_id = %(connection)s AND co.deleted_at IS NULL AND {{in_sight}}
   AND NOT EXISTS (SELECT FROM mirror_res_company root
                    WHERE root.connection_id = co.connection_id AND root.odoo_id = co.parent_id AND root.deleted_at IS NULL
                      AND {{root_in_sight}})
 ORDER BY co.odoo_id

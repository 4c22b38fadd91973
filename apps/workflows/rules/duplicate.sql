-- Fact of sales order r: the earlier order that it repeats.
--
-- {{state}}           jsonb           the state of order o, in words
-- {{same_reference}}  jsonb           why: the reference is the same
-- {{reference_days}}  numeric, days   how far back a reference is looked for
-- {{same_goods}}      jsonb           why: products and quantities are the same
-- {{hours}}           numeric, hours  within which the same goods are a repetition
-- {{orders_and_one}}  integer         one more than the orders that are compared
-- {{orders}}          integer         of so many orders at the most within the hours; beyond, they are many by intent
-- {{lines_of_other}}  jsonb           products and quantities of order o
-- {{lines_of_own}}    jsonb           products and quantities of order r

SELECT o.odoo_id AS duplicate_of_id, o.name AS duplicate_of, {{state}} AS duplicate_of_state, o.why AS duplicate_why,
       round(extract(epoch FROM r.create_date - o.create_date) / 3600, 1) AS duplicate_hours_quantity
  FROM (
    SELECT o.odoo_id, o.name, o.state, o.create_date, {{same_reference}} AS why
      FROM mirror_sale_order o
      JOIN mirror_res_partner his ON his.connection_id = o.connection_id AND his.odoo_id = o.partner_id
      JOIN mirror_res_partner ours ON ours.connection_id = r.connection_id AND ours.odoo_id = r.partner_id
       AND ours.commercial_partner_id = his.commercial_partner_id
     WHERE r.client_order_ref > '' AND o.connection_id = r.connection_id
       AND reference_key(o.client_order_ref) = reference_key(r.client_order_ref)
       AND o.create_date > r.create_date - {{reference_days}} * interval '1 day'
       AND o.odoo_id < r.odoo_id AND o.state <> 'cancel' AND o.deleted_at IS NULL
    UNION ALL
    SELECT o.odoo_id, o.name, o.state, o.create_date, {{same_goods}}
      FROM (
        SELECT before.*, count(*) OVER () AS number
          FROM (
            SELECT o.odoo_id, o.connection_id, o.name, o.state, o.create_date
              FROM mirror_sale_order o
             WHERE o.connection_id = r.connection_id AND o.partner_id = r.partner_id
               AND o.state IN ('draft', 'sent', 'sale')
               AND o.create_date BETWEEN r.create_date - {{hours}} * interval '1 hour' AND r.create_date
               AND o.odoo_id < r.odoo_id AND o.company_id IS NOT DISTINCT FROM r.company_id AND o.deleted_at IS NULL
             LIMIT {{orders_and_one}}
          ) AS before
      ) AS o
     WHERE o.number <= {{orders}} AND {{lines_of_other}} = {{lines_of_own}}
  ) AS o
 WHERE r.state <> 'cancel' AND COALESCE(r.delivery_status, '') <> 'full'
 ORDER BY o.why, o.odoo_id DESC
 LIMIT 1

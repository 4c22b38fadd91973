-- Suggested actions: vendors who have a price for what is needed, each with what is to be requested of them and where it is to come.
--
-- %(connection)s       bigint       the connection
-- %(now)s              timestamptz  the moment at which it is offered
-- {{sold_there}}       jsonb        what is offered, in words
-- {{needed}}           rows         product_id, quantity (product's own unit), place_id, company_id, vendor_id, buyer_id,
--                                   receive_type_id: what is needed where
-- {{product}}          JOIN clause  product pr and template t of n
-- {{today}}            date         today, in the company that needs it
-- {{receipts}}         bigint       by which operation type goods come into the warehouse of place needed_at
-- {{in_vendors_unit}}  rows         quantity (vendor's unit), is_raised (to the least that is sold at that price), per_unit, unit,
--                                   is_other: what is needed, as the vendor of i sells it

SELECT concat(n.product_id, '-', i.partner_id) AS option,
       {{sold_there}} AS text,
       n.product_id, i.quantity, i.product_uom_id AS unit_id, i.price, NULLIF(i.discount, 0) AS discount, i.currency_id,
       i.partner_id, t.name AS product_name, n.buyer_id, COALESCE(n.receive_type_id, {{receipts}}) AS receive_type_id,
       v.name AS vendor_name, n.company_id, round(i.quantity * i.per_unit, 6) AS own_quantity,
       %(now)s::timestamptz + make_interval(days => COALESCE(i.delay, 0)::int) AS arrives_at,
       needed_at.warehouse_id AS to_warehouse,
       to_char(%(now)s::timestamptz AT TIME ZONE 'UTC' + make_interval(days => COALESCE(i.delay, 0)::int),
               'YYYY-MM-DD HH24:MI:SS') AS planned_for
  FROM ({{needed}}) AS n
  {{product}}
 CROSS JOIN LATERAL (
   -- Of a vendor's prices, the one that Odoo takes for so much; where each is for more, the one for the least.
   SELECT DISTINCT ON (i.partner_id) i.*, b.*
     FROM mirror_product_supplierinfo i
    CROSS JOIN LATERAL ({{in_vendors_unit}}) AS b
    WHERE i.connection_id = %(connection)s AND i.product_tmpl_id = t.odoo_id AND i.deleted_at IS NULL
      AND (i.product_id IS NULL OR i.product_id = n.product_id)
      AND (i.company_id IS NULL OR i.company_id = n.company_id)
      AND (i.date_start IS NULL OR i.date_start <= {{today}})
      AND (i.date_end IS NULL OR i.date_end >= {{today}})
      AND i.partner_id IS DISTINCT FROM n.vendor_id
    ORDER BY i.partner_id, b.is_raised, CASE WHEN b.is_raised THEN i.min_qty END, i.sequence, i.min_qty DESC, i.price, i.odoo_id
 ) AS i
  JOIN mirror_res_partner v ON v.connection_id = %(connection)s AND v.odoo_id = i.partner_id
   AND v.active
  LEFT JOIN mirror_res_currency cu ON cu.connection_id = %(connection)s AND cu.odoo_id = i.currency_id
  LEFT JOIN mirror_stock_location needed_at
    ON needed_at.connection_id = %(connection)s AND needed_at.odoo_id = n.place_id
 -- What a vendor ships to a customer belongs to the sales order that it was bought for.
 WHERE n.place_id IS NULL OR needed_at.warehouse_id IS NOT NULL
 ORDER BY i.delay, i.price, i.odoo_id

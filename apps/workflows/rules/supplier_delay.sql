-- Blockers of a sales order: the late purchases and vendor's deliveries that it waits for.
--
-- %(connection)s     bigint       the connection
-- %(record)s         bigint       the order's id in Odoo
-- %(now)s            timestamptz  the moment of the evaluation
-- {{brought_late}}   jsonb        the sentence, of a purchase that Odoo links
-- {{supplies_late}}  jsonb        the sentence, of a purchase that is worked out
-- {{short}}          FROM clause  the short moves s of order r and the supply c of each, up to an open WHERE
-- {{is_fed}}         boolean      whether what Odoo links to move s is still to come
-- {{delivers_late}}  jsonb        the sentence, of a vendor who delivers to the customer
-- {{steps}}          rows         the open steps of order r

SELECT CASE WHEN x.planned_at <= %(now)s THEN x.planned_at ELSE GREATEST(x.ordered_at, po.date_approve) END AS since,
       'purchase.order' AS model,
       x.purchase_id AS odoo_id, x.purchase_name AS name,
       CASE WHEN x.is_linked THEN {{brought_late}}
            ELSE {{supplies_late}} END AS text
  FROM (SELECT c.purchase_id, c.purchase_name, c.vendor_id, c.planned_at, COALESCE(t.name, '#' || s.product_id) AS product,
               r.date_order AS ordered_at, r.company_id, sum(c.covered) AS covered,
               bool_and({{is_fed}}) AS is_linked {{short}}
           AND c.purchase_id IS NOT NULL AND (c.planned_at <= %(now)s OR c.expected_at > r.commitment_date)
         GROUP BY 1, 2, 3, 4, 5, 6, 7) AS x
  LEFT JOIN mirror_purchase_order po ON po.connection_id = %(connection)s AND po.odoo_id = x.purchase_id
  LEFT JOIN mirror_res_partner v ON v.connection_id = %(connection)s AND v.odoo_id = x.vendor_id
UNION ALL
SELECT CASE WHEN x.expected_at <= %(now)s THEN x.expected_at ELSE GREATEST(r.date_order, po.date_approve) END,
       'purchase.order', x.purchase_id, po.name,
       {{delivers_late}}
  FROM mirror_sale_order r
 CROSS JOIN LATERAL ({{steps}}) AS x
  JOIN mirror_purchase_order po ON po.connection_id = %(connection)s AND po.odoo_id = x.purchase_id
  LEFT JOIN mirror_res_partner v ON v.connection_id = %(connection)s AND v.odoo_id = po.partner_id
 WHERE r.connection_id = %(connection)s AND r.odoo_id = %(record)s AND x.kind = 'dropship'
   AND (x.expected_at <= %(now)s OR x.expected_at > r.commitment_date)

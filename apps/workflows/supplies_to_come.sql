-- The supplies still to come, in the row in which they are given out.
-- They are purchase lines, components of kits, and transfers that are for no order: what is still to be put away, and what is
-- reserved to be moved here from another warehouse.
--
-- %(connection)s             bigint                       the connection
-- {{purchase_expected_at}}   timestamptz                  when line pl is expected, no sooner than today
-- {{still_to_come}}          numeric, product's own unit  what line pl still brings
-- {{fed}}                    one row                      missing: what moves that Odoo links take of move mv, product's own unit
-- {{of_line}}                boolean                      whether line pl is asked for
-- {{component_expected_at}}  timestamptz                  when the component of move mv is expected, no sooner than today
-- {{moved}}                  numeric, product's own unit  what move mv brings
-- {{of_move}}                boolean                      whether move mv is asked for
-- {{transfer_expected_at}}   timestamptz                  when move mv is expected, no sooner than today
-- {{across}}                 one row                      warehouse_id: the warehouse into which mv brings what another one has

SELECT pl.odoo_id AS line_id, pl.order_id, pl.product_id, pl.company_id, COALESCE(coming.warehouse_id, 0) AS warehouse_id,
       po.name AS order_name, po.partner_id AS vendor_id, pl.date_planned,
       {{purchase_expected_at}} AS expected_at,
       GREATEST({{still_to_come}} - coming.promised, 0) AS free
  FROM mirror_purchase_order_line pl
  JOIN mirror_purchase_order po ON po.connection_id = pl.connection_id AND po.odoo_id = pl.order_id
   AND po.state IN ('purchase', 'done') AND po.deleted_at IS NULL
 CROSS JOIN LATERAL (
   SELECT COALESCE(bool_or(mv.state NOT IN ('done', 'cancel')), TRUE) AS is_coming, max(pt.warehouse_id) AS warehouse_id,
          COALESCE(sum(fed.missing), 0) AS promised
     FROM mirror_stock_move mv
     LEFT JOIN mirror_stock_picking p ON p.connection_id = mv.connection_id AND p.odoo_id = mv.picking_id
     LEFT JOIN mirror_stock_picking_type pt ON pt.connection_id = p.connection_id AND pt.odoo_id = p.picking_type_id
     LEFT JOIN LATERAL ({{fed}}) AS fed ON mv.state NOT IN ('done', 'cancel')
    WHERE mv.connection_id = pl.connection_id AND mv.purchase_line_id = pl.odoo_id AND mv.deleted_at IS NULL) AS coming
 WHERE pl.connection_id = %(connection)s AND pl.qty_received < pl.product_qty AND pl.deleted_at IS NULL
   AND coming.is_coming AND {{of_line}}
UNION ALL
SELECT pl.odoo_id, pl.order_id, mv.product_id, mv.company_id, COALESCE(pt.warehouse_id, 0), po.name, po.partner_id, pl.date_planned,
       {{component_expected_at}},
       GREATEST({{moved}} - COALESCE(fed.missing, 0), 0)
  FROM mirror_stock_move mv
  JOIN mirror_purchase_order_line pl ON pl.connection_id = mv.connection_id AND pl.odoo_id = mv.purchase_line_id
   AND pl.product_id <> mv.product_id AND pl.deleted_at IS NULL
  JOIN mirror_purchase_order po ON po.connection_id = pl.connection_id AND po.odoo_id = pl.order_id
   AND po.state IN ('purchase', 'done') AND po.deleted_at IS NULL
  JOIN mirror_stock_picking_type pt ON pt.connection_id = mv.connection_id AND pt.odoo_id = mv.picking_type_id
   AND pt.code = 'incoming'
  LEFT JOIN LATERAL ({{fed}}) AS fed ON TRUE
 WHERE mv.connection_id = %(connection)s AND mv.purchase_line_id IS NOT NULL
   AND mv.state IN ('waiting', 'confirmed', 'partially_available', 'assigned') AND mv.deleted_at IS NULL
   AND {{of_move}}
UNION ALL
SELECT -mv.odoo_id, NULL, mv.product_id, mv.company_id, COALESCE(across.warehouse_id, mv.warehouse_id, pt.warehouse_id, 0), p.name,
       NULL, mv.date, {{transfer_expected_at}}, {{moved}}
  FROM mirror_stock_move mv
  JOIN mirror_stock_picking p ON p.connection_id = mv.connection_id AND p.odoo_id = mv.picking_id AND p.deleted_at IS NULL
   AND p.sale_id IS NULL AND p.return_id IS NULL
  JOIN mirror_stock_picking_type pt ON pt.connection_id = p.connection_id AND pt.odoo_id = p.picking_type_id
   AND pt.code = 'internal'
  LEFT JOIN LATERAL ({{across}}) AS across ON TRUE
 WHERE mv.connection_id = %(connection)s AND mv.state = 'assigned' AND mv.sale_line_id IS NULL
   AND mv.purchase_line_id IS NULL AND mv.deleted_at IS NULL AND {{of_move}}
   AND (across.warehouse_id IS NOT NULL
        OR EXISTS (SELECT FROM mirror_stock_move before
                    WHERE before.connection_id = mv.connection_id AND before.odoo_id = ANY(mv.move_orig_ids)
                      AND before.state = 'done'))
   AND NOT EXISTS (SELECT FROM mirror_stock_move after
                    WHERE after.connection_id = mv.connection_id AND after.move_orig_ids @> ARRAY[mv.odoo_id]
                      AND after.sale_line_id IS NOT NULL)

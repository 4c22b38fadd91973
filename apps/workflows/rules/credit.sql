-- Fact of sales order r: what its customer owes and has ordered, with this order, beside the credit limit.
--
-- {{credit_limit}}        numeric, company's currency  the limit of the commercial partner
-- {{open_invoices}}       numeric, company's currency  what is posted and not paid
-- {{draft_invoices}}      numeric, company's currency  what is invoiced and not posted
-- {{open_orders}}         numeric, company's currency  what other confirmed orders leave to be invoiced
-- {{this_order}}          numeric, company's currency  what this order adds
-- {{exposure}}            numeric, company's currency  all of them
-- {{overdue}}             numeric, company's currency  what of the posted is overdue
-- {{limit_in_company}}    numeric, company's currency  the limit as it is set in the order's company
-- {{of_nothing_ordered}}  numeric, order's currency    what order o delivered without having ordered it
-- {{smallest}}            numeric, company's currency  the smallest sum that there is
-- {{family}}              bigint[]                     ids in Odoo of the companies whose debts count together
-- {{of_order}}            one row                      beyond, unbilled, billed of order r, in its currency
-- {{zoned}}               one row                      zone, today: the company's

SELECT g.commercial_id, g.commercial_name,
       {{credit_limit}} AS credit_limit, {{open_invoices}} AS open_invoices,
       {{draft_invoices}} AS draft_invoices, {{open_orders}} AS open_orders,
       {{this_order}} AS this_order, {{exposure}} AS exposure,
       {{exposure}} - {{credit_limit}} AS excess,
       {{overdue}} AS overdue_amount, g.overdue_days, g.this_total
  FROM (
    SELECT cp.odoo_id AS commercial_id, cp.name AS commercial_name,
           {{limit_in_company}} AS credit_limit,
           COALESCE(owed.residual, 0) AS open_invoices,
           COALESCE(owed.overdue, 0) AS overdue,
           COALESCE(owed.overdue_days, 0) AS overdue_days,
           COALESCE(
             (SELECT sum(m.amount_total_signed) FROM mirror_account_move m
               WHERE m.connection_id = r.connection_id AND m.commercial_partner_id = cp.odoo_id
                 AND m.company_id = ANY(family.ids) AND m.state = 'draft' AND m.amount_total_signed > 0
                 AND m.move_type = 'out_invoice' AND m.deleted_at IS NULL), 0)
             AS draft_invoices,
           COALESCE(
             (SELECT sum(GREATEST(still.amount - prepaid.amount, 0) / COALESCE(NULLIF(o.currency_rate, 0), 1))
                FROM mirror_res_partner member
                JOIN mirror_sale_order o
                  ON o.connection_id = member.connection_id
                 AND (o.partner_invoice_id = member.odoo_id
                      OR o.partner_invoice_id IS NULL AND o.partner_id = member.odoo_id)
                 AND o.state = 'sale' AND o.invoice_status IN ('no', 'to invoice', 'upselling')
                 AND o.company_id = ANY(family.ids) AND o.odoo_id <> r.odoo_id AND o.deleted_at IS NULL
               CROSS JOIN LATERAL (
                 SELECT COALESCE(sum(l.price_total * rest.part) FILTER (WHERE rest.part > 0), 0)
                          + {{of_nothing_ordered}} AS amount,
                        array_agg(l.odoo_id) FILTER (WHERE l.is_downpayment) AS down_payments
                   FROM mirror_sale_order_line l
                  CROSS JOIN LATERAL (
                    SELECT CASE WHEN l.product_uom_qty > 0
                                THEN GREATEST(l.product_uom_qty - l.qty_invoiced, l.qty_to_invoice)
                                ELSE l.product_uom_qty - l.qty_invoiced END / NULLIF(l.product_uom_qty, 0) AS part
                  ) AS rest
                  WHERE l.connection_id = o.connection_id AND l.order_id = o.odoo_id AND l.deleted_at IS NULL
               ) AS still
               CROSS JOIN LATERAL (
                 SELECT COALESCE(sum(COALESCE(il.price_total, il.price_subtotal)
                                     * CASE WHEN im.move_type = 'out_refund' THEN -1 ELSE 1 END), 0) AS amount
                   FROM (
                     SELECT e.move_id, e.price_total, e.price_subtotal
                       FROM mirror_account_move_line e
                      WHERE still.down_payments IS NOT NULL AND e.connection_id = o.connection_id
                        AND e.sale_line_ids && still.down_payments AND e.deleted_at IS NULL
                     OFFSET 0) AS il
                   JOIN mirror_account_move im
                     ON im.connection_id = o.connection_id AND im.odoo_id = il.move_id AND im.deleted_at IS NULL
                    AND im.state IN ('draft', 'posted')
               ) AS prepaid
               WHERE member.connection_id = r.connection_id AND member.commercial_partner_id = cp.odoo_id), 0)
             AS open_orders,
           GREATEST(CASE WHEN r.state IN ('draft', 'sent') AND credit_asked.credit_ask_stands IS NOT TRUE
                         THEN (r.amount_total + own.beyond) / own.rate
                         WHEN r.state IN ('draft', 'sent')
                         THEN GREATEST((credit_asked.credit_ask_terms::jsonb ->> 'value')::numeric,
                                       credit_asked.credit_ask_amount / own.rate)
                         ELSE COALESCE((credit_asked.credit_ask_terms::jsonb ->> 'value')::numeric,
                                       credit_asked.credit_ask_amount / own.rate) END, 0) AS this_order,
           CASE WHEN r.state IN ('draft', 'sent') AND credit_asked.credit_ask_stands IS NOT TRUE
                THEN r.amount_total + own.beyond ELSE credit_asked.credit_ask_amount END AS this_total,
           {{smallest}} AS smallest,
           CASE WHEN r.state IN ('draft', 'sent')
                THEN GREATEST(r.amount_total + own.unbilled - own.billed, 0) / own.rate
                ELSE (credit_asked.credit_ask_terms::jsonb ->> 'owed')::numeric END AS this_owed
      FROM mirror_res_partner p
      JOIN mirror_res_partner cp ON cp.connection_id = p.connection_id AND cp.odoo_id = p.commercial_partner_id
     CROSS JOIN LATERAL (SELECT {{family}} AS ids) AS family
     CROSS JOIN LATERAL (
       SELECT COALESCE(d.beyond, 0) AS beyond, COALESCE(d.unbilled, 0) AS unbilled, COALESCE(d.billed, 0) AS billed,
              COALESCE(NULLIF(r.currency_rate, 0), 1) AS rate
         FROM (SELECT r.state IN ('draft', 'sent') AS is_unconfirmed) AS stands
         LEFT JOIN LATERAL ({{of_order}}) AS d ON stands.is_unconfirmed
     ) AS own
      LEFT JOIN LATERAL (
        SELECT sum(l.amount_residual) AS residual,
               sum(l.amount_residual) FILTER (WHERE l.date_maturity < at.today) AS overdue,
               max(at.today - l.date_maturity) FILTER (WHERE l.date_maturity < at.today AND l.amount_residual > 0)
                 AS overdue_days
          FROM {{zoned}} AS at
         CROSS JOIN mirror_account_move_line l
          JOIN mirror_account_account a
            ON a.connection_id = l.connection_id AND a.odoo_id = l.account_id
           AND a.account_type = 'asset_receivable'
         WHERE l.connection_id = r.connection_id AND l.partner_id = cp.odoo_id AND l.company_id = ANY(family.ids)
           AND l.parent_state = 'posted' AND l.reconciled IS NOT TRUE AND l.deleted_at IS NULL
           AND (l.amount_residual > 0 OR l.amount_residual < 0)
      ) AS owed ON TRUE
     WHERE (r.state IN ('draft', 'sent') OR credit_asked.credit_ask_state = 'open')
       AND p.connection_id = r.connection_id AND p.odoo_id = COALESCE(r.partner_invoice_id, r.partner_id)
    OFFSET 0
  ) AS g

-- Fill the mirror with a company of three years.
-- Of each order: five lines, three moves on one delivery, one invoice of two entries. The newest fiftieth is under way in all its
-- kinds; what is older is delivered and paid, but for one in fifty that is not paid yet. Purchases: one for twenty orders.
--
-- %(c)s          bigint   the connection
-- %(orders)s     integer  how many orders
-- %(products)s   integer  how many products
-- %(partners)s   integer  how many customers
-- %(purchases)s  integer  how many purchase orders
-- %(vendors)s    integer  how many vendors

INSERT INTO mirror_res_currency (connection_id, odoo_id, read_at, create_date, write_date, name, decimal_places, active)
VALUES (%(c)s, 1, now(), now(), now(), 'EUR', 2, TRUE);
INSERT INTO mirror_res_company (connection_id, odoo_id, read_at, create_date, write_date, name, currency_id, partner_id)
VALUES (%(c)s, 1, now(), now(), now(), 'Nordlicht', 1, 1);
INSERT INTO mirror_res_users (connection_id, odoo_id, read_at, create_date, write_date, name, login, email, active)
SELECT %(c)s, n, now(), now(), now(), 'Person ' || n, 'person' || n, 'person' || n || '@nordlicht.test', TRUE
  FROM generate_series(1, 20) AS n;
INSERT INTO mirror_account_account (connection_id, odoo_id, read_at, create_date, write_date, name, account_type)
VALUES (%(c)s, 1, now(), now(), now(), 'Receivable', 'asset_receivable'), (%(c)s, 2, now(), now(), now(), 'Sales', 'income');
INSERT INTO mirror_stock_warehouse (connection_id, odoo_id, read_at, create_date, write_date, name, company_id, lot_stock_id)
SELECT %(c)s, n, now(), now(), now(), 'Hall ' || n, 1, n FROM generate_series(1, 5) AS n;
INSERT INTO mirror_stock_location (connection_id, odoo_id, read_at, create_date, write_date, name, complete_name, usage,
                                   warehouse_id, company_id)
SELECT %(c)s, n, now(), now(), now(), 'Stock', 'Hall ' || n || '/Stock', 'internal', n, 1 FROM generate_series(1, 5) AS n;
INSERT INTO mirror_stock_picking_type (connection_id, odoo_id, read_at, create_date, write_date, name, code, warehouse_id,
                                       company_id)
SELECT %(c)s, 10 * k + n, now(), now(), now(), code, code, n, 1
  FROM generate_series(1, 5) AS n, (VALUES (0, 'outgoing'), (1, 'incoming'), (2, 'internal')) AS kinds(k, code);
INSERT INTO mirror_product_template (connection_id, odoo_id, read_at, create_date, write_date, name, list_price, tracking)
SELECT %(c)s, n, now(), now(), now(), 'Product ' || n, 20 + n %% 80, 'none' FROM generate_series(1, %(products)s) AS n;
INSERT INTO mirror_product_product (connection_id, odoo_id, read_at, create_date, write_date, product_tmpl_id, active,
                                    standard_price)
SELECT %(c)s, n, now(), now(), now(), n, TRUE, 10 + n %% 40 FROM generate_series(1, %(products)s) AS n;
INSERT INTO mirror_stock_quant (connection_id, odoo_id, read_at, create_date, write_date, product_id, location_id, company_id,
                                quantity, reserved_quantity, inventory_quantity_set, inventory_date, last_count_date)
SELECT %(c)s, n, now(), now(), now(), 1 + n %% %(products)s, 1 + n %% 5, 1,
       CASE WHEN n %% 1000 = 0 THEN -3 ELSE 400 END, 0, FALSE, CURRENT_DATE + 30, CURRENT_DATE - 60
  FROM generate_series(1, 2 * %(products)s) AS n;
INSERT INTO mirror_res_partner (connection_id, odoo_id, read_at, create_date, write_date, name, commercial_partner_id,
                                credit_limit, active, street, city, country_id)
SELECT %(c)s, n, now(), now(), now(), 'Customer ' || n, (n / 10) * 10 + 1, 5000000, TRUE, 'Street', 'City', 57
  FROM generate_series(1, %(partners)s) AS n;
INSERT INTO mirror_sale_order (connection_id, odoo_id, read_at, create_date, write_date, name, state, partner_id, user_id,
                               create_uid, company_id, warehouse_id, currency_id, currency_rate, date_order, commitment_date,
                               amount_untaxed, amount_total, margin, invoice_status, delivery_status, client_order_ref)
SELECT %(c)s, n, now(), at, at, 'S' || n,
       CASE WHEN is_new AND n %% 4 = 0 THEN 'draft' WHEN n %% 97 = 0 THEN 'cancel' ELSE 'sale' END,
       1 + n %% %(partners)s, 1 + n %% 20, 1 + n %% 20, 1, 1 + n %% 5, 1, 1, at, at + interval '7 days',
       100 + n %% 900, 119 + n %% 900, 30 + n %% 270,
       CASE WHEN is_new THEN 'no' WHEN n %% 500 = 1 THEN 'to invoice' ELSE 'invoiced' END,
       CASE WHEN is_new THEN 'pending' ELSE 'full' END, ''
  FROM (SELECT n, n > %(orders)s * 0.98 AS is_new,
               now() - (%(orders)s - n) * interval '3 years' / %(orders)s AS at FROM generate_series(1, %(orders)s) AS n) AS o;
INSERT INTO mirror_sale_order_line (connection_id, odoo_id, read_at, create_date, write_date, order_id, product_id, name,
                                    company_id, product_uom_qty, qty_delivered, qty_invoiced, qty_to_invoice, price_unit,
                                    discount, price_subtotal, price_total)
SELECT %(c)s, n, now(), at, at, o, 1 + n %% %(products)s, 'Goods', 1, 1 + n %% 9, CASE WHEN is_new THEN 0 ELSE 1 + n %% 9 END,
       CASE WHEN is_new THEN 0 ELSE 1 + n %% 9 END, 0, 20, 0, 20 * (1 + n %% 9), 24 * (1 + n %% 9)
  FROM (SELECT n, 1 + (n - 1) / 5 AS o, 1 + (n - 1) / 5 > %(orders)s * 0.98 AS is_new,
               now() - (%(orders)s - (n - 1) / 5) * interval '3 years' / %(orders)s AS at
          FROM generate_series(1, 5 * %(orders)s) AS n) AS l;
INSERT INTO mirror_stock_picking (connection_id, odoo_id, read_at, create_date, write_date, name, state, picking_type_id,
                                  picking_type_code, partner_id, sale_id, company_id, scheduled_date, date_deadline, date_done)
SELECT %(c)s, n, now(), at, at, 'OUT/' || n,
       CASE WHEN is_new AND n %% 4 = 0 THEN 'draft' WHEN n %% 97 = 0 THEN 'cancel' WHEN is_new AND n %% 4 = 1 THEN 'confirmed'
            WHEN is_new THEN 'assigned' ELSE 'done' END,
       1 + n %% 5, 'outgoing', 1 + n %% %(partners)s, n, 1, at + interval '20 days', at + interval '20 days',
       CASE WHEN NOT is_new THEN at + interval '2 days' END
  FROM (SELECT n, n > %(orders)s * 0.98 AS is_new,
               now() - (%(orders)s - n) * interval '3 years' / %(orders)s AS at FROM generate_series(1, %(orders)s) AS n) AS o;
INSERT INTO mirror_stock_move (connection_id, odoo_id, read_at, create_date, write_date, product_id, product_uom_qty, quantity,
                               state, picking_id, picking_type_id, sale_line_id, company_id, warehouse_id, location_id,
                               location_dest_id, date, date_deadline, move_orig_ids)
SELECT %(c)s, n, now(), at, at, 1 + line %% %(products)s, 1 + line %% 9,
       CASE WHEN is_new AND o %% 4 = 1 THEN 0 ELSE 1 + line %% 9 END,
       CASE WHEN is_new AND o %% 4 = 0 THEN 'draft' WHEN o %% 97 = 0 THEN 'cancel' WHEN is_new AND o %% 4 = 1 THEN 'confirmed'
            WHEN is_new THEN 'assigned' ELSE 'done' END,
       o, 1 + o %% 5, line, 1, 1 + o %% 5, 1 + o %% 5, 99, at + interval '2 days', at + interval '20 days', '{}'
  FROM (SELECT n, 1 + (n - 1) / 3 AS o, 5 * ((n - 1) / 3) + 1 + (n - 1) %% 3 AS line,
               1 + (n - 1) / 3 > %(orders)s * 0.98 AS is_new,
               now() - (%(orders)s - (n - 1) / 3) * interval '3 years' / %(orders)s AS at
          FROM generate_series(1, 3 * %(orders)s) AS n) AS m;
INSERT INTO mirror_account_move (connection_id, odoo_id, read_at, create_date, write_date, name, state, move_type,
                                 payment_state, partner_id, commercial_partner_id, invoice_user_id, company_id, currency_id,
                                 invoice_date, invoice_date_due, date, amount_untaxed, amount_total, amount_residual,
                                 amount_total_signed, amount_residual_signed)
SELECT %(c)s, n, now(), at, at, 'INV/' || n, 'posted', 'out_invoice', CASE WHEN is_owed THEN 'not_paid' ELSE 'paid' END,
       1 + n %% %(partners)s, ((1 + n %% %(partners)s) / 10) * 10 + 1, 1 + n %% 20, 1, 1, at::date, at::date + 30, at::date,
       100, 119, CASE WHEN is_owed THEN 119 ELSE 0 END, 119, CASE WHEN is_owed THEN 119 ELSE 0 END
  FROM (SELECT n, n > %(orders)s * 0.95 OR n %% 50 = 7 AS is_owed,
               now() - (%(orders)s - n) * interval '3 years' / %(orders)s AS at
          FROM generate_series(1, (%(orders)s * 0.98)::bigint) AS n) AS i;
INSERT INTO mirror_account_move_line (connection_id, odoo_id, read_at, create_date, write_date, move_id, account_id, partner_id,
                                      product_id, display_type, parent_state, quantity, price_unit, discount, price_subtotal,
                                      balance, amount_residual, currency_id, date, date_maturity, reconciled, company_id,
                                      sale_line_ids)
SELECT %(c)s, 2 * n + k, now(), now(), now(), n, 2 - k, ((1 + n %% %(partners)s) / 10) * 10 + 1,
       CASE WHEN k = 0 THEN 1 + (5 * n - 4) %% %(products)s END, CASE WHEN k = 0 THEN 'product' ELSE 'payment_term' END,
       'posted', 1 + (5 * n - 4) %% 9, 20, 0, 20 * (1 + (5 * n - 4) %% 9), 119, CASE WHEN k = 1 AND is_owed THEN 119 ELSE 0 END, 1,
       CURRENT_DATE, CURRENT_DATE, k = 1 AND NOT is_owed, 1, CASE WHEN k = 0 THEN ARRAY[5 * n - 4] ELSE '{}' END
  FROM (SELECT n, k, n > %(orders)s * 0.95 OR n %% 50 = 7 AS is_owed
          FROM generate_series(1, (%(orders)s * 0.98)::bigint) AS n, generate_series(0, 1) AS k) AS e;
INSERT INTO mirror_purchase_order (connection_id, odoo_id, read_at, create_date, write_date, name, state, partner_id, user_id,
                                   company_id, currency_id, currency_rate, date_order, date_approve, date_planned,
                                   amount_untaxed, amount_total, invoice_status, receipt_status, acknowledged)
SELECT %(c)s, n, now(), at, at, 'P' || n, 'purchase', 1 + n %% %(vendors)s, 1 + n %% 20, 1, 1, 1, at, at, at + interval '14 days',
       2000, 2000, CASE WHEN is_new THEN 'no' ELSE 'invoiced' END, CASE WHEN is_new THEN 'pending' ELSE 'full' END, TRUE
  FROM (SELECT n, n > %(purchases)s * 0.98 AS is_new,
               now() - (%(purchases)s - n) * interval '3 years' / %(purchases)s AS at
          FROM generate_series(1, %(purchases)s) AS n) AS p;
INSERT INTO mirror_purchase_order_line (connection_id, odoo_id, read_at, create_date, write_date, order_id, product_id, name,
                                        company_id, product_qty, qty_received, qty_invoiced, qty_to_invoice, price_unit,
                                        price_subtotal, date_planned)
SELECT %(c)s, n, now(), at, at, 1 + (n - 1) / 3, 1 + n %% %(products)s, 'Goods', 1, 60, CASE WHEN is_new THEN 0 ELSE 60 END,
       CASE WHEN is_new THEN 0 ELSE 60 END, 0, 11, 660, at + interval '14 days'
  FROM (SELECT n, 1 + (n - 1) / 3 > %(purchases)s * 0.98 AS is_new,
               now() - (%(purchases)s - (n - 1) / 3) * interval '3 years' / %(purchases)s AS at
          FROM generate_series(1, 3 * %(purchases)s) AS n) AS l

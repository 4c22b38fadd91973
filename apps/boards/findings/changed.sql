-- Sales and purchase orders that were changed after they were confirmed, a row each write and kind of change. It has no time.
--
-- %(since)s      timestamptz  begin of the time
-- %(until)s      timestamptz  end of the time
-- %(workflows)s  text[]       the workflows that are asked for
-- {{seen}}       boolean      whether the person may see the record with position p

hand AS MATERIALIZED (
  SELECT p.connection_id, p.workflow, p.model, p.odoo_id
    FROM workflows_position p
   WHERE p.workflow = ANY(%(workflows)s) AND p.workflow IN ('order_to_cash', 'procure_to_pay') AND p.is_open AND {{seen}}
   UNION
  SELECT p.connection_id, p.workflow, p.model, p.odoo_id
    FROM workflows_transition t
    JOIN workflows_position p ON p.connection_id = t.connection_id AND p.workflow = t.workflow AND p.odoo_id = t.odoo_id
   WHERE t.workflow = ANY(%(workflows)s) AND t.workflow IN ('order_to_cash', 'procure_to_pay') AND t.at > %(since)s AND {{seen}}
), confirmed AS MATERIALIZED (
  -- Within a minute of the confirmation Odoo itself still writes.
  SELECT h.*, GREATEST(o.date_order + interval '1 minute', %(since)s) AS since
    FROM hand h
    JOIN mirror_sale_order o ON o.connection_id = h.connection_id AND o.odoo_id = h.odoo_id
   WHERE h.workflow = 'order_to_cash' AND o.state IN ('sale', 'done') AND o.date_order <= %(until)s
   UNION ALL
  SELECT h.*, GREATEST(o.date_approve + interval '1 minute', %(since)s)
    FROM hand h
    JOIN mirror_purchase_order o ON o.connection_id = h.connection_id AND o.odoo_id = h.odoo_id
   WHERE h.workflow = 'procure_to_pay' AND o.state IN ('purchase', 'done') AND o.date_approve <= %(until)s
), line AS MATERIALIZED (
  SELECT c.*, 'sale.order.line' AS line_model, l.odoo_id AS line_id, l.create_date, l.deleted_at
    FROM confirmed c
    JOIN mirror_sale_order_line l ON l.connection_id = c.connection_id AND l.order_id = c.odoo_id
   WHERE c.workflow = 'order_to_cash' AND COALESCE(l.display_type, '') = '' AND NOT COALESCE(l.is_downpayment, FALSE)
   UNION ALL
  SELECT c.*, 'purchase.order.line', l.odoo_id, l.create_date, l.deleted_at
    FROM confirmed c
    JOIN mirror_purchase_order_line l ON l.connection_id = c.connection_id AND l.order_id = c.odoo_id
   WHERE c.workflow = 'procure_to_pay' AND COALESCE(l.display_type, '') = ''
), change AS (
  SELECT c.connection_id, c.workflow, c.model, c.odoo_id, 'date' AS kind, d.at, c.since
    FROM confirmed c
    JOIN mirror_datechange d ON d.connection_id = c.connection_id AND d.model = c.model AND d.odoo_id = c.odoo_id
   UNION ALL
  SELECT l.connection_id, l.workflow, l.model, l.odoo_id, 'date', d.at, l.since
    FROM line l
    JOIN mirror_datechange d ON d.connection_id = l.connection_id AND d.model = l.line_model AND d.odoo_id = l.line_id
   UNION ALL
  SELECT c.connection_id, c.workflow, c.model, c.odoo_id, 'amount', n.at, c.since
    FROM confirmed c
    JOIN mirror_numberchange n ON n.connection_id = c.connection_id AND n.model = c.model AND n.odoo_id = c.odoo_id
   UNION ALL
  SELECT l.connection_id, l.workflow, l.model, l.odoo_id, 'quantity', n.at, l.since
    FROM line l
    JOIN mirror_numberchange n ON n.connection_id = l.connection_id AND n.model = l.line_model AND n.odoo_id = l.line_id
   UNION ALL
  SELECT l.connection_id, l.workflow, l.model, l.odoo_id, 'line_added', l.create_date, l.since FROM line l
   UNION ALL
  SELECT l.connection_id, l.workflow, l.model, l.odoo_id, 'line_removed', l.deleted_at, l.since
    FROM line l
   WHERE l.deleted_at IS NOT NULL
), facts AS (
  SELECT DISTINCT h.connection_id, h.workflow, h.model, h.odoo_id, ARRAY[h.kind] AS part, h.at, 1 AS times, NULL::bigint AS seconds,
         FALSE AS is_by_clock
    FROM change h
   WHERE h.at > h.since AND h.at <= %(until)s
), sample AS (
  SELECT c.connection_id, c.workflow, c.odoo_id FROM confirmed c
)

-- Fact of invoice r: whether it carries its customer's exposure (the oldest overdue one does), and that exposure.
--
-- {{credit_limit}}   numeric, company's currency  the limit of the commercial partner
-- {{first_day}}      date                         before it a date only stands for none
-- {{overdue_total}}  numeric, company's currency  what of the customer is overdue
-- {{owed_total}}     numeric, company's currency  what the customer owes

SELECT carrier.is_oldest AS carries_exposure, owed.overdue_total, owed.overdue_count, owed.owed_total,
       cp.name AS commercial_name, {{credit_limit}} AS credit_limit
  FROM (
    SELECT COALESCE(
             r.state = 'posted' AND r.payment_state IN ('not_paid', 'partial', 'blocked')
             AND r.move_type IN ('out_invoice', 'out_receipt')
             AND r.invoice_date_due < due.today AND r.invoice_date_due >= '{{first_day}}', FALSE)
           AND NOT EXISTS (
             SELECT 1 FROM mirror_account_move m
              WHERE m.connection_id = r.connection_id AND m.commercial_partner_id = r.commercial_partner_id
                AND m.state = 'posted' AND m.payment_state IN ('not_paid', 'partial', 'blocked')
                AND (m.invoice_date_due, m.odoo_id) < (r.invoice_date_due, r.odoo_id)
                AND m.invoice_date_due >= '{{first_day}}'
                AND m.move_type IN ('out_invoice', 'out_receipt') AND m.company_id = r.company_id
                AND m.deleted_at IS NULL) AS is_oldest
    OFFSET 0
  ) AS carrier
 CROSS JOIN LATERAL (
   SELECT {{overdue_total}} AS overdue_total,
          count(*) FILTER (WHERE m.is_late AND m.move_type <> 'out_refund') AS overdue_count,
          {{owed_total}} AS owed_total
     FROM (
       SELECT m.move_type, m.amount_residual_signed,
              m.move_type = 'out_refund'
              OR m.invoice_date_due < due.today AND m.invoice_date_due >= '{{first_day}}' AS is_late
         FROM mirror_account_move m
        WHERE carrier.is_oldest AND m.connection_id = r.connection_id
          AND m.commercial_partner_id = r.commercial_partner_id AND m.company_id = r.company_id
          AND m.state = 'posted' AND m.payment_state IN ('not_paid', 'partial', 'blocked')
          AND m.move_type IN ('out_invoice', 'out_refund', 'out_receipt') AND m.deleted_at IS NULL
     ) AS m
 ) AS owed
  LEFT JOIN mirror_res_partner cp ON cp.connection_id = r.connection_id AND cp.odoo_id = r.commercial_partner_id

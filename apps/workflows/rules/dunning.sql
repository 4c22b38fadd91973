-- Suggested actions on an overdue invoice: a reminder of all that its customer has not paid, one for each currency.
--
-- What the customer was credited and has not taken off yet is listed as well, and taken off the sum.
--
-- %(connection)s  bigint                       the connection
-- %(record)s      bigint                       the invoice's id in Odoo
-- {{text}}        jsonb                        what is offered, in words
-- {{letter}}      jsonb                        what the customer reads
-- {{step}}        int                          which reminder it is, by the days since the oldest was due
-- {{today}}       date, company's zone         the day on which it is offered
-- {{pay_by}}      date, company's zone         until when it asks to be paid
-- {{owed}}        numeric              what is owed on entry m, below zero of a credit note, its currency
-- {{line}}        jsonb                        one invoice m, in words

SELECT concat(step.number, '-', owed.currency, '-', trim_scale(owed.total)) AS option,
       {{text}} AS text,
       {{letter}} AS letter, step.number AS step, owed.total, owed.currency, owed.invoices_count,
       to_char(owed.since, 'YYYY-MM-DD') AS oldest_on, p.odoo_id AS partner_id, p.name AS customer_name,
       COALESCE(p.lang, '') AS lang
  FROM mirror_account_move r
  JOIN mirror_res_partner p ON p.connection_id = r.connection_id AND p.odoo_id = r.partner_id AND p.email LIKE '%%@%%'
  JOIN mirror_res_company co ON co.connection_id = r.connection_id AND co.odoo_id = r.company_id
 CROSS JOIN LATERAL (SELECT {{today}} AS today) AS at
 CROSS JOIN LATERAL (
   SELECT cu.name AS currency, sum({{owed}}) AS total, count(*) FILTER (WHERE m.move_type = 'out_invoice') AS invoices_count,
          min(m.invoice_date_due) FILTER (WHERE m.move_type = 'out_invoice') AS since,
          jsonb_build_object('by', E'\n', 'each', jsonb_agg({{line}} ORDER BY m.invoice_date_due, m.odoo_id)) AS invoices
     FROM mirror_account_move m
     JOIN mirror_res_currency cu ON cu.connection_id = m.connection_id AND cu.odoo_id = m.currency_id
    WHERE m.connection_id = r.connection_id AND m.commercial_partner_id = r.commercial_partner_id
      AND m.company_id = r.company_id AND m.state = 'posted'
      AND m.payment_state IN ('not_paid', 'partial') AND m.amount_residual <> 0
      AND (m.move_type = 'out_invoice' AND m.invoice_date_due < at.today OR m.move_type = 'out_refund')
      AND m.deleted_at IS NULL
    GROUP BY cu.name
   HAVING sum({{owed}}) > 0 AND bool_or(m.move_type = 'out_invoice')
 ) AS owed
 CROSS JOIN LATERAL (SELECT {{step}} AS number, {{pay_by}} AS pay_by) AS step
 WHERE r.connection_id = %(connection)s AND r.odoo_id = %(record)s AND r.deleted_at IS NULL
 ORDER BY owed.total DESC, owed.currency

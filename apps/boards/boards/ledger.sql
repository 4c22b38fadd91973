-- The balance of receivables or payables at each moment, and what was billed before it, as rows that count from one moment to another.
--
-- Today's balance is what is open of posted entries. A balance of before is that without what was booked since: so an entry that was
-- booked after a moment counts until then with its reverse. What is billed counts for as long as the range is, from its day on. Sums
-- are in the company's currency.
--
-- %(since)s    timestamptz  begin of the range before
-- %(begin)s    timestamptz  begin of the range
-- %(now)s      timestamptz  end of the range
-- {{seen}}     boolean      whether the person may see entry r
-- {{account}}  text         the type of the accounts
-- {{sign}}     numeric      1, or -1 where a debt is a credit
-- {{types}}    texts        the types of entries that bill

SELECT 'invoicing' AS workflow, s.connection_id, 'account.move' AS model, s.move_id AS odoo_id, s.at, s.begins, s.ends,
       {{sign}} * s.amount AS amount, {{sign}} * s.billed AS billed, COALESCE(cu.name, '') AS currency
  FROM (
    SELECT l.connection_id, r.company_id, l.move_id, l.date::timestamptz AS at, '-infinity'::timestamptz AS begins,
           NULL::timestamptz AS ends, l.amount_residual AS amount, 0::numeric AS billed
      FROM mirror_account_move_line l
      JOIN mirror_account_account a ON a.connection_id = l.connection_id AND a.odoo_id = l.account_id
       AND a.account_type = '{{account}}'
      JOIN mirror_account_move r ON r.connection_id = l.connection_id AND r.odoo_id = l.move_id AND r.deleted_at IS NULL
     WHERE l.parent_state = 'posted' AND (l.amount_residual > 0 OR l.amount_residual < 0) AND l.deleted_at IS NULL AND {{seen}}
     UNION ALL
    SELECT b.connection_id, b.company_id, b.move_id, b.booked_at, way.begins, way.ends, way.amount, way.billed
      FROM (
        SELECT l.connection_id, r.company_id, l.move_id, l.balance, r.move_type,
               l.date::timestamp AT TIME ZONE company_zone(r.connection_id, r.company_id) AS booked_at
          FROM mirror_account_move_line l
          JOIN mirror_account_account a ON a.connection_id = l.connection_id AND a.odoo_id = l.account_id
           AND a.account_type = '{{account}}'
          JOIN mirror_account_move r ON r.connection_id = l.connection_id AND r.odoo_id = l.move_id AND r.deleted_at IS NULL
         WHERE l.parent_state = 'posted' AND l.date > (%(since)s::timestamptz)::date - 2
           AND l.deleted_at IS NULL AND {{seen}} OFFSET 0) AS b
     CROSS JOIN LATERAL (VALUES
       ('-infinity'::timestamptz, b.booked_at, -b.balance, 0::numeric),
       (b.booked_at, b.booked_at + (%(now)s::timestamptz - %(begin)s::timestamptz), 0,
        CASE WHEN b.move_type IN ({{types}}) THEN b.balance ELSE 0 END)) AS way(begins, ends, amount, billed)) AS s
  LEFT JOIN mirror_res_company co ON co.connection_id = s.connection_id AND co.odoo_id = s.company_id
  LEFT JOIN mirror_res_currency cu ON cu.connection_id = co.connection_id AND cu.odoo_id = co.currency_id
 WHERE s.amount <> 0 OR s.billed <> 0

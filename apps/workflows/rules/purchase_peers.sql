-- The other purchase orders that count together with one, as they stand in Odoo.
--
-- %(connection)s         bigint                       the connection
-- %(record)s             bigint                       the order's id in Odoo
-- %(since)s              timestamptz                  since when orders count
-- %(by_partner)s         boolean                      only those of the same vendor
-- %(by_person)s          boolean                      only those that one of the people had part in
-- %(people)s             bigint[]                     ids of users in Odoo
-- {{amount}}             numeric, company's currency  what order r is worth
-- {{was_asked}}          boolean                      whether a decision about order r was asked for
-- {{smallest}}           numeric, company's currency  the smallest sum that there is
-- {{asked_by_the_same}}  boolean                      whether one of the people asked for a decision about order r

SELECT r.odoo_id, r.name AS record_name,
       {{amount}} AS amount,
       COALESCE(r.date_approve, r.date_order) AS at
  FROM mirror_purchase_order own
  JOIN mirror_purchase_order r
    ON r.connection_id = own.connection_id AND r.company_id IS NOT DISTINCT FROM own.company_id AND r.odoo_id <> own.odoo_id
   AND r.deleted_at IS NULL
   AND (r.state IN ('purchase', 'done')
        AND (r.date_approve >= %(since)s OR r.create_date >= %(since)s OR {{was_asked}})
        OR r.state = 'to approve' AND r.odoo_id < own.odoo_id)
  CROSS JOIN LATERAL (
    SELECT GREATEST(r.amount_total, (
             SELECT sum(l.price_total) FROM mirror_purchase_order_line l
              WHERE l.connection_id = r.connection_id AND l.order_id = r.odoo_id AND l.price_total > 0
                AND l.deleted_at IS NULL)) AS amount,
           {{smallest}} AS smallest
    OFFSET 0
  ) AS b
 WHERE own.connection_id = %(connection)s AND own.odoo_id = %(record)s
   AND (NOT %(by_partner)s OR r.partner_id IN (
         SELECT member.odoo_id
           FROM mirror_res_partner vendor
           JOIN mirror_res_partner member
             ON member.connection_id = vendor.connection_id AND member.commercial_partner_id = vendor.commercial_partner_id
          WHERE vendor.connection_id = own.connection_id AND vendor.odoo_id = own.partner_id))
   AND (NOT %(by_person)s OR r.user_id = ANY(%(people)s::bigint[]) OR r.create_uid = ANY(%(people)s::bigint[])
        OR {{asked_by_the_same}})

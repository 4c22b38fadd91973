-- The orders of other companies that mirror one order: those that name it first, else those with the same goods.
--
-- %(connection)s       bigint    the connection
-- %(record)s           bigint    the own order's id in Odoo
-- %(within)s           interval  how far apart the two may be created
-- %(most)s             bigint    how many rows at the most
-- {{reference}}        column    where the own order keeps the partner's reference
-- {{goods}}            text      the goods of order o and their quantities
-- {{table}}            table     the mirror of the own order's model
-- {{their_reference}}  column    the same of the other's
-- {{their_goods}}      text      the same of the other's
-- {{their_table}}      table     the same of the other's
-- {{their_model}}      text      Odoo's name of the other's model

WITH o AS (
  SELECT o.connection_id, o.odoo_id, o.company_id, o.name, o.{{reference}} AS reference, o.origin, o.create_date,
         their.odoo_id AS their_company, their.name AS their_name, ours.commercial_partner_id AS our_partner, {{goods}} AS goods
    FROM {{table}} o
    JOIN mirror_res_partner p ON p.connection_id = o.connection_id AND p.odoo_id = o.partner_id
    JOIN mirror_res_company co ON co.connection_id = o.connection_id AND co.odoo_id = o.company_id
    JOIN mirror_res_partner ours ON ours.connection_id = o.connection_id AND ours.odoo_id = co.partner_id
    JOIN mirror_res_company their ON their.connection_id = o.connection_id AND their.odoo_id <> o.company_id
     AND their.deleted_at IS NULL
    JOIN mirror_res_partner theirs ON theirs.connection_id = o.connection_id AND theirs.odoo_id = their.partner_id
     AND theirs.commercial_partner_id = p.commercial_partner_id
   WHERE o.connection_id = %(connection)s AND o.odoo_id = %(record)s AND o.deleted_at IS NULL
), other AS (
  SELECT own.their_company, own.their_name, o.odoo_id, o.name, o.state,
         reference_key(own.name) IN (reference_key(o.{{their_reference}}), reference_key(o.origin))
           OR reference_key(o.name) IN (reference_key(own.reference), reference_key(own.origin)) AS is_named,
         own.goods = {{their_goods}} AS is_same, abs(extract(epoch FROM o.create_date - own.create_date)) AS apart
    FROM o AS own
    JOIN mirror_res_partner member ON member.connection_id = own.connection_id AND member.commercial_partner_id = own.our_partner
    JOIN {{their_table}} o ON o.connection_id = own.connection_id AND o.partner_id = member.odoo_id
     AND o.company_id = own.their_company AND o.deleted_at IS NULL
     AND o.create_date BETWEEN own.create_date - %(within)s::interval AND own.create_date + %(within)s::interval
)
SELECT '{{their_model}}' AS model, odoo_id, COALESCE(name, '') AS name, their_company AS company_id,
       COALESCE(their_name, '') AS company, COALESCE(is_named, FALSE) AS is_named
  FROM other
 WHERE COALESCE(is_named, FALSE)
    OR is_same AND state <> 'cancel' AND NOT EXISTS (SELECT FROM other AS better WHERE better.is_named)
 ORDER BY is_named DESC NULLS LAST, apart, odoo_id
 LIMIT %(most)s

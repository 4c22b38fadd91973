"""The SQL functions of the mirror, as migrations make them; a change of one is a migration with a text of its own."""

from apps.core import statements

# pg_timezone_names reads files each time it is asked; a zone that PostgreSQL does not know would stop a whole batch.
KNOWN_ZONES = "CREATE TABLE mirror_known_zone AS SELECT name FROM pg_timezone_names; CREATE UNIQUE INDEX ON mirror_known_zone (name);"

# ``company_zone``: the time zone in which a company counts its days. ``apps/workflows/days.py`` says what for.
COMPANY_ZONE = """
CREATE OR REPLACE FUNCTION company_zone(of_connection bigint, of_company bigint) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
DECLARE
  found text;
BEGIN
  SELECT n.name INTO found
    FROM odoo_connection k
    LEFT JOIN LATERAL (
      SELECT c.partner_id, c.resource_calendar_id FROM mirror_res_company c
       WHERE c.connection_id = k.id AND (c.odoo_id = of_company OR of_company IS NULL) AND c.deleted_at IS NULL
       ORDER BY c.odoo_id LIMIT 1) AS co ON TRUE
    LEFT JOIN mirror_res_partner p ON p.connection_id = k.id AND p.odoo_id = co.partner_id
    LEFT JOIN mirror_resource_calendar w ON w.connection_id = k.id AND w.odoo_id = co.resource_calendar_id
   CROSS JOIN LATERAL unnest(ARRAY[k.time_zone, p.tz, w.tz]) WITH ORDINALITY AS said(zone, place)
    JOIN mirror_known_zone n ON n.name = said.zone
   WHERE k.id = of_connection
   ORDER BY said.place
   LIMIT 1;
  RETURN COALESCE(found, 'UTC');
END
$$
"""

# ``reference_key`` and ``tracking_keys``: references as people write them, and the numbers in a tracking field.
#
# People drop and add spaces, dashes, capitals, leading zeros and words such as "PO" or "No."; what stands between two digits
# tells numbers apart and stays: PO-2024-12 is PO 2024/0012 and not PO-202412. Carriers group their numbers as they like, so that
# of a tracking number nothing but letters and digits counts. Both are bounded, for an index.
REFERENCE_KEYS = statements.load(__file__, "reference_keys")
REFERENCE_KEYS_GONE = """
DROP FUNCTION tracking_keys(text);
DROP FUNCTION tracking_key(text);
DROP FUNCTION reference_key(text)
"""

# Takes the smallest sum twice and reads it once: it is a subquery.
ROUNDED = """
CREATE FUNCTION mirror_rounded(amount numeric, smallest numeric) RETURNS numeric
  LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN round(round(amount, 8) / smallest) * smallest
"""

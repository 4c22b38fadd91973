"""``company_zone``: the time zone in which a company counts its days. ``apps/workflows/days.py`` says what for."""

from django.db import migrations

# pg_timezone_names reads files each time it is asked; a zone that PostgreSQL does not know would stop a whole batch.
NAMES = "CREATE TABLE mirror_known_zone AS SELECT name FROM pg_timezone_names; CREATE UNIQUE INDEX ON mirror_known_zone (name);"

FUNCTION = """
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


class Migration(migrations.Migration):
    dependencies = [("mirror", "0035_company_days"), ("odoo", "0006_time_zone")]

    operations = [
        migrations.RunSQL(NAMES, "DROP TABLE mirror_known_zone"),
        migrations.RunSQL(FUNCTION, "DROP FUNCTION company_zone(bigint, bigint)"),
    ]

"""``company_zone``: the time zone in which a company counts its days."""


from django.db import migrations

from apps.mirror.migrations import _functions


class Migration(migrations.Migration):
    dependencies = [("mirror", "0035_company_days"), ("odoo", "0006_time_zone")]

    operations = [
        migrations.RunSQL(_functions.KNOWN_ZONES, "DROP TABLE mirror_known_zone"),
        migrations.RunSQL(_functions.COMPANY_ZONE, "DROP FUNCTION company_zone(bigint, bigint)"),
    ]

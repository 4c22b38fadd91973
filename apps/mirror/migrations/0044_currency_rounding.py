from django.db import migrations

import apps.mirror.declare

# Takes the smallest sum twice and reads it once: it is a subquery.
ROUNDED = """
CREATE FUNCTION mirror_rounded(amount numeric, smallest numeric) RETURNS numeric
  LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN round(round(amount, 8) / smallest) * smallest
"""


class Migration(migrations.Migration):

    dependencies = [
        ('mirror', '0043_who_is_billed'),
    ]

    operations = [
        migrations.AddField(
            model_name='currency',
            name='rounding',
            field=apps.mirror.declare.Number(decimal_places=6, max_digits=26, null=True),
        ),
        migrations.RunSQL(ROUNDED, "DROP FUNCTION mirror_rounded"),
    ]

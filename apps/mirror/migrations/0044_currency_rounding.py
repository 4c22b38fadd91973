from django.db import migrations

import apps.mirror.declare
from apps.mirror.migrations import _functions


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
        migrations.RunSQL(_functions.ROUNDED, "DROP FUNCTION mirror_rounded"),
    ]

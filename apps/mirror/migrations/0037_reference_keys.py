"""``reference_key`` and ``tracking_keys``: references as people write them, and the numbers in a tracking field."""


from django.db import migrations

from apps.mirror.migrations import _functions


class Migration(migrations.Migration):
    dependencies = [("mirror", "0036_company_zone")]

    operations = [migrations.RunSQL(_functions.REFERENCE_KEYS, _functions.REFERENCE_KEYS_GONE)]

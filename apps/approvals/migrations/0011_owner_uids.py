"""Keep whose request it is apart from everybody with a hand in the record: editors say nothing of whose order it is."""

import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("approvals", "0010_three_decimals")]

    operations = [
        migrations.AddField(
            "request",
            "owner_uids",
            django.contrib.postgres.fields.ArrayField(
                models.BigIntegerField(), db_default=[], default=list,
                help_text="Those of them who asked, made or own the record: a cumulative policy counts it as theirs",
            ),
        ),
        # Of earlier requests the owners are not known apart.
        migrations.RunSQL("UPDATE approvals_request SET owner_uids = involved_uids", migrations.RunSQL.noop),
    ]

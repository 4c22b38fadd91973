from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    # Built while moves are written. What an attempt that was cut off left of it is no index, and goes first.
    atomic = False

    dependencies = [
        ("mirror", "0032_whole_text"),
    ]

    operations = [
        migrations.RunSQL("DROP INDEX CONCURRENTLY IF EXISTS moves_to_put_away", migrations.RunSQL.noop),
        AddIndexConcurrently(
            "stockmove",
            models.Index(
                condition=models.Q(("purchase_line_id__isnull", True), ("sale_line_id__isnull", True), ("state", "assigned")),
                fields=["connection", "product_id"],
                name="moves_to_put_away",
            ),
        ),
    ]

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    # Built while purchases are written. What an attempt that was cut off left of it is no index, and goes first.
    atomic = False

    dependencies = [
        ("mirror", "0029_units_of_measure"),
    ]

    operations = [
        migrations.RunSQL("DROP INDEX CONCURRENTLY IF EXISTS purchase_lines_by_sale_line", migrations.RunSQL.noop),
        AddIndexConcurrently(
            "purchaseorderline",
            models.Index(
                condition=models.Q(("sale_line_id__isnull", False)),
                fields=["connection", "sale_line_id"],
                name="purchase_lines_by_sale_line",
            ),
        ),
    ]

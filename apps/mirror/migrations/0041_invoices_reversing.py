from django.db import migrations, models

from apps.core.indexes import built


class Migration(migrations.Migration):
    # Built beside a working tower: writes go on meanwhile.
    atomic = False

    dependencies = [("mirror", "0040_open_asks")]

    operations = [
        *built(
            "accountmove",
            models.Index(
                fields=["connection", "reversed_entry_id"],
                condition=models.Q(reversed_entry_id__isnull=False),
                name="invoices_reversing",
            ),
        ),
        *built(
            "stockmove",
            models.Index(
                fields=["connection", "product_id"],
                condition=models.Q(
                    state__in=["waiting", "confirmed", "partially_available", "assigned"], purchase_line_id__isnull=False
                ),
                name="moves_to_come",
            ),
        ),
    ]

from django.db import migrations, models

from apps.core.indexes import built


class Migration(migrations.Migration):
    # Built beside a working tower: writes go on meanwhile.
    atomic = False

    dependencies = [("mirror", "0042_movers")]

    operations = [
        *built(
            "saleorder",
            models.Index(
                fields=["connection", "partner_invoice_id"],
                condition=models.Q(state__in=["draft", "sent"]),
                name="sale_orders_quoted_to",
            ),
        ),
        *built(
            "saleorder",
            models.Index(
                fields=["connection", "partner_invoice_id"],
                condition=models.Q(state="sale", invoice_status__in=["no", "to invoice", "upselling"]),
                name="sale_orders_to_bill",
            ),
        ),
    ]

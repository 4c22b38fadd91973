from django.db import migrations

from apps.mirror.declare import Many2one


class Migration(migrations.Migration):
    """Who made a move: what people change of the stock within days counts together."""

    dependencies = [("mirror", "0041_invoices_reversing")]

    operations = [migrations.AddField(model_name="stockmove", name="create_uid", field=Many2one(null=True))]

from django.db import migrations, models


class Migration(migrations.Migration):
    # Writes the table anew: one row a request, which are few beside records and cases.
    dependencies = [("approvals", "0009_reevaluation")]

    operations = [
        migrations.AlterField(
            model_name="request", name="amount", field=models.DecimalField(decimal_places=3, max_digits=21, null=True)
        ),
    ]

from django.db import migrations, models


class Migration(migrations.Migration):
    # A numeric without bounds holds what one with bounds held: PostgreSQL writes nothing anew.
    dependencies = [("workflows", "0007_whole_text")]

    operations = [
        migrations.AlterField(
            model_name="position", name="amount",
            field=models.DecimalField(help_text="In the company's currency, with its decimals", null=True),
        ),
        migrations.AlterField(model_name="standingtally", name="amount", field=models.DecimalField()),
        migrations.AlterField(model_name="transition", name="amount", field=models.DecimalField(null=True)),
    ]

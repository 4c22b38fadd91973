from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('mirror', '0001_initial'),
    ]

    operations = [
        migrations.AddField(
            model_name='syncstate',
            name='seen_until',
            field=models.DateTimeField(help_text='All that Odoo had committed by then has been read', null=True),
        ),
    ]

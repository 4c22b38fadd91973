from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('exceptions', '0005_owned_at_and_ends'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='exceptioncase',
            index=models.Index(condition=models.Q(('status', 'resolved'), _negated=True), fields=['partner_name', 'rank', 'id'], name='queue_of_customer'),
        ),
    ]

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('notifications', '0007_translations'),
    ]

    operations = [
        migrations.CreateModel(
            name='Relay',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('channel', models.CharField(max_length=60)),
                ('not_before', models.DateTimeField()),
                ('attempts', models.PositiveIntegerField(default=0)),
                ('notification', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='relays', to='notifications.notification')),
            ],
            options={
                'indexes': [models.Index(fields=['not_before', 'id'], name='relays_by_time')],
                'constraints': [models.UniqueConstraint(fields=('notification', 'channel'), name='relayed_once')],
            },
        ),
    ]

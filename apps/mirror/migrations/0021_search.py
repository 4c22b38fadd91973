"""Any part of a name, reference or tracking number is found by trigrams."""
import django.contrib.postgres.indexes
from django.contrib.postgres.operations import TrigramExtension
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('mirror', '0020_carriers'),
        ('odoo', '0001_initial'),
    ]

    operations = [
        TrigramExtension(),
        migrations.AddIndex(
            model_name='partner',
            index=django.contrib.postgres.indexes.GinIndex(fields=['name'], name='partners_name_trigrams', opclasses=['gin_trgm_ops']),
        ),
        migrations.AddIndex(
            model_name='partner',
            index=django.contrib.postgres.indexes.GinIndex(condition=models.Q(('ref__gt', '')), fields=['ref'], name='partners_ref_trigrams', opclasses=['gin_trgm_ops']),
        ),
        migrations.AddIndex(
            model_name='picking',
            index=django.contrib.postgres.indexes.GinIndex(condition=models.Q(('carrier_tracking_ref__gt', '')), fields=['carrier_tracking_ref'], name='pickings_tracking_trigrams', opclasses=['gin_trgm_ops']),
        ),
        migrations.AddIndex(
            model_name='product',
            index=django.contrib.postgres.indexes.GinIndex(condition=models.Q(('default_code__gt', '')), fields=['default_code'], name='products_code_trigrams', opclasses=['gin_trgm_ops']),
        ),
        migrations.AddIndex(
            model_name='producttemplate',
            index=django.contrib.postgres.indexes.GinIndex(fields=['name'], name='templates_name_trigrams', opclasses=['gin_trgm_ops']),
        ),
        migrations.AddIndex(
            model_name='purchaseorder',
            index=django.contrib.postgres.indexes.GinIndex(condition=models.Q(('partner_ref__gt', '')), fields=['partner_ref'], name='purchases_ref_trigrams', opclasses=['gin_trgm_ops']),
        ),
        migrations.AddIndex(
            model_name='saleorder',
            index=django.contrib.postgres.indexes.GinIndex(condition=models.Q(('client_order_ref__gt', '')), fields=['client_order_ref'], name='sale_orders_ref_trigrams', opclasses=['gin_trgm_ops']),
        ),
    ]

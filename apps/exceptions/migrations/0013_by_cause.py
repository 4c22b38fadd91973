import datetime
from decimal import Decimal

import django.db.models.functions.comparison
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.operations import RemoveIndexConcurrently
from django.db import migrations, models

from apps.core.indexes import built

# What is open is looked at again, a batch at a time, so that each exception names its cause.
LOOK_AGAIN = """
UPDATE workflows_position p
   SET look_again_at = now()
  FROM (SELECT DISTINCT connection_id, workflow, odoo_id FROM exceptions_exceptioncase WHERE status <> 'resolved') AS c
 WHERE p.connection_id = c.connection_id AND p.workflow = c.workflow AND p.odoo_id = c.odoo_id
"""


class Migration(migrations.Migration):
    # Each index is built while exceptions are written, and the one that it replaces goes last. Each step can be done again.
    atomic = False

    dependencies = [
        ("exceptions", "0012_cause_groups"),
        ("workflows", "0009_parameter_values"),
    ]

    operations = [
        *built('exceptioncase', models.Index(condition=models.Q(('status', 'resolved'), _negated=True), fields=['rank', 'id'], include=('status', 'severity', 'type', 'workflow', 'stage', 'team', 'owner', 'amount', 'due_at', 'opened_at', 'connection', 'company_id', 'is_grouped'), name='queue_by_rank')),
        *built('exceptioncase', models.Index(django.db.models.functions.comparison.Coalesce('due_at', models.Value(datetime.datetime(9999, 1, 1, 0, 0, tzinfo=datetime.timezone.utc), output_field=models.DateTimeField())), models.F('id'), condition=models.Q(('status', 'resolved'), _negated=True), include=('status', 'severity', 'type', 'workflow', 'stage', 'team', 'owner', 'amount', 'due_at', 'opened_at', 'connection', 'company_id', 'is_grouped'), name='queue_by_due')),
        *built('exceptioncase', models.Index(models.OrderBy(django.db.models.functions.comparison.Coalesce('amount', models.Value(Decimal('0'), output_field=models.DecimalField(decimal_places=2, max_digits=20))), descending=True), models.OrderBy(models.F('id'), descending=True), condition=models.Q(('status', 'resolved'), _negated=True), include=('status', 'severity', 'type', 'workflow', 'stage', 'team', 'owner', 'amount', 'due_at', 'opened_at', 'connection', 'company_id', 'is_grouped'), name='queue_by_money')),
        *built('exceptioncase', models.Index(condition=models.Q(('status', 'resolved'), _negated=True), fields=['opened_at', 'id'], include=('status', 'severity', 'type', 'workflow', 'stage', 'team', 'owner', 'amount', 'due_at', 'opened_at', 'connection', 'company_id', 'is_grouped'), name='queue_by_age')),
        *built('exceptioncase', models.Index(fields=['group'], name='exceptions_of_group')),
        *built('exceptioncase', models.Index(condition=models.Q(models.Q(('status', 'resolved'), _negated=True), ('follows_id__gt', 0)), fields=['connection', 'follows_id'], name='open_followers')),
        *built('exceptioncase', GinIndex(condition=models.Q(('status', 'resolved'), _negated=True), fields=['further_roots'], name='open_further_roots')),
        RemoveIndexConcurrently(
            model_name='exceptioncase',
            name='open_by_rank',
        ),
        RemoveIndexConcurrently(
            model_name='exceptioncase',
            name='open_by_due',
        ),
        RemoveIndexConcurrently(
            model_name='exceptioncase',
            name='open_by_money',
        ),
        RemoveIndexConcurrently(
            model_name='exceptioncase',
            name='open_by_age',
        ),
        migrations.RunSQL(LOOK_AGAIN, migrations.RunSQL.noop),
    ]

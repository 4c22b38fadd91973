"""How far each model of each connection has been read."""

from django.db import models

from apps.odoo.models import Connection


class SyncState(models.Model):
    """How far one model of one connection has been read."""

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="sync_states")
    odoo_model = models.CharField(max_length=80)
    backfill_cursor = models.BigIntegerField(default=0, help_text="Largest id read so far by the first read")
    backfill_total = models.BigIntegerField(default=0)
    backfill_done_at = models.DateTimeField(null=True)
    watermark = models.DateTimeField(null=True, help_text="Newest write_date that has been read")
    seen_until = models.DateTimeField(null=True, help_text="All that Odoo had committed by then has been read")
    overlap_seconds = models.PositiveIntegerField(
        default=150, help_text="How far back each increment looks: a transaction commits later than its write_date"
    )
    increment_at = models.DateTimeField(null=True, help_text="When an increment last ended well")
    reconciled_at = models.DateTimeField(null=True)
    defaults = models.TextField(
        blank=True, default="", db_default="", help_text="The companies' defaults that company-dependent fields were read with"
    )
    late_count = models.BigIntegerField(default=0, help_text="Rows that came in behind the watermark")
    problem = models.TextField(blank=True)

    class Meta:
        app_label = "mirror"
        constraints = [models.UniqueConstraint(fields=["connection", "odoo_model"], name="one_state_a_model")]


class SyncRun(models.Model):
    """What one reconciliation found, and what it cost."""

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="sync_runs")
    odoo_model = models.CharField(max_length=80)
    kind = models.CharField(max_length=20)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    compared = models.BigIntegerField(default=0, help_text="Records whose figures were compared: all there are")
    stretches = models.BigIntegerField(default=0, help_text="Days that had to be compared more closely")
    ids_compared = models.BigIntegerField(default=0, help_text="Records compared one by one")
    found_changed = models.BigIntegerField(default=0)
    found_deleted = models.BigIntegerField(default=0)
    is_held = models.BooleanField(default=False, help_text="Too many deletions at once: a person has to look")
    note = models.TextField(blank=True)

    class Meta:
        app_label = "mirror"
        indexes = [models.Index(fields=["connection", "-started_at"], name="runs_newest")]

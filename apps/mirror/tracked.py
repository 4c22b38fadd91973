"""What Odoo itself kept of the past: changes of tracked fields, as ``mail.tracking.value`` tells of them."""

from django.db import models

from apps.odoo.models import Connection


class TrackedChange(models.Model):
    """One tracked field of one record that somebody changed before the tower looked.

    Odoo keeps the words that the person read. Here they stand as the field's own values; NULL where no language of that
    Odoo has the word.
    """

    # Like the mirrored rows: no index and no check of its own for the connection (apps/mirror/declare.py).
    connection = models.ForeignKey(Connection, models.CASCADE, related_name="+", db_index=False, db_constraint=False)
    tracking_id = models.BigIntegerField(help_text="Odoo's id of the mail.tracking.value")
    message_id = models.BigIntegerField(help_text="Odoo's id of the mail.message: what changed together has one")
    model = models.CharField(max_length=80)
    odoo_id = models.BigIntegerField()
    field = models.CharField(max_length=80)
    old = models.TextField(null=True)
    new = models.TextField(null=True)
    told = models.TextField(help_text="The change in the words that Odoo kept")
    author = models.TextField(blank=True)
    at = models.DateTimeField(help_text="Odoo's time")

    class Meta:
        app_label = "mirror"
        constraints = [models.UniqueConstraint(fields=["connection", "tracking_id"], name="tracked_once")]
        # workflows/history_import.py: the past of a batch of records.
        indexes = [models.Index(fields=["connection", "model", "odoo_id"], name="tracked_by_record")]

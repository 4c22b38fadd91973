"""Which dates of mirrored records were moved: what a model declares as ``remembered`` is kept here as it is overwritten."""

from django.db import models

from apps.odoo.models import Connection


class DateChange(models.Model):
    """One date of one record that has become another, as the tower saw it; changes between two reads are one."""

    # Like the mirrored rows: no index and no check of its own for the connection (apps/mirror/declare.py).
    connection = models.ForeignKey(Connection, models.CASCADE, related_name="+", db_index=False, db_constraint=False)
    model = models.CharField(max_length=80)
    odoo_id = models.BigIntegerField()
    field = models.CharField(max_length=80)
    old = models.DateTimeField()
    new = models.DateTimeField()
    at = models.DateTimeField(help_text="Odoo's time of the write")

    class Meta:
        app_label = "mirror"
        # boards/profiles/vendors.py: how the dates of purchase lines moved.
        indexes = [models.Index(fields=["connection", "model", "odoo_id"], name="date_changes_by_record")]

    def __str__(self) -> str:
        return f"{self.model} {self.odoo_id}: {self.old} → {self.new}"

"""What dates and numbers of mirrored records were: what a model declares as ``remembered`` is kept here as it is overwritten.

Changes between two reads are one.
"""

from django.db import models

from apps.odoo.models import Connection


class DateChange(models.Model):
    """One date of one record that has become another, as the tower saw it."""

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
        # boards/profiles/vendors.py and boards/findings: how the dates of orders and purchase lines moved.
        indexes = [models.Index(fields=["connection", "model", "odoo_id"], name="date_changes_by_record")]

    def __str__(self) -> str:
        return f"{self.model} {self.odoo_id}: {self.old} → {self.new}"


class NumberChange(models.Model):
    """One quantity or sum of one record that has become another, as the tower saw it."""

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="+", db_index=False, db_constraint=False)
    model = models.CharField(max_length=80)
    odoo_id = models.BigIntegerField()
    field = models.CharField(max_length=80)
    old = models.DecimalField(max_digits=26, decimal_places=6)
    new = models.DecimalField(max_digits=26, decimal_places=6)
    at = models.DateTimeField(help_text="Odoo's time of the write")

    class Meta:
        app_label = "mirror"
        # boards/findings: what changed in orders after they were confirmed.
        indexes = [models.Index(fields=["connection", "model", "odoo_id"], name="number_changes_by_record")]

    def __str__(self) -> str:
        return f"{self.model} {self.odoo_id}: {self.old} → {self.new}"

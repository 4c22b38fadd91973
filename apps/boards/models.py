"""What people have set about the figures; everything else that the boards show belongs to the apps below."""

from django.db import models


class KpiTarget(models.Model):
    """The target of one figure that somebody has set, in the place of the one that is declared."""

    kpi = models.CharField(max_length=40, unique=True)
    value = models.FloatField(help_text="A share of one, or seconds")
    set_by = models.CharField(max_length=200)
    set_at = models.DateTimeField()

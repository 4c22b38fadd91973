"""What people have set about the figures; everything else that the boards show belongs to the apps below."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from apps.accounts.models import User


class KpiTarget(models.Model):
    """The target of one figure that somebody has set, in the place of the one that is declared."""

    kpi = models.CharField(max_length=40, unique=True)
    value = models.FloatField(help_text="A share of one, seconds, or a sum")
    set_by = models.CharField(max_length=200)
    set_at = models.DateTimeField()


class Report(models.Model):
    """The KPIs, or one board, as a person wants them sent at set hours."""

    user = models.ForeignKey(User, models.CASCADE, related_name="reports")
    subject = models.CharField(max_length=60, help_text='"kpis", or the workflow whose board it is')
    days = ArrayField(models.PositiveSmallIntegerField(), help_text="Days of the week, Monday is 0")
    hour = models.PositiveSmallIntegerField(help_text="In the person's time zone")
    next_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "subject"], name="one_report_a_subject")]
        indexes = [models.Index(fields=["next_at"], name="reports_by_time")]


class KpiAlert(models.Model):
    """One figure of one workflow, of which a person is told when it leaves its target and when it is back."""

    user = models.ForeignKey(User, models.CASCADE, related_name="kpi_alerts")
    kpi = models.CharField(max_length=40)
    workflow = models.CharField(max_length=60)
    is_missed = models.BooleanField(null=True, help_text="What was told last; none: nothing yet")
    next_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "kpi", "workflow"], name="one_alert_a_figure")]
        indexes = [models.Index(fields=["next_at"], name="kpi_alerts_by_time")]

"""Due times: the one table that makes things happen later."""

from django.db import models

from apps.accounts.models import Team
from apps.timers.choices import Status as Status


class Timer(models.Model):
    """A moment at which the handler registered under ``kind`` is to be called for ``key``."""

    kind = models.CharField(max_length=60, help_text="Registered name of what happens, such as approvals.escalate")
    key = models.CharField(max_length=120, help_text="What it happens to, such as request:12:step:1")
    due_at = models.DateTimeField()
    payload = models.JSONField(default=dict)
    status = models.CharField(max_length=10, choices=Status, default=Status.PENDING)
    fired_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["kind", "key"], condition=models.Q(status="pending"), name="one_pending_timer_a_key"),
        ]
        indexes = [
            # Used by due.fire_due: finding what is due costs the same however many timers are pending.
            models.Index(fields=["due_at", "id"], condition=models.Q(status="pending"), name="timers_pending"),
        ]


class WorkingCalendar(models.Model):
    """A team's working hours; durations of SLAs count inside them. A team without one works round the clock."""

    team = models.OneToOneField(Team, models.CASCADE, related_name="calendar")
    time_zone = models.CharField(max_length=60, default="UTC")
    hours = models.JSONField(default=dict, help_text='{"0": [["08:00", "17:00"]], …}: weekday, Monday is 0')
    holidays_of = models.CharField(max_length=10, blank=True, help_text="Country code whose public holidays are free")

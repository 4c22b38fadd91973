"""Rules by which people and other systems are told of troubles, and what they were told."""

from django.db import models

from apps.accounts.models import User
from apps.exceptions.models import ExceptionCase, Severity
from apps.notifications.models import Endpoint
from apps.odoo.models import Connection


class AlertRule(models.Model):
    """Of which troubles somebody is told, who, and when not."""

    name = models.CharField(max_length=80, unique=True)
    is_active = models.BooleanField(default=True)
    types = models.JSONField(default=list, blank=True, help_text="Of these types; none named: of all of the integration")
    severity = models.SmallIntegerField(choices=Severity, default=Severity.MEDIUM, help_text="From which on")
    connection = models.ForeignKey(Connection, models.CASCADE, null=True, blank=True, help_text="None: of every one")
    after_seconds = models.PositiveIntegerField(default=60, help_text="Only of what has lasted this long")
    people = models.ManyToManyField(User, blank=True, related_name="+")
    endpoints = models.ManyToManyField(Endpoint, blank=True, related_name="+")
    quiet_from = models.TimeField(null=True, blank=True)
    quiet_until = models.TimeField(null=True, blank=True)
    time_zone = models.CharField(max_length=60, default="UTC")
    critical_anyway = models.BooleanField(default=True, help_text="What is critical is told in quiet hours too")
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class Firing(models.Model):
    """One trouble that a rule told of. It is told of once, and once more should it grow worse."""

    rule = models.ForeignKey(AlertRule, models.CASCADE, related_name="firings")
    case = models.ForeignKey(ExceptionCase, models.CASCADE, related_name="+")
    severity = models.SmallIntegerField(choices=Severity)
    told_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, help_text="When it was told that all is well again")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["rule", "case"], name="told_of_once")]
        indexes = [models.Index(fields=["rule"], condition=models.Q(ended_at=None), name="firings_standing")]

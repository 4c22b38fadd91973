"""The exception queue: deviations that somebody must own."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from apps.accounts.models import Team, User
from apps.exceptions import integration
from apps.odoo.models import Connection


class Severity(models.IntegerChoices):
    """How bad; the number sorts."""

    LOW = 1, "Low"
    MEDIUM = 2, "Medium"
    HIGH = 3, "High"
    CRITICAL = 4, "Critical"


class Status(models.TextChoices):
    """Where an exception stands. All but resolved are open to work."""

    OPEN = "open", "Open"
    ACKNOWLEDGED = "acknowledged", "Acknowledged"
    SNOOZED = "snoozed", "Snoozed"
    RESOLVED = "resolved", "Resolved"


class ExceptionCase(models.Model):
    """One deviation of one record: who owns it, by when, what it puts at risk, and the evidence."""

    connection = models.ForeignKey(Connection, models.CASCADE)
    type = models.CharField(max_length=80)
    workflow = models.CharField(max_length=60)
    model = models.CharField(max_length=80)
    odoo_id = models.BigIntegerField()
    company_id = models.BigIntegerField(null=True, help_text="The record's company in Odoo")
    cause = models.CharField(max_length=120, blank=True, help_text="Tells two deviations of one type apart")
    record_name = models.CharField(max_length=200)
    partner_name = models.CharField(max_length=300, blank=True)
    severity = models.SmallIntegerField(choices=Severity)
    status = models.CharField(max_length=15, choices=Status, default=Status.OPEN)
    team = models.ForeignKey(Team, models.PROTECT)
    owner = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="exceptions")
    amount = models.DecimalField(max_digits=20, decimal_places=2, null=True, help_text="Money at risk")
    currency = models.CharField(max_length=10, blank=True)
    opened_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True)
    breached_at = models.DateTimeField(null=True)
    snoozed_until = models.DateTimeField(null=True)
    resolved_at = models.DateTimeField(null=True)
    resolution = models.CharField(max_length=300, blank=True)
    evidence = models.JSONField(default=dict)
    updated_at = models.DateTimeField()
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "model", "odoo_id", "type", "cause"],
                condition=~Q(status="resolved"),
                name="one_open_exception_a_cause",
            ),
        ]
        indexes = [
            # The queue's first page, by what it costs to wait.
            models.Index(fields=["due_at", "id"], condition=~Q(status="resolved"), name="queue_by_due"),
            models.Index(fields=["owner", "due_at"], condition=~Q(status="resolved"), name="queue_by_owner"),
            models.Index(fields=["connection", "model", "odoo_id"], name="exceptions_by_record"),
            models.Index(fields=["-opened_at", "-id"], name="exceptions_by_opening"),  # the API's cursor
            # The same for who sees some companies only.
            models.Index(fields=["connection", "company_id", "-opened_at", "-id"], name="exceptions_by_company"),
        ]

    @property
    def is_of_a_record(self) -> bool:
        """Whether it is of a record in Odoo, and not of a connection or the tower itself."""
        return self.model not in (integration.CONNECTION, integration.TOWER)

    @property
    def url(self) -> str:
        """Where what it is about can be looked at: the record in Odoo's own web client, or the tower's page of health."""
        if self.is_of_a_record:
            return self.connection.record_url(self.model, self.odoo_id)
        return f"{settings.PUBLIC_URL}/health/"

    @property
    def about(self) -> str:
        """The record, and whose it is where it is somebody's: stock in a place is not."""
        return ", ".join(filter(None, [self.record_name, self.partner_name]))


class Shown(models.Model):
    """The activity that shows an exception in Odoo. What became of it there is in its commands."""

    case = models.OneToOneField(ExceptionCase, models.CASCADE, primary_key=True, related_name="shown")
    mark = models.CharField(max_length=40, help_text="The command that made the activity; it is found by it")
    values = models.JSONField(default=dict, help_text="What it was last told to say")
    at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        # How many came in the last hour: a connection has its limit.
        indexes = [models.Index(fields=["at"], name="shown_lately")]


class ShowInOdoo(models.Model):
    """What of the queue one Odoo shows. A connection without a row has the defaults."""

    connection = models.OneToOneField(Connection, models.CASCADE, primary_key=True, related_name="+")
    is_on = models.BooleanField(default=True)
    severity = models.SmallIntegerField(choices=Severity, default=Severity.MEDIUM, help_text="From which on")
    types_off = models.JSONField(default=list, help_text="Exception types that are not shown")
    an_hour = models.PositiveIntegerField(default=200, help_text="How many new ones an hour at most")

    @classmethod
    def of(cls, connection: Connection) -> "ShowInOdoo":
        """What was chosen for ``connection``, or the defaults."""
        return cls.objects.filter(connection=connection).first() or cls(connection=connection)


class Comment(models.Model):
    """What a person wrote on an exception."""

    case = models.ForeignKey(ExceptionCase, models.CASCADE, related_name="comments")
    author = models.ForeignKey(User, models.PROTECT)
    text = models.TextField()
    at = models.DateTimeField()

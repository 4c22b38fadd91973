"""Deliveries: what was sent to the tower, kept as received before it was answered."""

from django.db import models

from apps.core.looks import Look
from apps.core.secrets import SecretField
from apps.intake.choices import Status as Status
from apps.odoo.models import Connection

# What stands in the place of a model where a delivery tells of an event outside of Odoo, and names no record of it.
EVENT = "event"


class Sender(models.Model):
    """Somebody outside of Odoo who may tell of events about one connection's records."""

    name = models.SlugField(max_length=40, unique=True, help_text="The source, as its address names it")
    adapter = models.CharField(max_length=60, help_text="The folder of apps/events/sources that reads its messages")
    connection = models.ForeignKey(Connection, models.CASCADE)
    secret = SecretField(help_text="What it signs with")
    previous_secret = SecretField(blank=True, help_text="What it signed with before, while it changes over")
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class Delivery(models.Model):
    """One inbound message. Odoo's own are hints that a record changed; the record is then read."""

    source = models.CharField(max_length=40, help_text="odoo, or the part of the tower that hinted")
    # Neither checked row by row nor an index of its own: both are paid for by every delivery. Who stores a batch holds
    # its connections once (apps/intake/store.py).
    connection = models.ForeignKey(Connection, models.CASCADE, null=True, db_index=False, db_constraint=False)
    key = models.CharField(max_length=64, help_text="The same message is stored once however often it comes")
    model = models.CharField(max_length=80)
    odoo_id = models.BigIntegerField()
    body = models.TextField(blank=True)
    received_at = models.DateTimeField()
    status = models.CharField(max_length=10, choices=Status, default=Status.PENDING)
    not_before = models.DateTimeField()
    claimed_until = models.DateTimeField(null=True)
    claimed_by = models.IntegerField(null=True, help_text="Process number of the database session that took it")
    attempts = models.PositiveIntegerField(default=0)
    problem = models.TextField(blank=True)
    processed_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "deliveries"
        constraints = [models.UniqueConstraint(fields=["source", "connection", "key"], name="stored_once", nulls_distinct=False)]
        indexes = [
            # Used by claim.take: what waits, whatever the history has grown to.
            models.Index(fields=["id"], condition=models.Q(status__in=["pending", "claimed"]), name="deliveries_waiting"),
            models.Index(fields=["id"], condition=models.Q(status="dead"), name="deliveries_dead"),
            models.Index(fields=["received_at"], name="deliveries_by_time"),  # health: rates of the last day
        ]

    @property
    def look(self) -> Look:
        """The colour and icon of its status."""
        return Status(self.status).look


class Mended(models.Model):
    """What a dead letter said before a person mended it; the first of a delivery is what its sender sent."""

    delivery = models.ForeignKey(Delivery, models.CASCADE, related_name="mends")
    body = models.TextField(blank=True)
    model = models.CharField(max_length=80)
    odoo_id = models.BigIntegerField()
    by = models.CharField(max_length=200, help_text="Who mended it")
    at = models.DateTimeField()


class Wait(models.Model):
    """How long those who sent a connection's webhooks waited for the intake in one minute: Odoo's users wait as long."""

    connection = models.ForeignKey(Connection, models.CASCADE, db_index=False, db_constraint=False)
    minute = models.DateTimeField()
    answered = models.IntegerField(help_text="Answered, whatever the answer was")
    slow = models.IntegerField(help_text="Of these, after longer than waits.SLOW_SECONDS")
    turned_away = models.IntegerField(help_text="Of these, with 503: it could not be stored")
    seconds = models.FloatField(help_text="All of them together")
    longest = models.FloatField(help_text="The longest, in seconds")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["connection", "minute"], name="one_wait_a_minute")]


class Tally(models.Model):
    """How many of something there were in an hour: kept longer than the deliveries, so that figures never go back."""

    # Not checked row by row: the delivery that is counted was.
    connection = models.ForeignKey(Connection, models.CASCADE, db_index=False, db_constraint=False)
    source = models.CharField(max_length=40)
    hour = models.DateTimeField()
    what = models.CharField(max_length=12, help_text="received, duplicate, done, failed, dead, replayed; changed by way of arrival")
    bucket = models.SmallIntegerField(default=0, help_text="Of what is done: by how long it took (tally.BOUNDS)")
    count = models.BigIntegerField()
    seconds = models.FloatField(default=0, help_text="Of what is done: how long all of them took")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["connection", "source", "hour", "what", "bucket"], name="one_tally_an_hour")]
        indexes = [models.Index(fields=["hour"], name="tallies_by_hour")]  # health: the last day

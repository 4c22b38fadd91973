"""Events outside of Odoo: what another system said happened to one of its records."""

from django.conf import settings
from django.db import models

from apps.core.indexes import prefix
from apps.core.looks import Look
from apps.events.choices import Status as Status
from apps.events.declare import KINDS
from apps.odoo.models import Connection


class OutsideEvent(models.Model):
    """One normalised event. Of several of a kind about a record the one that occurred last counts; all are kept.

    Workflows read this table in SQL, by connection, model, odoo_id and kind.
    """

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="+", db_index=False)
    source = models.CharField(max_length=40, help_text="Who said so")
    message = models.CharField(max_length=64, help_text="The delivery's key: a message that is replayed tells nothing twice")
    position = models.PositiveIntegerField(help_text="Where it stands in its message")
    kind = models.CharField(max_length=40, choices=KINDS)
    reference = models.TextField()
    occurred_at = models.DateTimeField()
    expected_at = models.DateTimeField(null=True)
    text = models.TextField(blank=True)
    data = models.JSONField(default=dict)
    received_at = models.DateTimeField()
    model = models.CharField(max_length=80)
    status = models.CharField(max_length=10, choices=Status, default=Status.UNMATCHED)
    odoo_id = models.BigIntegerField(null=True)
    problem = models.CharField(max_length=200, blank=True, help_text="Why it could not be matched")
    is_absorbed = models.BooleanField(default=False, help_text="Whether its record was evaluated with it")
    settled_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", db_index=False)
    settled_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "events_event"
        constraints = [
            models.UniqueConstraint(fields=["connection", "source", "message", "position"], name="event_told_once"),
            models.CheckConstraint(
                condition=models.Q(status="matched", odoo_id__isnull=False) | ~models.Q(status="matched"),
                name="event_matched_with_a_record",
            ),
        ]
        indexes = [
            # The facts of workflows: the newest of a kind about a record.
            models.Index(
                fields=["connection", "model", "odoo_id", "kind", "-occurred_at"],
                condition=models.Q(status="matched"),
                name="events_of_a_record",
            ),
            # Matching again when a record comes that may be meant; and what a person is shown.
            models.Index(
                "connection",
                "model",
                prefix("reference"),
                condition=models.Q(status="unmatched"),
                name="events_awaited",
            ),
            # What a person matched once holds for what comes later with the same reference.
            models.Index(
                "connection",
                "model",
                prefix("reference"),
                condition=models.Q(status="matched", settled_at__isnull=False),
                name="events_settled_by",
            ),
            models.Index(
                fields=["connection", "id"], condition=models.Q(status="matched", is_absorbed=False), name="events_to_absorb"
            ),
        ]

    @property
    def look(self) -> Look:
        """The colour and icon of its status."""
        return Status(self.status).look

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.reference}"

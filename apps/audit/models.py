"""The audit trail: append-only, each entry chained to the one before it."""

from django.db import models


class Entry(models.Model):
    """One thing that happened. A trigger in the database refuses every update and deletion."""

    sequence = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField()
    action = models.CharField(max_length=80, help_text="noun.past_tense, such as approval.approved")
    actor = models.CharField(max_length=200)
    actor_name = models.CharField(max_length=200)
    subject = models.CharField(max_length=200, help_text="What it happened to: exception:12, sale.order:42@main")
    data = models.JSONField(default=dict)
    # Who may read it, and no part of what happened: not in the chain. The connection is of a floor above.
    connection_id = models.BigIntegerField(null=True, help_text="What it is about; none: for those who see everything")
    company_id = models.BigIntegerField(null=True)
    previous_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)

    class Meta:
        indexes = [
            models.Index(fields=["subject", "sequence"], name="audit_by_subject"),  # the record's timeline
            models.Index(fields=["action", "sequence"], name="audit_by_action"),  # the API's filter
        ]
        verbose_name_plural = "entries"


class Head(models.Model):
    """The chain's newest link; its row lock makes writers queue, so the chain cannot fork."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    sequence = models.BigIntegerField(default=0)
    hash = models.CharField(max_length=64, default="0" * 64)

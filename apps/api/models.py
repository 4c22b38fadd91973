"""Answers kept for repeated requests."""

from django.db import models


class IdempotencyKey(models.Model):
    """The answer to one POST, written in the transaction of its effect."""

    caller = models.CharField(max_length=64, help_text="Digest of the token")
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64, help_text="Digest of path and body")
    status = models.PositiveSmallIntegerField(null=True)
    body = models.TextField(blank=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["caller", "key"], name="one_answer_a_key")]
        indexes = [models.Index(fields=["created_at"], name="keys_by_age")]

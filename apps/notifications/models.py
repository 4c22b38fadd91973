"""What people are told."""

from django.db import models

from apps.accounts.models import User


class Notification(models.Model):
    """One message to one person: in the tower at once, by e-mail soon after."""

    user = models.ForeignKey(User, models.CASCADE, related_name="notifications", null=True)
    email = models.EmailField(blank=True, help_text="For somebody who has no account here")
    kind = models.CharField(max_length=60)
    key = models.CharField(max_length=200, help_text="The same message is sent to a person once")
    title = models.CharField(max_length=200)
    body = models.TextField(blank=True)
    path = models.CharField(max_length=300, blank=True, help_text="The page it leads to")
    connection_id = models.BigIntegerField(null=True, help_text="What it is about; none: nothing of any Odoo")
    company_id = models.BigIntegerField(null=True)
    created_at = models.DateTimeField()
    held_until = models.DateTimeField(
        null=True, help_text="Not told before, because what it tells of can still be taken back; emptied once told"
    )
    read_at = models.DateTimeField(null=True)
    email_due = models.BooleanField(default=False)
    emailed_at = models.DateTimeField(null=True)
    email_attempts = models.PositiveIntegerField(default=0)
    email_problem = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "email", "key"], name="told_once", nulls_distinct=False),
        ]
        indexes = [
            models.Index(fields=["user", "-created_at"], name="notifications_of_user"),
            models.Index(fields=["id"], condition=models.Q(email_due=True), name="notifications_to_send"),
            models.Index(fields=["held_until"], condition=models.Q(held_until__isnull=False), name="notifications_held"),
        ]

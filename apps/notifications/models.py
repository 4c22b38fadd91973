"""What people are told."""

from django.db import models
from django.utils.translation import get_language

from apps.accounts.models import User
from apps.core.looks import Look
from apps.core.secrets import SecretField
from apps.notifications.choices import OutgoingStatus as OutgoingStatus


class Notification(models.Model):
    """One message to one person: in the tower at once, by e-mail soon after."""

    user = models.ForeignKey(User, models.CASCADE, related_name="notifications", null=True)
    email = models.EmailField(blank=True, help_text="For somebody who has no account here")
    kind = models.CharField(max_length=60)
    key = models.CharField(max_length=200, help_text="The same message is sent to a person once")
    title = models.TextField()
    body = models.TextField(blank=True)
    html = models.TextField(blank=True, help_text="The same as a mail program shows it with tables; none: the body alone")
    translations = models.JSONField(
        null=True, help_text='Title and body in the languages in which they read otherwise: {"de": ["…", "…"]}'
    )
    path = models.CharField(max_length=300, blank=True, help_text="The page it leads to")
    connection_id = models.BigIntegerField(null=True, help_text="What it is about; none: nothing of any Odoo")
    company_id = models.BigIntegerField(null=True)
    created_at = models.DateTimeField()
    held_until = models.DateTimeField(
        null=True, help_text="Not told before, because what it tells of can still be taken back; emptied once told"
    )
    read_at = models.DateTimeField(null=True)
    opened_at = models.DateTimeField(null=True, help_text="When the link in its e-mail was followed; it leads there once")
    email_not_before = models.DateTimeField(null=True, help_text="The end of the person's quiet hours")
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

    @property
    def told_title(self) -> str:
        """The title in the active language, whichever it was sent in."""
        return self._told()[0]

    @property
    def told_body(self) -> str:
        """The body in the active language, whichever it was sent in."""
        return self._told()[1]

    def _told(self) -> tuple[str, str]:
        title, body = (self.translations or {}).get(get_language() or "") or (self.title, self.body)
        return title, body


class Endpoint(models.Model):
    """Another system that is told, by webhooks that are signed as Standard Webhooks has it."""

    name = models.CharField(max_length=60, unique=True)
    url = models.CharField(max_length=500)
    secret = SecretField(help_text="What messages are signed with")
    previous_secret = SecretField(blank=True, help_text="What they are signed with too, while it changes over")
    is_active = models.BooleanField(default=True)
    problem = models.TextField(blank=True, help_text="Why it was switched off, or what it last answered")
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class Outgoing(models.Model):
    """One message to one endpoint."""

    endpoint = models.ForeignKey(Endpoint, models.CASCADE, related_name="messages")
    key = models.CharField(max_length=200, help_text="The same message is sent to an endpoint once")
    message_id = models.CharField(max_length=64, unique=True, help_text="By which the receiver knows it when it comes again")
    body = models.TextField(help_text="The bytes that are signed and sent, each time the same")
    status = models.CharField(max_length=10, choices=OutgoingStatus, default=OutgoingStatus.PENDING)
    attempts = models.PositiveIntegerField(default=0)
    not_before = models.DateTimeField()
    problem = models.TextField(blank=True)
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["endpoint", "key"], name="posted_once")]
        indexes = [models.Index(fields=["not_before"], condition=models.Q(status="pending"), name="outgoing_waiting")]

    @property
    def look(self) -> Look:
        """The colour and icon of its status."""
        return OutgoingStatus(self.status).look


class Preferences(models.Model):
    """What a person wants to be told outside of the tower, and when not; ``notifications.preferences`` reads it."""

    user = models.OneToOneField(User, models.CASCADE, related_name="preferences")
    channels = models.JSONField(default=dict, help_text='{"asked": {"email": true, "push": true}, …}')
    quiet_from = models.TimeField(null=True)
    quiet_to = models.TimeField(null=True)


class Device(models.Model):
    """A browser that a person wants to be told in. Its keys and address come from the browser."""

    user = models.ForeignKey(User, models.CASCADE, related_name="devices")
    endpoint = models.URLField(max_length=1_000, unique=True)
    p256dh = models.CharField(max_length=120)
    auth = models.CharField(max_length=40)
    name = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField()
    told_at = models.DateTimeField(null=True)
    problem = models.CharField(max_length=300, blank=True)


class Relay(models.Model):
    """One message on its way to its person by the channel of an extension; gone once it is there, or given up."""

    notification = models.ForeignKey(Notification, models.CASCADE, related_name="relays")
    channel = models.CharField(max_length=60)
    not_before = models.DateTimeField()
    attempts = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["notification", "channel"], name="relayed_once")]
        indexes = [models.Index(fields=["not_before", "id"], name="relays_by_time")]


class Push(models.Model):
    """One message on its way to one device; gone once it is there, or given up."""

    notification = models.ForeignKey(Notification, models.CASCADE, related_name="pushes")
    device = models.ForeignKey(Device, models.CASCADE, related_name="pushes")
    not_before = models.DateTimeField()
    attempts = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["notification", "device"], name="pushed_once")]
        indexes = [models.Index(fields=["not_before", "id"], name="pushes_by_time")]

"""What vendors are asked, what they answer, and what becomes of it."""

from datetime import datetime
from typing import Any

from django.db import models
from django.utils.translation import gettext

from apps.core import sentences
from apps.core.identity import uuid7
from apps.core.looks import Look
from apps.events.models import OutsideEvent
from apps.odoo.models import Connection
from apps.vendors.choices import Kind as Kind
from apps.vendors.choices import MailStatus as MailStatus
from apps.vendors.choices import Said as Said
from apps.vendors.choices import Status as Status


class VendorLink(models.Model):
    """What lets a vendor see and answer its open orders with one company, without an account.

    The address is signed and is stored nowhere: who reads the database cannot open the page.
    """

    id = models.UUIDField(primary_key=True, default=uuid7)
    connection = models.ForeignKey(Connection, models.CASCADE)
    company_id = models.BigIntegerField(help_text="The company in Odoo whose orders it shows")
    partner_id = models.BigIntegerField(help_text="The vendor's commercial partner in Odoo")
    partner_name = models.TextField()
    language = models.CharField(max_length=10, blank=True, help_text="The vendor's, as Odoo has it; else the browser's is spoken")
    message = models.TextField(blank=True, help_text="The buyer's words, shown above the orders")
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=200)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    revoked_by = models.CharField(max_length=200, blank=True)

    class Meta:
        indexes = [models.Index(fields=["connection", "partner_id", "company_id"], name="links_of_a_vendor")]

    def __str__(self) -> str:
        return self.partner_name

    def is_open(self, now: datetime) -> bool:
        """Whether it still leads anywhere."""
        return self.revoked_at is None and now < self.expires_at


class Answer(models.Model):
    """What a vendor sent of one order, kept as sent before it was answered; the delivery beside it brings it to the order."""

    id = models.UUIDField(primary_key=True, help_text="The form's: one that is sent again is the same answer")
    link = models.ForeignKey(VendorLink, models.CASCADE)
    order_id = models.BigIntegerField(help_text="The purchase order's id in Odoo")
    content = models.JSONField(help_text="What is said of each line, and the note")
    digest = models.CharField(max_length=64, help_text="Of what was sent, files and all: tells a repetition from a second answer")
    said_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["link", "order_id", "-said_at"], name="answers_of_a_link"),
            models.Index(fields=["link", "-said_at"], name="answers_by_time"),  # links/throttle.py
        ]


class Attachment(models.Model):
    """A file that came with an answer. It is only ever given out to be saved, never to be shown in the page."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    answer = models.ForeignKey(Answer, models.CASCADE, related_name="files")
    name = models.CharField(max_length=120, help_text="Neutralised: letters, digits, and the ending that fits its content")
    size = models.PositiveIntegerField()
    content = models.BinaryField()


class VendorRule(models.Model):
    """Which dates of one vendor a company accepts without a person; none, where there is no row."""

    connection = models.ForeignKey(Connection, models.CASCADE)
    company_id = models.BigIntegerField()
    partner_id = models.BigIntegerField(help_text="The vendor's commercial partner in Odoo")
    partner_name = models.TextField()
    accepts_earlier = models.BooleanField(default=False)
    accepts_later = models.BooleanField(default=False, help_text="Within the days of a parameter, where no sales order waits")
    changed_at = models.DateTimeField()
    changed_by = models.CharField(max_length=200)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["connection", "company_id", "partner_id"], name="one_rule_a_vendor")]

    def __str__(self) -> str:
        return self.partner_name


class Proposal(models.Model):
    """A change of a purchase order that its vendor said, to be decided by a person."""

    connection = models.ForeignKey(Connection, models.CASCADE)
    company_id = models.BigIntegerField(null=True)
    order_id = models.BigIntegerField()
    order_name = models.TextField()
    partner_id = models.BigIntegerField(null=True)
    partner_name = models.TextField()
    event = models.OneToOneField(OutsideEvent, models.CASCADE, related_name="proposal", help_text="It follows from this")
    answer = models.OneToOneField(Answer, models.SET_NULL, null=True, related_name="proposal")
    source = models.CharField(max_length=40)
    note = models.TextField(blank=True, help_text="The vendor's own words")
    lines = models.JSONField(default=list, help_text="Old and new of each line that changes (proposals/lines.py)")
    status = models.CharField(max_length=12, choices=Status, default=Status.OPEN)
    said_at = models.DateTimeField()
    created_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)
    decided_by = models.CharField(max_length=200, blank=True)
    rule = models.ForeignKey(VendorRule, models.SET_NULL, null=True, help_text="What accepted it, where nobody did")
    reply = models.TextField(blank=True, help_text="The buyer's words to the vendor")
    problem = models.JSONField(null=True, help_text="Why it is to be decided again, or lapsed: text, or a sentence")
    round = models.PositiveIntegerField(default=0, help_text="How often it was accepted: each time is a decision of its own")
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "order_id"], condition=models.Q(status="open"), name="one_open_proposal_an_order"
            )
        ]
        indexes = [
            models.Index(fields=["connection", "order_id", "-said_at"], name="proposals_of_an_order"),
            models.Index(fields=["-said_at"], condition=models.Q(status="open"), name="proposals_to_decide"),
            models.Index(fields=["id"], condition=models.Q(status="accepted"), name="proposals_accepted"),
        ]

    def __str__(self) -> str:
        return f"{self.order_name}, {self.partner_name}"

    @property
    def look(self) -> Look:
        """Its status's colour and icon."""
        return Status(self.status).look

    @property
    def decision(self) -> str:
        """How commands name what they follow from."""
        return f"proposal:{self.pk}:{self.round}"

    @property
    def told_problem(self) -> str:
        """Why it is to be decided again, or lapsed, in the active language."""
        problem: Any = self.problem
        return gettext(problem) if isinstance(problem, str) and problem else sentences.said(problem)


class Letter(models.Model):
    """The words of a kind of letter in one language, where a person has written others than the tower's own."""

    kind = models.CharField(max_length=12, choices=Kind, default=Kind.FOLLOW_UP)
    language = models.CharField(max_length=10)
    subject = models.CharField(max_length=200)
    body = models.TextField()
    changed_at = models.DateTimeField()
    changed_by = models.CharField(max_length=200)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "language"], name="one_letter_a_language")]

    def __str__(self) -> str:
        return f"{self.kind}, {self.language}"


class FollowUp(models.Model):
    """One message to a vendor about all its orders that are late or not confirmed. Odoo sends it, and has it in the chatter."""

    connection = models.ForeignKey(Connection, models.CASCADE)
    company_id = models.BigIntegerField()
    partner_id = models.BigIntegerField(help_text="The vendor's commercial partner in Odoo")
    partner_name = models.TextField()
    order_ids = models.JSONField(help_text="The purchase orders that it is about, by their ids in Odoo")
    link = models.OneToOneField(VendorLink, models.CASCADE, related_name="follow_up")
    subject = models.CharField(max_length=200, blank=True, help_text="None is kept of what was sent before 0.2.0")
    body = models.TextField(blank=True, help_text="As text; in place of the link, which is a key, stands {link}")
    sent_at = models.DateTimeField()
    sent_by = models.CharField(max_length=200)

    class Meta:
        indexes = [models.Index(fields=["connection", "partner_id", "company_id", "-sent_at"], name="follow_ups_of_a_vendor")]

    def __str__(self) -> str:
        return self.partner_name

    @property
    def decision(self) -> str:
        """How commands name what they follow from."""
        return f"follow-up:{self.pk}"


class FollowUpEdit(models.Model):
    """What a person made of the draft to one vendor: words of their own, or that it is not sent. It holds as long as the draft."""

    connection = models.ForeignKey(Connection, models.CASCADE)
    company_id = models.BigIntegerField()
    partner_id = models.BigIntegerField(help_text="The vendor's commercial partner in Odoo")
    version = models.CharField(max_length=16, help_text="Of the draft that was edited or dismissed")
    subject = models.CharField(max_length=200, blank=True)
    body = models.TextField(blank=True)
    is_dismissed = models.BooleanField(default=False)
    edited_at = models.DateTimeField()
    edited_by = models.CharField(max_length=200)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["connection", "company_id", "partner_id"], name="one_edit_a_follow_up")]

    def __str__(self) -> str:
        return self.subject


class Mail(models.Model):
    """A message to people outside that the tower's own mail server sends. Once it is sent, Odoo is told to note it."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    connection = models.ForeignKey(Connection, models.CASCADE)
    company_id = models.BigIntegerField(null=True)
    model = models.CharField(max_length=80)
    records = models.JSONField(help_text="What it is about, by ids in Odoo; it is noted in full on the first")
    partner_name = models.TextField(help_text="Who is written to")
    recipients = models.JSONField(help_text="Name and address of each")
    reached = models.JSONField(default=list, blank=True, help_text="The addresses that have it, where others were refused")
    reply_to = models.CharField(max_length=254, blank=True, help_text="The buyer's or the salesperson's address")
    language = models.CharField(max_length=10)
    subject = models.CharField(max_length=200)
    text = models.TextField()
    html = models.TextField()
    said = models.TextField(blank=True, help_text="What is noted on the other records")
    decision = models.CharField(max_length=80, unique=True, help_text="What it follows from: follow-up:12")
    status = models.CharField(max_length=10, choices=MailStatus, default=MailStatus.QUEUED)
    attempts = models.PositiveIntegerField(default=0)
    not_before = models.DateTimeField()
    begun_at = models.DateTimeField(null=True, help_text="When it was last handed to the mail server, written before it is")
    ended_at = models.DateTimeField(null=True)
    ended_by = models.CharField(max_length=200, blank=True, help_text="Who said that it was sent, or cancelled it")
    problem = models.TextField(blank=True)
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=200)

    class Meta:
        indexes = [
            # mail/smtp.py: what is to be sent.
            models.Index(fields=["not_before"], condition=models.Q(status__in=["queued", "sending"]), name="mails_waiting"),
            models.Index(fields=["-created_at", "-id"], name="mails_by_time"),
        ]

    def __str__(self) -> str:
        return self.subject

    @property
    def look(self) -> Look:
        """Its status's colour and icon."""
        return MailStatus(self.status).look

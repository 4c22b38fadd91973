"""What customers are to be told of their orders, and what they were told."""

from django.db import models

from apps.core.looks import Look
from apps.customers.choices import Status as Status
from apps.odoo.models import Connection


class CustomerRule(models.Model):
    """Whether a company tells one customer of new dates without a person; it does not, where there is no row."""

    connection = models.ForeignKey(Connection, models.CASCADE)
    company_id = models.BigIntegerField()
    partner_id = models.BigIntegerField(help_text="The customer's commercial partner in Odoo")
    partner_name = models.TextField()
    sends = models.BooleanField(default=False, help_text="Within the days and the number of messages of two parameters")
    changed_at = models.DateTimeField()
    changed_by = models.CharField(max_length=200)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["connection", "company_id", "partner_id"], name="one_rule_a_customer")]

    def __str__(self) -> str:
        return self.partner_name


class CustomerMessage(models.Model):
    """One message to a customer about all its orders with a new date. Odoo sends it, and has it in the chatter."""

    connection = models.ForeignKey(Connection, models.CASCADE)
    company_id = models.BigIntegerField()
    partner_id = models.BigIntegerField(help_text="The customer's commercial partner in Odoo")
    partner_name = models.TextField()
    recipient_ids = models.JSONField(help_text="To whom Odoo sends it: partners, by their ids in Odoo")
    language = models.CharField(max_length=10)
    subject = models.CharField(max_length=200)
    body = models.TextField(help_text="As text; Odoo is given HTML")
    rule = models.ForeignKey(CustomerRule, models.SET_NULL, null=True, help_text="What sent it, where nobody did")
    sent_at = models.DateTimeField()
    sent_by = models.CharField(max_length=200)

    class Meta:
        indexes = [
            models.Index(fields=["connection", "partner_id", "company_id", "-sent_at"], name="messages_of_a_customer"),
            models.Index(fields=["-sent_at", "-id"], name="messages_by_time"),
        ]

    def __str__(self) -> str:
        return self.partner_name

    @property
    def decision(self) -> str:
        """How commands name what they follow from."""
        return f"customer-message:{self.pk}"


class NewDate(models.Model):
    """Another day than the customer knows on which one of its orders comes, all of it or a part.

    The customer itself is not kept: it is the order's, as Odoo has it when the message is drafted.
    """

    connection = models.ForeignKey(Connection, models.CASCADE)
    company_id = models.BigIntegerField()
    order_id = models.BigIntegerField(help_text="The sales order's id in Odoo")
    order_name = models.TextField()
    known_at = models.DateTimeField(null=True, help_text="What the customer was told last; none where it was told no date")
    expected_at = models.DateTimeField()
    parts = models.TextField(blank=True, help_text="The products that come so, where the others come as they were promised")
    decision = models.CharField(max_length=80, help_text="What it follows from: exception:12:promise_later:42, proposal:5:1; odoo")
    decided_by = models.CharField(max_length=200)
    command_id = models.UUIDField(null=True, help_text="The command that changed the promise")
    purchase_ids = models.JSONField(default=list, help_text="The purchase orders whose accepted dates it follows from")
    status = models.CharField(max_length=10, choices=Status, default=Status.OPEN)
    changed_at = models.DateTimeField(help_text="When it was last another one")
    ended_at = models.DateTimeField(null=True)
    ended_by = models.CharField(max_length=200, blank=True)
    because = models.JSONField(null=True, help_text="Why it was withdrawn, as a sentence")
    message = models.ForeignKey(CustomerMessage, models.CASCADE, null=True, related_name="dates")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "order_id"], condition=models.Q(status="open"), name="one_open_date_an_order"
            )
        ]
        indexes = [
            models.Index(fields=["connection", "order_id", "-id"], name="new_dates_of_an_order"),
            models.Index(fields=["connection", "company_id"], condition=models.Q(status="open"), name="new_dates_to_tell"),
        ]

    def __str__(self) -> str:
        return self.order_name

    @property
    def look(self) -> Look:
        """Its status's colour and icon."""
        return Status(self.status).look


class DraftEdit(models.Model):
    """A person's own words for what is drafted to one customer. They hold as long as the draft says the same."""

    connection = models.ForeignKey(Connection, models.CASCADE)
    company_id = models.BigIntegerField()
    partner_id = models.BigIntegerField(help_text="The customer's commercial partner in Odoo")
    version = models.CharField(max_length=16, help_text="Of the draft that was edited")
    subject = models.CharField(max_length=200)
    body = models.TextField()
    edited_at = models.DateTimeField()
    edited_by = models.CharField(max_length=200)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["connection", "company_id", "partner_id"], name="one_edit_a_draft")]

    def __str__(self) -> str:
        return self.subject

"""The ``helpdesk.ticket.stage`` of the OCA's ``helpdesk_mgmt``."""

from apps.mirror.declare import Boolean, Integer, Mirrored, Text


class TicketStage(Mirrored):
    """A stage of tickets, with what it means."""

    odoo_model = "helpdesk.ticket.stage"
    optional = True

    name = Text()
    sequence = Integer()
    unattended = Boolean()
    closed = Boolean()

    class Meta(Mirrored.Meta):
        db_table = "mirror_helpdesk_ticket_stage"

"""The ``helpdesk.ticket`` of Odoo Enterprise and of the OCA's ``helpdesk_mgmt``, which share the name and little else."""

from django.db import models

from apps.mirror.declare import Boolean, Many2one, Mirrored, Moment, Text


class Ticket(Mirrored):
    """What a customer asked for help with."""

    odoo_model = "helpdesk.ticket"
    optional = True

    name = Text()
    # The ticket's number: the OCA's, and Enterprise's.
    number = Text()
    ticket_ref = Text()
    # A row of helpdesk.ticket.stage (OCA) or of helpdesk.stage (Enterprise).
    stage_id = Many2one()
    team_id = Many2one()
    user_id = Many2one()
    partner_id = Many2one()
    priority = Text()
    kanban_state = Text()
    # When it was closed: the OCA's, and Enterprise's.
    closed_date = Moment()
    close_date = Moment()
    # Enterprise alone.
    sla_deadline = Moment()
    company_id = Many2one()
    active = Boolean()

    class Meta(Mirrored.Meta):
        db_table = "mirror_helpdesk_ticket"
        indexes = [
            # workflows/catalogue/service.py: the tickets of a stage that means something else now.
            models.Index(fields=["connection", "stage_id"], name="tickets_by_stage"),
        ]

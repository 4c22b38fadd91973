"""The ``helpdesk.stage`` of Odoo Enterprise."""

from apps.mirror.declare import Boolean, Integer, Mirrored, Text


class HelpdeskStage(Mirrored):
    """A stage of tickets; one that is folded is where tickets end."""

    odoo_model = "helpdesk.stage"
    optional = True

    name = Text()
    sequence = Integer()
    fold = Boolean()

    class Meta(Mirrored.Meta):
        db_table = "mirror_helpdesk_stage"

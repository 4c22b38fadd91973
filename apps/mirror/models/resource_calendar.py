"""Odoo's ``resource.calendar``."""

from apps.mirror.declare import Mirrored, Text


class ResourceCalendar(Mirrored):
    """A working calendar of Odoo's own: mirrored for its time zone, in which its company counts days."""

    odoo_model = "resource.calendar"
    optional = True

    name = Text()
    tz = Text()

    class Meta(Mirrored.Meta):
        db_table = "mirror_resource_calendar"

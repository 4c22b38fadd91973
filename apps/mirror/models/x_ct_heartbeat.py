"""Odoo's ``x_ct_heartbeat``."""

from apps.mirror.declare import Mirrored, Moment


class Heartbeat(Mirrored):
    """The row that a scheduled action in Odoo writes: its webhook proves that Odoo's messages reach the tower."""

    odoo_model = "x_ct_heartbeat"
    optional = True

    x_at = Moment()

    class Meta(Mirrored.Meta):
        db_table = "mirror_x_ct_heartbeat"

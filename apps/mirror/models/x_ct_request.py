"""Odoo's ``x_ct_request``."""

from django.db import models

from apps.mirror.declare import Integer, Mirrored, Moment, Number, Text


class ApprovalAsk(Mirrored):
    """What somebody asked for in Odoo: the guard's own record of an attempt that it refused."""

    odoo_model = "x_ct_request"
    optional = True

    x_res_model = Text()
    x_res_id = Integer()
    x_kind = Text()
    x_state = Text()
    x_reason = Text()
    x_count = Integer()
    x_requested_at = Moment()
    x_requested_uid = Integer()
    x_amount = Number()
    x_exposure = Number()
    x_limit = Number()

    class Meta(Mirrored.Meta):
        db_table = "mirror_x_ct_request"
        indexes = [
            # Stages: what was asked for an order.
            models.Index(fields=["connection", "x_res_model", "x_res_id"], name="asks_by_record"),
        ]

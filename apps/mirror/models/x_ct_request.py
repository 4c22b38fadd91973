"""Odoo's ``x_ct_request``."""

from django.db import models

from apps.mirror.declare import Boolean, Integer, Mirrored, Moment, Number, Text


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
    x_total = Number()
    x_amount = Number()
    x_exposure = Number()
    x_limit = Number()
    x_terms = Text()
    x_by_customer = Boolean()

    class Meta(Mirrored.Meta):
        db_table = "mirror_x_ct_request"
        indexes = [
            # Stages: what was asked for an order.
            models.Index(fields=["connection", "x_res_model", "x_res_id"], name="asks_by_record"),
            # health/incidents.py: asks that nobody was asked about.
            models.Index(fields=["x_requested_at"], condition=models.Q(x_state="open", deleted_at=None), name="asks_open"),
        ]

"""Odoo's ``purchase.order``."""

from django.contrib.postgres.indexes import GinIndex
from django.db import models

from apps.core.indexes import prefix
from apps.mirror.declare import Boolean, Exact, Many2one, Mirrored, Moment, Number, Text


class PurchaseOrder(Mirrored):
    """A purchase order."""

    odoo_model = "purchase.order"
    children = (("purchase.order.line", "order_id"),)
    remembered = ("amount_untaxed",)

    name = Text()
    state = Text()
    partner_id = Many2one()
    user_id = Many2one()
    company_id = Many2one()
    currency_id = Many2one()
    currency_rate = Exact()
    date_order = Moment()
    date_approve = Moment()
    date_planned = Moment()
    partner_ref = Text()
    origin = Text()
    amount_untaxed = Number()
    amount_total = Number()
    invoice_status = Text()
    receipt_status = Text()
    acknowledged = Boolean()
    create_uid = Many2one()
    write_uid = Many2one()
    x_ct_hold = Text()
    x_ct_hold_reason = Text()
    x_ct_released_amount = Number()

    class Meta(Mirrored.Meta):
        db_table = "mirror_purchase_order"
        indexes = [
            # boards/profiles: what was bought from a vendor.
            models.Index(fields=["connection", "partner_id"], name="purchases_of_vendors"),
            # Events outside of Odoo name records by these.
            models.Index("connection", prefix("name"), condition=~models.Q(name=""), name="purchases_named"),
            models.Index("connection", prefix("partner_ref"), condition=~models.Q(partner_ref=""), name="purchases_ref_named"),
            # Events and people name records by these, written as people write them (migration 0037).
            models.Index(models.Func("partner_ref", function="reference_key"), name="purchases_by_ref_key"),
            models.Index(models.Func("name", function="reference_key"), name="purchases_by_name_key"),
            # boards/search/finding.py: any part of it.
            GinIndex(
                fields=["partner_ref"],
                opclasses=["gin_trgm_ops"],
                condition=models.Q(partner_ref__gt=""),
                name="purchases_ref_trigrams",
            ),
        ]

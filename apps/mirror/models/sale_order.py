"""Odoo's ``sale.order``."""

from django.contrib.postgres.indexes import GinIndex
from django.db import models

from apps.core.indexes import prefix
from apps.mirror.declare import Boolean, Day, Exact, Many2one, Mirrored, Moment, Number, Text


class SaleOrder(Mirrored):
    """A sales order."""

    odoo_model = "sale.order"
    children = (("sale.order.line", "order_id"),)
    remembered = ("commitment_date", "amount_untaxed")

    name = Text()
    state = Text()
    partner_id = Many2one()
    partner_invoice_id = Many2one()
    partner_shipping_id = Many2one()
    user_id = Many2one()
    team_id = Many2one()
    company_id = Many2one()
    warehouse_id = Many2one()
    currency_id = Many2one()
    currency_rate = Exact()
    date_order = Moment()
    commitment_date = Moment()
    validity_date = Day()
    client_order_ref = Text()
    origin = Text()
    amount_untaxed = Number()
    amount_tax = Number()
    amount_total = Number()
    invoice_status = Text()
    delivery_status = Text()
    margin = Number()
    margin_percent = Number()
    locked = Boolean()
    create_uid = Many2one()
    write_uid = Many2one()
    x_ct_hold = Text()
    x_ct_hold_reason = Text()
    x_ct_released_amount = Number()
    x_ct_released_concession = Number()

    class Meta(Mirrored.Meta):
        db_table = "mirror_sale_order"
        indexes = [
            # boards/boards/sold_lines.sql: what was promised for the days of a figure.
            models.Index(fields=["commitment_date"], name="sale_orders_promised"),
            # The credit rule: the running orders of a customer, and which of them a payment may release. By time, for those
            # that look like another of the same hours (workflows/rules/duplicates.py).
            models.Index(
                fields=["connection", "partner_id", "create_date"],
                condition=models.Q(state__in=["draft", "sent", "sale"]),
                name="sale_orders_running",
            ),
            # The credit rule and service: what a customer has ordered and is still to be billed for.
            models.Index(
                fields=["connection", "partner_id"],
                condition=models.Q(state="sale", invoice_status__in=["no", "to invoice", "upselling"]),
                name="sale_orders_to_invoice",
            ),
            # The credit rule again, by who is billed: what runs, and what is still to be billed.
            models.Index(
                fields=["connection", "partner_invoice_id"],
                condition=models.Q(state__in=["draft", "sent"]),
                name="sale_orders_quoted_to",
            ),
            models.Index(
                fields=["connection", "partner_invoice_id"],
                condition=models.Q(state="sale", invoice_status__in=["no", "to invoice", "upselling"]),
                name="sale_orders_to_bill",
            ),
            # workflows/rules/duplicates.py: the same customer reference again.
            models.Index(
                "connection",
                prefix("client_order_ref"),
                condition=models.Q(client_order_ref__gt=""),
                name="sale_orders_ref_again",
            ),
            # Events outside of Odoo name records by these.
            models.Index("connection", prefix("name"), condition=~models.Q(name=""), name="sale_orders_named"),
            models.Index(
                "connection",
                prefix("client_order_ref"),
                condition=~models.Q(client_order_ref=""),
                name="sale_orders_ref_named",
            ),
            # Events and people name records by these, written as people write them (migration 0037).
            models.Index(models.Func("client_order_ref", function="reference_key"), name="sale_orders_by_ref_key"),
            models.Index(models.Func("name", function="reference_key"), name="sale_orders_by_name_key"),
            # boards/search/finding.py: any part of it.
            GinIndex(
                fields=["client_order_ref"],
                opclasses=["gin_trgm_ops"],
                condition=models.Q(client_order_ref__gt=""),
                name="sale_orders_ref_trigrams",
            ),
        ]

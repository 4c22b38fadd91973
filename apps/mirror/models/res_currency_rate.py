"""Odoo's ``res.currency.rate``."""

from django.db import models

from apps.mirror.declare import Day, Many2one, Mirrored, Number


class CurrencyRate(Mirrored):
    """What a currency was worth from a day on: units of it for one unit of the reference that all rates share."""

    odoo_model = "res.currency.rate"

    # Odoo calls the day of a rate its name.
    name = Day()
    currency_id = Many2one()
    # None: a rate for every company.
    company_id = Many2one()
    # Of one dong in dollars six decimals keep two digits.
    rate = Number(max_digits=38, decimal_places=18)

    class Meta(Mirrored.Meta):
        db_table = "mirror_res_currency_rate"
        indexes = [
            # workflows/conversion.py: the latest rate of a currency on a day.
            models.Index(fields=["connection", "currency_id", "name"], name="rates_by_currency"),
        ]

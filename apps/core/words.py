"""Money and moments in plain sentences: messages, e-mails, notes in Odoo. Pages show them with ``templatetags.show``.

They are written in the active language. What is stored or sent to Odoo is written under ``translation.override("en")``.
"""

from datetime import UTC, datetime
from decimal import Decimal

from django.utils import formats
from django.utils.translation import gettext, pgettext

from apps.core.currencies import digits_of


def sum_of(amount: Decimal | float | str | None, currency: str = "") -> str:
    """An amount as text, "59,512.50", with the currency's own decimals; "an unknown sum" where there is none."""
    if amount in (None, ""):
        return gettext("an unknown amount")
    digits = digits_of(currency)
    return formats.number_format(round(Decimal(str(amount)), digits), digits, force_grouping=True)


def money(amount: Decimal | None, currency: str) -> str:
    """An amount with its currency, "59,512.50 EUR" or "60,000 JPY"."""
    return f"{sum_of(amount, currency)} {currency}".strip()


def quantity(value: Decimal) -> str:
    """A quantity without the zeros behind it, "2" or "0.5"."""
    return f"{value.normalize():,f}"


def moment(at: datetime) -> str:
    """A moment, "23 Nov 2026, 17:56 UTC": a message does not know where it is read."""
    return f"{formats.date_format(at.astimezone(UTC), pgettext('a moment in a message', 'j M Y, H:i'))} UTC"

"""Money and moments in plain sentences: messages, e-mails, notes in Odoo. Pages show them with ``templatetags.show``."""

from datetime import UTC, datetime
from decimal import Decimal


def sum_of(amount: Decimal | float | str | None) -> str:
    """An amount as text, "59,512.50"; "an unknown sum" where there is none."""
    return "an unknown sum" if amount in (None, "") else f"{Decimal(str(amount)):,.2f}"


def money(amount: Decimal | None, currency: str) -> str:
    """An amount with its currency, "59,512.50 EUR"."""
    return f"{sum_of(amount)} {currency}".strip()


def quantity(value: Decimal) -> str:
    """A quantity without the zeros behind it, "2" or "0.5"."""
    return f"{value.normalize():,f}"


def moment(at: datetime) -> str:
    """A moment, "23 Nov 2026, 17:56 UTC": a message does not know where it is read."""
    return f"{at.astimezone(UTC):%-d %b %Y, %H:%M} UTC"

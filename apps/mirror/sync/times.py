"""Odoo's times: naive text in UTC, compared by whole seconds."""

from datetime import UTC, datetime


def moment(text: str) -> datetime:
    """Odoo's text as an aware moment, by the second."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC, microsecond=0)


def known_moment(text: object) -> datetime | None:
    """Odoo's text as an aware moment, by the second; None where it is empty, or no time at all."""
    try:
        return moment(text) if isinstance(text, str) and text else None
    except ValueError:
        return None


def text(at: datetime) -> str:
    """``at`` as Odoo's domains want it."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")

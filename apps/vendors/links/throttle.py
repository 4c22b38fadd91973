"""How often a link's page is opened and answered, and how often an address guesses at links.

Counted in the cache, a minute each. Where that is away nobody is held up; answers are bounded by their rows besides.
"""

import logging
from datetime import datetime, timedelta

from django.core.cache import cache

from apps.vendors.models import Answer, VendorLink

logger = logging.getLogger(__name__)

MINUTE = 60
MOST_LOOKS = 120  # a minute, of one link
MOST_GUESSES = 30  # a minute, of one address on the network
# A vendor with five hundred orders answers each of them within the hour.
MOST_ANSWERS = 600
WITHIN = timedelta(hours=1)


def is_opened_too_often(link: VendorLink) -> bool:
    """Count a look at a link's page; True once there are too many in a minute."""
    return _count(f"vendor-link:{link.pk.hex}") > MOST_LOOKS


def is_answered_too_often(link: VendorLink, *, now: datetime) -> bool:
    """Return True where a link has as many answers as are taken within an hour."""
    return Answer.objects.filter(link=link, said_at__gt=now - WITHIN).count() >= MOST_ANSWERS


def guesses_too_often(sender: str) -> bool:
    """Return True where an address has named too many links that nobody has, within the minute."""
    try:
        return (cache.get(f"vendor-guess:{sender}") or 0) >= MOST_GUESSES
    except Exception:
        logger.warning("Guesses at vendor links could not be counted", exc_info=True)
        return False


def note_guess(sender: str) -> None:
    """An address has named a link that nobody has."""
    _count(f"vendor-guess:{sender}")


def _count(key: str) -> int:
    try:
        cache.add(key, 0, MINUTE)
        return int(cache.incr(key))
    except Exception:
        logger.warning("Looks at vendor links could not be counted", exc_info=True)
        return 0

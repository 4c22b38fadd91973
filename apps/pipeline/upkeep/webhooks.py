"""Webhooks of Odoo: switched as people want them."""

import logging

from apps.core.clock import Clock
from apps.odoo import errors, webhook_state
from apps.odoo.models import Connection

logger = logging.getLogger(__name__)


def switch_hooks(*, clock: Clock) -> None:
    """Switch webhooks as people want them; an Odoo that does not answer is tried again when it is probed."""
    for connection in Connection.objects.filter(is_active=True):
        try:
            webhook_state.apply_webhook_state(connection, now=clock())
        except errors.OdooError as error:
            logger.warning("%s", error)
        except Exception:
            logger.exception("The webhooks of %s could not be switched; it is tried again", connection.name)

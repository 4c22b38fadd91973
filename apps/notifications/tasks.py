"""The door through which workers send e-mails."""

from celery import shared_task

from apps.core import clock
from apps.notifications import moves, push, relays, sending, webhooks


@shared_task(name="notifications.send", ignore_result=True)
def send(**_: object) -> None:
    """Let go of what was held, and send every message that waits, to devices first: they are quicker."""
    moves.release(now=clock.now())
    while push.send_due(now=clock.now()) == sending.BATCH:
        pass
    while moves.send_due(now=clock.now()) == sending.BATCH:
        pass


@shared_task(name="notifications.send_webhooks", ignore_result=True)
def send_webhooks(**_: object) -> None:
    """Post every message that waits: to other systems, and to people by the channels of extensions."""
    while webhooks.send_due(clock=clock.now) == webhooks.BATCH:
        pass
    while relays.send_due(now=clock.now()) == sending.BATCH:
        pass

"""The door through which workers send e-mails."""

from celery import shared_task

from apps.core import clock
from apps.notifications import moves


@shared_task(name="notifications.send", ignore_result=True)
def send(**_: object) -> None:
    """Send every e-mail that waits."""
    while moves.send_due(now=clock.now()) == moves.BATCH:
        pass

"""The door through which a worker tells customers what a rule sends."""

from celery import shared_task

from apps.core import clock
from apps.customers import sending


@shared_task(name="customers.tell", ignore_result=True)
def tell(**_: object) -> None:
    """Tell customers of new dates, where a rule sends them."""
    sending.send_due(now=clock.now())

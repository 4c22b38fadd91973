"""The door through which a worker sends follow-ups that a rule sends."""

from celery import shared_task

from apps.core import clock
from apps.vendors.follow_ups import sending


@shared_task(name="vendors.follow_up", ignore_result=True)
def follow_up(**_: object) -> None:
    """Write to vendors who owe an answer or goods for as many working days as a parameter says."""
    sending.send_due(now=clock.now())

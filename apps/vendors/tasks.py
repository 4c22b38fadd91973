"""The doors through which workers send follow-ups that a rule sends, and what the tower's own mail server sends."""

from celery import shared_task

from apps.core import clock
from apps.core.wake import heard
from apps.vendors.follow_ups import sending
from apps.vendors.mail import smtp


@shared_task(name="vendors.follow_up", ignore_result=True)
def follow_up(**_: object) -> None:
    """Write to vendors who owe an answer or goods for as many working days as a parameter says."""
    sending.send_due(now=clock.now())


@shared_task(name="vendors.send_mails", ignore_result=True)
def send_mails(**_: object) -> None:
    """Send the messages to vendors and customers that wait for the tower's mail server."""
    heard("vendors.send_mails")
    smtp.send_due(clock=clock.now)

"""The door through which a worker sends reports and alerts."""

from celery import shared_task

from apps.boards.reports import alerts, schedule
from apps.core import clock


@shared_task(name="boards.report", ignore_result=True)
def report(**_: object) -> None:
    """Send the reports whose hour has come, and look at the KPIs that somebody wants to be told of."""
    schedule.send_due(now=clock.now())
    alerts.check_due(now=clock.now())

"""The door of the worker that keeps the table of deliveries small."""

from celery import shared_task

from apps.core import clock
from apps.intake import moves


@shared_task(name="intake.forget_old", ignore_result=True)
def forget_old(**_: object) -> None:
    """Forget what was processed long ago."""
    moves.forget_old(now=clock.now())

"""Alerts: a person is told once when a KPI of a workflow leaves its target, and once when it is back."""

import logging
from datetime import datetime, timedelta
from functools import partial

from django.db import transaction
from django.urls import reverse
from django.utils.html import strip_tags
from django.utils.translation import gettext

from apps.accounts import access
from apps.accounts.models import User
from apps.boards.boards import kpis
from apps.boards.boards.targets import called
from apps.boards.models import KpiAlert
from apps.boards.reports.schedule import ReportRefusedError
from apps.core.templatetags.show import measured, number
from apps.notifications.notify import Message, notify
from apps.workflows import registry

logger = logging.getLogger(__name__)

EVERY = timedelta(hours=1)
# Of fewer records a figure says more of chance than of the business. A level has one figure, however few records it is of.
LEAST = 5


@transaction.atomic
def watch(user: User, kpi: str, workflow: str, *, now: datetime) -> bool:
    """Tell the person when that figure leaves its target from now on; whether that is new.

    Raises TargetRefusedError, ReportRefusedError.
    """
    if workflow not in registry.workflows():
        raise ReportRefusedError(gettext("There is no workflow %(name)s.") % {"name": workflow})
    _, is_new = KpiAlert.objects.get_or_create(user=user, kpi=called(kpi).name, workflow=workflow, defaults={"next_at": now})
    return is_new


def unwatch(user: User, kpi: str, workflow: str) -> bool:
    """Tell the person of it no more; whether they were told."""
    return bool(KpiAlert.objects.filter(user=user, kpi=kpi, workflow=workflow).delete()[0])


def check_due(*, now: datetime) -> int:
    """Look at the figures that are to be looked at; how many people were told of one or more."""
    people = 0
    while (told := _check_one(now)) is not None:
        people += told
    return people


@transaction.atomic
def _check_one(now: datetime) -> bool | None:
    """Look at all figures of the person whose turn it is; whether they were told, None where it is nobody's turn."""
    due = KpiAlert.objects.filter(next_at__lte=now)
    first = due.select_for_update(skip_locked=True, of=("self",)).select_related("user").order_by("next_at", "id").first()
    if first is None:
        return None
    user = first.user
    mine = list(KpiAlert.objects.select_for_update(skip_locked=True).filter(user=user).order_by("id"))
    KpiAlert.objects.filter(pk__in=[alert.pk for alert in mine]).update(next_at=now + EVERY)
    if not user.is_active:
        return False
    try:
        with transaction.atomic():
            return _look(mine, user, now)
    except Exception:
        # The others do not wait for it.
        logger.exception("The KPIs that %s watches could not be looked at; they are in an hour.", user)
        return False


def _look(mine: list[KpiAlert], user: User, now: datetime) -> bool:
    """Hold the figures that a person watches against their targets; whether they were told of one."""
    found = kpis.figures(now=now, access_scope=access.scope_of(user), names={alert.kpi for alert in mine})
    has_told = False
    for alert in mine:
        figures = [one for one in found if one.alert_key == (alert.kpi, alert.workflow) and _is_enough(one)]
        missed = next((one for one in figures if one.is_met is False), None)
        said = missed or next((one for one in figures if one.is_met), None)
        if said is None or bool(missed) == alert.is_missed:
            continue
        # What was on target when the alert was set is no news.
        if missed or alert.is_missed:
            _tell(alert, user, said, now)
            has_told = True
        KpiAlert.objects.filter(pk=alert.pk).update(is_missed=bool(missed))
    return has_told


def _is_enough(figure: kpis.Figure) -> bool:
    return bool(figure.kpi.level) or figure.count >= LEAST


def _tell(alert: KpiAlert, user: User, figure: kpis.Figure, now: datetime) -> None:
    message = Message(
        kind="kpi.recovered" if figure.is_met else "kpi.missed",
        key=f"kpi:{alert.pk}:{now.isoformat()}",
        about=None,
        title=partial(_title, figure),
        body=partial(_body, figure),
        path=reverse("boards:figure-records", args=[alert.kpi, alert.workflow]),
    )
    notify(message, people=[user], now=now)


def _title(figure: kpis.Figure) -> str:
    of = {"kpi": gettext(figure.kpi.title), "workflow": gettext(registry.workflows()[figure.workflow].title)}
    return (
        gettext("%(kpi)s of %(workflow)s is back on target") % of
        if figure.is_met
        else gettext("%(kpi)s of %(workflow)s is below target") % of
    )


def _body(figure: kpis.Figure) -> str:
    value, target = (strip_tags(str(measured(one, figure.kpi.unit, figure.currency))) for one in (figure.value, figure.target))
    said = {"value": value, "target": target, "count": number(figure.count)}
    return gettext("Over the last 30 days: %(value)s, target %(target)s, sample %(count)s.") % said

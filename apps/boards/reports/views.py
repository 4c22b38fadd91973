"""The page on which people choose the reports and alerts that they want."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext
from django.views.decorators.http import require_POST, require_safe

from apps.accounts.permissions import POLICY_MAKERS
from apps.accounts.requests import PersonsRequest
from apps.boards.boards import kpi_catalogue, kpis
from apps.boards.models import KpiAlert, Report
from apps.boards.reports import alerts, schedule
from apps.boards.reports.subjects import subjects
from apps.core import clock
from apps.notifications.preferences import zone_of
from apps.workflows import registry

USUAL_DAYS, USUAL_HOUR = [0, 1, 2, 3, 4], 7


@login_required
@require_safe
def listing(request: PersonsRequest) -> HttpResponse:
    """What the person is sent when, and of which KPIs they are told."""
    return _page(request)


def _page(request: PersonsRequest, problem: str = "", of: str = "", status: int = 200) -> HttpResponse:
    planned = {report.subject: report for report in Report.objects.filter(user=request.user)}
    known, held = {kpi.name: kpi for kpi in kpi_catalogue.KPIS}, kpis.targets()
    context = {
        "rows": [
            {
                "subject": name,
                "title": title,
                "report": planned.get(name),
                "days": planned[name].days if name in planned else USUAL_DAYS,
                "hour": planned[name].hour if name in planned else USUAL_HOUR,
                "problem": problem if name == of else "",
            }
            for name, title in subjects().items()
        ],
        "weekdays": [(number, str(name)) for number, name in WEEKDAYS.items()],
        "hours": list(schedule.HOURS),
        "zone": zone_of(request.user).key,
        "alerts": [
            (
                alert,
                gettext(known[alert.kpi].title),
                gettext(registry.workflows()[alert.workflow].title),
                held.get(alert.kpi, known[alert.kpi].target) is not None,
            )
            for alert in KpiAlert.objects.filter(user=request.user).order_by("kpi", "workflow")
            if alert.kpi in known and alert.workflow in registry.workflows()
        ],
        "may_set": request.user.role in POLICY_MAKERS,
    }
    return render(request, "boards/reports.html", context, status=status)


@login_required
@require_POST
def one(request: PersonsRequest, subject: str) -> HttpResponse:
    """Plan one report, send it now, or stop it, as the button says."""
    if subject not in subjects():
        raise Http404("There is no such report.")
    now, asked = clock.now(), request.POST.get("do", "save")
    if asked == "stop":
        schedule.stop(request.user, subject, now=now)
        messages.success(request, gettext("Report stopped."), extra_tags="done")
        return redirect("boards:reports")
    if asked == "send":
        schedule.send_now(get_object_or_404(Report, user=request.user, subject=subject), now=now)
        messages.success(request, gettext("Report sent. It is under your notifications too."), extra_tags="done")
        return redirect("boards:reports")
    days = [int(day) for day in request.POST.getlist("days") if day.isascii() and day.isdigit()]
    hour = request.POST.get("hour", "")
    try:
        schedule.plan(request.user, subject, days, int(hour) if hour.isascii() and hour.isdigit() else -1, now=now)
    except schedule.ReportRefusedError as error:
        return _page(request, problem=str(error), of=subject, status=422)
    messages.success(request, gettext("Report saved."), extra_tags="done")
    return redirect("boards:reports")


@login_required
@require_POST
def alert(request: PersonsRequest, name: str, workflow: str) -> HttpResponseRedirect:
    """Set an alert on a figure, or remove it where there is one."""
    if name not in {kpi.name for kpi in kpi_catalogue.KPIS} or workflow not in registry.workflows():
        raise Http404("There is no such figure.")
    if alerts.watch(request.user, name, workflow, now=clock.now()):
        messages.success(request, gettext("Alert set: you are told when it leaves its target."), extra_tags="done")
    elif alerts.unwatch(request.user, name, workflow):
        messages.success(request, gettext("Alert removed."), extra_tags="done")
    return redirect(reverse("boards:figures" if request.POST.get("from") == "figures" else "boards:reports"))

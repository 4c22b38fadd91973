"""The page on which a person says when they are away."""

from datetime import date, datetime, time, timedelta

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from apps.accounts.models import User
from apps.accounts.permissions import DECIDERS
from apps.accounts.requests import PersonsRequest
from apps.approvals.absence import periods as absence
from apps.core import clock
from apps.core.refusals import Refusal


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def away(request: PersonsRequest) -> HttpResponse:
    """Being out of office: from when to when, and who is asked instead."""
    problem, status, now = "", 200, clock.now()
    if request.method == "POST" and request.POST.get("back"):
        absence.end(request.user, now=now)
        messages.success(request, gettext("Out of office ended. New requests come to you again."), extra_tags="done")
        return redirect("approvals:away")
    if request.method == "POST":
        try:
            first, last = (date.fromisoformat(request.POST.get(name, "")) for name in ("first", "last"))
            deputy = User.objects.get(pk=int(request.POST.get("deputy", "")), is_active=True)
        except (ValueError, User.DoesNotExist):
            problem, status = gettext("Choose a colleague, the first day and the last."), 422
        else:
            zone = timezone.get_current_timezone()
            starts, until = datetime.combine(first, time.min, zone), datetime.combine(last + timedelta(days=1), time.min, zone)
            try:
                absence.begin(request.user, deputy=deputy, starts_at=starts, until=until, now=now)
            except Refusal as error:
                problem, status = str(error), error.status
            else:
                return redirect("approvals:away")
    context = {
        "absence": absence.current(request.user, now=now),
        "problem": problem,
        "today": timezone.localdate(now),
        "colleagues": User.objects.filter(role__in=DECIDERS, is_active=True).exclude(id=request.user.pk).order_by("first_name"),
    }
    return render(request, "approvals/away.html", context, status=status)

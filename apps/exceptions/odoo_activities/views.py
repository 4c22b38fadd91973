"""What of the queue an Odoo shows, as a part of the page of its connection."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from apps.accounts import access
from apps.accounts.permissions import INTEGRATORS
from apps.accounts.requests import PersonsRequest
from apps.core import clock
from apps.exceptions.cases import moves
from apps.exceptions.models import Severity
from apps.exceptions.odoo_activities import screens
from apps.odoo.models import Connection
from apps.workflows import registry


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def in_odoo(request: PersonsRequest, name: str) -> HttpResponse:
    """What of the queue one Odoo shows, as a part of its connection's page, and changing that."""
    mine = access.scope_of(request.user)
    connection = get_object_or_404(Connection.objects.filter(mine.of_whole_connections("id")), name=name)
    if request.method == "POST":
        try:
            severity = Severity(int(request.POST.get("severity", "")))
            an_hour = min(max(int(request.POST.get("an_hour", "")), 0), 10_000)
        except ValueError:
            messages.error(request, gettext("Choose a severity, and a number of new ones an hour."))
            return redirect("connections:detail", connection.name)
        shown = set(request.POST.getlist("types"))
        moves.show_in_odoo(
            connection,
            is_on="is_on" in request.POST,
            severity=severity,
            an_hour=an_hour,
            by=request.user,
            now=clock.now(),
            types_off=[kind for kind in registry.exception_types() if kind not in shown],
        )
        messages.success(request, gettext("Saved. Applies to new exceptions."), extra_tags="done")
        return redirect("connections:detail", connection.name)
    return render(
        request,
        "exceptions/in_odoo.html",
        screens.in_odoo(connection)
        | {
            "connection": connection,
            "may_integrate": request.user.role in INTEGRATORS,
        },
    )

"""A cause group as a page, and as the panel beside the queue."""

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from apps.accounts import access
from apps.accounts.models import Team
from apps.accounts.permissions import may_work_exceptions
from apps.accounts.requests import PersonsRequest
from apps.core import clock
from apps.core.fragments import part
from apps.exceptions.causes import pages
from apps.exceptions.choices import SNOOZES
from apps.exceptions.queue import screens
from apps.exceptions.queue.by_cause import groups_in_sight
from apps.workflows import registry


@login_required
@require_safe
def cause(request: PersonsRequest, group_id: int) -> HttpResponse:
    """Show what one record has caused: whom it holds up, what that puts at risk, and what is done with all of it."""
    access_scope = access.scope_of(request.user)
    group = get_object_or_404(groups_in_sight(access_scope), pk=group_id)
    may_work = may_work_exceptions(request.user, of_integration=False)
    models = frozenset(workflow.odoo_model for workflow in registry.workflows().values())
    context = {
        "page": pages.page_of(group, access_scope, record_models=models),
        "group": group,
        "now": clock.now(),
        "may_work": may_work,
        "people": screens.workers_who_see(group.connection_id, group.company_id) if may_work else [],
        "teams": Team.objects.order_by("name") if may_work else [],
        "snoozes": SNOOZES,
    }
    if request.headers.get("X-Fragment") == "panel":
        return render(request, "exceptions/cause_panel.html", context)
    return render(request, part(request, "exceptions/cause.html", "body"), context)

"""What other systems said, and the events that nobody could be matched with."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_POST, require_safe

from apps.accounts import access
from apps.accounts.permissions import EVENT_MATCHERS
from apps.accounts.requests import PersonsRequest
from apps.core import clock
from apps.events import moves, queries
from apps.odoo import request_scope
from apps.odoo.page_queries import knows


@login_required
@require_safe
@knows()
def listing(request: PersonsRequest) -> HttpResponse:
    """Events that wait for a record, those that found theirs, and who may send."""
    template = "events/list.html"
    shown = request_scope.scope_of(request, request.user)
    context = {
        "unmatched": queries.unmatched(shown),
        "latest": queries.latest(shown),
        "sources": queries.sources(shown),
        "may_match": request.user.role in EVENT_MATCHERS,
    }
    return render(request, f"{template}#list" if request.headers.get("X-Fragment") else template, context)


@login_required
@require_POST
def act(request: PersonsRequest, event_id: int, action: str) -> HttpResponse:
    """Match an event with the record that a person names, or dismiss it."""
    now = clock.now()
    get_object_or_404(queries.events(access.scope_of(request.user)), id=event_id)
    try:
        if action == "match":
            record = request.POST.get("record", "").strip()
            event = moves.match(event_id, record=record, by=request.user, now=now)
            said = gettext("%(reference)s is matched with %(record)s.") % {"reference": event.reference, "record": record}
        elif action == "dismiss":
            event = moves.dismiss(event_id, by=request.user, now=now)
            said = gettext("%(reference)s is dismissed.") % {"reference": event.reference}
        else:
            raise Http404(gettext("There is no %(action)s for an event.") % {"action": action})
    except moves.EventRefusedError as error:
        messages.error(request, str(error), extra_tags="late")
    else:
        messages.success(request, said, extra_tags="done")
    return redirect("events:list")

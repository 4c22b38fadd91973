"""What a person was told."""

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe

from apps.accounts.requests import PersonsRequest
from apps.core import clock
from apps.notifications import moves, queries
from apps.odoo import seen

SHOWN = 100


@login_required
@require_safe
def listing(request: PersonsRequest) -> HttpResponse:
    """The newest messages, unread ones marked."""
    template = "notifications/list.html"
    told = queries.of(request.user, seen.on(request, request.user)).order_by("-created_at")[:SHOWN]
    return render(request, f"{template}#list" if request.headers.get("X-Fragment") else template, {"told": told})


@login_required
@require_safe
def bell(request: PersonsRequest) -> HttpResponse:
    """The bell alone, with how many are unread."""
    unread = queries.unread_of(request.user, seen.on(request, request.user))
    return render(request, "notifications/bell.html#bell", {"unread": unread.count()})


@login_required
@require_POST
def read(request: PersonsRequest) -> HttpResponse:
    """Mark one message, or all, as read; then go where the message leads."""
    chosen = request.POST.get("id", "")
    moves.mark_read(request.user, [int(chosen)] if chosen.isdecimal() else None, now=clock.now())
    onward = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(onward, allowed_hosts=None):
        onward = ""
    return redirect(onward or "notifications:list")

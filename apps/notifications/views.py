"""What a person was told."""

import hashlib
import json

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe

from apps.accounts.requests import PersonsRequest
from apps.core import clock
from apps.notifications import moves, queries
from apps.odoo import seen

SHOWN = 100
# What the app keeps on a device: enough to say that there is no connection, and nothing of anybody's work.
SHELL = ["css/tokens.css", "css/base.css", "css/parts.css", "css/boards.css", "img/mark.svg", "js/unsent.js"]


@require_safe
def manifest(request: HttpRequest) -> HttpResponse:
    """What makes the tower an app that a phone can install."""
    icons = [
        {"src": static(f"img/{name}.png"), "sizes": f"{size}x{size}", "type": "image/png", "purpose": purpose}
        for name, size, purpose in (("app-192", 192, "any"), ("app-512", 512, "any"), ("app-maskable-512", 512, "maskable"))
    ]
    shortcuts = [{"name": "Approvals", "url": "/approvals/"}, {"name": "Out of office", "url": "/approvals/away/"}]
    found = {
        "id": "/", "name": "Control Tower", "short_name": "Tower", "description": "What waits for your decision.",
        "start_url": "/approvals/", "scope": "/", "display": "standalone", "background_color": "#0f2a35",
        "theme_color": "#0f2a35", "lang": "en", "icons": icons, "shortcuts": shortcuts,
    }  # fmt: skip
    return JsonResponse(found, content_type="application/manifest+json", headers={"Cache-Control": "no-cache"})


@require_safe
def service_worker(request: HttpRequest) -> HttpResponse:
    """The app's worker. Its version is a digest of all it consists of: a browser takes a new one whenever that changes."""
    shell = json.dumps([reverse("notifications:offline"), *map(static, SHELL)])
    template = "notifications/service-worker.js"
    version = hashlib.sha256(render_to_string(template, {"shell": shell}).encode()).hexdigest()[:12]
    text = render_to_string(template, {"shell": shell, "version": f"tower-{version}"})
    return HttpResponse(text, content_type="text/javascript", headers={"Cache-Control": "no-cache"})


@require_safe
def offline(request: HttpRequest) -> HttpResponse:
    """What the app shows without a connection. The same for everybody, signed in or not."""
    return render(request, "notifications/offline.html")


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

"""What a person was told."""

import hashlib
import json
import zoneinfo
from datetime import time
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import get_language, gettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.accounts.requests import PersonsRequest
from apps.core import clock, wording
from apps.notifications import channels, login_links, moves, preferences, push, queries
from apps.odoo import request_scope

SHOWN = 100
# What the app keeps on a device: enough to say that there is no connection, and nothing of anybody's work.
SHELL = [
    *(f"css/{name}.css" for name in ("tokens", "base", "parts", "badges", "tables", "controls", "messages", "boards")),
    "img/mark.svg",
    "js/unsent.js",
    "js/words.js",
]


@require_safe
def manifest(request: HttpRequest) -> HttpResponse:
    """What makes the tower an app that a phone can install."""
    icons = [
        {"src": static(f"img/{name}.png"), "sizes": f"{size}x{size}", "type": "image/png", "purpose": purpose}
        for name, size, purpose in (("app-192", 192, "any"), ("app-512", 512, "any"), ("app-maskable-512", 512, "maskable"))
    ]
    places = ((gettext("Approvals"), "/approvals/"), (gettext("Out of office"), "/approvals/away/"))
    shortcuts = [{"name": name, "url": url} for name, url in places]
    found = {
        "id": "/",
        "name": "Control Tower",
        "short_name": "Tower",
        "description": gettext("Requests waiting for your decision."),
        "start_url": "/approvals/",
        "scope": "/",
        "display": "standalone",
        "background_color": "#0f2a35",
        "theme_color": "#0f2a35",
        "lang": get_language(),
        "icons": icons,
        "shortcuts": shortcuts,
    }
    return JsonResponse(found, content_type="application/manifest+json", headers={"Cache-Control": "no-cache"})


@require_safe
def service_worker(request: HttpRequest) -> HttpResponse:
    """The app's worker. Its version is a digest of all it consists of: a browser takes a new one whenever that changes."""
    shell = json.dumps([reverse("notifications:offline"), *map(static, SHELL), wording.address()])
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
    told = queries.notifications_of(request.user, request_scope.scope_of(request, request.user)).order_by("-created_at")[:SHOWN]
    return render(request, f"{template}#list" if request.headers.get("X-Fragment") else template, {"told": told})


@login_required
@require_safe
def bell(request: PersonsRequest) -> HttpResponse:
    """The bell alone, with how many are unread."""
    unread = queries.unread_of(request.user, request_scope.scope_of(request, request.user))
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


@login_required
@require_safe
def enter(request: PersonsRequest, token: str) -> HttpResponse:
    """Follow the link of an e-mail to its page. It leads there, and does nothing else."""
    try:
        return redirect(login_links.lead(token, request.user, now=clock.now()))
    except login_links.LoginLinkError as closed:
        return render(request, "notifications/closed.html", {"problem": str(closed)}, status=closed.status)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def choices(request: PersonsRequest) -> HttpResponse:
    """What this person wants to be told, by which way, and when not."""
    problem, status = "", 200
    if request.method == "POST":
        wanted = {
            group.name: {channel: f"{group.name}:{channel}" in request.POST for channel in channels.ways()}
            for group in preferences.GROUPS
        }
        try:
            hours = [_hour(request.POST.get(name, "")) for name in ("quiet_from", "quiet_to")]
            preferences.save(
                request.user,
                channels=wanted,
                quiet_from=hours[0],
                quiet_to=hours[1],
                time_zone=request.POST.get("time_zone", ""),
                now=clock.now(),
            )
        except preferences.PreferenceError as error:
            problem, status = str(error), error.status
        else:
            messages.success(request, gettext("Saved."), extra_tags="done")
            return redirect("notifications:choices")
    chosen = preferences.preferences_of([request.user]).get(request.user.pk)
    context = {
        "rows": [
            (group, [(channel, preferences.wants(chosen, group, channel)) for channel in channels.ways()])
            for group in preferences.GROUPS
        ],
        "chosen": chosen,
        "problem": problem,
        "zones": sorted(zoneinfo.available_timezones()),
        "key": push.public_key(),
        "more": [channel.title for channel in channels.in_use().values()],
        "devices": request.user.devices.order_by("id"),
    }
    return render(request, "notifications/choices.html", context, status=status)


@login_required
@require_POST
def language(request: PersonsRequest) -> HttpResponse:
    """Read the tower in another language from now on, and go back to where one was."""
    try:
        preferences.read_in(request.user, request.POST.get("language", ""), now=clock.now())
    except preferences.PreferenceError as error:
        messages.error(request, str(error), extra_tags="late")
    onward = request.POST.get("next", "")
    return redirect(onward if url_has_allowed_host_and_scheme(onward, allowed_hosts=None) else "boards:home")


def _hour(text: str) -> time | None:
    try:
        return time.fromisoformat(text) if text else None
    except ValueError as error:
        raise preferences.PreferenceError(gettext("%(text)s is not a time of day.") % {"text": text}) from error


def _sent(request: PersonsRequest) -> Any:
    """The JSON that a script sent. Raises ValueError for anything else."""
    if request.content_type != "application/json":
        raise ValueError("not JSON")
    return json.loads(request.body)


@login_required
@require_POST
def add_device(request: PersonsRequest) -> HttpResponse:
    """Tell the browser that asks from now on: its subscription, as browsers write it."""
    try:
        given = _sent(request)
        device = {
            "endpoint": str(given["endpoint"])[:1_000],
            "p256dh": str(given["keys"]["p256dh"])[:120],
            "auth": str(given["keys"]["auth"])[:40],
        }
    except (ValueError, KeyError, TypeError):
        return JsonResponse({"detail": gettext("Not a valid push subscription.")}, status=400)
    push.add(request.user, **device, name=request.headers.get("User-Agent", ""), now=clock.now())
    return JsonResponse({"detail": gettext("Push enabled on this device.")})


@login_required
@require_POST
def drop_device(request: PersonsRequest) -> HttpResponse:
    """Tell a device no more: the browser that asks, or one chosen from the list."""
    chosen = request.POST.get("device", "")
    if chosen.isdecimal():
        push.remove(request.user, device_id=int(chosen))
        return redirect("notifications:choices")
    try:
        endpoint = str(_sent(request)["endpoint"])
    except (ValueError, KeyError, TypeError):
        return JsonResponse({"detail": gettext("Not a valid push subscription.")}, status=400)
    push.remove(request.user, endpoint=endpoint)
    return JsonResponse({"detail": gettext("Push disabled on this device.")})

"""Is the integration itself well?"""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from apps.accounts.permissions import NotAllowedError
from apps.core import clock
from apps.health import probes, queries
from apps.intake import moves as deliveries
from apps.outbox import moves as commands


@login_required
@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """Links, queues, deliveries, commands: what is well and what is not."""
    template = "health/overview.html"
    context = {"health": queries.overview(now=clock.now())}
    return render(request, f"{template}#body" if request.headers.get("X-Fragment") else template, context)


@login_required
@require_POST
def retry(request: HttpRequest, command_id: str) -> HttpResponse:
    """Try a command again that was refused or given up."""
    try:
        command = commands.retry(str(command_id), by=request.user, now=clock.now())
        messages.success(request, f"“{command.title}” is tried again.")
    except (NotAllowedError, commands.RetryRefusedError) as refusal:
        messages.error(request, str(refusal))
    return redirect(request.headers.get("Referer") or "health:overview")


@login_required
@require_POST
def replay(request: HttpRequest, delivery_id: int) -> HttpResponse:
    """Process a delivery once more."""
    try:
        deliveries.replay([delivery_id], by=request.user, now=clock.now())
        messages.success(request, f"Delivery {delivery_id} is processed once more.")
    except (NotAllowedError, deliveries.ReplayRefusedError) as refusal:
        messages.error(request, str(refusal))
    return redirect("health:overview")


@require_safe
def alive(request: HttpRequest) -> HttpResponse:
    """Alive: this process answers. Asks nobody else."""
    return HttpResponse("ok", content_type="text/plain")


@require_safe
def ready(request: HttpRequest) -> HttpResponse:
    """Ready: everything that the tower stands on answers too."""
    found = probes.readiness()
    return JsonResponse(found, status=200 if set(found.values()) == {"ok"} else 503)


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """The figures, for Prometheus."""
    return HttpResponse(probes.metrics(), content_type="text/plain; version=0.0.4; charset=utf-8")

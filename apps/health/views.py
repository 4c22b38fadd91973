"""Is the integration itself well? And what a person can do about what has stopped."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from apps.accounts.permissions import INTEGRATORS, NotAllowedError
from apps.accounts.requests import PersonsRequest
from apps.core import clock
from apps.health import probes, queries
from apps.intake import moves as deliveries
from apps.odoo import seen
from apps.outbox import moves as commands


@login_required
@require_safe
def overview(request: PersonsRequest) -> HttpResponse:
    """Links, queues, deliveries, commands: what is well and what is not."""
    template = "health/overview.html"
    health = queries.overview(now=clock.now(), seen=seen.on(request, request.user))
    context = {"health": health, "may_integrate": request.user.role in INTEGRATORS}
    return render(request, f"{template}#body" if request.headers.get("X-Fragment") else template, context)


@login_required
@require_POST
def retry(request: PersonsRequest, command_id: UUID) -> HttpResponse:
    """Send a command again that has stopped."""
    try:
        command = commands.retry(str(command_id), by=request.user, now=clock.now())
    except NotAllowedError as error:
        return render(request, "403.html", {"reason": str(error)}, status=403)
    except commands.RetryRefusedError as error:
        messages.error(request, str(error), extra_tags="late")
    else:
        messages.success(request, f"{command.title} is tried again.", extra_tags="done")
    return redirect("health:overview")


@login_required
@require_POST
def replay(request: PersonsRequest, delivery_id: int) -> HttpResponse:
    """Absorb a dead letter again."""
    try:
        deliveries.replay([delivery_id], by=request.user, now=clock.now())
    except NotAllowedError as error:
        return render(request, "403.html", {"reason": str(error)}, status=403)
    except deliveries.ReplayRefusedError as error:
        messages.error(request, str(error), extra_tags="late")
    else:
        messages.success(request, f"Delivery {delivery_id} is absorbed again.", extra_tags="done")
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

"""Is the integration itself well?"""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from apps.core import clock
from apps.health import queries


@login_required
@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """Links, queues, deliveries, commands: what is well and what is not."""
    template = "health/overview.html"
    context = {"health": queries.overview(now=clock.now())}
    return render(request, f"{template}#body" if request.headers.get("X-Fragment") else template, context)

"""The connections: which Odoo databases there are, what each can and cannot do, and connecting another."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.accounts import sight
from apps.accounts.permissions import INTEGRATORS, NotAllowedError, check_may_integrate
from apps.accounts.requests import PersonsRequest
from apps.audit import trail
from apps.core import clock
from apps.core.actor import Actor
from apps.core.wake import wake
from apps.odoo import hooks, seen
from apps.odoo.forms import ConnectionForm
from apps.odoo.models import Connection

CHECKING = "checking"
REGISTER = "pipeline.register"


def _trail(request: PersonsRequest, action: str, connection: Connection, data: dict[str, Any]) -> None:
    actor = Actor(kind="user", id=str(request.user.pk), name=str(request.user))
    event = trail.Event(action=action, actor=actor, subject=f"connection:{connection.name}", data=data,
                        about=(connection.pk, None))  # fmt: skip
    trail.record(event, now=clock.now())


@login_required
@require_safe
def listing(request: PersonsRequest) -> HttpResponse:
    """Every connection and how it is."""
    template = "odoo/connections.html"
    context = {
        "connections": Connection.objects.filter(seen.on(request, request.user).of_connections()).order_by("name"),
        "may_integrate": request.user.role in INTEGRATORS,
    }  # fmt: skip
    return render(request, f"{template}#list" if request.headers.get("X-Fragment") else template, context)


@login_required
@require_safe
def detail(request: PersonsRequest, name: str) -> HttpResponse:
    """One connection: how it is, what it can and cannot do."""
    connection = get_object_or_404(Connection.objects.filter(sight.of(request.user).of_connections()), name=name)
    models = connection.capabilities.get("models", {})
    context = {
        "connection": connection, "may_integrate": request.user.role in INTEGRATORS,
        "models": sorted(
            (model, found) for model, found in models.items() if found.get("missing_fields") or not found.get("readable", True)
        ),
        "report": connection.capabilities.get("abilities", []),
        "lacks": connection.capabilities.get("problems", []),
        "is_provisioned": connection.is_provisioned,
    }  # fmt: skip
    template = "odoo/connection.html"
    return render(request, f"{template}#body" if request.headers.get("X-Fragment") else template, context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def add(request: PersonsRequest) -> HttpResponse:
    """Connect another Odoo. The page does not wait for it: a worker asks, and the next page shows what it said."""
    try:
        check_may_integrate(request.user)
    except NotAllowedError as error:
        return render(request, "403.html", {"reason": str(error)}, status=403)
    form = ConnectionForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with transaction.atomic():
            connection = form.save(commit=False)
            connection.state, connection.state_since = CHECKING, clock.now()
            connection.save()
            _trail(request, "connection.added", connection, {"url": connection.url, "database": connection.database})
            wake(REGISTER, connection_id=connection.pk)
        return redirect("connections:detail", connection.name)
    return render(request, "odoo/add.html", {"form": form}, status=422 if form.errors else 200)


@login_required
@require_POST
def check(request: PersonsRequest, name: str) -> HttpResponse:
    """Ask again what this Odoo can do."""
    connection = get_object_or_404(Connection.objects.filter(sight.of(request.user).of_connections()), name=name)
    try:
        check_may_integrate(request.user)
    except NotAllowedError as error:
        return render(request, "403.html", {"reason": str(error)}, status=403)
    with transaction.atomic():
        Connection.objects.filter(pk=connection.pk).update(state=CHECKING, state_since=clock.now())
        _trail(request, "connection.checked", connection, {})
        wake(REGISTER, connection_id=connection.pk)
    return redirect("connections:detail", connection.name)


@login_required
@require_POST
def switch_hooks(request: PersonsRequest, name: str) -> HttpResponse:
    """Have this Odoo's webhooks switched off, or on again."""
    connection = get_object_or_404(Connection.objects.filter(sight.of(request.user).of_connections()), name=name)
    is_on = request.POST.get("on") == "1"
    try:
        is_changed = hooks.want(connection, on=is_on, by=request.user, now=clock.now())
    except NotAllowedError as error:
        return render(request, "403.html", {"reason": str(error)}, status=403)
    if is_changed:
        if is_on:
            said = gettext("A worker switches the webhooks of %(name)s on. Changes are told at once again.")
        else:
            said = gettext(
                "A worker switches the webhooks of %(name)s off. Odoo's users wait for nothing any more; changes are found by "
                "polling, a little later."
            )
        messages.success(request, said % {"name": name}, extra_tags="done")
    return redirect("connections:detail", name)

"""The connections: which Odoo databases there are, what each can and cannot do, and connecting another."""

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.accounts import access
from apps.accounts.permissions import INTEGRATORS, check_may_integrate
from apps.accounts.requests import PersonsRequest
from apps.audit import trail
from apps.core import clock
from apps.core.wake import wake, wake_now
from apps.odoo import access_data, cost, deletion, hooks, request_scope, zones
from apps.odoo.forms import AccessForm, ConnectionForm, TimeZoneForm
from apps.odoo.models import AccessTestState, Connection
from apps.odoo.transitions import CONNECTIONS

REGISTER = "pipeline.register"
# A test that has waited longer than this was not heard of.
TEST_LATE = timedelta(seconds=10)
# Of the mirror, but no records of Odoo's.
NOT_RECORDS = ("mirror.SyncState", "mirror.SyncRun")


def _trail(request: PersonsRequest, action: str, connection: Connection, data: dict[str, Any]) -> None:
    actor = request.user.actor
    event = trail.Event(action=action, actor=actor, subject=f"connection:{connection.name}", data=data, about=(connection.pk, None))
    trail.record(event, now=clock.now())


@login_required
@require_safe
def listing(request: PersonsRequest) -> HttpResponse:
    """Every connection and how it is."""
    template = "odoo/connections.html"
    context = {
        "connections": Connection.objects.filter(request_scope.scope_of(request, request.user).of_connections()).order_by("name"),
        "may_integrate": request.user.role in INTEGRATORS,
    }
    return render(request, f"{template}#list" if request.headers.get("X-Fragment") else template, context)


@login_required
@require_safe
def detail(request: PersonsRequest, name: str) -> HttpResponse:
    """One connection: how it is, what it can and cannot do."""
    connection = get_object_or_404(Connection.objects.filter(access.scope_of(request.user).of_connections()), name=name)
    models = connection.capabilities.get("models", {})
    context = {
        "connection": connection,
        "may_integrate": request.user.role in INTEGRATORS,
        "models": sorted(
            (model, found) for model, found in models.items() if found.get("missing_fields") or not found.get("readable", True)
        ),
        "report": connection.capabilities.get("abilities", []),
        "lacks": connection.capabilities.get("problems", []),
        "is_provisioned": connection.is_provisioned,
        "costs": cost.COSTS if connection.is_provisioned else (),
        "costs_measured_on": cost.MEASURED_ON,
        "costs_measured_with": cost.MEASURED_WITH,
        "zone_form": TimeZoneForm(initial={"time_zone": connection.time_zone}),
        "zones_said": zones.of_companies(connection, scope=access.scope_of(request.user)),
    }
    template = "odoo/connection.html"
    return render(request, f"{template}#body" if request.headers.get("X-Fragment") else template, context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def add(request: PersonsRequest) -> HttpResponse:
    """Connect another Odoo. The page does not wait for it: a worker asks, and the next page shows what it said."""
    check_may_integrate(request.user)
    form = ConnectionForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with transaction.atomic():
            connection = form.save(commit=False)
            CONNECTIONS.make("check", connection)
            connection.state_since = clock.now()
            connection.save()
            _trail(request, "connection.added", connection, {"url": connection.url, "database": connection.database})
            wake(REGISTER, connection_id=connection.pk)
        return redirect("connections:detail", connection.name)
    return render(request, "odoo/add.html", {"form": form}, status=422 if form.errors else 200)


@login_required
@require_POST
def check(request: PersonsRequest, name: str) -> HttpResponse:
    """Ask again what this Odoo can do."""
    connection = get_object_or_404(Connection.objects.filter(access.scope_of(request.user).of_connections()), name=name)
    check_may_integrate(request.user)
    if connection.delete_requested_at:
        messages.error(request, gettext("%(name)s is being deleted.") % {"name": name})
        return redirect("connections:detail", name)
    with transaction.atomic():
        CONNECTIONS.make_all("check", Connection.objects.filter(pk=connection.pk), state_since=clock.now())
        _trail(request, "connection.checked", connection, {})
        wake(REGISTER, connection_id=connection.pk)
    return redirect("connections:detail", connection.name)


def _own(request: PersonsRequest, name: str) -> Connection:
    """The connection, for somebody who sees all of it and may change it. Raises Http404 and NotAllowedError."""
    found = get_object_or_404(Connection.objects.filter(access.scope_of(request.user).of_whole_connections("id")), name=name)
    check_may_integrate(request.user)
    return found


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: PersonsRequest, name: str) -> HttpResponse:
    """Enter other access data. They are tested by a worker first; nothing changes before Odoo has accepted them."""
    connection = _own(request, name)
    last = connection.access_tests.filter(pk=_number(request.GET.get("test"))).first()
    shown = last or connection
    initial = {field: getattr(shown, field) for field in ("url", "database", "login")}
    form = AccessForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            test = access_data.request_test(connection, **form.cleaned_data, by=request.user, now=clock.now())
        except access_data.AccessDataError as error:
            form.add_error("api_key", str(error))
        else:
            return redirect("connections:access-test", connection.name, test.pk)
    context = {"form": form, "connection": connection}
    return render(request, "odoo/edit.html", context, status=422 if form.errors else 200)


def _number(text: str | None) -> int:
    return int(text) if text and text.isdecimal() and len(text) < 19 else 0


@login_required
@require_safe
def access_test(request: PersonsRequest, name: str, number: int) -> HttpResponse:
    """What Odoo says to access data that are not saved yet."""
    connection = _own(request, name)
    test = get_object_or_404(connection.access_tests, pk=number)
    if test.state == AccessTestState.WAITING and clock.now() - test.requested_at > TEST_LATE:
        # The wake was lost: a message is no work, the row is.
        wake_now(access_data.TEST, test_id=test.pk)
    template = "odoo/access_test.html"
    context = {
        "connection": connection,
        "test": test,
        "is_elsewhere": (test.url, test.database) != (connection.url, connection.database),
    }
    return render(request, f"{template}#body" if request.headers.get("X-Fragment") else template, context)


@login_required
@require_POST
def save_access(request: PersonsRequest, name: str, number: int) -> HttpResponse:
    """Save access data that Odoo has accepted."""
    connection = _own(request, name)
    test = get_object_or_404(connection.access_tests, pk=number)
    try:
        access_data.save_tested(test, by=request.user, now=clock.now())
    except access_data.AccessDataError as error:
        messages.error(request, str(error))
        return redirect("connections:edit", name)
    messages.success(request, gettext("Saved: %(name)s is read with the new access data.") % {"name": name}, extra_tags="done")
    return redirect("connections:detail", name)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: PersonsRequest, name: str) -> HttpResponse:
    """Say what goes with the connection, and delete it once its name has been entered."""
    connection = _own(request, name)
    lost, problem = deletion.lost_with(connection), ""
    if request.method == "POST":
        try:
            access_data.request_deletion(
                connection, confirmed_name=request.POST.get("name", ""), lost=lost, by=request.user, now=clock.now()
            )
        except access_data.AccessDataError as error:
            problem = str(error)
        else:
            messages.success(request, gettext("Deleting %(name)s.") % {"name": name}, extra_tags="done")
            return redirect("connections:list")
    context = {"connection": connection, "problem": problem} | _losses(lost)
    return render(request, "odoo/delete.html", context, status=422 if problem else 200)


def _losses(lost: dict[str, int]) -> dict[str, int]:
    """What is lost, as people call it."""
    mirrored = sum(count for label, count in lost.items() if label.startswith("mirror.") and label not in NOT_RECORDS)
    return {
        "records": mirrored,
        "cases": lost.get("exceptions.ExceptionCase", 0),
        "requests": lost.get("approvals.Request", 0),
        "commands": lost.get("outbox.Command", 0),
        "moves": lost.get("workflows.Transition", 0),
        "events": lost.get("events.Event", 0) + lost.get("intake.Delivery", 0),
    }


@login_required
@require_POST
def time_zone(request: PersonsRequest, name: str) -> HttpResponse:
    """Have the companies of this connection count days in one zone, or each in its own as Odoo says."""
    connection = get_object_or_404(Connection.objects.filter(access.scope_of(request.user).of_connections()), name=name)
    form = TimeZoneForm(request.POST)
    if not form.is_valid():
        messages.error(request, gettext("There is no such time zone. Choose one of the list."))
        return redirect("connections:detail", name)
    is_changed = zones.set_time_zone(connection, form.cleaned_data["time_zone"], by=request.user, now=clock.now())
    if is_changed:
        said = gettext("Time zone of %(name)s saved. Records are updated as they change, and at the next midnight.")
        messages.success(request, said % {"name": name}, extra_tags="done")
    return redirect("connections:detail", name)


@login_required
@require_POST
def switch_hooks(request: PersonsRequest, name: str) -> HttpResponse:
    """Have this Odoo's webhooks switched off, or on again."""
    connection = get_object_or_404(Connection.objects.filter(access.scope_of(request.user).of_connections()), name=name)
    is_on = request.POST.get("on") == "1"
    is_changed = hooks.set_webhook_state(connection, on=is_on, by=request.user, now=clock.now())
    if is_changed:
        if is_on:
            said = gettext("Switching on the webhooks of %(name)s. Changes arrive immediately again.")
        else:
            said = gettext(
                "Switching off the webhooks of %(name)s. Odoo's users no longer wait; changes are found by polling, a little later."
            )
        messages.success(request, said % {"name": name}, extra_tags="done")
    return redirect("connections:detail", name)

"""Is the integration itself well? And what a person can do about what has stopped."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.accounts import access
from apps.accounts.permissions import INTEGRATORS, check_may_integrate
from apps.accounts.requests import PersonsRequest
from apps.core import clock
from apps.core.egress import AddressNotAllowedError
from apps.exceptions.queue import screens
from apps.exceptions.types import title_of
from apps.health import alerts, figures, probes, queries
from apps.health import metrics as prometheus
from apps.health.forms import EndpointForm, RuleForm
from apps.health.models import AlertRule
from apps.intake import moves as deliveries
from apps.intake import queries as stored
from apps.intake.claim import GIVE_UP_AFTER
from apps.intake.models import Status
from apps.notifications import webhooks
from apps.notifications.models import Endpoint, Outgoing
from apps.odoo import request_scope
from apps.odoo.page_queries import is_id, knows
from apps.outbox import moves as commands

LETTERS = 50
SENT = 20
# Together in one transaction; pressing again takes the next.
REPLAYED = 5_000


@login_required
@require_safe
@knows()
def overview(request: PersonsRequest) -> HttpResponse:
    """Links, queues, deliveries, commands: what is well and what is not."""
    template = "health/overview.html"
    now, shown = clock.now(), request_scope.scope_of(request, request.user)
    health = queries.overview(now=now, access_scope=shown)
    # Deliveries and calls are of a connection and no company: their figures are for those who see all of it.
    whole = [link.connection for link in health.links if shown.sees_whole(link.connection.pk)]
    context = {
        "health": health,
        "may_integrate": request.user.role in INTEGRATORS,
        "links": figures.links(whole, now=now),
        "workflows": figures.workflows(now=now, access_scope=shown),
        "incidents": screens.incidents(shown),
        "extensions": settings.EXTENSIONS,
    }
    return render(request, f"{template}#body" if request.headers.get("X-Fragment") else template, context)


@login_required
@require_POST
def retry(request: PersonsRequest, command_id: UUID) -> HttpResponse:
    """Send a command again that has stopped."""
    try:
        command = commands.retry(str(command_id), by=request.user, now=clock.now())
    except commands.RetryRefusedError as error:
        messages.error(request, str(error), extra_tags="late")
    else:
        messages.success(request, gettext("%(title)s is being retried.") % {"title": command.told}, extra_tags="done")
    return redirect("health:overview")


@login_required
@require_safe
@knows(after=is_id)
def dead_letters(request: PersonsRequest) -> HttpResponse:
    """The deliveries that were given up, a page at a time."""
    mine = stored.dead(request_scope.scope_of(request, request.user))
    after = request.GET.get("after", "")
    shown = list((mine.filter(id__lt=int(after)) if after.isdecimal() and len(after) < 19 else mine)[: LETTERS + 1])
    context = {
        "letters": shown[:LETTERS],
        "next": shown[LETTERS - 1].pk if len(shown) > LETTERS else None,
        "is_first": not after,
        "count": mine.count(),
        "may_integrate": request.user.role in INTEGRATORS,
    }
    return render(request, "health/dead_letters.html", context)


def _letter(request: PersonsRequest, delivery_id: int, **more: Any) -> HttpResponse:
    delivery = get_object_or_404(stored.deliveries_in(access.scope_of(request.user)), id=delivery_id)
    context = {
        "letter": delivery,
        "mends": delivery.mends.order_by("-id"),
        "text": deliveries.text_of(delivery),
        "may_mend": request.user.role in INTEGRATORS and delivery.status == Status.DEAD,
        "may_replay": request.user.role in INTEGRATORS and delivery.status in ("dead", "done"),
        "gives_up_after": GIVE_UP_AFTER,
    }
    return render(request, "health/dead_letter.html", context | more, status=422 if more else 200)


@login_required
@require_safe
def dead_letter(request: PersonsRequest, delivery_id: int) -> HttpResponse:
    """One delivery: what it says, what is wrong with it, and what it said before it was mended."""
    return _letter(request, delivery_id)


@login_required
@require_POST
def edit_payload(request: PersonsRequest, delivery_id: int) -> HttpResponse:
    """Edit the payload of a dead letter, and replay it if that was requested."""
    get_object_or_404(stored.deliveries_in(access.scope_of(request.user)), id=delivery_id)
    body = request.POST.get("body", "")
    try:
        deliveries.edit_payload(delivery_id, body=body, by=request.user, now=clock.now())
        if "replay" in request.POST:
            deliveries.replay([delivery_id], by=request.user, now=clock.now())
    except (deliveries.PayloadEditError, deliveries.ReplayRefusedError) as error:
        return _letter(request, delivery_id, problem=str(error), text=body)
    messages.success(request, gettext("Delivery %(delivery_id)s is edited.") % {"delivery_id": delivery_id}, extra_tags="done")
    return redirect("health:dead-letter", delivery_id)


@login_required
@require_POST
def replay(request: PersonsRequest) -> HttpResponse:
    """Replay dead letters: the chosen ones, or all that the person may see."""
    mine = stored.dead(request_scope.scope_of(request, request.user))
    if "all" not in request.POST:
        chosen = [int(text) for text in request.POST.getlist("id") if text.isdecimal() and len(text) < 19]
        mine = stored.deliveries_in(access.scope_of(request.user)).filter(id__in=chosen)
    try:
        count = deliveries.replay(list(mine.values_list("id", flat=True)[:REPLAYED]), by=request.user, now=clock.now())
    except deliveries.ReplayRefusedError as error:
        messages.error(request, str(error), extra_tags="late")
    else:
        said = ngettext("%(count)s delivery queued for replay.", "%(count)s deliveries queued for replay.", count)
        messages.success(request, said % {"count": count}, extra_tags="done")
    return redirect("health:dead-letters")


@login_required
@require_safe
def alert_rules(request: PersonsRequest) -> HttpResponse:
    """The rules by which people and other systems are told, and what they told lately."""
    mine = Q(connection=None) | access.scope_of(request.user).of_connections("connection_id")
    rules = AlertRule.objects.filter(mine).select_related("connection").prefetch_related("people", "endpoints").order_by("name")
    may_integrate = request.user.role in INTEGRATORS
    context = {
        "rules": [(rule, [title_of(name) for name in rule.types]) for rule in rules],
        "may_integrate": may_integrate,
        "endpoints": Endpoint.objects.order_by("name") if may_integrate else [],
        "sent": Outgoing.objects.select_related("endpoint").order_by("-id")[:SENT] if may_integrate else [],
    }
    return render(request, "health/alerts.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def alert_rule(request: PersonsRequest, rule_id: int | None = None) -> HttpResponse:
    """Enter, change or remove a rule."""
    check_may_integrate(request.user)
    rule = get_object_or_404(AlertRule, id=rule_id) if rule_id else None
    if request.method == "POST" and "remove" in request.POST and rule:
        alerts.remove(rule, by=request.user, now=clock.now())
        messages.success(request, gettext("%(rule)s removed.") % {"rule": rule}, extra_tags="done")
        return redirect("health:alerts")
    form = RuleForm(request.POST or None, instance=rule)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        kept = alerts.save(
            form.save(commit=False), people=given["people"], endpoints=given["endpoints"], by=request.user, now=clock.now()
        )
        messages.success(request, gettext("%(kept)s is active.") % {"kept": kept}, extra_tags="done")
        return redirect("health:alerts")
    context = {"form": form, "rule": rule}
    return render(request, "health/alert.html", context, status=422 if request.method == "POST" else 200)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def add_endpoint(request: PersonsRequest) -> HttpResponse:
    """Enter another system that is told; its secret is shown this once."""
    check_may_integrate(request.user)
    form = EndpointForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        endpoint = webhooks.save(form.save(commit=False), by=request.user, now=clock.now())
        return render(request, "health/endpoint.html", {"endpoint": endpoint, "secret": endpoint.secret})
    return render(request, "health/endpoint_new.html", {"form": form}, status=422 if request.method == "POST" else 200)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def endpoint(request: PersonsRequest, endpoint_id: int) -> HttpResponse:
    """One of the systems that are told: try it, give it a new secret, switch it, or remove it."""
    check_may_integrate(request.user)
    found, now, secret = get_object_or_404(Endpoint, id=endpoint_id), clock.now(), ""
    if "remove" in request.POST:
        webhooks.remove(found, by=request.user, now=now)
        messages.success(request, gettext("%(found)s no longer receives alerts.") % {"found": found}, extra_tags="done")
        return redirect("health:alerts")
    if "rotate" in request.POST:
        secret = webhooks.rotate(found, by=request.user, now=now)
    elif "switch" in request.POST or "try" in request.POST:
        try:
            if "switch" in request.POST:
                found.is_active, found.problem = not found.is_active, ""
                webhooks.save(found, by=request.user, now=now)
            else:
                webhooks.post([found], key=f"try:{now.isoformat()}", kind="alert.tried", data={"by": str(request.user)}, now=now)
                messages.success(request, gettext("Test message sent. Its result is shown below."), extra_tags="done")
        except AddressNotAllowedError as error:
            messages.error(request, str(error), extra_tags="late")
        return redirect("health:endpoint", found.pk)
    context = {"endpoint": found, "secret": secret, "sent": found.messages.order_by("-id")[:SENT]}
    return render(request, "health/endpoint.html", context)


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
    return HttpResponse(prometheus.text(), content_type="text/plain; version=0.0.4; charset=utf-8")

"""The pages of policies: what is in force where, and changing it."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_safe

from apps.accounts import access
from apps.accounts.requests import PersonsRequest
from apps.approvals.policies import distinct, editing, form, policy, preview
from apps.approvals.policies.bounds import PolicyError
from apps.approvals.requests import permissions
from apps.core import clock
from apps.core.refusals import Refusal
from apps.workflows import registry, scopes
from apps.workflows.scopes import EVERYBODY


@login_required
@require_safe
def policies(request: PersonsRequest) -> HttpResponse:
    """The policy in force for each kind of approval."""
    now = clock.now()
    scope, places = scopes.chosen_in(request, request.user)
    connection_id, company_id = scope.key
    found = [
        (declared, in_force, (in_force.connection_id, in_force.company_id) == scope.key)
        for kind, (_, declared) in registry.approval_kinds().items()
        for in_force in [policy.active(kind, now=now, connection_id=connection_id, company_id=company_id)]
    ]
    context = {"found": found, "tab": "policies", "places": places, "query": f"?{scope.query}", "is_general": scope == EVERYBODY}
    return render(request, "approvals/policies.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def edit_policy(request: PersonsRequest, kind: str) -> HttpResponse:
    """A policy as a form, with what it would have meant for the last month before it becomes a new version."""
    if kind not in registry.approval_kinds():
        raise Http404(gettext("There is no approval kind %(kind)s.") % {"kind": kind})
    now, problem, status, shown = clock.now(), "", 200, None
    warned: list[str] = []
    scope, places = scopes.chosen_in(request, request.user)
    connection_id, company_id = scope.key
    in_force = policy.active(kind, now=now, connection_id=connection_id, company_id=company_id)
    here = f"{reverse('approvals:policy', args=[kind])}?{scope.query}"
    rules, act = in_force.rules, request.POST.get("act", "")
    why_not = permissions.why_not_make_policy(request.user)
    if act == "reasons":
        texts = {decision: request.POST.get(f"reasons-{decision}", "").splitlines() for decision in policy.DECISIONS}
        policy.save_reasons(kind, texts, by=request.user, now=now)
        messages.success(request, gettext("Templates saved."), extra_tags="done")
        return redirect(here)
    if act == "withdraw":
        try:
            policy.withdraw(kind, scope=scope, by=request.user, now=now)
        except PolicyError as error:
            problem, status = str(error), error.status
        else:
            messages.success(request, gettext("Withdrawn. Pending requests keep their version."), extra_tags="done")
            return redirect(here)
    if request.method == "POST" and act != "withdraw":
        rules = editing.changed(editing.rules_of(request.POST), act)
    if act in ("preview", "save") or request.method != "POST":
        try:
            policy.check(kind, rules)
            if act == "save":
                if request.POST.get("version") != str(in_force.version):
                    raise PolicyError(
                        gettext("Version %(version)s was saved meanwhile. Compare, then save again.")
                        % {"version": in_force.version}
                    )
                policy.save(kind, rules, by=request.user, now=now, note=request.POST.get("note", "").strip()[:300], scope=scope)
                done = gettext("Saved as a new version. Pending requests keep their version.")
                messages.success(request, done, extra_tags="done")
                for warning in distinct.warnings(rules):
                    messages.warning(request, warning, extra_tags="risk")
                return redirect(here)
            warned = distinct.warnings(rules)
            shown = preview.preview(kind, rules, access_scope=scope.within(access.scope_of(request.user)), now=now)
        except Refusal as error:
            problem, status = str(error), error.status
    context = form.policy_form(kind, rules, in_force, access.scope_of(request.user)) | {
        "problem": problem,
        "warnings": warned,
        "preview": shown,
        "why_not": why_not,
        "note": request.POST.get("note", ""),
        "tab": "policies",
        "places": places,
        "query": f"?{scope.query}",
        "where": scopes.words_of(places),
        "is_own": (in_force.connection_id, in_force.company_id) == scope.key,
        "is_general": scope == EVERYBODY,
    }
    return render(request, "approvals/policy.html", context, status=status)

"""Proposals and vendor links for people: to be read, decided, made and revoked."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import content_disposition_header
from django.utils.translation import gettext
from django.views.decorators.http import require_POST, require_safe

from apps.accounts import access
from apps.accounts.permissions import POLICY_MAKERS, may_work_exceptions
from apps.accounts.requests import PersonsRequest
from apps.core import clock
from apps.core.fragments import part
from apps.odoo import request_scope
from apps.odoo.models import Connection
from apps.odoo.page_queries import knows
from apps.vendors.links import moves as links
from apps.vendors.links import tokens
from apps.vendors.models import Attachment, Status
from apps.vendors.proposals import moves, queries, rules, screens

ANY = "any"


@login_required
@require_safe
@knows(status=lambda value: value in {*Status.values, ANY})
def listing(request: PersonsRequest) -> HttpResponse:
    """What vendors propose: what is to be decided, or what was."""
    status = request.GET.get("status") or Status.OPEN.value
    access_scope = request_scope.scope_of(request, request.user)
    context = {
        "rows": screens.rows(access_scope, "" if status == ANY else status),
        "status": status,
        "statuses": [*Status.choices, (ANY, gettext("All"))],
        "links_count": queries.open_links(access_scope, now=clock.now()).count(),
    }
    return render(request, part(request, "vendors/proposals.html", "list"), context)


@login_required
@require_safe
def detail(request: PersonsRequest, proposal_id: int) -> HttpResponse:
    """One proposal: old and new a line, and the three answers."""
    return _page(request, proposal_id)


def _page(request: PersonsRequest, proposal_id: int, *, problem: str = "", status: int = 200, words: str = "") -> HttpResponse:
    access_scope = access.scope_of(request.user)
    proposal = get_object_or_404(queries.proposals(access_scope), pk=proposal_id)
    context = {
        "page": screens.page_of(proposal, access_scope, now=clock.now()),
        "may_decide": may_work_exceptions(request.user),
        "may_rule": request.user.role in POLICY_MAKERS,
        "rule": rules.of_vendor(proposal),
        "problem": problem,
        "words": words,
    }
    return render(request, part(request, "vendors/proposal.html", "body"), context, status=status)


@login_required
@require_POST
def decide(request: PersonsRequest, proposal_id: int, action: str) -> HttpResponse:
    """Accept, push back, or buy elsewhere; what stands against it is said on the page."""
    get_object_or_404(queries.proposals(access.scope_of(request.user)), pk=proposal_id)
    seen = request.POST.get("seen", "")
    told: dict[str, Any] = {"by": request.user, "now": clock.now(), "seen": int(seen) if seen.isdecimal() and len(seen) < 9 else 0}
    words = request.POST.get("words", "")
    try:
        if action == "accept":
            moves.accept(proposal_id, **told)
            said = gettext("Accepted. Sent to Odoo.")
        elif action == "push-back":
            moves.push_back(proposal_id, words=words, **told)
            said = gettext("Pushed back. The vendor is written to, with a new link.")
        elif action == "buy-elsewhere":
            moves.buy_elsewhere(proposal_id, options=request.POST.getlist("option"), **told)
            said = gettext("A request for quotation is drafted in Odoo.")
        else:
            raise Http404(gettext("There is no %(action)s for a proposal.") % {"action": action})
    except moves.ProposalRefusedError as error:
        return _page(request, proposal_id, problem=str(error), status=error.status, words=words)
    messages.success(request, said, extra_tags="done")
    return redirect("vendors:proposal", proposal_id)


@login_required
@require_safe
def attachment(request: PersonsRequest, proposal_id: int, file_id: UUID) -> HttpResponse:
    """A vendor's file, to be saved: never shown in the page, whatever it is."""
    proposal = get_object_or_404(queries.proposals(access.scope_of(request.user)), pk=proposal_id)
    file = get_object_or_404(Attachment.objects.filter(answer__proposal=proposal), pk=file_id)
    headers = {"Content-Security-Policy": "sandbox; default-src 'none'", "X-Content-Type-Options": "nosniff"}
    answer = HttpResponse(bytes(file.content), content_type="application/octet-stream", headers=headers)
    answer.headers["Content-Disposition"] = content_disposition_header(True, file.name) or "attachment"
    return answer


@login_required
@require_safe
@knows()
def link_list(request: PersonsRequest) -> HttpResponse:
    """The links that vendors have, with what is to be sent to them."""
    now = clock.now()
    shown = queries.open_links(request_scope.scope_of(request, request.user), now=now)[: screens.SHOWN]
    may_work = may_work_exceptions(request.user)
    rows = [(link, tokens.address_of(link) if may_work else "") for link in shown]
    return render(request, "vendors/links.html", {"rows": rows, "may_work": may_work})


@login_required
@require_POST
def create_link(request: PersonsRequest, connection: str, odoo_id: int) -> HttpResponse:
    """Make a link for the vendor of a purchase order."""
    mine = access.scope_of(request.user)
    of = get_object_or_404(Connection.objects.filter(mine.of_connections()), name=connection)
    try:
        link = links.create(of, odoo_id, by=request.user, now=clock.now(), message=request.POST.get("message", ""))
    except links.LinkRefusedError as error:
        messages.error(request, str(error), extra_tags="late")
    else:
        messages.success(request, gettext("%(vendor)s has a link.") % {"vendor": link.partner_name}, extra_tags="done")
    return redirect("vendors:links")


@login_required
@require_POST
def revoke_link(request: PersonsRequest, link_id: UUID) -> HttpResponse:
    """Close a link for good."""
    get_object_or_404(queries.links(access.scope_of(request.user)), pk=link_id)
    try:
        link = links.revoke(link_id, by=request.user, now=clock.now())
    except links.LinkRefusedError as error:
        messages.error(request, str(error), extra_tags="late")
    else:
        messages.success(request, gettext("The link of %(vendor)s is revoked.") % {"vendor": link.partner_name}, extra_tags="done")
    return redirect("vendors:links")


@login_required
@require_safe
@knows()
def rule_list(request: PersonsRequest) -> HttpResponse:
    """The vendors of whom some dates are accepted without a person."""
    rows = queries.rules(request_scope.scope_of(request, request.user))[: screens.SHOWN]
    return render(request, "vendors/rules.html", {"rows": rows, "may_rule": request.user.role in POLICY_MAKERS})


@login_required
@require_POST
def set_rule(request: PersonsRequest, connection: str, number: int, odoo_id: int) -> HttpResponse:
    """Say which dates of a vendor (``odoo_id``) the company ``number`` accepts without a person."""
    mine = access.scope_of(request.user)
    of = get_object_or_404(Connection.objects.filter(mine.of_connections()), name=connection)
    chosen = {"earlier": "earlier" in request.POST, "later": "later" in request.POST}
    rule = rules.switch(of, number, odoo_id, by=request.user, now=clock.now(), **chosen)
    messages.success(request, gettext("Saved for %(vendor)s.") % {"vendor": rule.partner_name}, extra_tags="done")
    return redirect("vendors:rules")

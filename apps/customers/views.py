"""What customers are to be told, for people: drafts to read, edit, send and dismiss, what was sent, and who needs nobody."""

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext, gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.accounts import access
from apps.accounts.permissions import POLICY_MAKERS, may_work_exceptions
from apps.accounts.requests import PersonsRequest
from apps.core import clock
from apps.core.fragments import part
from apps.customers import drafts, queries, rules, sending
from apps.customers.drafts import Draft
from apps.odoo import request_scope
from apps.odoo.models import Connection
from apps.odoo.page_queries import knows
from apps.vendors.mail.draft_pages import DraftPages

SHOWN = 100
WHOSE = ("", "mine")


def _more(request: PersonsRequest, found: Draft) -> Mapping[str, Any]:
    return {"passed": found.passed(clock.now()), "may_rule": request.user.role in POLICY_MAKERS}


PAGES = DraftPages(
    kind=sending.KIND,
    list_name="customers:messages",
    draft_name="customers:draft",
    template="customers/message.html",
    most=SHOWN,
    sent=lambda n: ngettext("Sent to %(n)s customer.", "Sent to %(n)s customers.", n) % {"n": n},
    choose=gettext_lazy("Choose at least one customer."),
    gone=gettext_lazy("There is nothing to tell this customer any more."),
    more=_more,
)


@login_required
@require_safe
@knows(whose=lambda value: value in WHOSE)
def listing(request: PersonsRequest) -> HttpResponse:
    """A draft for each customer that is to be told a new date; those of the person's own orders first."""
    found = drafts.drafts(request_scope.scope_of(request, request.user), by=request.user)
    mine = [one for one in found if request.user.pk in one.owner_ids]
    whose = request.GET.get("whose", "")
    shown = mine if whose == "mine" else found
    now = clock.now()
    context = {
        "drafts": shown[:SHOWN],
        "passed": {one.key for one in shown[:SHOWN] if one.passed(now)},
        "count": len(shown),
        "all_count": len(found),
        "mine_count": len(mine),
        "whose": whose,
        "may_work": may_work_exceptions(request.user),
    }
    return render(request, part(request, "customers/messages.html", "list"), context)


@login_required
@require_POST
def send(request: PersonsRequest) -> HttpResponse:
    """Send the drafts that are chosen, as they were shown."""
    return PAGES.send(request)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def draft(request: PersonsRequest, key: str) -> HttpResponse:
    """One draft: what it is about, preview and words; sent, edited or dismissed."""
    return PAGES.one(request, key)


@login_required
@require_safe
@knows()
def sent(request: PersonsRequest) -> HttpResponse:
    """What customers were told, the newest first, and what Odoo made of it."""
    found = list(queries.messages(request_scope.scope_of(request, request.user))[:SHOWN])
    return render(request, "customers/sent.html", {"rows": queries.sent(found)})


@login_required
@require_safe
@knows()
def rule_list(request: PersonsRequest) -> HttpResponse:
    """The customers who are told without a person."""
    rows = queries.rules(request_scope.scope_of(request, request.user))[:SHOWN]
    return render(request, "customers/rules.html", {"rows": rows, "may_rule": request.user.role in POLICY_MAKERS})


@login_required
@require_POST
def set_rule(request: PersonsRequest, connection: str, number: int, odoo_id: int) -> HttpResponse:
    """Say whether the company ``number`` tells a customer (``odoo_id``) without a person."""
    mine = access.scope_of(request.user)
    of = get_object_or_404(Connection.objects.filter(mine.of_connections()), name=connection)
    rule = rules.switch(of, number, odoo_id, sends="sends" in request.POST, by=request.user, now=clock.now())
    messages.success(request, gettext("Saved for %(customer)s.") % {"customer": rule.partner_name}, extra_tags="done")
    return redirect("customers:rules")

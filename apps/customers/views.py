"""What customers are to be told, for people: drafts to read, edit, send and dismiss, what was sent, and who needs nobody."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.accounts import access
from apps.accounts.permissions import POLICY_MAKERS, may_work_exceptions
from apps.accounts.requests import PersonsRequest
from apps.core import clock
from apps.customers import drafts, queries, rules, sending
from apps.customers.drafts import Draft
from apps.odoo import request_scope
from apps.odoo.models import Connection
from apps.odoo.page_queries import knows
from apps.vendors.letters import LetterRefusedError, check_written, html_of

SHOWN = 100
WHOSE = ("", "mine")


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
    return render(request, "customers/messages.html", context)


@login_required
@require_POST
def send(request: PersonsRequest) -> HttpResponse:
    """Send the drafts that are chosen, as they were shown."""
    chosen = list(dict.fromkeys(request.POST.getlist("draft")))[:SHOWN]
    versions = {key: version for key, _, version in (one.partition(":") for one in chosen)}
    done = sending.send_all(versions, by=request.user, now=clock.now())
    count = sum(one.message is not None for one in done)
    if count:
        said = ngettext("Sent to %(n)s customer.", "Sent to %(n)s customers.", count) % {"n": count}
        messages.success(request, said, extra_tags="done")
    for why in sorted({one.refusal for one in done if one.refusal}):
        messages.error(request, why, extra_tags="late")
    if not done:
        messages.error(request, gettext("Choose at least one customer."), extra_tags="late")
    return redirect("customers:messages")


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def draft(request: PersonsRequest, key: str) -> HttpResponse:
    """One draft: what it is about, preview and words; sent, edited or dismissed."""
    found = drafts.one(key, access.scope_of(request.user))
    if found is None:
        messages.error(request, gettext("There is nothing to tell this customer any more."), extra_tags="late")
        return redirect("customers:messages")
    subject, body = found.text()
    problem, status, preview, unsent = "", 200, found.preview, ""
    if request.method == "POST":
        said = request.POST.get("subject", subject), request.POST.get("body", body).replace("\r\n", "\n")
        try:
            if request.POST.get("version") != found.version:
                raise sending.changed(found)
            if (done := _do(request, found, *said)) is not None:
                return done
            subject, body = said
        except LetterRefusedError as error:
            (subject, body), problem, status = said, str(error), error.status
        except sending.DraftRefusedError as error:
            # Words about other dates are shown, but not under the button that sends.
            unsent, problem, status = said[1], str(error), error.status
        preview = (subject, html_of(body))
    context = {
        "unsent": unsent,
        "draft": found,
        "subject": subject,
        "body": body,
        "preview": preview,
        "problem": problem,
        "passed": found.passed(clock.now()),
        "may_work": may_work_exceptions(request.user),
        "may_rule": request.user.role in POLICY_MAKERS,
    }
    return render(request, "customers/message.html", context, status=status)


def _do(request: PersonsRequest, found: Draft, subject: str, body: str) -> HttpResponse | None:
    """Do what a button says; None where only the preview is wanted."""
    told: dict[str, Any] = {"by": request.user, "now": clock.now()}
    key, version, action = found.key, found.version, request.POST.get("do", "")
    is_own = (" ".join(subject.split()), body.strip()) != found.text()
    if action in ("send", "save") and is_own:
        # What is sent is what stands on the page, saved before or not.
        check_written(subject.strip(), body.strip())
        sending.edit(key, version, subject=subject, body=body, **told)
    if action == "send":
        (one,) = sending.send_all({key: version}, **told)
        if one.refusal:
            raise sending.DraftRefusedError(one.refusal)
        messages.success(request, gettext("Sent to Odoo."), extra_tags="done")
        return redirect("customers:messages")
    if action == "dismiss":
        sending.dismiss(key, version, **told)
        messages.success(request, gettext("Dismissed."), extra_tags="done")
        return redirect("customers:messages")
    if action == "reset":
        sending.edit(key, version, subject="", body="", **told)
    if action in ("save", "reset"):
        messages.success(request, gettext("Saved."), extra_tags="done")
        return redirect("customers:draft", key)
    return None


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

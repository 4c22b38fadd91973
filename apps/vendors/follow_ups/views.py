"""Follow-ups for people: what would be sent to whom, and the words it is said in."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.accounts import access
from apps.accounts.permissions import POLICY_MAKERS, may_work_exceptions
from apps.accounts.requests import PersonsRequest
from apps.core import clock
from apps.odoo import request_scope
from apps.odoo.page_queries import knows
from apps.vendors import letters
from apps.vendors.follow_ups import drafts, sending
from apps.vendors.follow_ups.drafts import Draft
from apps.vendors.mail import queries
from apps.vendors.models import Kind

SHOWN = 200
EXAMPLES = {
    Kind.FOLLOW_UP: {"vendor": "Nordic Timber", "company": "Nordlicht", "orders": "P00012\nP00015", "link": drafts.NO_LINK},
    Kind.PROMISE: {"customer": "Azure Interior", "company": "Nordlicht", "orders": "S00042\nS00047"},
}


@login_required
@require_safe
@knows()
def listing(request: PersonsRequest) -> HttpResponse:
    """A draft for each vendor that owes an answer or goods."""
    seen = request_scope.scope_of(request, request.user)
    found = drafts.drafts(seen)
    mails = queries.mails(seen)
    context = {
        "drafts": found[:SHOWN],
        "count": len(found),
        "may_work": may_work_exceptions(request.user),
        "by_smtp": mails.exists(),
        "to_decide": mails.filter(status__in=queries.TO_DECIDE).count(),
    }
    return render(request, "vendors/follow_ups.html", context)


@login_required
@require_POST
def send(request: PersonsRequest) -> HttpResponse:
    """Send the drafts that are chosen."""
    chosen = list(dict.fromkeys(request.POST.getlist("draft")))[:SHOWN]
    versions = {key: version for key, _, version in (one.partition(":") for one in chosen)}
    done = sending.send_all(versions, by=request.user, now=clock.now())
    sent = sum(one.message is not None for one in done)
    if sent:
        said = ngettext("%(n)s vendor is written to.", "%(n)s vendors are written to.", sent) % {"n": sent}
        messages.success(request, said, extra_tags="done")
    for why in sorted({one.refusal for one in done if one.refusal}):
        messages.error(request, why, extra_tags="late")
    if not done:
        messages.error(request, gettext("Choose at least one vendor."), extra_tags="late")
    return redirect("vendors:follow-ups")


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def draft(request: PersonsRequest, key: str) -> HttpResponse:
    """One draft: what it is about, preview and words; sent, edited or dismissed."""
    found = drafts.one(key, access.scope_of(request.user))
    if found is None:
        messages.error(request, gettext("The vendor has answered, or owes nothing any more."), extra_tags="late")
        return redirect("vendors:follow-ups")
    subject, body = found.text()
    problem, status, preview = "", 200, found.preview
    if request.method == "POST":
        said = request.POST.get("subject", subject), request.POST.get("body", body).replace("\r\n", "\n")
        try:
            if request.POST.get("version") != found.version:
                raise sending.changed(found)
            if (done := _do(request, found, *said)) is not None:
                return done
            subject, body = said
        except letters.LetterRefusedError as error:
            (subject, body), problem, status = said, str(error), error.status
        except sending.FollowUpRefusedError as error:
            problem, status = str(error), error.status
        preview = (subject, letters.html_of(body, link=drafts.NO_LINK))
    context = {
        "draft": found,
        "subject": subject,
        "body": body,
        "preview": preview,
        "problem": problem,
        "may_work": may_work_exceptions(request.user),
    }
    return render(request, "vendors/follow_up.html", context, status=status)


def _do(request: PersonsRequest, found: Draft, subject: str, body: str) -> HttpResponse | None:
    """Do what a button says; None where only the preview is wanted."""
    told: dict[str, Any] = {"by": request.user, "now": clock.now()}
    key, version, action = found.key, found.version, request.POST.get("do", "")
    is_own = (" ".join(subject.split()), body.strip()) != found.text()
    if action in ("send", "save") and is_own:
        # What is sent is what stands on the page, saved before or not.
        letters.check_written(subject.strip(), body.strip(), needs_link=True)
        sending.edit(key, version, subject=subject, body=body, **told)
    if action == "send":
        (one,) = sending.send_all({key: version}, **told)
        if one.refusal:
            raise sending.FollowUpRefusedError(one.refusal)
        messages.success(request, gettext("Sent to Odoo."), extra_tags="done")
        return redirect("vendors:follow-ups")
    if action == "dismiss":
        sending.dismiss(key, version, **told)
        messages.success(request, gettext("Dismissed."), extra_tags="done")
        return redirect("vendors:follow-ups")
    if action == "reset":
        sending.edit(key, version, subject="", body="", **told)
    if action in ("save", "reset"):
        messages.success(request, gettext("Saved."), extra_tags="done")
        return redirect("vendors:follow-up", key)
    return None


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def letter(request: PersonsRequest, kind: str, language: str) -> HttpResponse:
    """The words of a kind of letter in one language: read, tried, and by who makes policies written."""
    names = dict(settings.LANGUAGES)
    if kind not in Kind.values:
        raise Http404(gettext("There are no letters of the kind %(kind)s.") % {"kind": kind[:20]})
    of = Kind(kind)
    if language not in names:
        raise Http404(gettext("The tower does not speak %(language)s.") % {"language": language})
    words, problem, status = letters.words_in(of, language), "", 200
    if request.method == "POST":
        subject, body = request.POST.get("subject", ""), request.POST.get("body", "").replace("\r\n", "\n")
        try:
            if request.POST.get("do") == "reset":
                letters.write(of, language, subject="", body="", by=request.user, now=clock.now())
            elif request.POST.get("do") == "save":
                letters.write(of, language, subject=subject, body=body, by=request.user, now=clock.now())
            else:
                letters.check(of, subject, body)
        except letters.LetterRefusedError as error:
            problem, status = str(error), error.status
        else:
            if request.POST.get("do") in ("reset", "save"):
                messages.success(request, gettext("Saved."), extra_tags="done")
                return redirect("vendors:letter", kind, language)
        words = letters.Words(kind=of, language=language, subject=subject, body=body)
    context = {
        "words": words,
        "preview": letters.filled(words, EXAMPLES[of]),
        "kinds": Kind.choices,
        "placeholders": letters.FILLED[of],
        "languages": names.items(),
        "language_name": names[language],
        "problem": problem,
        "may_write": request.user.role in POLICY_MAKERS,
    }
    return render(request, "vendors/letter.html", context, status=status)

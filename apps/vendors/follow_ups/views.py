"""Follow-ups for people: what would be sent to whom, and the words it is said in."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext, gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.accounts.permissions import POLICY_MAKERS, may_work_exceptions
from apps.accounts.requests import PersonsRequest
from apps.core import clock
from apps.core.fragments import part
from apps.odoo import request_scope
from apps.odoo.page_queries import knows
from apps.vendors import letters
from apps.vendors.follow_ups import drafts, sending
from apps.vendors.mail import queries
from apps.vendors.mail.draft_pages import DraftPages
from apps.vendors.models import Kind

SHOWN = 200
EXAMPLES = {
    Kind.FOLLOW_UP: {"vendor": "Nordic Timber", "company": "Nordlicht", "orders": "P00012\nP00015", "link": drafts.NO_LINK},
    Kind.PROMISE: {"customer": "Azure Interior", "company": "Nordlicht", "orders": "S00042\nS00047"},
}


PAGES = DraftPages(
    kind=sending.KIND,
    list_name="vendors:follow-ups",
    draft_name="vendors:follow-up",
    template="vendors/follow_up.html",
    most=SHOWN,
    sent=lambda n: ngettext("%(n)s vendor is written to.", "%(n)s vendors are written to.", n) % {"n": n},
    choose=gettext_lazy("Choose at least one vendor."),
    gone=gettext_lazy("The vendor has answered, or owes nothing any more."),
    link=drafts.NO_LINK,
)


@login_required
@require_safe
@knows()
def listing(request: PersonsRequest) -> HttpResponse:
    """A draft for each vendor that owes an answer or goods."""
    access_scope = request_scope.scope_of(request, request.user)
    found = drafts.drafts(access_scope)
    mails = queries.mails(access_scope)
    context = {
        "drafts": found[:SHOWN],
        "count": len(found),
        "may_work": may_work_exceptions(request.user),
        "by_smtp": mails.exists(),
        "to_decide": mails.filter(status__in=queries.TO_DECIDE).count(),
    }
    return render(request, part(request, "vendors/follow_ups.html", "list"), context)


@login_required
@require_POST
def send(request: PersonsRequest) -> HttpResponse:
    """Send the drafts that are chosen."""
    return PAGES.send(request)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def draft(request: PersonsRequest, key: str) -> HttpResponse:
    """One draft: what it is about, preview and words; sent, edited or dismissed."""
    return PAGES.one(request, key)


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

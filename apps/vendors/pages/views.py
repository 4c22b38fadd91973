"""The vendor's page: no account, no session, no script. Looking changes nothing; only its own form, sent by POST, does."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation
from django.utils.translation import gettext
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from apps.accounts import languages
from apps.core import clock
from apps.core.identity import uuid7
from apps.vendors.answers import receiving, uploads
from apps.vendors.answers.receiving import Outcome
from apps.vendors.links import throttle, tokens
from apps.vendors.models import VendorLink
from apps.vendors.orders import open_lines
from apps.vendors.pages import reading, screens

LARGEST_BODY = uploads.MOST_FILES * uploads.LARGEST_FILE + 1024 * 1024
# The address is the key: it is not to be remembered by caches, found by search engines, or told to other sites.
HEADERS = {
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
    "Cache-Control": "no-store, private",
}


def of_link(view: Callable[..., HttpResponse]) -> Any:
    """Let a view answer only for a link that is open, in the vendor's language.

    One that nobody has is not found, however it was made up; one that is expired or revoked says so to who holds it.
    """

    @wraps(view)
    def answer(request: HttpRequest, token: str, **named: Any) -> HttpResponse:
        response = _answer(request, token, **named)
        for name, value in HEADERS.items():
            response.headers[name] = value
        return response

    def _answer(request: HttpRequest, token: str, **named: Any) -> HttpResponse:
        translation.activate(languages.language_of(None, request.headers.get("Accept-Language", "")))
        sender = request.META.get("REMOTE_ADDR", "")
        link_id = tokens.read(token)
        link = VendorLink.objects.select_related("connection").filter(pk=link_id).first() if link_id else None
        if link is None:
            # Who holds a link is let in whoever else guesses: behind a proxy all come from one address.
            if throttle.guesses_too_often(sender):
                return closed(request, gettext("Too many attempts. Try again in a minute."), 429)
            throttle.note_guess(sender)
            return closed(request, gettext("This link is not complete. Copy all of it from the message."), 404)
        if link.language:
            translation.activate(link.language)
        if link.revoked_at is not None or not link.connection.is_active:
            return closed(request, gettext("This link was withdrawn. Ask your buyer for a new one."), 410)
        if not link.is_open(clock.now()):
            return closed(request, gettext("This link has expired. Ask your buyer for a new one."), 410)
        if throttle.is_opened_too_often(link):
            return closed(request, gettext("Too many attempts. Try again in a minute."), 429)
        return view(request, link, token, **named)

    # The page needs no cookie and sends none, so its form is known by what it carries (links/tokens.py) and not by one.
    return csrf_exempt(answer)


def closed(request: HttpRequest, words: str, status: int) -> HttpResponse:
    """Say why there is nothing to see."""
    response = render(request, "vendors/closed.html", {"words": words}, status=status)
    if status == 429:
        response.headers["Retry-After"] = "60"
    return response


@require_safe
@of_link
def orders(request: HttpRequest, link: VendorLink, token: str) -> HttpResponse:
    """What is ordered and open."""
    rows, pages = screens.orders(link, _number(request))
    context = {"link": link, "token": token, "rows": rows, "pages": pages, "company": screens.company_name(link)}
    return render(request, "vendors/orders.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@of_link
def order(request: HttpRequest, link: VendorLink, token: str, order_id: int) -> HttpResponse:
    """One order: its lines, and the form that answers them."""
    found = open_lines.orders_of(link.connection_id, link.company_id, link.partner_id).filter(odoo_id=order_id).first()
    if found is None:
        return closed(request, gettext("There is no such order, or it was cancelled."), 404)
    lines = open_lines.lines_of(link.connection_id, [order_id]).get(order_id, [])
    sent: dict[str, str] = {}
    read, status = reading.ReadForm(), 200
    if request.method == "POST":
        outcome = _receive(request, link, order_id, lines, read)
        if isinstance(outcome, HttpResponse):
            return outcome
        sent, status = request.POST.dict(), 422
    shown, pages = screens.page_of(lines, _number(request))
    context = {
        "link": link,
        "token": token,
        "order": found,
        "company": screens.company_name(link),
        "rows": screens.line_rows(shown, sent, read.errors, now=clock.now()),
        "past_count": sum(reading.is_past(line, clock.now()) for line in lines),
        "lines_count": len(lines),
        "pages": pages,
        "form": tokens.sign_form(uuid7(), link, order_id),
        "error": read.errors.get(0, ""),
        "has_errors": bool(read.errors),
        "note": sent.get("note", ""),
        "said_at": (said_at := screens.answered(link, [order_id]).get(order_id)),
        "standing": screens.standing(screens.latest_proposals(link, [order_id]).get(order_id), said_at),
        "most_files": uploads.MOST_FILES,
        "endings": ",".join(uploads.BEGINNINGS),
    }
    return render(request, "vendors/order.html", context, status=status)


def _receive(
    request: HttpRequest, link: VendorLink, order_id: int, lines: list[open_lines.OpenLine], read: reading.ReadForm
) -> HttpResponse | None:
    """Keep what was sent and answer it; None where it is to be corrected, with what is wrong in ``read``."""
    now = clock.now()
    if int(request.META.get("CONTENT_LENGTH") or 0) > LARGEST_BODY:
        return closed(request, gettext("That is too much at once. Send fewer or smaller files."), 413)
    form_id = tokens.read_form(request.POST.get("form", ""), link, order_id)
    if form_id is None:
        return closed(request, gettext("This page is too old. Open the link again and repeat your answer."), 409)
    if throttle.is_answered_too_often(link, now=now):
        return closed(request, gettext("Too many answers. Try again in an hour."), 429)
    if not lines:
        return closed(request, gettext("Everything on this order has been received. There is nothing to answer."), 409)
    page = lines if request.POST.get("do") == "all" else screens.page_of(lines, _number(request))[0]
    found = reading.read(request.POST.dict(), page, now=now)
    read.content, read.errors = found.content, found.errors
    try:
        files = uploads.read(request.FILES.getlist("files"))
    except uploads.FileRefusedError as error:
        read.errors.setdefault(0, str(error))
    if read.errors:
        return None
    outcome = receiving.receive(link, order_id, form_id, read.content, files, now=now)
    if outcome is Outcome.CONFLICT:
        words = gettext(
            "This form was sent before, with other content. The first answer counts. Open the order again to change it."
        )
        return closed(request, words, 409)
    context = {"link": link, "order_id": order_id, "token": tokens.token_of(link), "count": len(read.content["lines"])}
    return render(request, "vendors/thanks.html", context)


def _number(request: HttpRequest) -> int:
    text = request.GET.get("page", "1")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 6 else 1

"""Which parameters a page knows: an address that says anything else is refused in words, and shows no figures."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from functools import wraps
from typing import Any

from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext

from apps.accounts import access
from apps.accounts.requests import PersonsRequest
from apps.core.query_strings import Parameter, problems_of
from apps.odoo import request_scope

View = Callable[..., HttpResponseBase]
Known = Callable[[str], bool]


def knows(**parameters: Known) -> Callable[[View], View]:
    """Let a view answer only addresses whose parameters it knows, and 400 with a sentence for each other one.

    Every page knows ``connection`` and ``company``, which choose what it is about. Empty parameters are none.

    Args:
        parameters: by name, the test for a value; a trailing underscore stands for a word that Python keeps (``from_``).
    """
    tests = {name.rstrip("_"): test for name, test in parameters.items()}

    def decorate(view: View) -> View:
        @wraps(view)
        def answer(request: PersonsRequest, *args: Any, **named: Any) -> HttpResponseBase:
            problems = _problems(request, tests)
            return refused(request, problems) if problems else view(request, *args, **named)

        return answer

    return decorate


def refused(request: PersonsRequest, problems: Sequence[str]) -> HttpResponse:
    """Answer 400 with what is wrong with the address, a sentence each."""
    if request.GET.get("format") or request.headers.get("X-Fragment"):
        return HttpResponse("\n".join(problems), status=400, content_type="text/plain; charset=utf-8")
    return render(request, "refused.html", {"problems": problems, "href": request.path}, status=400)


def _problems(request: PersonsRequest, tests: dict[str, Known]) -> list[str]:
    if not request.GET:
        return []
    scope: dict[str, Known] = {
        "connection": lambda name: request_scope.is_connection(name, access.scope_of(request.user)),
        "company": request_scope.is_number,
    }
    known = {
        name: Parameter(label=LABELS[name]() if name in LABELS else name, is_known=test) for name, test in (scope | tests).items()
    }
    return problems_of(request.GET.dict(), known)


# What people read of a parameter, where its own name is no word of theirs.
LABELS: dict[str, Callable[[], str]] = {
    "connection": lambda: gettext("Connection"),
    "company": lambda: gettext("Company"),
    "days": lambda: gettext("Days"),
    "day": lambda: gettext("Day"),
    "since": lambda: gettext("From"),
    "until": lambda: gettext("To"),
    "workflow": lambda: gettext("Workflow"),
    "workflows": lambda: gettext("Workflows"),
    "warehouse": lambda: gettext("Warehouse"),
    "salesperson": lambda: gettext("Salesperson"),
    "customer_class": lambda: gettext("Customer class"),
    "product_category": lambda: gettext("Product category"),
    "customer": lambda: gettext("Customer"),
    "vendor": lambda: gettext("Vendor"),
}


def is_day(text: str) -> bool:
    """Return True if ``text`` is a day as addresses carry it."""
    try:
        return 1970 <= date.fromisoformat(text).year < 2100
    except ValueError:
        return False


def is_moment(text: str) -> bool:
    """Return True if ``text`` is a moment as addresses carry it."""
    return moment_of(text) is not None


def moment_of(text: str | None) -> datetime | None:
    """Return the moment of an address; None where it is none."""
    try:
        at = datetime.fromisoformat((text or "").replace(" ", "+"))
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        at.astimezone(UTC)  # Beyond year 1 or 9999 in UTC it is none that the database could be asked for.
    except (ValueError, OverflowError):
        return None
    return at


def number_of(text: str | None) -> float | None:
    """Return the number of an address, below a billion; None where it is none."""
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if abs(number) < 1e9 else None


def is_number(text: str) -> bool:
    """Return True if ``text`` is a number that an address may carry."""
    return number_of(text) is not None


def is_cursor(text: str) -> bool:
    """Return True if ``text`` is where a list by time goes on: a moment and an id."""
    moment, _, number = text.partition("~")
    return is_moment(moment) and is_id(number)


def is_id(text: str) -> bool:
    """Return True if ``text`` can be an id of the tower's."""
    return text.isascii() and text.isdecimal() and len(text) < 19

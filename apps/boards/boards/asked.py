"""What programs ask figures for: in which scope, and of which days."""

from datetime import date, datetime

from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import ValidationError

from apps.accounts import access
from apps.accounts.access import AccessScope
from apps.accounts.requests import PersonsCall
from apps.boards.boards.date_range import DateRange, DateRangeError, date_range
from apps.odoo import request_scope
from apps.odoo.page_queries import is_day

NARROWING = [OpenApiParameter("connection", str), OpenApiParameter("company", int)]
RANGE = [
    OpenApiParameter("since", date, description="The first day; thirty days before the last, where it is not given."),
    OpenApiParameter("until", date, description="The last day; today, where neither is given."),
]


def asked_scope(request: PersonsCall) -> AccessScope:
    """Return what the person may see of what the call asks for: all, a connection, or a company of it. Raises ValidationError."""
    company = request.query_params.get("company", "")
    if company and not (request.query_params.get("connection") and request_scope.is_number(company)):
        raise ValidationError({"company": ["This must be a whole number, and goes with a connection."]})
    return request_scope.narrow(access.scope_of(request.user), request_scope.choice_in(request.query_params))


def asked_days(request: PersonsCall, shown: AccessScope, now: datetime) -> DateRange:
    """Return the days that are asked for. Raises ValidationError."""
    asked = {name: request.query_params[name] for name in ("since", "until") if request.query_params.get(name)}
    if wrong := [name for name, value in asked.items() if not is_day(value)]:
        raise ValidationError({name: ["This must be a day, such as 2026-11-30."] for name in wrong})
    try:
        return date_range(asked, access_scope=shown, now=now)
    except DateRangeError as error:
        raise ValidationError({next(iter(asked)): [str(error)]}) from error

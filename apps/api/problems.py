"""Errors as RFC 9457 problem documents, with the sentence that a person would read as their detail."""

import json
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler

from apps.accounts.permissions import NotAllowedError
from apps.approvals.locking import FactsChangedError
from apps.approvals.moves import AlreadyDecidedError, DecisionRefusedError
from apps.approvals.policy import PolicyError
from apps.boards.targets import TargetRefusedError
from apps.events.moves import EventRefusedError
from apps.exceptions.moves import MoveRefusedError
from apps.intake.moves import PayloadEditError, ReplayRefusedError
from apps.notifications.addresses import AddressNotAllowedError
from apps.notifications.preferences import PreferenceError
from apps.odoo.zones import ZoneRefusedError
from apps.outbox.moves import RetryRefusedError
from apps.timers.calendars import CalendarRefusedError

STATUSES: dict[type[Exception], int] = {
    NotAllowedError: 403,
    AlreadyDecidedError: 409,
    FactsChangedError: 409,
    EventRefusedError: 409,
    MoveRefusedError: 409,
    RetryRefusedError: 409,
    ReplayRefusedError: 409,
    PayloadEditError: 422,
    AddressNotAllowedError: 422,
    DecisionRefusedError: 422,
    PolicyError: 422,
    TargetRefusedError: 422,
    PreferenceError: 422,
    CalendarRefusedError: 422,
    ZoneRefusedError: 422,
}
CONTENT_TYPE = "application/problem+json"


def document(status: int, detail: str, *, instance: str, errors: Any = None) -> dict[str, Any]:
    """One problem document."""
    found = {
        "type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail, "instance": instance,
    }  # fmt: skip
    return found | ({"errors": errors} if errors else {})


def answer(status: int, detail: str, *, instance: str) -> HttpResponse:
    """A problem outside of a view."""
    return HttpResponse(json.dumps(document(status, detail, instance=instance)), status=status, content_type=CONTENT_TYPE)


def handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """What DRF calls when a view raises."""
    path = context["request"].path
    for kind, status in STATUSES.items():
        if isinstance(error, kind):
            found = document(status, str(error), instance=path)
            if isinstance(error, FactsChangedError):
                found["changes"] = error.changes
            return Response(found, status=status, content_type=CONTENT_TYPE)
    if isinstance(error, Http404):
        error = exceptions.NotFound(str(error) or None)
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    response = exception_handler(error, context)
    if response is None:
        return None
    errors = None
    if isinstance(error, exceptions.ValidationError):
        errors, detail = response.data, "Some of what was sent cannot be: see errors."
    else:
        detail = str(getattr(error, "detail", error))
    response.data = document(response.status_code, detail, instance=path, errors=errors)
    response.content_type = CONTENT_TYPE
    return response

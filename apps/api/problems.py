"""Errors as RFC 9457 problem documents, with the sentence that a person would read as their detail.

``type`` and ``code`` say which kind of refusal it is: docs/errors.md lists them, and the address in ``type`` answers with the
same. The rules that refuse declare their kinds beside themselves (:mod:`apps.core.refusals`); here are those of HTTP.
"""

import json
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler

from apps.core import refusals
from apps.core.refusals import Problem, Refusal

CONTENT_TYPE = "application/problem+json"
ADDRESS = "/api/v1/errors/"


def _of(kind: type[exceptions.APIException], title: str, meaning: str, remedy: str) -> Problem:
    return Problem(str(kind.default_code), kind.status_code, title, meaning, remedy)


OF_HTTP = {
    problem.code: problem
    for problem in (
        _of(
            exceptions.ValidationError,
            "Invalid",
            "A value, filter or field cannot be; errors names each.",
            "Correct what errors names.",
        ),
        _of(exceptions.ParseError, "Unreadable body", "The body is no JSON that can be kept.", "Send a JSON object in UTF-8."),
        _of(exceptions.NotAuthenticated, "No token", "The call carries no token.", "Send Authorization: Bearer and a token."),
        _of(
            exceptions.AuthenticationFailed,
            "Token not valid",
            "The token is unknown, revoked or expired, its person is disabled, or the header is malformed.",
            "Make a token with manage.py create_api_token.",
        ),
        Problem(
            "scope_not_allowed",
            403,
            "Token scope not allowed",
            "The scope of the token does not include this call.",
            "Make a token with a wider scope: write, or admin for what is marked so.",
        ),
        _of(
            exceptions.NotFound,
            "Not found",
            "There is no such address or record, or it is outside of the access scope.",
            "Check address and number.",
        ),
        _of(exceptions.MethodNotAllowed, "Method not allowed", "The address has no such method.", "See Allow in the answer."),
        _of(exceptions.NotAcceptable, "Not acceptable", "The format asked for is not offered.", "Accept application/json."),
        _of(exceptions.UnsupportedMediaType, "Unsupported media type", "The body is of another kind.", "Send application/json."),
        _of(exceptions.Throttled, "Too many calls", "The person's calls exceed the rate.", "Wait as long as Retry-After says."),
        Problem(
            "idempotency_key_too_long",
            400,
            "Idempotency-Key too long",
            "The key has more than 255 characters.",
            "Use a shorter key, such as a UUID.",
        ),
        Problem(
            "idempotency_key_reused",
            422,
            "Idempotency-Key reused",
            "The key was sent with another path or body before.",
            "Use a new key for another request.",
        ),
    )
}


def every_problem() -> dict[str, Problem]:
    """Return each kind that the API answers with, by its code, in the order of status and code."""
    found = [*OF_HTTP.values(), *(kind.problem for kind in refusals.kinds())]
    return {problem.code: problem for problem in sorted(found, key=lambda problem: (problem.status, problem.code))}


def type_of(code: str) -> str:
    """Return the URI that names a kind, where the tower explains it."""
    return f"{settings.PUBLIC_URL.rstrip('/')}{ADDRESS}{code}/"


def document(problem: Problem, detail: str, *, instance: str, more: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return one problem document."""
    return {
        "type": type_of(problem.code),
        "code": problem.code,
        "title": problem.title,
        "status": problem.status,
        "detail": detail,
        "instance": instance,
        **(more or {}),
    }


def answer(code: str, detail: str, *, instance: str) -> HttpResponse:
    """Answer with a problem of HTTP outside of a view."""
    found = document(OF_HTTP[code], detail, instance=instance)
    return HttpResponse(json.dumps(found), status=found["status"], content_type=CONTENT_TYPE)


def handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """Answer what a view raised; DRF calls this."""
    path = context["request"].path
    if isinstance(error, Refusal):
        found = document(error.problem, str(error), instance=path, more=error.details())
        return Response(found, status=error.status, content_type=CONTENT_TYPE)
    if isinstance(error, Http404):
        error = exceptions.NotFound(str(error) or None)
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    response = exception_handler(error, context)
    if response is None or not isinstance(error, exceptions.APIException):
        return response
    if isinstance(error, exceptions.ValidationError):
        detail, more = "Some of what was sent cannot be: see errors.", {"errors": response.data}
    else:
        detail, more = str(error.detail), {}
    # Permissions of views are those of a token's scope: what its person may do is checked by the moves.
    code = "scope_not_allowed" if isinstance(error, exceptions.PermissionDenied) else str(error.default_code)
    response.data = document(OF_HTTP[code], detail, instance=path, more=more)
    response.content_type = CONTENT_TYPE
    return response

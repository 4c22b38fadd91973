"""``Idempotency-Key``: a POST that is sent again gets the first one's answer, and has no second effect."""

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import wraps
from typing import Any

from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from apps.api import problems
from apps.api.authentication import TokenAuthentication
from apps.api.models import IdempotencyKey
from apps.core import clock
from apps.core.transactions import atomic_with_retry

LONGEST_KEY = 255
# Longer than any caller tries again on its own: a weekend and a day.
KEPT_FOR = timedelta(days=4)
View = Callable[..., HttpResponse]


def idempotent(view: View) -> View:
    """``view`` with the header honoured on POST.

    The key's row, the effect and the answer commit together. Of two requests at once the second waits for the first.
    Only an answer that tells of an effect, or of a conflict, is kept: a request that was at fault may be mended.
    """

    @wraps(view)
    def wrapped(request: HttpRequest, *arguments: Any, **named: Any) -> HttpResponse:
        key = request.headers.get("Idempotency-Key", "")
        if request.method != "POST" or not key:
            return view(request, *arguments, **named)
        if len(key) > LONGEST_KEY:
            said = f"An Idempotency-Key has at most {LONGEST_KEY} characters."
            return problems.answer("idempotency_key_too_long", said, instance=request.path)
        caller = hashlib.sha256(request.headers.get("Authorization", "").encode()).hexdigest()
        fingerprint = hashlib.sha256(request.path.encode() + b"\0" + request.body).hexdigest()

        @atomic_with_retry
        def answer() -> HttpResponse:
            try:
                with transaction.atomic():
                    row = IdempotencyKey.objects.create(caller=caller, key=key, fingerprint=fingerprint, created_at=clock.now())
            except IntegrityError:
                try:
                    TokenAuthentication().authenticate(Request(request))
                except AuthenticationFailed:
                    return view(request, *arguments, **named)  # a token that has ended gets no answer again either
                return _first_answer(caller, key, fingerprint, request.path)
            response = view(request, *arguments, **named)
            if hasattr(response, "render"):
                response.render()
            if 200 <= response.status_code < 300 or response.status_code == 409:
                row.status, row.body = response.status_code, response.content.decode()
                row.save(update_fields=["status", "body"])
            else:
                transaction.set_rollback(True)
            return response

        return answer()

    return csrf_exempt(wrapped)


def forget_old(*, now: datetime) -> int:
    """Delete the answers older than KEPT_FOR; how many there were."""
    return IdempotencyKey.objects.filter(created_at__lt=now - KEPT_FOR).delete()[0]


def _first_answer(caller: str, key: str, fingerprint: str, path: str) -> HttpResponse:
    row = IdempotencyKey.objects.get(caller=caller, key=key)
    if row.fingerprint != fingerprint:
        said = "This Idempotency-Key was used for another request. Use a new one."
        return problems.answer("idempotency_key_reused", said, instance=path)
    kind = "application/json" if (row.status or 0) < 400 else problems.CONTENT_TYPE
    answer = HttpResponse(row.body, status=row.status, content_type=kind)
    answer["Idempotency-Replayed"] = "true"
    return answer

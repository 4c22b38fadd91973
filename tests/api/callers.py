"""Callers of the REST API."""

from typing import Any

from django.test import Client

from apps.accounts import people
from apps.accounts.models import User
from apps.core import clock


class Caller:
    """Sends JSON with a token."""

    def __init__(self, token: str) -> None:
        self.client = Client(headers={"Authorization": f"Bearer {token}"})

    def get(self, address: str, **query: Any) -> Any:
        return self.client.get(f"/api/v1/{address}", query)

    def post(self, address: str, body: Any = None, *, key: str = "") -> Any:
        headers = {"Idempotency-Key": key} if key else {}
        return self.client.post(f"/api/v1/{address}", {} if body is None else body, "application/json", headers=headers)


def caller(username: str, scope: str = "write") -> Caller:
    """Somebody who calls with a token of that scope."""
    return Caller(people.create_token(User.objects.get(username=username), scope=scope, now=clock.now()))

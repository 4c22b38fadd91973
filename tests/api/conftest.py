import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from apps.accounts import people
from apps.accounts.models import Role, User
from apps.core import clock
from tests.world import World, person

Call = Callable[..., Any]


@pytest.fixture
def world(db: None) -> World:
    for slug in people.TITLES:
        people.team(slug)
    person("olga", Role.OPERATOR, team="finance")
    person("adam", Role.APPROVER, limit=50_000, team="finance")
    person("mia", Role.MANAGER, limit=250_000, team="finance")
    person("ivan", Role.INTEGRATOR)
    person("aida", Role.AUDITOR)
    person("anna", Role.ADMIN)
    return World()


@pytest.fixture
def call() -> Call:
    """Calls the API: ``call("adam", "approvals/1/approve/", {"reason": "…"})``; GET without a body."""
    tokens: dict[tuple[str, str], str] = {}

    def make(user: str, path: str, body: Any = None, *, scope: str = "admin", raw: str | None = None, **headers: str) -> Any:
        if user and (user, scope) not in tokens:
            tokens[user, scope] = people.create_token(User.objects.get(username=user), scope=scope, now=clock.now())
        sent = {"Authorization": f"Bearer {tokens[user, scope]}"} if user else {}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        address = path if path.startswith("http") else f"/api/v1/{path}"
        client = Client(raise_request_exception=False)
        if body is None and raw is None:
            return client.get(address, headers=sent)
        text = raw if raw is not None else json.dumps(body)
        return client.post(address, text, content_type="application/json", headers=sent)

    return make

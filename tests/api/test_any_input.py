"""Whatever is sent to any address of the OpenAPI document, the tower answers and never breaks."""

import json
import time
from contextlib import suppress
from typing import Any
from urllib.parse import urlencode

import pytest
import schemathesis
from django.test import Client
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from rest_framework.throttling import UserRateThrottle
from schemathesis import Case, GenerationMode

from tests.api.callers import caller
from tests.world import World

pytestmark = pytest.mark.long

SECONDS = 24.0


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_no_input_breaks_any_operation(mode: GenerationMode, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.held_order()
    monkeypatch.setattr(UserRateThrottle, "THROTTLE_RATES", {"user": None})
    anna = caller("anna", "admin").client
    schema = schemathesis.openapi.from_dict(json.loads(Client().get("/api/v1/schema/?format=json").content))
    operations = [found.ok() for found in schema.get_all_operations()]
    tried: set[int] = set()
    for operation in operations:
        tried |= statuses_of(operation, mode, anna, seconds=SECONDS / 2 / len(operations))
    assert len(operations) >= 25
    assert tried >= {200, 400, 404}


def statuses_of(operation: Any, mode: GenerationMode, client: Client, *, seconds: float) -> set[int]:
    """The statuses that an operation answers with, tried for about that long."""
    ends, statuses = time.monotonic() + seconds, set()

    @settings(
        max_examples=60,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def send(case: Case) -> None:
        if time.monotonic() < ends:
            statuses.add(answer_to(client, case).status_code)

    # Nothing wrong can be sent to an address without parameters and body.
    with suppress(Unsatisfiable, schemathesis.errors.SchemathesisError):
        send()
    return statuses


def answer_to(client: Client, case: Case) -> Any:
    """What the tower answers, which is never that it broke, and always a problem document where it is none of the good."""
    sent = case.as_transport_kwargs(base_url="http://testserver")
    body = json.dumps(sent["json"]) if "json" in sent else sent.get("data") or b""
    headers = {name: value for name, value in dict(sent["headers"]).items() if name.lower() == "idempotency-key"}
    client.raise_request_exception = False
    address = sent["url"].removeprefix("http://testserver")
    query = urlencode(sent.get("params") or {}, doseq=True)
    answer = client.generic(sent["method"], f"{address}?{query}" if query else address, body, "application/json", headers=headers)
    assert answer.status_code < 500, (case.as_curl_command(), answer.content)
    if answer.status_code >= 400:
        assert answer["Content-Type"] == "application/problem+json", (case.as_curl_command(), answer.content)
    return answer

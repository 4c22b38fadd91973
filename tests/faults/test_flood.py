"""A flood of deliveries is answered and becomes few reads: what arrives meanwhile of one record is read once.

``FLOOD=20000 pytest -s`` sends as many as came with the largest import that was measured, and prints how long it took.
"""

import asyncio
import json
import math
import os
import time
from collections.abc import Callable
from typing import Any

import pytest

from apps.core import clock
from apps.intake.models import Delivery, Status
from apps.mirror import registry
from apps.odoo.models import Connection
from apps.pipeline import batch
from tests.intake.conftest import Intake, connect, hint, wait_until
from tests.mirror.company import Company

NUMBER = int(os.environ.get("FLOOD", "3000"))
RECORDS, SENDERS = 150, 64


@pytest.fixture
def connection(transactional_db: None) -> Connection:
    everything: dict[str, Any] = {"models": {model: {"missing_fields": []} for model in registry.models()}}
    return connect(hook_secret="a-secret-of-the-flood", capabilities=everything)


async def flood(port: int, secret: str) -> list[int]:
    """The statuses of all deliveries, sent over lines that are kept."""
    numbers, statuses = iter(range(NUMBER)), list[int]()

    async def send() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for number in numbers:
            body = json.dumps(hint(1 + number % RECORDS, write_date=f"2026-11-23 10:00:00.{number:06}")).encode()
            writer.write(f"POST /hooks/odoo/{secret}/ HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
            head = await reader.readuntil(b"\r\n\r\n")
            statuses.append(int(head.split()[1]))
            length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
            await reader.readexactly(int(length.split(b":")[1]))
        writer.close()

    await asyncio.gather(*(send() for _ in range(SENDERS)))
    return statuses


def test_a_flood_is_answered_and_read_in_few_calls(
    run: Callable[..., Intake], connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    intake = run()
    wait_until(lambda: intake.ask("GET", f"/hooks/odoo/{connection.hook_secret}/").status == 405)
    company = Company(connection)
    for number in range(1, RECORDS + 1):
        company.write("sale.order", number, clock.now(), name=f"S{number:05}", state="draft", amount_total=100.0)
    monkeypatch.setattr(batch.wire, "connect", lambda *_, **__: company)

    begun = time.monotonic()
    statuses = asyncio.run(flood(intake.port, connection.hook_secret))
    answered = time.monotonic() - begun
    while batch.process(clock=clock.now):
        pass

    assert statuses == [202] * NUMBER
    assert Delivery.objects.filter(source="odoo", status=Status.DONE).count() == NUMBER
    reads = [model for model, _ in company.asked if model == "sale.order"]
    assert len(reads) <= math.ceil(NUMBER / batch.DELIVERIES) + 1
    assert registry.models()["sale.order"].objects.count() == RECORDS
    print(
        f"{NUMBER} deliveries answered in {answered:.1f} s, absorbed after {time.monotonic() - begun:.1f} s, "
        f"in {len(reads)} reads of Odoo"
    )

"""Signed events over HTTP, at the intake process as it runs in service."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from apps.core import clock
from apps.intake import signatures
from apps.intake.models import Delivery, Sender
from apps.odoo.models import Connection
from tests.intake.conftest import Answer, Intake, numbers, wait_until

BODY = json.dumps({"type": "order.acknowledged", "data": {"purchase_order": "P00012"}}).encode()


@pytest.fixture
def sender(intake: Intake, connection: Connection) -> Sender:
    """Who may send, and is known to the intake process."""
    made = Sender.objects.create(
        name=f"portal-{next(numbers)}",
        adapter="supplier_portal",
        connection=connection,
        secret=signatures.make_secret(),
        created_at=clock.now(),
    )
    wait_until(lambda: intake.ask("GET", f"/hooks/events/{made.name}/").status == 405)
    return made


def signed(secret: str, *, body: bytes = BODY, message_id: str = "msg_1", age: int = 0) -> dict[str, str]:
    timestamp = int(time.time()) - age
    signature = signatures.sign(signatures.key_of(secret), message_id=message_id, timestamp=timestamp, body=body)
    return {"webhook-id": message_id, "webhook-timestamp": str(timestamp), "webhook-signature": signature}


def post(intake: Intake, name: str, headers: dict[str, str], body: Any = BODY) -> Answer:
    return intake.ask("POST", f"/hooks/events/{name}/", body, headers)


def test_a_signed_event_is_durable_when_it_is_accepted(intake: Intake, sender: Sender, connection: Connection) -> None:
    assert post(intake, sender.name, signed(sender.secret)).status == 202
    row = Delivery.objects.get()
    assert (row.connection, row.source, row.model, row.status) == (connection, sender.name, "event", "pending")
    assert row.body == BODY.decode()


def test_an_event_is_stored_once_however_often_it_comes(intake: Intake, sender: Sender) -> None:
    with ThreadPoolExecutor(8) as senders:
        answers = list(senders.map(lambda _: post(intake, sender.name, signed(sender.secret)), range(24)))
    assert {answer.status for answer in answers} == {202}
    assert post(intake, sender.name, signed(sender.secret, message_id="msg_2")).status == 202
    assert Delivery.objects.count() == 2


def test_who_is_not_known_is_not_there(intake: Intake, sender: Sender) -> None:
    assert post(intake, "nobody", signed(sender.secret)).status == 404
    assert post(intake, "no%20body", signed(sender.secret)).status == 404
    assert intake.ask("GET", f"/hooks/events/{sender.name}/").status == 405


def test_what_is_not_signed_by_the_sender_now_is_refused(intake: Intake, sender: Sender) -> None:
    good = signed(sender.secret)
    refused = {
        "no headers": {},
        "another secret": signed(signatures.make_secret()),
        "another body": signed(sender.secret, body=b"{}"),
        "another id": good | {"webhook-id": "msg_9"},
        "another time": good | {"webhook-timestamp": str(int(good["webhook-timestamp"]) + 1)},
        "too old": signed(sender.secret, age=400),
        "from the future": signed(sender.secret, age=-400),
        "no id": good | {"webhook-id": ""},
        "a time in words": good | {"webhook-timestamp": "now"},
        "a time in other digits": good | {"webhook-timestamp": "²"},
        "another version": good | {"webhook-signature": good["webhook-signature"].replace("v1,", "v2,")},
        "no signature": good | {"webhook-signature": ""},
        "half a signature": good | {"webhook-signature": good["webhook-signature"][:-4]},
        "a signature in other letters": good | {"webhook-signature": "v1,\xe4\xf6\xfc"},
    }
    for name, headers in refused.items():
        answer = post(intake, sender.name, headers)
        assert (name, answer.status) == (name, 401)
        assert answer.detail.endswith(".")
    assert not Delivery.objects.exists()


def test_one_good_signature_among_others_is_enough(intake: Intake, sender: Sender) -> None:
    headers = signed(sender.secret)
    headers["webhook-signature"] = f"v1,bm90IHRoaXMgb25l v1a,x {headers['webhook-signature']}"
    assert post(intake, sender.name, headers).status == 202


def test_both_secrets_are_taken_while_they_change(intake: Intake, sender: Sender) -> None:
    old, new = sender.secret, signatures.make_secret()
    Sender.objects.filter(pk=sender.pk).update(secret=new, previous_secret=old)
    wait_until(lambda: post(intake, sender.name, signed(new, message_id="new")).status == 202)
    assert post(intake, sender.name, signed(old, message_id="old")).status == 202
    Sender.objects.filter(pk=sender.pk).update(previous_secret="")
    wait_until(lambda: post(intake, sender.name, signed(old, message_id="old")).status == 401)


def test_who_was_switched_off_is_not_there(intake: Intake, sender: Sender) -> None:
    assert post(intake, sender.name, signed(sender.secret)).status == 202
    Sender.objects.filter(pk=sender.pk).update(is_active=False)
    wait_until(lambda: post(intake, sender.name, signed(sender.secret)).status == 404)


@pytest.mark.parametrize("body", [b"", b"hello", b"[1]", b'{"a": "\\u0000"}', b'{"a": NaN}', b"\xff", b"[" * 100_000])
def test_a_signed_body_that_cannot_be_kept_is_refused(body: bytes, intake: Intake, sender: Sender) -> None:
    assert post(intake, sender.name, signed(sender.secret, body=body), body).status == 400


def test_a_body_that_is_too_large_is_refused(intake: Intake, sender: Sender) -> None:
    assert post(intake, sender.name, {"content-length": "10485760"}, b"").status == 413


def test_an_unreadable_secret_shuts_out_nobody_else(intake: Intake, sender: Sender) -> None:
    from django.db import connection as database

    with database.cursor() as cursor:
        cursor.execute("UPDATE intake_sender SET secret = 'not encrypted' WHERE id = %s", [sender.pk])
    second = Sender.objects.create(
        name=f"{sender.name}-b",
        adapter="supplier_portal",
        connection=sender.connection,
        secret=signatures.make_secret(),
        created_at=clock.now(),
    )
    wait_until(lambda: post(intake, second.name, signed(second.secret)).status == 202)
    assert post(intake, sender.name, signed(sender.secret)).status == 401

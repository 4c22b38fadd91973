"""What happens at the same moment, on sessions of their own: several who tell one customer, and a date that moves meanwhile."""

import threading
from collections.abc import Callable

import pytest
from django.db import connections

from apps.accounts.models import User
from apps.core.transactions import atomic_with_retry
from apps.customers import sending
from apps.customers.models import CustomerMessage, NewDate
from apps.outbox.models import Command
from tests.customers.conftest import ORDER, only, promised_later
from tests.trade import days
from tests.world import World

pytestmark = pytest.mark.django_db(transaction=True)
SEVERAL = 4


def at_once(act: Callable[[int], str]) -> list[str]:
    """What each of several says who act at the same moment."""
    said: list[str] = []
    ready = threading.Barrier(SEVERAL)

    def run(number: int) -> None:
        try:
            ready.wait(timeout=30)
            said.append(act(number))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(SEVERAL)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert len(said) == SEVERAL
    return sorted(said)


def test_a_customer_is_told_once_though_several_send(world: World, olga: User) -> None:
    promised_later(world, olga)
    draft = only()

    def send(_: int) -> str:
        (sent,) = sending.send_all({draft.key: draft.version}, by=olga, now=world.now)
        return "sent" if sent.message else "told"

    assert at_once(send) == ["sent", *["told"] * (SEVERAL - 1)]
    message = CustomerMessage.objects.get()
    assert Command.objects.filter(decision=message.decision).count() == 1


def test_a_date_that_moves_while_it_is_sent_is_sent_as_seen_or_not_at_all(world: World, olga: User) -> None:
    promised_later(world, olga)
    draft = only()

    def act(number: int) -> str:
        if number:
            (sent,) = sending.send_all({draft.key: draft.version}, by=olga, now=world.now)
            return "sent" if sent.message else "told"
        # As a batch of the pipeline is: of two that take the same rows in another order one begins again.
        atomic_with_retry(world.write)("sale.order", ORDER, commitment_date=days(world, 11))
        return "moved"

    said = at_once(act)
    assert said.count("moved") == 1 and said.count("sent") <= 1
    sent = NewDate.objects.filter(status="sent")
    assert [one.expected_at.isoformat()[:10] for one in sent] == ["2026-12-01"] * said.count("sent")
    assert CustomerMessage.objects.count() == said.count("sent")
    # The newer date is to be told, against what the customer knows by then.
    (told,) = only().told
    assert (told.day.isoformat(), told.days_later) == ("2026-12-04", 3 if said.count("sent") else 8)

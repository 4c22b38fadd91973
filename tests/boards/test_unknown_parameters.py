"""An address of a board, of events or of the health page that names nothing is refused in words, and shows no other figures."""

import pytest
from django.test import Client

from apps.accounts.models import User
from tests.world import World

BOARD = "/boards/order_to_cash/"
KNOWN = [
    "/boards/",
    "/figures/",
    "/wall/?workflows=order_to_cash,returns&seconds=30",
    BOARD,
    f"{BOARD}?format=csv",
    f"{BOARD}?connection=main&company=1",
    f"{BOARD}?connection=",
    f"{BOARD}outlook/",
    f"{BOARD}flow/?days=7",
    f"{BOARD}flow/?days=28&format=csv",
    f"{BOARD}moves/?day=2026-11-23&ended=1",
    f"{BOARD}moves/?from=quotation&to=closed&first=2026-11-01T00:00:00%2B00:00",
    f"{BOARD}moves/?from=&to=quotation",
    f"{BOARD}moves/?took_from=4&took_to=24",
    f"{BOARD}compare/?by=company&days=7",
    f"{BOARD}to_invoice/?late=1",
    f"{BOARD}to_invoice/?due_within=24",
    f"{BOARD}to_invoice/?since_from=2026-11-01T00:00:00",
    "/eventlog/ocel/?workflow=returns&days=7",
    "/events/",
    "/health/",
    "/health/deliveries/?after=7",
]
UNKNOWN = [
    ("/boards/?workflow=returns", "workflow"),
    ("/figures/?kind=business", "kind"),
    ("/wall/?workflows=order_to_cash,nothing", "order_to_cash,nothing"),
    ("/wall/?seconds=soon", "soon"),
    (f"{BOARD}?format=xls", "xls"),
    (f"{BOARD}?connection=nowhere", "nowhere"),
    (f"{BOARD}?company=mine", "mine"),
    (f"{BOARD}?late=1", "late"),
    (f"{BOARD}outlook/?days=7", "days"),
    (f"{BOARD}flow/?days=6", "6"),
    (f"{BOARD}moves/?day=2026-11-31", "2026-11-31"),
    (f"{BOARD}moves/?from=nothing", "nothing"),
    (f"{BOARD}moves/?ended=yes", "yes"),
    (f"{BOARD}moves/?took_from=nan", "nan"),
    (f"{BOARD}moves/?before=7", "7"),
    (f"{BOARD}moves/?first=0001-01-01T00:00:00%2B14:00", "0001-01-01"),
    (f"{BOARD}compare/?by=weather", "weather"),
    (f"{BOARD}to_invoice/?late=true", "true"),
    (f"{BOARD}to_invoice/?due_within=-1", "-1"),
    (f"{BOARD}to_invoice/?since_from=yesterday", "yesterday"),
    (f"{BOARD}to_invoice/?sort=amount", "sort"),
    ("/eventlog/ocel/?days=0", "0"),
    ("/eventlog/xes/?workflow=nothing", "nothing"),
    ("/events/?status=unmatched", "status"),
    ("/health/?connection=nowhere", "nowhere"),
    ("/health/deliveries/?after=x", "x"),
]


@pytest.mark.parametrize("address", KNOWN)
def test_what_the_page_knows_is_answered(client: Client, world: World, address: str) -> None:
    client.force_login(User.objects.get(username="mia"))
    assert client.get(address).status_code == 200


@pytest.mark.parametrize(("address", "named"), UNKNOWN)
def test_what_it_does_not_know_is_refused_by_name(client: Client, world: World, address: str, named: str) -> None:
    client.force_login(User.objects.get(username="mia"))
    answer = client.get(address)
    assert answer.status_code == 400
    assert f"“{named}" in answer.content.decode()

"""A batch of deliveries on its way to the screens: each goes through, waits, or is put aside, and none stops another."""

from datetime import timedelta
from typing import Any

import pytest

from apps.intake import refresh_requests
from apps.intake.models import Delivery, Status
from apps.mirror import registry
from apps.odoo.errors import UnreachableError
from apps.odoo.models import Connection
from apps.pipeline import batch
from apps.workflows.models import Position
from tests.mirror.company import Clock, Company


class Odoos:
    """The companies that the pipeline reaches, by connection; those in ``away`` do not answer."""

    def __init__(self) -> None:
        self.companies: dict[int, Company] = {}
        self.away: set[int] = set()

    def connect(self, connection: Connection, **_: Any) -> Company:
        if connection.pk in self.away:
            raise UnreachableError(connection.name, "no answer", "Wait.")
        return self.companies[connection.pk]

    def open(self, name: str) -> Company:
        """Another company, with a connection to it."""
        connection = Connection.objects.create(
            name=name,
            url=f"http://{name}.test",
            database="test",
            login="tower",
            api_key="key",
            capabilities={"models": {model: {"missing_fields": []} for model in registry.models()}},
        )
        self.companies[connection.pk] = Company(connection)
        return self.companies[connection.pk]


@pytest.fixture
def odoos(db: None, monkeypatch: pytest.MonkeyPatch) -> Odoos:
    made = Odoos()
    monkeypatch.setattr(batch.wire, "connect", made.connect)
    return made


@pytest.fixture
def clock() -> Clock:
    return Clock()


def hint(company: Company, model: str, *ids: int, clock: Clock) -> None:
    refresh_requests.add(connection_id=company.connection.pk, model=model, odoo_ids=list(ids), source="odoo", now=clock())


def quote(company: Company, odoo_id: int, clock: Clock, **values: Any) -> None:
    company.write("sale.order", odoo_id, clock(), name=f"S{odoo_id:05}", state="draft", amount_total=100.0, **values)


def standing(company: Company) -> set[str]:
    return set(Position.objects.filter(connection=company.connection).values_list("name", flat=True))


def through(clock: Clock) -> None:
    while batch.process(clock=clock):
        pass


def test_hints_become_places_on_the_board_and_many_of_one_record_are_one_read(odoos: Odoos, clock: Clock) -> None:
    company = odoos.open("main")
    quote(company, 1, clock)
    quote(company, 2, clock)
    for _ in range(3):
        hint(company, "sale.order", 1, 2, clock=clock)
    through(clock)
    assert standing(company) == {"S00001", "S00002"}
    assert [asked for asked in company.asked if asked[0] == "sale.order"] == [("sale.order", "search_read")]
    assert set(Delivery.objects.values_list("status", flat=True)) == {Status.DONE}


def test_a_model_that_is_not_mirrored_is_put_aside_and_the_rest_goes_through(odoos: Odoos, clock: Clock) -> None:
    company = odoos.open("main")
    quote(company, 1, clock)
    hint(company, "no.such.model", 7, clock=clock)
    hint(company, "sale.order", 1, clock=clock)
    through(clock)
    assert standing(company) == {"S00001"}
    dead = Delivery.objects.get(status=Status.DEAD)
    assert (dead.model, dead.problem) == ("no.such.model", "no.such.model is not mirrored.")


def test_what_is_told_while_odoo_is_away_waits_without_losing_a_life(odoos: Odoos, clock: Clock) -> None:
    company, other = odoos.open("main"), odoos.open("other")
    for each in (company, other):
        quote(each, 1, clock)
        hint(each, "sale.order", 1, clock=clock)
    odoos.away = {company.connection.pk}
    through(clock)
    assert (standing(company), standing(other)) == (set(), {"S00001"})
    waiting = Delivery.objects.get(connection=company.connection)
    assert (waiting.status, waiting.attempts) == (Status.PENDING, 0)
    assert "no answer" in waiting.problem

    odoos.away = set()
    clock.at += timedelta(minutes=10)
    through(clock)
    assert standing(company) == {"S00001"}


def test_a_record_that_cannot_be_written_stops_no_other_and_is_a_dead_letter_at_once(odoos: Odoos, clock: Clock) -> None:
    company = odoos.open("main")
    quote(company, 1, clock)
    quote(company, 2, clock, partner_id=2**70)
    hint(company, "sale.order", 1, 2, clock=clock)
    through(clock)
    assert standing(company) == {"S00001"}
    assert set(Delivery.objects.filter(source="odoo").values_list("status", flat=True)) == {Status.DONE}
    letter = Delivery.objects.get(status=Status.DEAD)
    assert (letter.model, letter.odoo_id) == ("sale.order", 2)
    assert "sale.order 2 (S00002), field partner_id" in letter.problem


def test_what_points_at_a_deleted_record_is_read_again_though_no_date_moved(odoos: Odoos, clock: Clock) -> None:
    company = odoos.open("main")
    for partner in (50, 51):
        company.write("res.partner", partner, clock(), name=f"Partner {partner}", commercial_partner_id=partner)
    quote(company, 1, clock, partner_id=50, partner_invoice_id=50)
    quote(company, 2, clock, partner_id=51, partner_shipping_id=50)
    quote(company, 3, clock, partner_id=51)
    company.write("stock.picking", 7, clock(), name="WH/OUT/7", partner_id=50)
    company.write("helpdesk.ticket", 8, clock(), name="Broken", partner_id=50)
    for model, ids in {"res.partner": (50, 51), "sale.order": (1, 2, 3), "stock.picking": (7,), "helpdesk.ticket": (8,)}.items():
        hint(company, model, *ids, clock=clock)
    through(clock)
    # Odoo's merge: references by SQL, then the deletion.
    for rows in company.records.values():
        for row in rows.values():
            row.update({name: 51 for name, value in row.items() if value == 50 and name.startswith("partner_")})
    company.unlink("res.partner", 50)
    clock.at += timedelta(minutes=1)
    hint(company, "res.partner", 50, clock=clock)
    company.asked.clear()
    through(clock)
    assert Position.objects.get(name="S00001").partner_id == 51
    order, picking, ticket = (registry.models()[name] for name in ("sale.order", "stock.picking", "helpdesk.ticket"))
    assert list(order.objects.order_by("odoo_id").values_list("partner_invoice_id", "partner_shipping_id")[:2]) == [
        (51, None),
        (None, 51),
    ]
    assert (picking.objects.get().partner_id, ticket.objects.get().partner_id) == (51, 51)
    # Nothing else was read, and nothing twice.
    assert sorted(model for model, call in company.asked if model in ("sale.order", "stock.picking", "helpdesk.ticket")) == [
        "helpdesk.ticket",
        "sale.order",
        "stock.picking",
    ]

"""One odd record stops nothing: whatever a field holds, all other records are mirrored and evaluated, and the odd one is
stored whole or is a dead letter that names the record, the field and the remedy."""

import os
import random
import string
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.accounts.models import Role
from apps.health import incidents, queries
from apps.intake import moves as deliveries
from apps.intake import refresh_requests
from apps.intake.dead_letters import EVALUATING, STORING
from apps.intake.models import Delivery, Status
from apps.mirror import registry
from apps.mirror.declare import Boolean, Day, Ids, Integer, Many2one, Mirrored, Moment, Number, Text
from apps.mirror.models import SyncState
from apps.mirror.sync import refresh
from apps.odoo.errors import ServerFaultError
from apps.odoo.models import Connection
from apps.pipeline import batch, change_processing, first_sync
from apps.pipeline.upkeep import polling, reconciliation
from apps.workflows import registry as workflows
from apps.workflows.models import Position
from tests.mirror.company import Clock, Company
from tests.world import person

Way = Callable[[Company, Clock, str], None]

# Random, so that no compression makes an index row fit.
LONG = "".join(random.Random(7).choices(string.ascii_letters + string.digits, k=4_000))
NUL, HALF = "a\x00b", "half \ud800 of it"
ODD_TEXTS = [
    LONG,
    NUL,
    HALF,
    True,
    12,
    1.5,
    {"en_US": "Desk", "de_DE": "Tisch"},
    ["a", "b"],
    [],
    "\u202e\u200f",
    "'; DROP TABLE x; --",
]
ODD_NUMBERS = [
    95012345678903123456,
    float("nan"),
    float("inf"),
    1e300,
    -(10**20),
    "12.5",
    "twelve",
    "NaN",
    True,
    [1],
    {"a": 1},
    10**400,
]
ODD_WHOLES = [2**63, -(2**70), "7", "seven", 7.5, True, [7, "Name"], {"id": 7}, "\x00"]
ODD_TIMES = [
    "0000-01-01 00:00:00",
    "9999-12-31 23:59:59",
    "-001-01-01 00:00:00",
    "1-01-01 00:00:00",
    "2026-13-45 99:99:99",
    "infinity",
    "now",
    "yesterday",
    "",
    "10000-01-01 00:00:00",
    20260101,
    True,
    ["2026-01-01"],
    {"date": 1},
    "2026-02-30 10:00:00",
    NUL,
]
ODD_LISTS = [list(range(1, 20_001)), [[1, 2], [3, 4]], [2**64], ["x"], [None], 5, "1,2", {"1": 2}, [True], [1.5]]
ODD_TRUTHS = ["yes please", 2, [True], {"a": True}, "\x00", 1.5]
MISSING = object()


def odd_values(field: Any) -> list[Any]:
    """The worst that Odoo, a module of it, or a proxy before it can give for the field."""
    match field:
        case Text():
            return ODD_TEXTS
        case Many2one() | Integer():
            return ODD_WHOLES
        case Number():
            return ODD_NUMBERS
        case Ids():
            return ODD_LISTS
        case Moment() | Day():
            return ODD_TIMES
        case Boolean():
            return ODD_TRUTHS
    raise AssertionError(field)


class InvalidCompany(Company):
    """A company that leaves fields out of its answers, where a record says so."""

    def search_read(self, model: str, domain: Any, fields: Any, **named: Any) -> list[dict[str, Any]]:
        rows = super().search_read(model, domain, fields, **named)
        return [{name: value for name, value in row.items() if value is not MISSING} for row in rows]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def company(db: None, monkeypatch: pytest.MonkeyPatch) -> Company:
    has_all: dict[str, Any] = {name: {"missing_fields": []} for name in registry.models()}
    connection = Connection.objects.create(
        name="main",
        url="http://odoo.test",
        database="test",
        login="tower",
        api_key="key",
        state="connected",
        capabilities={"models": has_all},
    )
    made = InvalidCompany(connection)
    monkeypatch.setattr(batch.wire, "connect", lambda connection, **_: made)
    monkeypatch.setattr(first_sync.tracking, "run", lambda *_, **__: None)
    return made


def fill(company: Company, clock: Clock, *, model: str, odd: dict[str, Any], good: int = 4) -> None:
    """Some records of a model among which one, number 2, has odd values."""
    for number in range(1, good + 1):
        values = plain(model, number) | (odd if number == 2 else {})
        dates: dict[str, Any] = {name: values.pop(name) for name in ("create_date", "write_date") if name in values}
        company.write(model, number, clock.at, **values)
        company.records[model][number] |= dates


def plain(model: str, number: int) -> dict[str, Any]:
    """What an ordinary record holds."""
    values: dict[str, Any] = {}
    for name in registry.models()[model].odoo_fields():
        match registry.models()[model]._meta.get_field(name):
            case Text():
                values[name] = f"{name} {number}" if name != "state" else "draft"
            case Many2one() | Integer():
                values[name] = number
            case Number():
                values[name] = 10.0
            case Ids():
                values[name] = [number]
            case Moment():
                values[name] = "2026-11-20 10:00:00"
            case Day():
                values[name] = "2026-11-20"
            case Boolean():
                values[name] = True
    return values


def by_backfill(company: Company, clock: Clock, model: str) -> None:
    polling.poll(company.connection, clock=clock)


def by_increment(company: Company, clock: Clock, model: str) -> None:
    for state in registry.models():
        SyncState.objects.create(
            connection=company.connection,
            odoo_model=state,
            watermark=clock.at - timedelta(minutes=5),
            seen_until=clock.at - timedelta(minutes=5),
            backfill_done_at=clock.at,
            increment_at=clock.at - timedelta(minutes=5),
        )
    SyncState.objects.create(connection=company.connection, odoo_model=first_sync.WHOLE, backfill_done_at=clock.at)
    polling.poll(company.connection, clock=clock)


def by_webhook(company: Company, clock: Clock, model: str) -> None:
    ids = company.records[model]
    refresh_requests.add(connection_id=company.connection.pk, model=model, odoo_ids=ids, source="odoo", now=clock.at)
    while batch.process(clock=clock):
        pass
    assert not Delivery.objects.filter(source="odoo").exclude(status=Status.DONE)


def by_comparison(company: Company, clock: Clock, model: str) -> None:
    SyncState.objects.create(connection=company.connection, odoo_model=model, backfill_done_at=clock.at)
    list(reconciliation.compare(company.connection, clock=clock, models=[registry.models()[model]]))


WAYS: list[Way] = [by_backfill, by_increment, by_webhook, by_comparison]


def holds(model: type[Mirrored], field: str, value: Any) -> bool:
    """Whether the mirror holds what Odoo gave, whole."""
    stored = getattr(model.objects.get(odoo_id=2), field)
    match model._meta.get_field(field):
        case Number():
            return abs(stored - type(stored)(str(value))) < 1
        case Moment():
            year, _, rest = str(value).partition("-")
            return stored.strftime("%m-%d %H:%M:%S") == rest and stored.year == int(year)
        case Day():
            year, _, rest = str(value).partition("-")
            return stored.strftime("%m-%d") == rest[:5] and stored.year == int(year)
        case Many2one() | Integer():
            return stored == int(value)
        case Boolean():
            return isinstance(stored, bool)
    return stored == value


def check(model: type[Mirrored], field: str, value: Any, way: str) -> None:
    known = set(model.objects.values_list("odoo_id", flat=True))
    assert known >= {1, 3, 4}, (model.odoo_model, field, value, way)
    letters = list(Delivery.objects.filter(status=Status.DEAD, source=STORING))
    if 2 in known:
        assert value is not MISSING
        assert holds(model, field, value), (model.odoo_model, field, value, way)
        assert not letters
    else:
        (letter,) = letters
        assert (letter.model, letter.odoo_id) == (model.odoo_model, 2)
        assert f"field {field}" in letter.problem, letter.problem
        assert "in Odoo" in letter.problem or "See whether" in letter.problem


# Each field of each model in turn: the field's own worst values by turns, so that all of them together are tried in each way.
@pytest.mark.parametrize("model", sorted(registry.models()))
def test_whatever_a_field_holds_all_other_records_are_mirrored(company: Company, clock: Clock, model: str) -> None:
    mirrored = registry.models()[model]
    for field in ["write_date", "create_date", *mirrored.odoo_fields()]:
        values = [*odd_values(mirrored._meta.get_field(field)), MISSING]
        company.records.clear()
        mirrored.objects.all().delete()
        Delivery.objects.all().delete()
        for value in values:
            number = len(company.records.get(model, {})) + 1
            company.write(model, number, clock.at, **plain(model, number))
            company.write(model, number + 1, clock.at, **plain(model, number + 1))
            company.records[model][number + 1][field] = value
        with_good = {number for number in company.records[model] if number % 2}
        reads = refresh.read(company, mirrored, sorted(company.records[model]), now=clock.at)  # type: ignore[arg-type]
        reads = [one for one in reads if one.model is mirrored]
        refresh.write(reads, connection_id=company.connection.pk, on_changes=lambda _: None, now=clock.at)
        stored = {row.odoo_id: row for row in mirrored.objects.all()}
        letters = {letter.odoo_id: letter for letter in Delivery.objects.filter(status=Status.DEAD, source=STORING)}
        assert stored.keys() >= with_good, field
        assert stored.keys() | letters.keys() == company.records[model].keys()
        assert not stored.keys() & letters.keys()
        for odoo_id, letter in letters.items():
            assert f"{model} {odoo_id}" in letter.problem
            assert f"field {field}: it" in letter.problem, letter.problem
            assert len(letter.problem) < 1_000
        for place, value in enumerate(values):
            odd_id = 2 * place + 2
            if odd_id in stored:
                assert value is not MISSING
                assert _same(mirrored._meta.get_field(field), getattr(stored[odd_id], field), value), (field, value)


ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=40)
ANY_VALUE = st.one_of(
    ANY_TEXT,
    st.integers(-(10**30), 10**30),
    st.floats(),
    st.booleans(),
    st.datetimes().map(lambda at: at.isoformat(" ", "seconds")),
    st.dates().map(str),
    st.recursive(
        st.none() | st.booleans() | st.integers(-5, 2**70) | ANY_TEXT,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ANY_TEXT, inner, max_size=3),
        max_leaves=8,
    ),
)
FIELDS = [(name, field) for name, model in sorted(registry.models().items()) for field in model.odoo_fields()]


@settings(
    max_examples=int(os.environ.get("ODD_EXAMPLES", "80")),
    deadline=None,
    derandomize="ODD_EXAMPLES" not in os.environ,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(where=st.sampled_from(FIELDS), value=ANY_VALUE)
def test_no_value_whatsoever_keeps_the_next_record_out(company: Company, clock: Clock, where: tuple[str, str], value: Any) -> None:
    name, field = where
    model = registry.models()[name]
    company.records.clear()
    model.objects.all().delete()
    Delivery.objects.all().delete()
    fill(company, clock, model=name, odd={field: value}, good=3)
    reads = [one for one in refresh.read(company, model, [1, 2, 3], now=clock.at) if one.model is model]  # type: ignore[arg-type]
    refresh.write(reads, connection_id=company.connection.pk, on_changes=lambda _: None, now=clock.at)
    stored = set(model.objects.values_list("odoo_id", flat=True))
    letters = list(Delivery.objects.filter(status=Status.DEAD))
    assert stored >= {1, 3}
    assert [letter.odoo_id for letter in letters] == ([] if 2 in stored else [2])
    assert all(field in letter.problem for letter in letters)
    for row in model.objects.all():
        assert row.odoo_id  # whatever was stored can be read again


def _same(field: Any, stored: Any, value: Any) -> bool:
    match field:
        case Number():
            return bool(abs(stored - type(stored)(str(value))) < 1)
        case Moment() | Day():
            length = 10 if isinstance(field, Day) else 19
            text = str(stored.replace(tzinfo=None) if isinstance(field, Moment) else stored)[:length]
            said = str(value).strip().zfill(len(str(value)) + 4 - len(str(value).partition("-")[0]))
            return bool(text == said[:length] or str(value).isdecimal())
        case Many2one() | Integer():
            return bool(stored == int(value))
        case Boolean():
            return isinstance(stored, bool)
    return bool(stored == value)


CASES = [
    ("sale.order", "client_order_ref", LONG),
    ("sale.order", "name", LONG[:251]),
    ("helpdesk.ticket", "name", LONG[:232]),
    ("res.partner", "name", LONG[:480]),
    ("sale.order.line", "product_uom_qty", 95012345678903123456),
    ("sale.order", "name", NUL),
    ("res.partner", "name", HALF),
    ("sale.order", "amount_total", float("nan")),
    ("stock.picking", "date_deadline", "0000-00-00 00:00:00"),
    ("purchase.order", "name", {"en_US": "P1"}),
    ("sale.order", "commitment_date", "9999-12-31 23:59:59"),
    ("res.currency", "name", LONG),
    ("sale.order", "partner_id", 2**65),
    ("account.move.line", "sale_line_ids", [[1, 2]]),
    ("product.template", "name", ["a"]),
    ("account.move", "invoice_date_due", "9999-12-31"),
    ("sale.order", "client_order_ref", MISSING),
]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("model", "field", "value"), CASES)
def test_no_way_into_the_mirror_is_stopped_by_one_record(
    company: Company, clock: Clock, way: Way, model: str, field: str, value: Any
) -> None:
    fill(company, clock, model=model, odd={field: value})
    fill(company, clock, model="x_ct_heartbeat", odd={})
    way(company, clock, model)
    check(registry.models()[model], field, value, way.__name__)
    if way in (by_backfill, by_increment):
        assert registry.models()["x_ct_heartbeat"].objects.count() == 4
        assert not SyncState.objects.exclude(problem="")
        assert SyncState.objects.get(odoo_model=model).watermark is not None


def test_what_is_stored_whole_is_evaluated_and_found_by_its_name(company: Company, clock: Clock) -> None:
    fill(company, clock, model="res.partner", odd={"name": LONG[:480]})
    fill(company, clock, model="sale.order", odd={"name": LONG[:251], "client_order_ref": LONG})
    by_backfill(company, clock, "sale.order")
    assert Position.objects.get(model="sale.order", odoo_id=2).name == LONG[:251]
    assert Position.objects.get(model="sale.order", odoo_id=2).partner_name == LONG[:480]
    assert not Delivery.objects.filter(status=Status.DEAD)


def test_a_dead_letter_is_resolved_once_the_record_goes_through(company: Company, clock: Clock) -> None:
    fill(company, clock, model="sale.order", odd={"name": NUL})
    by_backfill(company, clock, "sale.order")
    letter = Delivery.objects.get(status=Status.DEAD)
    assert "sale.order 2" in letter.problem
    assert "NUL, number 2 of 3" in letter.problem
    for _ in range(3):
        clock.at += timedelta(seconds=15)
        polling.poll(company.connection, clock=clock)
    assert Delivery.objects.get(status=Status.DEAD).pk == letter.pk
    clock.at += timedelta(minutes=1)
    company.write("sale.order", 2, clock.at, name="S00002")
    polling.poll(company.connection, clock=clock)
    letter.refresh_from_db()
    assert (letter.status, letter.problem) == (Status.DONE, "")
    assert Position.objects.get(model="sale.order", odoo_id=2).name == "S00002"


def test_a_dead_letter_goes_with_its_record_and_is_found_corrected_by_the_comparison(company: Company, clock: Clock) -> None:
    fill(company, clock, model="sale.order", odd={"name": NUL})
    by_backfill(company, clock, "sale.order")
    company.unlink("sale.order", 2)
    list(reconciliation.compare(company.connection, clock=clock, models=[registry.models()["sale.order"]]))
    assert not Delivery.objects.filter(status=Status.DEAD)


def test_a_dead_letter_is_replayed_by_a_person(company: Company, clock: Clock) -> None:
    fill(company, clock, model="sale.order", odd={"name": NUL})
    by_backfill(company, clock, "sale.order")
    letter = Delivery.objects.get(status=Status.DEAD)
    deliveries.replay([letter.pk], by=person("ivan", Role.INTEGRATOR), now=clock.at)
    while batch.process(clock=clock):
        pass
    letter.refresh_from_db()
    assert letter.status == Status.DEAD  # nothing was corrected
    company.records["sale.order"][2]["name"] = "S00002"
    deliveries.replay([letter.pk], by=person("iris", Role.INTEGRATOR), now=clock.at)
    while batch.process(clock=clock):
        pass
    letter.refresh_from_db()
    assert letter.status == Status.DONE
    assert registry.models()["sale.order"].objects.get(odoo_id=2).name == "S00002"


@pytest.fixture
def poisoned(monkeypatch: pytest.MonkeyPatch) -> set[int]:
    """Sales orders on whose consequences the tower fails."""
    bad: set[int] = set()
    reconcile = change_processing.case_reconcile.reconcile

    def fails(evaluation: Any, *, now: Any) -> Any:
        if evaluation.workflow.odoo_model == "sale.order" and bad & set(evaluation.evaluated):
            raise ZeroDivisionError("a rule divided by nothing")
        return reconcile(evaluation, now=now)

    monkeypatch.setattr(change_processing.case_reconcile, "reconcile", fails)
    return bad


@pytest.mark.parametrize("way", WAYS)
def test_a_record_that_cannot_be_evaluated_keeps_no_other_from_it(
    company: Company, clock: Clock, way: Way, poisoned: set[int]
) -> None:
    poisoned.add(2)
    fill(company, clock, model="sale.order", odd={"amount_total": 95012345678903.0}, good=30)
    way(company, clock, "sale.order")
    assert registry.models()["sale.order"].objects.count() == 30
    (name,) = [one.name for one in workflows.workflows().values() if one.odoo_model == "sale.order"]
    assert set(Position.objects.filter(workflow=name).values_list("odoo_id", flat=True)) == set(range(1, 31)) - {2}
    letter = Delivery.objects.get(status=Status.DEAD)
    assert (letter.source, letter.model, letter.odoo_id) == (EVALUATING, "sale.order", 2)
    assert "sale.order 2 (name 2)" in letter.problem
    assert "a rule divided by nothing" in letter.problem
    assert "amount_total is the number 95012345678903" in letter.problem
    poisoned.clear()
    deliveries.replay([letter.pk], by=person("ivan", Role.INTEGRATOR), now=clock.at)
    while batch.process(clock=clock):
        pass
    letter.refresh_from_db()
    assert letter.status == Status.DONE
    assert Position.objects.filter(workflow=name, odoo_id=2).exists()


def test_a_rule_that_fails_on_everything_costs_no_attempt_for_each(company: Company, clock: Clock, poisoned: set[int]) -> None:
    poisoned |= set(range(1, 201))
    fill(company, clock, model="sale.order", odd={}, good=200)
    by_backfill(company, clock, "sale.order")
    assert registry.models()["sale.order"].objects.count() == 200
    assert Delivery.objects.filter(status=Status.DEAD, source=EVALUATING).count() == 200


def test_what_time_makes_due_is_not_stopped_by_one_record(company: Company, clock: Clock, poisoned: set[int]) -> None:
    fill(company, clock, model="sale.order", odd={})
    by_backfill(company, clock, "sale.order")
    Position.objects.filter(model="sale.order").update(look_again_at=clock.at)
    poisoned.add(2)
    clock.at += timedelta(minutes=1)
    change_processing.reevaluate_due(now=clock.at)
    assert not Position.objects.filter(look_again_at__lte=clock.at)
    assert Delivery.objects.get(status=Status.DEAD).odoo_id == 2


@pytest.mark.parametrize("way", [by_backfill, by_increment, by_webhook, by_comparison])
def test_a_record_that_odoo_fails_to_read_is_named_and_the_others_are_read(
    company: Company, clock: Clock, way: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(company, clock, model="sale.order", odd={}, good=20)
    answer = company.search_read

    def fails(model: str, domain: Any, fields: Any, **named: Any) -> Any:
        rows = answer(model, domain, fields, **named)
        if model == "sale.order" and "amount_total" in fields and any(row["id"] == 2 for row in rows):
            raise ServerFaultError("main", "ZeroDivisionError in a computed field", "See Odoo's log.")
        return rows

    monkeypatch.setattr(company, "search_read", fails)
    way(company, clock, "sale.order")
    assert set(registry.models()["sale.order"].objects.values_list("odoo_id", flat=True)) == set(range(1, 21)) - {2}
    letter = Delivery.objects.get(status=Status.DEAD)
    assert (letter.model, letter.odoo_id) == ("sale.order", 2)
    assert "ZeroDivisionError in a computed field" in letter.problem


def test_a_model_that_cannot_be_read_stops_none_after_it_and_the_health_page_says_so(
    company: Company, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(company, clock, model="res.partner", odd={})
    fill(company, clock, model="sale.order", odd={})
    by_increment(company, clock, "sale.order")
    increment = polling.increment.run

    def fails(client: Any, model: type[Mirrored], **named: Any) -> Any:
        if model.odoo_model == "res.partner":
            with polling.locks.alone(named["connection"], model.odoo_model):
                raise TypeError("nobody foresaw this")
        return increment(client, model, **named)

    monkeypatch.setattr(polling.increment, "run", fails)
    clock.at += timedelta(minutes=1)
    company.write("sale.order", 3, clock.at, name="renamed")
    polling.poll_all(clock=clock)
    assert registry.models()["sale.order"].objects.get(odoo_id=3).name == "renamed"
    overview = queries.overview(now=clock.at)
    assert not overview.is_well
    kinds = {trouble.kind for trouble in incidents.found(now=clock.at)}
    assert "integration.model_unreadable" in kinds
    monkeypatch.setattr(polling.increment, "run", increment)
    polling.poll_all(clock=clock)
    assert not SyncState.objects.exclude(problem="")


def test_a_dead_letter_is_an_incident_and_the_health_page_is_not_well(company: Company, clock: Clock) -> None:
    fill(company, clock, model="sale.order", odd={"name": NUL})
    by_backfill(company, clock, "sale.order")
    (trouble,) = [one for one in incidents.found(now=clock.at) if one.kind == "integration.dead_letters"]
    assert "field name" in str(trouble.evidence["problem_name"])
    assert not queries.overview(now=clock.at).is_well


def test_of_a_hint_whose_model_odoo_refuses_the_other_models_do_not_wait(
    company: Company, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(company, clock, model="sale.order", odd={})
    fill(company, clock, model="res.partner", odd={})
    answer = company.search_read

    def fails(model: str, *given: Any, **named: Any) -> Any:
        if model == "res.partner":
            raise ServerFaultError("main", "broken", "See Odoo's log.")
        return answer(model, *given, **named)

    monkeypatch.setattr(company, "search_read", fails)
    for model in ("res.partner", "sale.order"):
        refresh_requests.add(connection_id=company.connection.pk, model=model, odoo_ids=[1], source="odoo", now=clock.at)
    batch.process(clock=clock)
    assert Delivery.objects.get(model="sale.order").status == Status.DONE
    assert Delivery.objects.get(model="res.partner").status == Status.PENDING


@pytest.mark.parametrize("way", WAYS)
def test_an_amount_that_no_decision_could_hold_is_named_and_stops_nothing(company: Company, clock: Clock, way: Way) -> None:
    """Odoo keeps any amount; the tower stores it, and says of which record it cannot work out what follows."""
    fill(company, clock, model="sale.order", odd={"amount_total": 9e19, "state": "sale"}, good=6)
    way(company, clock, "sale.order")
    assert registry.models()["sale.order"].objects.count() == 6
    assert set(Position.objects.filter(workflow="order_to_cash").values_list("odoo_id", flat=True)) == {1, 3, 4, 5, 6}
    letter = Delivery.objects.get(status=Status.DEAD, model="sale.order")
    assert (letter.source, letter.odoo_id) == (EVALUATING, 2)
    assert "sale.order 2 (name 2)" in letter.problem and "amount_total is the number 90000000000000000000" in letter.problem
    company.write("sale.order", 2, clock.at + timedelta(minutes=1), amount_total=2e3)
    clock.at += timedelta(minutes=2)
    polling.poll(company.connection, clock=clock)
    assert Position.objects.filter(workflow="order_to_cash", odoo_id=2).exists()
    assert Delivery.objects.get(pk=letter.pk).status == Status.DONE


def test_a_connection_that_cannot_be_read_stops_none_after_it(
    company: Company, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Connections are polled singly: whatever one fails on, those after it are read in the same beat."""
    fill(company, clock, model="sale.order", odd={})
    by_increment(company, clock, "sale.order")
    first = Connection.objects.create(
        name="broken",
        url="http://broken.test",
        database="test",
        login="tower",
        api_key="key",
        state="connected",
        capabilities=company.connection.capabilities,
    )
    polled = []
    poll = polling.poll

    def fails(connection: Connection, **named: Any) -> Any:
        polled.append(connection.name)
        if connection.name == "broken":
            raise TypeError("nobody foresaw this")
        return poll(connection, **named)

    monkeypatch.setattr(polling, "poll", fails)
    monkeypatch.setattr(polling, "read_before", lambda: [first, company.connection])
    clock.at += timedelta(minutes=1)
    company.write("sale.order", 3, clock.at, name="renamed")
    polling.poll_all(clock=clock)
    assert polled == ["broken", "main"]
    assert registry.models()["sale.order"].objects.get(connection=company.connection, odoo_id=3).name == "renamed"

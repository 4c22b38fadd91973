"""Whatever a field holds, all other records are mirrored, and the odd one is stored whole or is a dead letter that names it."""

import os
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.intake.dead_letters import STORING
from apps.intake.models import Delivery, Status
from apps.mirror import registry
from apps.mirror.declare import Boolean, Day, Integer, Many2one, Moment, Number
from apps.mirror.sync import refresh
from tests.mirror.company import Clock, Company
from tests.pipeline.invalid_records.odd_values import MISSING, odd_values
from tests.pipeline.invalid_records.ways import fill, plain


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

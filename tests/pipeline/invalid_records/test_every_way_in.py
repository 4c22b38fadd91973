"""No way into the mirror is stopped by one odd record."""

from typing import Any

import pytest

from apps.intake.dead_letters import STORING
from apps.intake.models import Delivery, Status
from apps.mirror import registry
from apps.mirror.declare import Boolean, Day, Integer, Many2one, Mirrored, Moment, Number
from apps.mirror.models import SyncState
from apps.workflows.models import Position
from tests.mirror.company import Clock, Company
from tests.pipeline.invalid_records.odd_values import HALF, LONG, MISSING, NUL
from tests.pipeline.invalid_records.ways import WAYS, Way, by_backfill, by_increment, fill


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

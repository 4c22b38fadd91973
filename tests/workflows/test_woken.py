"""A record of another model changes, and nothing else: what rests on it says so at once."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import transaction

from apps.accounts.models import Role, Team
from apps.approvals.models import Request
from apps.exceptions.models import ExceptionCase, Severity, Status
from apps.mirror.upsert import Changes
from apps.pipeline import change_processing
from apps.workflows import engine, registry
from apps.workflows.models import Position
from tests.staleness import stale
from tests.trade import DESK, LAMP, larger_company, purchase, sale
from tests.world import World, odoo_time, person

PLANNED = {"picking_type_id": 21, "partner_id": 50, "company_id": 1, "location_id": 8, "location_dest_id": 5}
ORDERED, DELIVERY, BOUGHT, RECEIPT, MOVED, RETURN, RETURN_OF_ORDER = 42, 42, 80, 800, 43, 71, 72
INVOICE, QUANT, TICKET, QUOTED = 600, 70, 5, 44


@pytest.fixture(scope="module")
def company(django_db_setup: None, django_db_blocker: Any) -> Iterator[World]:
    """A company in which something is open everywhere: each record named above is one that somebody looks at."""
    read: list[Changes] = []
    with django_db_blocker.unblock(), transaction.atomic():
        for slug in ["finance", "sales", "warehouse", "purchasing", "service"]:
            Team.objects.get_or_create(slug=slug, defaults={"name": slug.title()})
        person("mia", Role.MANAGER, limit=250_000, team="finance")
        with pytest.MonkeyPatch.context() as first_sync:
            first_sync.setattr(change_processing, "apply_changes", lambda changes, now: read.extend(changes))
            made = larger_company()
            ground(made)
            trade(made)
            inside(made)
        change_processing.apply_changes(read, now=made.now)
        yield made
        transaction.set_rollback(True)


@pytest.fixture
def world(company: World, django_db_blocker: Any) -> Iterator[World]:
    """The company, as it is for each test."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield company
        transaction.set_rollback(True)


def ground(made: World) -> None:
    """Places, types of operations, products, people, and a ticket."""
    made.write("stock.location", 5, name="Customers", usage="customer")
    made.write("stock.location", 6, name="Vendors", usage="supplier")
    for number, code in ((21, "outgoing"), (22, "incoming")):
        made.write("stock.picking.type", number, code=code, warehouse_id=1, company_id=1)
    made.write("stock.picking.type", 11, use_existing_lots=True)
    for product in (DESK, LAMP):
        made.write("product.template", product * 10, type="consu", tracking="none", list_price=100, active=True)
        made.write("product.product", product, standard_price=40, active=True)
    made.write("res.partner.category", 3, name="Retail", active=True)
    made.write("res.partner", 50, category_id=[3])
    made.write("res.partner", 52, name="Azure, branch", commercial_partner_id=50, active=True)
    made.write("helpdesk.ticket.stage", 1, name="New", sequence=1, unattended=True)
    ticket = {"name": "A leg is missing", "number": "HT5", "stage_id": 1, "partner_id": 50, "company_id": 1, "user_id": 7}
    made.write("helpdesk.ticket", TICKET, active=True, **ticket)
    made.held_order(odoo_id=QUOTED)


def trade(made: World) -> None:
    """An order that is short, its delivery, which is late, what is bought for it; what came back, and what is billed and owed."""
    yesterday = odoo_time(made.now - timedelta(days=1))
    made.write("stock.picking", DELIVERY, picking_type_code="outgoing", **PLANNED | {"partner_id": 52}, date_deadline=yesterday)
    sale(made, ORDERED, quantity=15, promised_in=2, partner_shipping_id=52)
    made.write("sale.order.line", 420, price_unit=100, name="Oak desk", qty_delivered=0)
    made.write("stock.move", DELIVERY, warehouse_id=1)
    coming = {"picking_type_id": 22, "partner_id": 60, "company_id": 1, "location_id": 6, "location_dest_id": 8}
    made.write("stock.picking", RECEIPT, picking_type_code="incoming", **coming)
    purchase(made, BOUGHT, quantity=20, expected_in=5, user_id=7)
    back = PLANNED | {"picking_type_id": 22, "location_id": 5, "location_dest_id": 8, "picking_type_code": "incoming"}
    for number, line in ((RETURN, None), (RETURN_OF_ORDER, 420)):
        made.write("stock.picking", number, name=f"RET/{number}", state="assigned", sale_id=line and ORDERED, user_id=7, **back)
        moved = {"product_id": LAMP if line is None else DESK, "sale_line_id": line, "product_uom_qty": 4, "company_id": 1}
        made.write("stock.move", number * 100, picking_id=number, state="assigned", **moved)
    overdue = (made.now - timedelta(days=30)).date().isoformat()
    owed = made.owes(20_000, due_days_ago=30)
    made.write("account.move", owed, invoice_date_due=overdue, amount_residual_signed=20_000, invoice_user_id=7, currency_id=1)
    billed = {"partner_id": 50, "commercial_partner_id": 50, "company_id": 1, "currency_id": 1, "amount_total": 1_700}
    made.write("account.move", INVOICE, name="/", state="draft", move_type="out_invoice", amount_total_signed=1_700, **billed)
    for number, more in (
        (6001, {"sale_line_ids": [420], "product_id": DESK, "quantity": 16}),
        (6002, {"product_id": LAMP, "quantity": 1}),
    ):
        line = {
            "move_id": INVOICE,
            "display_type": "product",
            "parent_state": "draft",
            "company_id": 1,
            "currency_id": 1,
            "price_unit": 100,
        }
        made.write("account.move.line", number, price_subtotal=more["quantity"] * 100, **line | more)


def inside(made: World) -> None:
    """A transfer within the house, of what nobody has ordered, and a count beyond the limit."""
    made.write(
        "stock.picking",
        MOVED,
        name="INT/43",
        state="assigned",
        picking_type_code="internal",
        **PLANNED | {"picking_type_id": 11, "location_dest_id": 9},
    )
    made.write("stock.move", 4300, picking_id=MOVED, product_id=LAMP, product_uom_qty=5, quantity=5, state="assigned", company_id=1)
    made.write("stock.move.line", 4301, picking_id=MOVED, move_id=4300, product_id=LAMP, quantity=5, state="assigned")
    counted = {
        "quantity": 20,
        "reserved_quantity": 20,
        "inventory_quantity": 5,
        "inventory_quantity_set": True,
        "inventory_diff_quantity": -15,
    }
    own = {"product_id": DESK, "location_id": 8, "company_id": 1, "inventory_date": "2026-12-31", "user_id": 7}
    made.write("stock.quant", QUANT, **own | counted)


def position(workflow: str, odoo_id: int) -> Position:
    return Position.objects.get(workflow=workflow, odoo_id=odoo_id)


def amount(workflow: str, odoo_id: int) -> int:
    return int(position(workflow, odoo_id).amount or 0)


def evidence(kind: str, name: str) -> Any:
    """What the open case of a type says; None where there is none."""
    found = ExceptionCase.objects.filter(type=kind).exclude(status=Status.RESOLVED).first()
    return found.plain_evidence[name] if found else None


def context(kind: str, name: str) -> Any:
    return Request.objects.get(kind=kind).context[name]


SHORT, CREDIT, COUNT, EXPOSURE, LOTS = (
    "order.stock_shortage",
    "order.credit_hold",
    "inventory.count_adjustment",
    "invoice.overdue_exposure",
    "fulfilment.lot_problem",
)


@pytest.mark.parametrize(
    ("model", "odoo_id", "values", "what", "before", "after"),
    [
        ("purchase.order", BOUGHT, {"currency_rate": 2.0}, partial(amount, "fulfilment", RECEIPT), 1_000, 500),
        ("product.product", LAMP, {"standard_price": 60}, partial(amount, "fulfilment", MOVED), 200, 300),
        ("product.template", LAMP * 10, {"tracking": "lot"}, partial(evidence, LOTS, "lot_problem_names"), None, "No lot"),
        ("product.template", LAMP * 10, {"list_price": 200}, partial(amount, "returns", RETURN), 400, 800),
        (
            "product.template",
            LAMP * 10,
            {"list_price": 200},
            lambda: position("returns", RETURN).stage,
            "awaiting_goods",
            "awaiting_authorisation",
        ),
        ("product.template", LAMP * 10, {"name": "Torch"}, partial(evidence, "invoice.differs", "product_names"), "Lamp", "Torch"),
        ("product.template", DESK * 10, {"name": "Elm desk"}, partial(evidence, COUNT, "product_name"), "Oak desk", "Elm desk"),
        ("stock.warehouse", 1, {"name": "Port"}, partial(evidence, COUNT, "warehouse_name"), "Hall", "Port"),
        ("sale.order", ORDERED, {"currency_rate": 2.0}, partial(amount, "returns", RETURN_OF_ORDER), 400, 200),
        ("sale.order", ORDERED, {"amount_total": 3_000}, partial(amount, "service", TICKET), 1_500, 3_000),
        ("sale.order.line", 420, {"qty_invoiced": 5}, partial(evidence, CREDIT, "open_orders"), "1500.00", "1000.00"),
        ("account.account", 11, {"account_type": "income"}, partial(evidence, CREDIT, "open_invoices"), "20000.00", "0.00"),
        ("res.partner", 50, {"credit_limit": 9_000}, partial(evidence, EXPOSURE, "credit_limit"), "5000.00", "9000.00"),
        ("res.users", 7, {"name": "Sofia Lang"}, partial(evidence, COUNT, "counted_by"), "Sofia Sales", "Sofia Lang"),
        ("res.users", 7, {"name": "Sofia Lang"}, partial(context, "credit_override", "salesperson"), "Sofia Sales", "Sofia Lang"),
        (
            "res.partner.category",
            3,
            {"name": "VIP"},
            lambda: ExceptionCase.objects.get(type="order.stock_shortage").severity,
            Severity.HIGH,
            Severity.CRITICAL,
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else ",".join(value) if isinstance(value, dict) else "",
)
def test_what_rests_on_another_record_follows_it_at_once(
    world: World, model: str, odoo_id: int, values: dict[str, Any], what: Callable[[], Any], before: Any, after: Any
) -> None:
    assert what() == before
    world.write(model, odoo_id, **values)
    assert what() == after
    assert stale(world) == {}


@pytest.mark.parametrize(
    ("partner", "records"),
    [
        (
            50,
            [
                ("order_to_cash", ORDERED),
                ("fulfilment", DELIVERY),
                ("invoicing", INVOICE),
                ("returns", RETURN),
                ("service", TICKET),
            ],
        ),
        (60, [("procure_to_pay", BOUGHT), ("fulfilment", RECEIPT)]),
    ],
)
def test_whoever_is_renamed_is_called_so_on_everything_open(world: World, partner: int, records: list[tuple[str, int]]) -> None:
    world.write("res.partner", partner, name="Renamed")
    assert {position(*record).partner_name for record in records} == {"Renamed"}
    assert stale(world) == {}


def test_a_place_that_is_read_after_a_transfer_from_it_makes_that_a_return(world: World) -> None:
    plan = PLANNED | {"picking_type_id": 22, "location_id": 15, "location_dest_id": 8}
    world.write("stock.picking", 90, name="WH/IN/90", state="assigned", picking_type_code="incoming", **plan)
    assert [one.workflow for one in Position.objects.filter(model="stock.picking", odoo_id=90)] == ["fulfilment"]
    world.write("stock.location", 15, name="Customers, abroad", usage="customer")
    assert [one.workflow for one in Position.objects.filter(model="stock.picking", odoo_id=90)] == ["returns"]
    assert stale(world) == {}


@pytest.mark.parametrize("name", ["fulfilment", "returns"])
def test_a_count_wakes_none_of_the_transfers_of_its_place(world: World, name: str) -> None:
    """Odoo writes to a place whenever something in it was counted."""
    changed = {"stock.location": {8: world.now}}
    workflow = registry.workflows()[name]
    assert engine.affected(workflow, connection_id=world.connection.pk, changed=changed, now=world.now) == {}


def test_an_operation_that_no_longer_asks_for_lots_has_no_problem_with_them(world: World) -> None:
    world.write("product.template", LAMP * 10, tracking="lot")
    assert evidence(LOTS, "lot_problem_names") == "No lot"
    world.write("stock.picking.type", 11, use_create_lots=False, use_existing_lots=False)
    assert evidence(LOTS, "lot_problem_names") is None
    assert stale(world) == {}


@pytest.mark.parametrize(
    ("model", "odoo_id", "values", "what", "before", "after"),
    [
        ("sale.order.line", 420, {"order_id": QUOTED}, partial(evidence, SHORT, "short_products_names"), "Oak desk", None),
        ("stock.move", 4300, {"picking_id": DELIVERY}, partial(amount, "fulfilment", MOVED), 200, 0),
        ("stock.move", 7100, {"picking_id": RETURN_OF_ORDER}, partial(amount, "returns", RETURN), 400, 0),
        ("account.move.line", 6002, {"move_id": 601}, partial(evidence, "invoice.differs", "product_names"), "Lamp", None),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_who_loses_a_row_to_another_follows_at_once(
    world: World, model: str, odoo_id: int, values: dict[str, Any], what: Callable[[], Any], before: Any, after: Any
) -> None:
    assert what() == before
    world.write(model, odoo_id, **values)
    assert (what(), stale(world)) == (after, {})

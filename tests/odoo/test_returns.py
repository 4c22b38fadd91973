"""Returns as the warehouse takes them back and accounting credits them, in a real Odoo."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from apps.odoo.client import OdooClient
from apps.odoo.models import Connection
from tests.odoo.seen import Seen, Worker

pytestmark = pytest.mark.odoo


@dataclass(frozen=True)
class Sold:
    """An order that was delivered and billed."""

    order: int
    delivery: int
    invoice: int


@pytest.fixture
def seen(odoo: OdooClient, real: Connection) -> Seen:
    return Seen(odoo, real)


@pytest.fixture
def picker(odoo: OdooClient) -> Iterator[Worker]:
    """Picks, receives and takes back."""
    person = Worker(odoo, "stock.group_stock_user")
    yield person
    person.leave()


@pytest.fixture
def accountant(odoo: OdooClient) -> Iterator[Worker]:
    """Bills and credits."""
    person = Worker(odoo, "account.group_account_invoice", "sales_team.group_sale_salesman_all_leads")
    yield person
    person.leave()


def drafted(accountant: Worker, order: int) -> int:
    """Accounting drafts what may be billed, or credited."""
    context = {"active_model": "sale.order", "active_ids": [order], "active_id": order}
    wizard = accountant.do("sale.advance.payment.inv", "create", {"advance_payment_method": "delivered"}, context=context)
    return int(accountant.do("sale.advance.payment.inv", "create_invoices", [wizard], context=context)["res_id"])


def bill(accountant: Worker, order: int) -> int:
    """Accounting bills what may be billed, or credits what was billed too much, and posts it."""
    made = drafted(accountant, order)
    accountant.do("account.move", "action_post", [made])
    return made


def receive(picker: Worker, picking: int) -> None:
    """The picker takes in or ships all that is on the transfer."""
    assert picker.do("stock.picking", "button_validate", [picking], context={"skip_backorder": True, "skip_sms": True}) is True


def delivered(odoo: OdooClient, picker: Worker, quantity: float, *, price: float = 100) -> tuple[int, int]:
    """So many desks are sold and delivered; the order and the delivery."""
    values = {
        "name": "Tower test desk",
        "type": "consu",
        "is_storable": True,
        "standard_price": 40.0,
        "taxes_id": [(5,)],
        "invoice_policy": "delivery",
    }
    desk = odoo.create("product.product", values)
    shelf = odoo.search_read("stock.warehouse", [], ["lot_stock_id"], limit=1, order="id")[0]["lot_stock_id"]
    counted = {"product_id": desk, "location_id": shelf, "inventory_quantity": quantity}
    quant = picker.do("stock.quant", "create", counted, context={"inventory_mode": True})
    picker.do("stock.quant", "action_apply_inventory", [quant])
    customer = odoo.create("res.partner", {"name": "Tower test customer", "is_company": True})
    line = {"product_id": desk, "product_uom_qty": quantity, "price_unit": price}
    order = odoo.create("sale.order", {"partner_id": customer, "order_line": [(0, 0, line)]})
    odoo.call("sale.order", "action_confirm", [order])
    delivery = odoo.search("stock.picking", [("sale_id", "=", order)])[0]
    receive(picker, delivery)
    return order, delivery


def sold(odoo: OdooClient, picker: Worker, accountant: Worker, quantity: float, *, price: float = 100) -> Sold:
    """So many desks are sold, delivered and billed."""
    order, delivery = delivered(odoo, picker, quantity, price=price)
    return Sold(order, delivery, bill(accountant, order))


def return_of(picker: Worker, delivery: int, quantity: float) -> int:
    """The picker makes the return of a delivery, as Odoo's button does it."""
    context = {"active_model": "stock.picking", "active_ids": [delivery], "active_id": delivery}
    wizard = picker.do("stock.return.picking", "create", {"picking_id": delivery}, context=context)
    lines = picker.do("stock.return.picking", "read", [wizard], ["product_return_moves"])[0]["product_return_moves"]
    picker.do("stock.return.picking.line", "write", lines, {"quantity": quantity})
    made: dict[str, Any] = picker.do("stock.return.picking", "action_create_returns", [wizard])
    return int(made["res_id"])


def test_a_return_is_named_from_its_receipt_until_it_is_credited(
    seen: Seen, odoo: OdooClient, picker: Worker, accountant: Worker
) -> None:
    desks = sold(odoo, picker, accountant, 5)
    back = return_of(picker, desks.delivery, 2)
    assert seen.stage("returns", back) == "awaiting_goods"
    assert seen.stage("returns", desks.delivery) is None

    receive(picker, back)
    assert seen.stage("returns", back) == "to_credit"
    case = seen.case("returns.not_credited", back)
    assert case is not None
    assert (case.evidence["to_credit_quantity"], case.evidence["to_credit_value"]) == ("2", "200.00")
    assert case.evidence["order_name"] == odoo.read("sale.order", [desks.order], ["name"])[0]["name"]

    credit = bill(accountant, desks.order)
    assert odoo.read("account.move", [credit], ["move_type"])[0]["move_type"] == "out_refund"
    assert seen.stage("returns", back) == "credited"
    case.refresh_from_db()
    assert case.status == "resolved"


def test_a_large_return_waits_for_authorisation_until_it_is_refused(
    seen: Seen, odoo: OdooClient, picker: Worker, accountant: Worker
) -> None:
    desks = sold(odoo, picker, accountant, 8)
    back = return_of(picker, desks.delivery, 7)
    assert seen.stage("returns", back) == "awaiting_authorisation"
    case = seen.case("returns.authorisation_pending", back)
    assert case is not None
    assert (case.evidence["returned_quantity"], case.evidence["return_value"]) == ("7", "700.00")
    picker.do("stock.picking", "action_cancel", [back])
    assert seen.stage("returns", back) == "refused"
    case.refresh_from_db()
    assert case.status == "resolved"

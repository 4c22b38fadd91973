"""Where an order stands is told by what remains to be done, whatever Odoo's two statuses say."""

from typing import Any

import pytest

from apps.mirror import registry
from apps.workflows.models import Position
from tests.world import World


def product(world: World, odoo_id: int, *, is_service: bool = False) -> int:
    world.write("product.template", odoo_id, name=f"Product {odoo_id}", type="service" if is_service else "consu")
    world.write("product.product", odoo_id, product_tmpl_id=odoo_id, active=True)
    return odoo_id


class Sale:
    """A confirmed order of one line, as Odoo would keep it."""

    def __init__(self, world: World, *, is_service: bool = False, policy: str = "delivery", ordered: float = 10) -> None:
        self.world, self.policy, self.ordered, self.pickings = world, policy, ordered, 0
        self.product = product(world, 7, is_service=is_service)
        self.method = "manual" if is_service else "stock_move"
        self.delivered = self.invoiced = 0.0
        self.say()

    def say(self, **more: Any) -> None:
        to_invoice = (self.ordered if self.policy == "order" else self.delivered) - self.invoiced
        status = (
            "to invoice"
            if to_invoice
            else "upselling"
            if self.policy == "order" and self.delivered > self.ordered
            else "invoiced"
            if self.invoiced >= self.ordered
            else "no"
        )
        line = {
            "order_id": 42,
            "product_id": self.product,
            "product_uom_qty": self.ordered,
            "price_unit": 100,
            "discount": 0,
            "qty_delivered": self.delivered,
            "qty_invoiced": self.invoiced,
            "qty_to_invoice": to_invoice,
            "qty_delivered_method": self.method,
            "price_subtotal": self.ordered * 100,
            "price_total": self.ordered * 100,
        }
        self.world.write("sale.order.line", 420, **line | {k: v for k, v in more.items() if k in line})
        self.world.order(
            42,
            amount=more.get("amount", 1000),
            state="sale",
            invoice_status=status,
            delivery_status=self.delivery_status(),
            locked=more.get("locked", False),
        )

    def delivery_status(self) -> str:
        states = list(registry.models()["stock.picking"].objects.filter(sale_id=42).values_list("state", flat=True))
        if not states or set(states) == {"cancel"}:
            return ""
        if set(states) <= {"done", "cancel"}:
            return "full"
        return ("partial" if self.delivered else "started") if "done" in states else "pending"

    def picking(self, state: str, *, returns: int = 0) -> int:
        self.pickings += 1
        self.world.write(
            "stock.picking",
            70 + self.pickings,
            name=f"WH/{70 + self.pickings}",
            sale_id=42,
            state=state,
            picking_type_code="incoming" if returns else "outgoing",
            return_id=returns or None,
            company_id=1,
            partner_id=50,
        )
        return 70 + self.pickings

    def delivers(self, quantity: float) -> int:
        self.delivered += quantity
        made = self.picking("done")
        self.say()
        return made

    def bills(self, quantity: float, *, state: str = "posted", paid: bool = False, move: int = 600) -> None:
        kind = "out_invoice" if quantity > 0 else "out_refund"
        self.invoiced += quantity
        self.world.write(
            "account.move",
            move,
            state=state,
            move_type=kind,
            partner_id=50,
            commercial_partner_id=50,
            company_id=1,
            amount_residual=0 if paid else abs(quantity) * 100,
            payment_state="paid" if paid else "not_paid",
        )
        self.world.write("account.move.line", move + 1, move_id=move, sale_line_ids=[420], partner_id=50, account_id=12)
        self.say()

    @property
    def stage(self) -> str:
        return Position.objects.get(workflow="order_to_cash").stage


def test_a_service_that_nobody_has_rendered_is_not_delivered(world: World) -> None:
    sale = Sale(world, is_service=True)
    assert sale.stage == "to_deliver"
    sale.delivered = 4
    sale.say()
    assert sale.stage == "to_invoice"
    sale.bills(4, paid=True)
    assert sale.stage == "to_deliver"
    sale.delivered = 10
    sale.say()
    sale.bills(6, move=610)
    assert sale.stage == "unpaid"


def test_a_service_that_is_billed_as_ordered_is_to_be_invoiced_and_then_done(world: World) -> None:
    sale = Sale(world, is_service=True, policy="order")
    assert sale.stage == "to_invoice"
    sale.bills(10)
    assert sale.stage == "unpaid"
    sale.bills(0, paid=True)
    assert sale.stage == "closed"


@pytest.mark.parametrize("policy", ["order", "delivery"])
def test_goods_whose_delivery_was_cancelled_are_not_delivered(world: World, policy: str) -> None:
    sale = Sale(world, policy=policy)
    sale.picking("cancel")
    sale.say()
    assert sale.stage == "to_deliver"


def test_what_was_billed_and_credited_after_its_delivery_was_cancelled_is_done(world: World) -> None:
    sale = Sale(world, policy="order")
    sale.bills(10, paid=True)
    sale.picking("cancel")
    sale.say()
    assert sale.stage == "to_credit"
    sale.bills(-10, paid=True, move=610)
    assert sale.stage == "closed"


def test_what_came_back_whole_waits_for_no_goods_while_another_return_is_open(world: World) -> None:
    sale = Sale(world)
    out = sale.delivers(10)
    sale.picking("done", returns=out)
    sale.delivered = 0
    sale.picking("assigned", returns=out)
    sale.say()
    # Odoo takes the open return for a delivery that has begun.
    assert sale.delivery_status() == "started"
    assert sale.stage == "closed"


@pytest.mark.parametrize("policy", ["order", "delivery"])
def test_a_full_return_is_to_be_credited_and_then_done(world: World, policy: str) -> None:
    sale = Sale(world, policy=policy)
    out = sale.delivers(10)
    sale.bills(10, paid=True)
    assert sale.stage == "closed"
    back = sale.picking("assigned", returns=out)
    sale.say()
    assert sale.stage == "closed"  # nothing is on its way to the customer; the return itself stands in returns
    world.write("stock.picking", back, state="done")
    sale.delivered = 0
    sale.say()
    assert sale.stage == "to_credit"
    sale.bills(-10, state="draft", move=610)
    assert sale.stage == "to_invoice"
    sale.bills(0, paid=True, move=610)
    world.write("account.move", 610, state="posted", move_type="out_refund")
    assert sale.stage == "closed"


def test_a_full_return_of_what_was_never_billed_is_done(world: World) -> None:
    for policy in ("order", "delivery"):
        sale = Sale(world, policy=policy)
        sale.picking("done", returns=sale.delivers(10))
        sale.delivered = 0
        sale.say()
        assert sale.stage == "closed"


def test_more_than_was_ordered_is_no_reason_to_stay_open(world: World) -> None:
    sale = Sale(world, policy="order")
    sale.delivers(11)
    sale.bills(10)
    assert sale.stage == "unpaid"
    sale.bills(0, paid=True)
    assert sale.stage == "closed"


def test_a_part_is_billed_and_the_rest_was_cancelled(world: World) -> None:
    sale = Sale(world)
    sale.delivers(6)
    sale.picking("cancel")
    sale.bills(6, paid=True)
    assert sale.stage == "closed"


def test_what_customers_are_owed_is_not_what_they_owe(world: World) -> None:
    sale = Sale(world)
    sale.delivers(10)
    sale.bills(10, paid=True)
    world.write(
        "account.move",
        700,
        state="posted",
        move_type="out_refund",
        partner_id=50,
        commercial_partner_id=50,
        company_id=1,
        amount_residual=50,
        payment_state="not_paid",
    )
    world.write("account.move.line", 701, move_id=700, sale_line_ids=[420], partner_id=50, account_id=12)
    assert sale.stage == "closed"
    world.write("account.move", 600, amount_residual=80, payment_state="partial")
    assert sale.stage == "unpaid"
    world.write("account.move", 700, amount_residual=80)
    assert sale.stage == "closed"


def test_what_costs_nothing_needs_no_invoice(world: World) -> None:
    sale = Sale(world)
    sale.delivered = 10
    sale.picking("done")
    sale.say(price_unit=0, price_subtotal=0, price_total=0, amount=0)
    assert sale.stage == "closed"


def test_a_down_payment_is_neither_delivered_nor_credited(world: World) -> None:
    sale = Sale(world, is_service=True)
    world.write(
        "sale.order.line",
        421,
        order_id=42,
        product_uom_qty=0,
        price_unit=300,
        qty_invoiced=1,
        qty_to_invoice=-1,
        is_downpayment=True,
    )
    assert sale.stage == "to_deliver"


class Purchase:
    """A confirmed purchase of one line."""

    def __init__(self, world: World, *, is_service: bool = False) -> None:
        self.world, self.product = world, product(world, 7, is_service=is_service)
        self.method = "manual" if is_service else "stock_moves"

    def say(self, *, received: float = 0, billed: float = 0, to_bill: float = 0, price: float = 10) -> str:
        self.world.write(
            "purchase.order.line",
            430,
            order_id=43,
            product_id=self.product,
            product_qty=10,
            qty_received=received,
            qty_invoiced=billed,
            qty_to_invoice=to_bill,
            price_unit=price,
            price_subtotal=price * 10,
            company_id=1,
            qty_received_method=self.method,
            date_planned="2026-11-10 12:00:00",
        )
        self.world.write(
            "purchase.order",
            43,
            name="P00043",
            state="purchase",
            partner_id=50,
            company_id=1,
            currency_id=1,
            currency_rate=1.0,
            amount_total=price * 10,
            invoice_status="to invoice" if to_bill else "invoiced" if billed else "no",
            date_approve="2026-11-01 12:00:00",
        )
        return Position.objects.get(workflow="procure_to_pay").stage


def test_a_bought_service_is_done_once_it_is_billed(world: World) -> None:
    bought = Purchase(world, is_service=True)
    assert bought.say(to_bill=10) == "late"
    assert bought.say(billed=10) == "closed"


def test_goods_that_are_billed_before_they_come_are_still_to_come(world: World) -> None:
    assert Purchase(world).say(billed=10) == "late"


def test_a_cancelled_receipt_is_not_to_be_billed_whatever_the_policy(world: World) -> None:
    world.write("stock.move", 90, purchase_line_id=430, state="cancel", product_id=7, product_uom_qty=10, company_id=1)
    assert Purchase(world).say(to_bill=10) == "closed"


def test_more_than_was_ordered_and_what_was_sent_back_are_to_be_billed(world: World) -> None:
    bought = Purchase(world)
    assert bought.say(received=12, billed=10, to_bill=2) == "to_bill"
    assert bought.say(received=10, billed=12, to_bill=-2) == "to_bill"
    assert bought.say(received=10, to_bill=10, price=0) == "closed"


def test_a_rebate_that_is_left_alone_is_to_be_credited(world: World) -> None:
    sale = Sale(world, is_service=True, policy="order", ordered=1)
    sale.bills(1, paid=True)
    assert sale.stage == "closed"
    world.write(
        "sale.order.line",
        421,
        order_id=42,
        product_id=sale.product,
        product_uom_qty=1,
        price_unit=-10,
        discount=0,
        qty_delivered=0,
        qty_invoiced=0,
        qty_to_invoice=1,
        qty_delivered_method="manual",
    )
    world.order(42, amount=90, state="sale", invoice_status="to invoice")
    assert sale.stage == "to_credit"

"""Two connections, two companies in one of them, and people who may see one company alone."""

from datetime import timedelta
from typing import Any

import pytest
from django.db.models import Q

from apps.accounts import people
from apps.accounts.access import AccessScope
from apps.accounts.models import Role, User
from apps.core import clock
from apps.core.actor import system
from apps.customers.models import NewDate
from apps.events.models import OutsideEvent
from apps.intake.models import Delivery
from apps.mirror import access_grants
from apps.mirror.models.purchase_order import PurchaseOrder
from apps.mirror.models.sale_order import SaleOrder
from apps.odoo.models import Connection
from apps.outbox.models import Command
from apps.vendors.models import Mail, Proposal, VendorLink
from tests.world import World, person

# In everything of the other company and the other connection, and in nothing else.
MARK = "Zyxquat"
HIDDEN_AMOUNT = 8_765_432
LIMITED = {"olga": Role.OPERATOR, "adam": Role.APPROVER, "mia": Role.MANAGER, "aida": Role.AUDITOR}


class Company:
    """One company's work in a world: an order on hold, a shortage and its purchase, a disputed invoice."""

    def __init__(self, world: World, number: int, *, first: int, mark: str, amount: float) -> None:
        self.world, self.number, self.first, self.mark, self.amount = world, number, first, mark, amount

    def works(self) -> None:
        """All of it happens."""
        world, n, company = self.world, self.first, self.number
        world.write("res.company", company, name=f"{self.mark} Ltd", currency_id=1, partner_id=1)
        with world.at_once():
            world.customer(n, name=f"{self.mark} Customer", credit_limit=5_000)
            world.write("res.partner", n + 1, name=f"{self.mark} Supplier", commercial_partner_id=n + 1, active=True)
            world.write("stock.warehouse", n, name=f"{self.mark} Warehouse", code="WH", company_id=company)
            more: dict[str, Any] = {"company_id": company, "partner": n}
            world.held_order(odoo_id=n, amount=self.amount, name=f"S-{self.mark}", **more)
            world.order(n + 1, amount=self.amount, state="sale", name=f"T-{self.mark}", **more)
            world.write(
                "sale.order.line",
                n,
                order_id=n + 1,
                name=f"{self.mark} Desk",
                product_id=9,
                product_uom_qty=10,
                qty_delivered=7,
                qty_invoiced=10,
                qty_to_invoice=-3,
                price_unit=self.amount / 10,
            )
            world.write(
                "account.move",
                n,
                name=f"INV-{self.mark}",
                state="posted",
                move_type="out_invoice",
                payment_state="not_paid",
                partner_id=n,
                commercial_partner_id=n,
                company_id=company,
                currency_id=1,
                amount_total=self.amount,
                amount_total_signed=self.amount,
                amount_residual=self.amount,
                amount_residual_signed=self.amount,
            )
            world.write(
                "account.move.line",
                n,
                move_id=n,
                sale_line_ids=[n],
                display_type="product",
                currency_id=1,
                quantity=10,
                price_unit=self.amount / 10,
                price_subtotal=self.amount,
                company_id=company,
            )
            world.write(
                "stock.picking",
                n,
                name=f"OUT-{self.mark}",
                state="confirmed",
                sale_id=n + 1,
                company_id=company,
                picking_type_code="outgoing",
                partner_id=n,
            )
            world.write(
                "stock.move",
                n,
                product_id=9,
                product_uom_qty=10,
                quantity=0,
                state="confirmed",
                picking_id=n,
                sale_line_id=n,
                company_id=company,
            )
            world.write(
                "purchase.order",
                n,
                name=f"PO-{self.mark}",
                state="purchase",
                partner_id=n + 1,
                company_id=company,
                currency_id=1,
                currency_rate=1.0,
                amount_total=self.amount,
                amount_untaxed=self.amount,
            )
            world.write(
                "purchase.order.line",
                n,
                order_id=n,
                product_id=9,
                product_qty=10,
                qty_received=0,
                date_planned="2026-11-01 08:00:00",
            )


@pytest.fixture
def main(db: None) -> World:
    """A connection of which everybody in LIMITED may see company 1 alone; it works."""
    for slug in people.TITLES:
        people.team(slug)
    for name, role in LIMITED.items():
        person(name, role, limit=10**9 if role in (Role.APPROVER, Role.MANAGER) else None, team="finance")
    person("anna", Role.ADMIN)
    person("max", Role.MANAGER, limit=10**9, team="finance")
    world = World()
    world.now = clock.now() - timedelta(minutes=10)
    world.write("product.template", 9, name="Desk")
    world.write("product.product", 9, product_tmpl_id=9, active=True)
    access_scope = AccessScope(frozenset({(world.connection.pk, 1)}))
    for user in User.objects.filter(username__in=LIMITED):
        access_grants.grant(user, access_scope, by=system("tests"), now=world.now)
    Company(world, 1, first=1_000, mark="Sichtbar", amount=6_200).works()
    refuse_delivery(world)
    return world


def refuse_delivery(world: World) -> None:
    """A delivery of the connection that nobody could absorb."""
    at = clock.now()
    Delivery.objects.create(
        source="odoo",
        connection=world.connection,
        key="dead",
        model="sale.order",
        odoo_id=2_000,
        status="dead",
        received_at=at,
        not_before=at,
        problem=f"{MARK} could not be absorbed",
    )


def propose(world: World) -> None:
    """The hidden company's vendor has a link, and has proposed another date; its customer is to be told of one."""
    order = PurchaseOrder.objects.get(connection=world.connection, name=f"PO-{MARK}")
    event = OutsideEvent.objects.create(
        connection=world.connection,
        source="vendor-page",
        message="answer",
        position=0,
        kind="order_acknowledged",
        reference=order.name,
        occurred_at=world.now,
        received_at=world.now,
        model="purchase.order",
        odoo_id=order.odoo_id,
        status="matched",
        is_absorbed=True,
    )
    Proposal.objects.create(
        connection=world.connection,
        company_id=order.company_id,
        order_id=order.odoo_id,
        order_name=order.name,
        partner_id=order.partner_id,
        partner_name=f"{MARK} Supplier",
        event=event,
        source="vendor-page",
        # Before the order was found to be late: its vendor owes an answer, and is to be written to.
        said_at=world.now - timedelta(days=1),
        created_at=world.now,
    )
    sold = SaleOrder.objects.get(connection=world.connection, name=f"T-{MARK}")
    NewDate.objects.create(
        connection=world.connection,
        company_id=sold.company_id,
        order_id=sold.odoo_id,
        order_name=sold.name,
        expected_at=world.now + timedelta(days=9),
        decision="exception:1:promise_later:1",
        decided_by=MARK,
        changed_at=world.now,
    )
    Mail.objects.create(
        connection=world.connection,
        company_id=order.company_id,
        model="purchase.order",
        records=[order.odoo_id],
        partner_name=f"{MARK} Supplier",
        recipients=[[MARK, f"{MARK}@supplier.test"]],
        language="en",
        subject=f"{order.name}",
        text=MARK,
        html=MARK,
        decision=f"follow-up:{world.connection.pk}-{order.odoo_id}",
        status="unsure",
        not_before=world.now,
        created_at=world.now,
        created_by=MARK,
    )
    VendorLink.objects.create(
        connection=world.connection,
        company_id=order.company_id,
        partner_id=order.partner_id,
        partner_name=f"{MARK} Supplier",
        created_at=world.now,
        created_by=MARK,
        expires_at=clock.now() + timedelta(days=1),
    )


def hide(main: World) -> World:
    """Company 2 of the connection begins to work, and another connection beside it; that one's world."""
    main.now = clock.now() - timedelta(minutes=9)
    Company(main, 2, first=2_000, mark=MARK, amount=HIDDEN_AMOUNT).works()
    other = World(MARK.lower())
    other.now = clock.now() - timedelta(minutes=9)
    other.write("product.template", 9, name=f"{MARK} Desk")
    other.write("product.product", 9, product_tmpl_id=9, active=True)
    Company(other, 1, first=1_000, mark=MARK, amount=HIDDEN_AMOUNT).works()
    Connection.objects.filter(pk=other.connection.pk).update(
        url=f"http://{MARK}.test", database=MARK, login=MARK, state="failing", problem=f"{MARK} does not answer."
    )
    refuse_delivery(other)
    for world in (main, other):
        # Nobody knows which company's: who sees one company alone is told of none.
        OutsideEvent.objects.create(
            connection=world.connection,
            source="portal",
            message=MARK,
            position=0,
            kind="eta_changed",
            reference=MARK,
            occurred_at=main.now,
            received_at=main.now,
            model="purchase.order",
            status="unmatched",
            text=f"{MARK} is late",
        )
        propose(world)
    of_others = Q(connection=main.connection, company_id=2) | Q(connection=other.connection)
    assert Command.objects.filter(of_others).update(status="dead", title=f"Hold {MARK}", problem=MARK)
    return other


@pytest.fixture
def hidden(main: World) -> World:
    return hide(main)

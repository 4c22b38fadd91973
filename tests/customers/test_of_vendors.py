"""A vendor's date that was accepted, and the customers who wait for it."""

from collections.abc import Callable
from typing import Any

import pytest

from apps.accounts.models import User
from apps.audit.models import Entry
from apps.customers import sending
from apps.customers.models import NewDate
from apps.events.models import OutsideEvent
from apps.exceptions.cases import applying
from apps.exceptions.models import ExceptionCase
from apps.vendors.models import Proposal
from tests.customers.conftest import CUSTOMER, ORDER, all_drafts, only
from tests.trade import LAMP, days, purchase, sale
from tests.world import World

PURCHASE = 80


@pytest.fixture
def accepted(world: World) -> Callable[..., Proposal]:
    """What the vendor proposed for a purchase order was accepted by Olga."""

    def accept(order: int = PURCHASE, **more: Any) -> Proposal:
        event = OutsideEvent.objects.create(
            connection=world.connection,
            source="vendor-page",
            message=f"answer {order} {world.now}",
            position=0,
            kind="eta_changed",
            reference=f"P{order:05}",
            occurred_at=world.now,
            received_at=world.now,
            model="purchase.order",
            odoo_id=order,
            status="matched",
            is_absorbed=True,
        )
        values: dict[str, Any] = {"status": "applied", "round": 1, "decided_at": world.now, "decided_by": "Olga", "lines": [{}]}
        return Proposal.objects.create(
            connection=world.connection,
            company_id=1,
            order_id=order,
            order_name=f"P{order:05}",
            partner_id=60,
            partner_name="Nordic Timber",
            event=event,
            source="vendor-page",
            said_at=world.now,
            created_at=world.now,
            **values | more,
        )

    return accept


def arrives(world: World, expected_in: float, purchase_id: int = PURCHASE) -> None:
    """Odoo has another date on the purchase and on its receipt."""
    with world.at_once():
        world.write("purchase.order.line", purchase_id * 10, date_planned=days(world, expected_in))
        world.write("stock.move", purchase_id * 10, date=days(world, expected_in))


@pytest.fixture
def waiting(world: World) -> World:
    """Ten desks are promised for the day on which they come."""
    sale(world, ORDER, quantity=10, promised_in=3, fed_by=[PURCHASE * 10])
    purchase(world, PURCHASE, quantity=20, expected_in=3)
    return world


def test_who_waits_for_an_accepted_later_date_is_to_be_told(waiting: World, olga: User, accepted: Callable[..., Proposal]) -> None:
    proposal = accepted()
    assert all_drafts() == []
    arrives(waiting, 9)
    draft = only()
    (told,) = draft.told
    assert (draft.customer.odoo_id, told.day.isoformat(), told.days_later) == (CUSTOMER, "2026-12-02", 6)
    assert (told.new_date.decision, told.new_date.decided_by, told.new_date.purchase_ids) == (
        proposal.decision,
        "Olga",
        [PURCHASE],
    )
    sending.send_all({draft.key: draft.version}, by=olga, now=waiting.now)
    entry = Entry.objects.get(action="customer.told", subject=f"record:main:purchase.order:{PURCHASE}")
    assert "S00042" in entry.data["reason"]
    waiting.write("purchase.order", PURCHASE, name="P00080")
    assert all_drafts() == []
    waiting.advance(days=1)
    accepted()
    arrives(waiting, 11)
    assert only().told[0].days_later == 3  # against what the customer was told


def test_a_purchase_that_moves_without_a_vendors_accepted_word_drafts_nothing(
    waiting: World, accepted: Callable[..., Proposal]
) -> None:
    arrives(waiting, 9)
    assert all_drafts() == []
    accepted(status="pushed_back")
    arrives(waiting, 10)
    assert all_drafts() == []
    Proposal.objects.update(status="applied", decided_at=waiting.now, lines=[])
    arrives(waiting, 11)
    assert all_drafts() == []  # it came as ordered


def test_a_draft_ends_with_the_delay_and_becomes_the_promise_where_that_is_moved(
    waiting: World, accepted: Callable[..., Proposal]
) -> None:
    accepted()
    arrives(waiting, 9)
    waiting.write("sale.order", ORDER, commitment_date=days(waiting, 10))
    assert only().told[0].days_later == 7
    waiting.write("sale.order", ORDER, commitment_date=days(waiting, 3))
    assert only().told[0].days_later == 6
    arrives(waiting, 2)
    assert all_drafts() == [] and NewDate.objects.get().status == "withdrawn"


def test_a_vendors_later_date_after_a_promise_that_was_told_is_told_against_that_promise(
    waiting: World, olga: User, accepted: Callable[..., Proposal]
) -> None:
    arrives(waiting, 8)
    case = ExceptionCase.objects.get(type="purchase.supplier_delay", odoo_id=PURCHASE)
    applying.apply(case.pk, action="promise_later", option=str(ORDER), by=olga, now=waiting.now)
    waiting.write("sale.order", ORDER, commitment_date=days(waiting, 8))
    draft = only()
    sending.send_all({draft.key: draft.version}, by=olga, now=waiting.now)
    accepted()
    arrives(waiting, 12)
    (told,) = only().told
    assert (told.known_day, told.days_later, told.new_date.purchase_ids) == (draft.told[0].day, 4, [PURCHASE])
    sending.dismiss(only().key, only().version, by=olga, now=waiting.now)
    arrives(waiting, 12)
    assert all_drafts() == []
    arrives(waiting, 13)
    assert only().told[0].days_later == 5  # against what the customer was told; of the day that was dismissed it knows nothing


def test_a_part_that_comes_later_is_told_as_a_part(waiting: World, accepted: Callable[..., Proposal]) -> None:
    accepted()
    line = {"order_id": ORDER, "product_id": LAMP, "product_uom_qty": 4, "company_id": 1, "price_subtotal": 40, "name": "Lamp"}
    waiting.write("sale.order.line", 421, **line)
    move = {"product_id": LAMP, "sale_line_id": 421, "picking_id": ORDER, "product_uom_qty": 4, "quantity": 4, "company_id": 1}
    waiting.write("stock.move", 421, state="assigned", date_deadline=days(waiting, 3), **move)
    arrives(waiting, 9)
    draft = only()
    assert draft.told[0].new_date.parts == "Oak desk"
    assert "S00042, teilweise (Oak desk): Lieferung am 2. Dezember 2026 statt 26. November 2026" in draft.preview[1]

"""An order that a decision of the tower promised for later, and one who may tell its customer."""

import pytest

from apps.accounts.access import EVERYTHING
from apps.accounts.models import Role, User
from apps.core import clock
from apps.customers import drafts
from apps.customers.drafts import Draft
from apps.exceptions.cases import applying
from apps.exceptions.models import ExceptionCase
from apps.outbox.models import Command
from tests.trade import days, larger_company, purchase, sale
from tests.world import World, person

ORDER, CUSTOMER = 42, 50


@pytest.fixture
def world(db: None, monkeypatch: pytest.MonkeyPatch) -> World:
    made = larger_company()
    monkeypatch.setattr(clock, "now", lambda: made.now)
    made.write("res.partner", CUSTOMER, email="orders@azure.test", lang="de_DE")
    return made


@pytest.fixture
def olga(world: World) -> User:
    return person("olga", Role.OPERATOR, team="sales")


def decided_later(world: World, by: User, order: int = ORDER, *, purchase_id: int = 80, **more: int) -> None:
    """The order is late by its purchase, and the suggested action promises it for five days later; Odoo is still to be told."""
    sale(world, order, quantity=10, promised_in=3, fed_by=[purchase_id * 10], **more)
    purchase(world, purchase_id, quantity=20, expected_in=8)
    world.write("stock.move", purchase_id * 10, location_dest_id=8)
    case = ExceptionCase.objects.get(type="purchase.supplier_delay", odoo_id=purchase_id)
    applying.apply(case.pk, action="promise_later", option=str(order), by=by, now=world.now)


def promised_later(world: World, by: User, order: int = ORDER, *, purchase_id: int = 80, **more: int) -> None:
    """The same, and Odoo has done it."""
    decided_later(world, by, order, purchase_id=purchase_id, **more)
    Command.objects.filter(model="sale.order", odoo_id=order, method="write").update(status="done")
    world.write("sale.order", order, commitment_date=days(world, 8))


def all_drafts() -> list[Draft]:
    return drafts.drafts(EVERYTHING)


def only() -> Draft:
    (draft,) = all_drafts()
    return draft

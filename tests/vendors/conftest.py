"""A vendor with two open purchase orders, and a link to its page."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import Role, User
from apps.core import clock
from apps.pipeline import batch
from apps.vendors.links import moves, tokens
from apps.vendors.models import VendorLink
from tests.world import World, odoo_time, person

VENDOR, CONTACT, ORDER, LINE = 60, 61, 80, 800


def buy(world: World, order: int = ORDER, *, lines: int = 2, days: int = 5, **more: Any) -> None:
    """A purchase order: ten desks a line, promised for the same day."""
    values = {
        "name": f"P{order:05}",
        "state": "purchase",
        "partner_id": CONTACT,
        "user_id": 7,
        "company_id": 1,
        "currency_id": 1,
        "currency_rate": 1.0,
        "amount_total": 2_300.0,
        "invoice_status": "no",
        "acknowledged": False,
        "date_order": odoo_time(world.now),
        "date_approve": odoo_time(world.now),
    }
    with world.at_once():
        world.write("purchase.order", order, **values | more)
        for number in range(lines):
            world.write(
                "purchase.order.line",
                order * 10 + number,
                order_id=order,
                name=f"Desk {number}",
                product_id=30,
                product_qty=10,
                price_subtotal=1_000,
                qty_received=0,
                company_id=more.get("company_id", 1),
                date_planned=odoo_time(world.now + timedelta(days=days)),
            )


@pytest.fixture
def world(db: None, monkeypatch: pytest.MonkeyPatch) -> World:
    made = World()
    monkeypatch.setattr(clock, "now", lambda: made.now)
    with made.at_once():
        made.write("product.template", 30, name="Desk")
        made.write("product.product", 30, product_tmpl_id=30, active=True)
        made.write("res.partner", VENDOR, name="Nordic Timber", commercial_partner_id=VENDOR, active=True, lang="de_DE")
        made.write("res.partner", CONTACT, name="Nordic Timber, Sales", commercial_partner_id=VENDOR, active=True)
    buy(made)
    return made


@pytest.fixture
def olga(world: World) -> User:
    return person("olga", Role.OPERATOR, team="purchasing")


@pytest.fixture
def link(world: World, olga: User) -> VendorLink:
    made = moves.create(world.connection, ORDER, by=olga, now=world.now)
    # What the page says is read in English by these tests; that it speaks the vendor's language is a test of its own.
    VendorLink.objects.filter(pk=made.pk).update(language="")
    made.refresh_from_db()
    return made


class Vendor:
    """Somebody who has the link, and a browser that knows nobody."""

    def __init__(self, link: VendorLink, world: World) -> None:
        self.client, self.token, self.world = Client(enforce_csrf_checks=True), tokens.token_of(link), world

    def path(self, order: int = 0) -> str:
        return f"/vendor/{self.token}/" + (f"orders/{order}/" if order else "")

    def opens(self, order: int = ORDER, page: int = 1) -> str:
        answer = self.client.get(self.path(order) + f"?page={page}")
        assert answer.status_code == 200, answer.content
        return str(answer.content.decode())

    def form(self, order: int = ORDER) -> str:
        found = re.search(r'name="form" value="([^"]+)"', self.opens(order))
        assert found
        return found[1]

    def sends(self, order: int = ORDER, *, page: int = 1, form: str = "", **fields: Any) -> Any:
        """Opens the order, fills in what is given (``says_800`` is the field ``says-800``), and sends it."""
        named = {name.replace("_", "-"): value for name, value in fields.items()}
        sent = {"form": form or self.form(order), "do": "lines", **named}
        return self.client.post(self.path(order) + f"?page={page}", sent)

    def answers(self, order: int = ORDER, **fields: Any) -> None:
        """As :meth:`sends`, and the tower works it off."""
        answer = self.sends(order, **fields)
        assert answer.status_code == 200, answer.content.decode()
        worked_off(self.world)


def worked_off(world: World) -> None:
    """The deliveries that wait are taken all the way."""
    while batch.process(clock=lambda: world.now):
        pass


@pytest.fixture
def vendor(link: VendorLink, world: World) -> Vendor:
    return Vendor(link, world)


type Sends = Callable[..., Any]

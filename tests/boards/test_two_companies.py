"""Two companies of one Odoo: their orders with each other know each other, and their exceptions are told apart."""

import pytest
from django.test import Client

from apps.accounts.access import EVERYTHING, AccessScope
from apps.accounts.models import Role, Team, User
from apps.exceptions.models import ExceptionCase
from apps.workflows.intercompany import counterparts_of
from tests.api.callers import caller
from tests.world import World, odoo_time, person


@pytest.fixture
def two(db: None) -> World:
    for slug in ["finance", "sales", "warehouse", "purchasing"]:
        Team.objects.get_or_create(slug=slug, defaults={"name": slug.title()})
    person("olga", Role.OPERATOR, team="finance")
    person("adam", Role.APPROVER, limit=50_000, team="finance")
    world = World()
    for partner, name in ((1, "Nordlicht"), (2, "Nordlicht France"), (3, "Nordlicht Italia")):
        world.write("res.partner", partner, name=name, commercial_partner_id=partner, active=True)
        world.write("res.company", partner, name=name, currency_id=1, partner_id=partner)
    return world


def sells(world: World, order: int, *, to: int = 2, company: int = 1, product: int = 7, quantity: float = 5, **more: str) -> None:
    world.write("sale.order.line", order * 10, order_id=order, product_id=product, product_uom_qty=quantity, company_id=company)
    world.order(order, partner=to, state="sale", company_id=company, amount=100, **more)


def buys(world: World, order: int, *, of: int = 1, company: int = 2, product: int = 7, quantity: float = 5, **more: str) -> None:
    world.write("purchase.order.line", order * 10, order_id=order, product_id=product, product_qty=quantity, company_id=company)
    values = {
        "name": f"P{order:05}",
        "state": "purchase",
        "partner_id": of,
        "company_id": company,
        "currency_id": 1,
        "currency_rate": 1.0,
        "amount_total": 100,
        "date_approve": odoo_time(world.now),
    }
    world.write("purchase.order", order, **values | more)


def known(world: World, model: str, order: int) -> list[tuple[str, bool]]:
    return [(other.name, other.is_named) for other in counterparts_of(world.connection.pk, model, order)]


@pytest.mark.parametrize(
    ("sale", "purchase"),
    [({"client_order_ref": "P00043"}, {}), ({"origin": "p 43"}, {}), ({}, {"partner_ref": "S00042"}), ({}, {"origin": "s42"})],
)
def test_orders_that_name_each_other_belong_together(two: World, sale: dict[str, str], purchase: dict[str, str]) -> None:
    sells(two, 42, quantity=5, **sale)
    buys(two, 43, quantity=4, **purchase)
    buys(two, 44, quantity=5)
    assert known(two, "sale.order", 42) == [("P00043", True)]
    assert ("S00042", True) in known(two, "purchase.order", 43)


def test_without_a_reference_the_same_goods_at_the_same_time_do(two: World) -> None:
    sells(two, 42)
    buys(two, 43)
    buys(two, 44, quantity=6)
    buys(two, 45, product=8)
    two.advance(days=40)
    buys(two, 46)
    assert known(two, "sale.order", 42) == [("P00043", False)]


def test_what_is_sold_to_somebody_else_or_bought_by_another_company_is_no_counterpart(two: World) -> None:
    sells(two, 42, client_order_ref="P00043")
    buys(two, 43, company=3)
    sells(two, 52, to=50, client_order_ref="P00053")
    buys(two, 53, quantity=6)
    assert known(two, "sale.order", 42) == known(two, "sale.order", 52) == []


def test_the_other_order_stands_on_the_page_for_who_may_see_both(two: World) -> None:
    sells(two, 42, client_order_ref="P00043")
    buys(two, 43)
    client = Client()
    client.force_login(User.objects.get(username="olga"))
    page = client.get("/records/main/sale.order/42/").content.decode()
    assert "P00043" in page.replace("client_order_ref", "") and "Nordlicht France" in page
    blind = person("bea", Role.OPERATOR)
    blind.sees = [f"{two.connection.pk}:1"]
    blind.save()
    client.force_login(blind)
    assert "/records/main/purchase.order/43/" not in client.get("/records/main/sale.order/42/").content.decode()


def test_two_companies_exceptions_are_told_apart(two: World) -> None:
    two.held_order(odoo_id=42, company_id=1)
    two.held_order(odoo_id=43, company_id=2)
    told = {row["record"]["odoo_id"]: row["company"] for row in caller("olga", "read").get("exceptions/").json()["results"]}
    assert told[42] == "Nordlicht"
    client = Client()
    client.force_login(User.objects.get(username="olga"))
    assert "Nordlicht" in client.get(f"/exceptions/{ExceptionCase.objects.filter(odoo_id=42).get().pk}/").content.decode()
    assert "Nordlicht" in ExceptionCase.objects.filter(odoo_id=42).get().about(EVERYTHING)


def test_one_company_is_not_named(db: None) -> None:
    Team.objects.get_or_create(slug="finance", defaults={"name": "Finance"})
    person("olga", Role.OPERATOR, team="finance")
    world = World()
    world.write("res.company", 1, name="Nordlicht", currency_id=1, partner_id=1)
    world.held_order()
    assert "Nord" not in ExceptionCase.objects.get().about(EVERYTHING)
    assert caller("olga", "read").get("exceptions/").json()["results"][0]["company"] == ""


def test_a_company_is_not_named_to_who_sees_no_other(two: World) -> None:
    two.held_order(odoo_id=42, company_id=1)
    User.objects.filter(username="olga").update(sees=[f"{two.connection.pk}:1"])
    assert caller("olga", "read").get("exceptions/").json()["results"][0]["company"] == ""
    assert "Nord" not in ExceptionCase.objects.get().about(AccessScope(frozenset({(two.connection.pk, 1)})))

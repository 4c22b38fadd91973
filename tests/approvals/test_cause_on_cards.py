"""A card of the inbox, and the page of a request, name what holds up the record and others."""

from django.test import Client

from apps.accounts.models import User
from apps.approvals.models import Request
from apps.exceptions.models import CauseGroup
from tests.world import World


def held(world: World, *orders: int) -> None:
    with world.at_once():
        for order in orders:
            world.order(order, amount=6_200 + order)
            world.ask(order, ask_id=900 + order)
            world.write("sale.order", order, x_ct_hold="credit_override")


def test_the_cards_of_one_customers_held_orders_name_the_customer(world: World, client: Client) -> None:
    held(world, 70, 71)
    group = CauseGroup.objects.get(kind="customer_credit", odoo_id=50)
    client.force_login(User.objects.get(username="adam"))
    inbox = client.get("/approvals/").content.decode()
    link = f'href="/exceptions/causes/{group.pk}/"'
    assert inbox.count(link) == 2
    assert "Azure Interior: 2 exceptions" in inbox
    request = Request.objects.get(odoo_id=70)
    assert link in client.get(f"/approvals/{request.pk}/").content.decode()


def test_a_held_order_that_stands_alone_names_none(world: World, client: Client) -> None:
    held(world, 70)
    client.force_login(User.objects.get(username="adam"))
    assert "/exceptions/causes/" not in client.get("/approvals/").content.decode()

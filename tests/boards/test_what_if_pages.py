"""A purchase order's page asks what a change would do; the answer is a part of it, in words, figures and a drawing."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from plotly import graph_objects as go

from apps.accounts.models import User
from apps.boards.analytics import plots
from apps.core import clock
from apps.exceptions.models import ExceptionCase
from apps.workflows import changes, what_if
from tests import trade
from tests.world import World

FRAGMENT = {"X-Fragment": "1"}
ADDRESS = "/records/main/purchase.order/80/what-if/"


@pytest.fixture
def waiting(world: World) -> World:
    """Two orders wait for a purchase, as of today: pages go by the clock."""
    world.now = clock.now().replace(microsecond=0)
    for product, name in ((trade.DESK, "Oak desk"), (trade.LAMP, "Lamp")):
        world.write("product.template", product * 10, name=name)
        world.write("product.product", product, product_tmpl_id=product * 10)
    world.write("res.partner", 60, name="Nordic Timber", commercial_partner_id=60)
    trade.purchase(world, quantity=20, expected_in=5)
    trade.sale(world, 42, quantity=10, promised_in=6)
    trade.sale(world, 43, quantity=8, promised_in=20)
    return world


@pytest.fixture
def olga(waiting: World, client: Client) -> Client:
    client.force_login(User.objects.get(username="olga"))
    return client


def day(world: World, days: float) -> str:
    return (world.now + timedelta(days=days)).date().isoformat()


def test_the_page_of_an_order_has_a_form_for_each_open_line(olga: Client, waiting: World) -> None:
    page = olga.get("/records/main/purchase.order/80/").content.decode()
    assert f'action="{ADDRESS}"' in page
    assert re.search(rf'name="date" type="date" value="{day(waiting, 5)}"', page)
    waiting.write("purchase.order.line", 800, qty_received=20)
    assert "what-if-form" not in olga.get("/records/main/purchase.order/80/").content.decode()
    assert "what-if-form" not in olga.get("/records/main/sale.order/42/").content.decode()


def test_the_answer_says_who_waits_longer_and_draws_the_stock(olga: Client, waiting: World) -> None:
    asked = {"line": "800", "date": day(waiting, 12), "quantity": "20"}
    said = olga.get(ADDRESS, asked, headers=FRAGMENT).content.decode()
    assert "<html" not in said
    assert "2 sales orders change: 1 promise comes to be at risk" in said
    assert "newly at risk" in said and "S00042" in said and "+7" in said
    assert said.count("<ct-chart") == 1 and 'id="curve-800-0"' in said
    whole = olga.get(ADDRESS, asked).content.decode()
    assert "<html" in whole and "2 sales orders change" in whole


def test_what_cannot_be_is_said_and_what_reaches_nobody_too(olga: Client, waiting: World) -> None:
    def said(**asked: str) -> str:
        return olga.get(ADDRESS, {"line": "800", **asked}, headers=FRAGMENT).content.decode()

    assert "Choose another date or quantity" in said(date=day(waiting, 5), quantity="20.0")
    assert "is no date" in said(date="soon")
    assert "is no quantity" in said(quantity="many")
    assert "at least 0" in said(quantity="-3")
    assert "No impact" in said(quantity="19")
    assert "2 orders come to be short" in said(cancel="1")
    assert olga.get(ADDRESS, {"line": "7"}).status_code == 404


def test_who_may_not_see_the_order_gets_none(olga: Client, waiting: World) -> None:
    User.objects.filter(username="olga").update(sees=[f"{waiting.connection.pk}:2"])
    assert olga.get(ADDRESS, {"line": "800", "cancel": "1"}).status_code == 404


def test_the_drawing_holds_the_figures(waiting: World) -> None:
    from apps.accounts import access

    shown = what_if.preview(
        waiting.connection.pk, [changes.CancelledLine(line_id=800)], now=waiting.now, access_scope=access.EVERYTHING
    )
    (curve,) = shown.curves
    figure = plots.projected_stock(curve)
    go.Figure(figure)
    planned, changed = figure["data"]
    assert list(planned["y"]) == [float(left) for left in curve.before]
    assert list(changed["y"]) == [float(left) for left in curve.after]
    assert (changed["y"][-1], planned["y"][-1]) == (-18, 2)
    assert planned["x"] == changed["x"] == [one.isoformat() for one in curve.days]


def test_a_suggested_action_says_its_effect_before_it_is_applied(olga: Client, waiting: World) -> None:
    waiting.write("purchase.order.line", 800, date_planned=trade.days(waiting, 9))
    case = ExceptionCase.objects.get(type="order.promise_at_risk", odoo_id=42)
    page = olga.get(f"/exceptions/{case.pk}/").content.decode()
    address = f"/exceptions/{case.pk}/effect/?action=promise_later&amp;option=42"
    assert address in page
    said = olga.get(address.replace("&amp;", "&")).content.decode()
    assert "1 promise can be kept again" in said
    assert olga.get(f"/exceptions/{case.pk}/effect/?action=none&option=42").content.strip() == b""

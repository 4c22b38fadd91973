"""Days as a real Odoo's company counts them, sums in another currency, and two companies that trade with each other."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection as database

from apps.core import clock
from apps.workflows.intercompany import counterparts_of
from apps.workflows.models import Position
from tests.odoo.shop import Shop, in_days

pytestmark = pytest.mark.odoo
# Wherever the sun stands: in one of the two the day is another one than in UTC, or about to be.
ZONES = ["Pacific/Auckland", "America/Los_Angeles"]


def zone_of(shop: Shop) -> str:
    with database.cursor() as cursor:
        cursor.execute("SELECT company_zone(%s, 1)", [shop.connection.pk])
        return cursor.fetchone()[0]


@pytest.mark.parametrize("zone", ZONES)
def test_due_today_is_not_late_today_and_a_quotation_expires_with_the_companys_day(shop: Shop, zone: str) -> None:
    (company,) = shop.odoo.read("res.company", [1], ["partner_id"])
    partner = company["partner_id"]
    before = shop.odoo.read("res.partner", [partner], ["tz"])[0]["tz"]
    today = clock.now().astimezone(ZoneInfo(zone)).date()
    noon = datetime(today.year, today.month, today.day, 12, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    try:
        shop.odoo.write("res.partner", [partner], {"tz": zone})
        order, line = shop.buy(5)
        quotations = {
            days: shop.make("sale.order", {"partner_id": shop.customer, "validity_date": str(today + timedelta(days=days))})
            for days in (-1, 0)
        }
        for planned, stages in ((noon, {"on_time", "unacknowledged"}), (noon - timedelta(days=1), {"late"})):
            shop.odoo.write("purchase.order.line", [line], {"date_planned": planned.strftime("%Y-%m-%d %H:%M:%S")})
            shop.look()
            assert zone_of(shop) == zone
            assert Position.objects.get(workflow="procure_to_pay", odoo_id=order).stage in stages
        assert {days: Position.objects.get(workflow="order_to_cash", odoo_id=one).stage for days, one in quotations.items()} == {
            -1: "expired",
            0: "quotation",
        }
    finally:
        shop.odoo.write("res.partner", [partner], {"tz": before})
        shop.look()
    with_calendar = shop.odoo.read("res.company", [1], ["resource_calendar_id"])[0]["resource_calendar_id"]
    calendar = shop.odoo.read("resource.calendar", [with_calendar], ["tz"])[0]["tz"] if with_calendar else "UTC"
    assert zone_of(shop) == (before or calendar)


def test_a_date_that_means_never_is_no_date(shop: Shop) -> None:
    order, line = shop.buy(5)
    shop.odoo.write("purchase.order.line", [line], {"date_planned": "9999-12-31 00:00:00"})
    sale = shop.sell(1)
    shop.odoo.write("sale.order", [sale], {"commitment_date": "9999-12-31 00:00:00"})
    shop.look()
    assert Position.objects.get(workflow="procure_to_pay", odoo_id=order).stage in {"on_time", "unacknowledged"}
    assert not {"order.promise_at_risk"} & set(shop.cases("sale.order", sale))


def test_what_one_company_sells_the_other_buys(shop: Shop) -> None:
    companies = shop.odoo.search_read("res.company", [], ["partner_id"], order="id")
    receives = shop.odoo.search_read("stock.picking.type", [("code", "=", "incoming")], ["company_id"], order="id")
    where = {row["company_id"]: row["id"] for row in receives}
    others = [company for company in companies[1:] if company["id"] in where]
    if not others:
        pytest.skip("this Odoo has no second company that receives goods")
    ours, theirs = companies[0], others[0]
    sale = shop.sell(3, partner_id=theirs["partner_id"])
    name = shop.odoo.read("sale.order", [sale], ["name"])[0]["name"]
    line = {"product_id": shop.product, "product_qty": 3, "price_unit": 100, "date_planned": in_days(3)}
    purchase = shop.odoo.call(
        "purchase.order",
        "create",
        vals_list=[
            {
                "partner_id": ours["partner_id"],
                "company_id": theirs["id"],
                "partner_ref": name.lower(),
                "picking_type_id": where[theirs["id"]],
                "order_line": [(0, 0, line)],
            }
        ],
        context={"allowed_company_ids": [theirs["id"], ours["id"]]},
    )
    purchase = purchase[0] if isinstance(purchase, list) else purchase
    shop.look()
    assert [(one.odoo_id, one.is_named) for one in counterparts_of(shop.connection.pk, "sale.order", sale)] == [(purchase, True)]
    assert [one.odoo_id for one in counterparts_of(shop.connection.pk, "purchase.order", purchase)] == [sale]

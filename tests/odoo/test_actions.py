"""What a person applies to an exception is carried out in a real Odoo, and ends the exception by itself."""

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest

from apps.accounts.models import Role, Team, User
from apps.core import clock
from apps.core.actor import system
from apps.events import moves as events
from apps.exceptions.cases import actions, applying
from apps.exceptions.models import ExceptionCase, Status
from apps.intake.models import EVENT, Delivery
from apps.outbox.models import Command
from apps.pipeline import batch
from tests.odoo.calls import carried_out
from tests.odoo.shop import Shop, in_days
from tests.odoo.test_what_remains import bill, bring_back, deliver
from tests.world import person

pytestmark = [pytest.mark.odoo, pytest.mark.django_db(transaction=True)]

SHORT, DELAY, PROMISE = "fulfilment.pick_shortage", "purchase.supplier_delay", "order.promise_at_risk"


@pytest.fixture(autouse=True)
def drafts_go(shop: Shop) -> Iterator[None]:
    """What an action drafted is taken away again: it would meet the next test's products."""
    person("olga", Role.OPERATOR)
    yield
    for model, cancel in (("stock.picking", "action_cancel"), ("purchase.order", "button_cancel")):
        made = [("origin", "like", "%"), ("create_uid", "=", shop.odoo.uid), ("state", "in", ["draft", "confirmed", "assigned"])]
        drafts = shop.odoo.search(model, [*made, ("create_date", ">=", shop.began)])
        if drafts:
            shop.odoo.call(model, cancel, drafts)


def apply(shop: Shop, case: ExceptionCase, action: str, option: str = "") -> None:
    """Olga chooses; ``option`` where there may be several, or its beginning. Then the outbox and the next poll."""
    offer = next(one for one in actions.offered(case, now=clock.now()) if one.action.name == action)
    (chosen,) = [one for one in offer.options if one.key.startswith(option)]
    applying.apply(
        case.pk, action=action, option=chosen.key, is_confirmed=True, by=User.objects.get(username="olga"), now=clock.now()
    )
    carried_out()
    shop.look()


def test_what_is_short_comes_from_another_warehouse_or_as_another_product(shop: Shop) -> None:
    here, annex = shop.shelves()
    category = shop.make("product.category", {"name": "Tower test furniture"})
    shop.odoo.write("product.product", [shop.product], {"categ_id": category})
    bench = shop.storable(name="Tower test bench", list_price=105, categ_id=category)
    lamp = shop.storable(name="Tower test lamp")
    shop.lay_in(shop.product, 4, here)
    shop.lay_in(bench, 20, here)
    shop.lay_in(lamp, 8, annex)
    line = {"product_id": shop.product, "product_uom_qty": 10, "price_unit": 100, "discount": 5}
    other = {"product_id": lamp, "product_uom_qty": 5, "price_unit": 100}
    order = shop.make("sale.order", {"partner_id": shop.customer, "order_line": [(0, 0, line), (0, 0, other)]})
    shop.odoo.call("sale.order", "action_confirm", [order])
    (delivery,) = shop.odoo.search("stock.picking", [("sale_id", "=", order)])
    case = shop.cases("stock.picking", delivery)[SHORT]
    assert case.evidence["missing_quantity"] == "11"

    # Six desks are replaced by benches: on the order, so that delivery and invoice follow, at the price agreed.
    (short,) = shop.odoo.search("stock.move", [("picking_id", "=", delivery), ("product_id", "=", shop.product)])
    apply(shop, case, "substitute", f"{short}-{bench}")
    lines = shop.odoo.search_read(
        "sale.order.line", [("order_id", "=", order)], ["product_id", "product_uom_qty", "price_unit", "discount"]
    )
    assert {one["product_id"]: (one["product_uom_qty"], one["price_unit"], one["discount"]) for one in lines} == {
        shop.product: (4, 100, 5),
        bench: (6, 100, 5),
        lamp: (5, 100, 0),
    }
    assert shop.cases("stock.picking", delivery)[SHORT].evidence["missing_quantity"] == "5"

    # Five lamps are fetched from the annex: the transfer is drafted, its pickers do it, and the delivery is reserved.
    apply(shop, case, "move_stock", f"{lamp}-")
    name = shop.odoo.read("stock.picking", [delivery], ["name"])[0]["name"]
    (fetch,) = shop.odoo.search("stock.picking", [("origin", "=", name), ("picking_type_code", "=", "internal")])
    (kind,) = shop.odoo.search_read("stock.picking", [("id", "=", fetch)], ["picking_type_id"])
    (source,) = shop.odoo.read("stock.location", [annex], ["warehouse_id"])
    (own,) = shop.odoo.read("stock.warehouse", [source["warehouse_id"]], ["int_type_id"])
    assert kind["picking_type_id"] == own["int_type_id"]
    shop.odoo.call("stock.picking", "action_confirm", [fetch])
    shop.odoo.call("stock.picking", "button_validate", [fetch], context={"skip_backorder": True})
    assert shop.odoo.read("stock.picking", [fetch], ["state"])[0]["state"] == "done"
    if SHORT in shop.cases("stock.picking", delivery):
        apply(shop, case, "reserve_again", "now")
    states = shop.odoo.search_read("stock.move", [("picking_id", "=", delivery)], ["product_id", "quantity", "state"])
    assert {one["product_id"]: (one["quantity"], one["state"]) for one in states} == {
        shop.product: (4, "assigned"),
        bench: (6, "assigned"),
        lamp: (5, "assigned"),
    }
    case.refresh_from_db()
    assert case.status == Status.RESOLVED


def test_a_vendors_new_date_reschedules_its_receipt_moves_the_promise_and_is_bought_elsewhere(shop: Shop) -> None:
    order = shop.sell(10, promised_in=6)
    purchase, line = shop.buy(12, expected_in=3)
    other = shop.make("res.partner", {"name": "Tower test second vendor"})
    template = shop.odoo.read("product.product", [shop.product], ["product_tmpl_id"])[0]["product_tmpl_id"]
    shop.make("product.supplierinfo", {"partner_id": other, "product_tmpl_id": template, "price": 66, "delay": 4})
    assert DELAY not in shop.cases("purchase.order", purchase)

    events.add_source("portal", adapter="supplier_portal", connection="real", by=system("tests"), now=clock.now())
    new_date = clock.now() + timedelta(days=13)
    name = shop.odoo.read("purchase.order", [purchase], ["name"])[0]["name"]
    says = {
        "type": "order.date_changed",
        "timestamp": clock.now().isoformat(),
        "data": {"purchase_order": name, "supplier": "Tower test vendor", "new_date": new_date.date().isoformat()},
    }
    Delivery.objects.create(
        source="portal",
        connection=shop.connection,
        key="m1",
        model=EVENT,
        odoo_id=0,
        body=json.dumps(says),
        received_at=clock.now(),
        not_before=clock.now(),
    )
    while batch.process(clock=clock.now):
        pass
    case = shop.cases("purchase.order", purchase)[DELAY]
    assert case.evidence["said_by"] == "portal"

    apply(shop, case, "reschedule")
    planned = shop.odoo.read("purchase.order.line", [line], ["date_planned"])[0]["date_planned"]
    (receipt,) = shop.odoo.search_read("stock.picking", [("purchase_id", "=", purchase)], ["scheduled_date"])
    assert (planned[:10], receipt["scheduled_date"][:10]) == (in_days(13)[:10], in_days(13)[:10])
    assert PROMISE in shop.cases("sale.order", order)

    apply(shop, case, "buy_elsewhere", f"{shop.product}-{other}")
    (draft,) = shop.odoo.search_read("purchase.order", [("partner_id", "=", other)], ["state", "origin", "order_line", "note"])
    (ordered,) = shop.odoo.read("purchase.order.line", draft["order_line"], ["product_id", "product_qty", "price_unit"])
    assert (draft["state"], draft["origin"]) == ("draft", name)
    assert (ordered["product_id"], ordered["product_qty"], ordered["price_unit"]) == (shop.product, 12, 66)
    made = Command.objects.get(method="create", model="purchase.order")
    # The command's mark is there, and nobody reads it.
    assert f"ct-{made.pk}" in draft["note"] and "[CT" not in draft["note"]

    apply(shop, case, "promise_later", str(order))
    promised = shop.odoo.read("sale.order", [order], ["commitment_date"])[0]["commitment_date"]
    assert promised[:10] == in_days(13)[:10]
    assert PROMISE not in shop.cases("sale.order", order)
    case.refresh_from_db()
    assert case.status == Status.RESOLVED


def test_a_request_for_quotation_has_the_vendors_terms_and_comes_to_the_warehouse_that_is_short(shop: Shop) -> None:
    """As when a buyer picks the vendor on the form: terms, taxes, buyer; in the currency of the price; where it is needed."""
    odoo, company = shop.odoo, shop.odoo.read("res.users", [shop.odoo.uid], ["company_id"])[0]["company_id"]
    number = f"{clock.now():%H%M%S}"
    hall = shop.make("stock.warehouse", {"name": f"Tower test hall {number}", "code": number[1:], "company_id": company})
    both = odoo.search("res.currency", [("name", "in", ["USD", "EUR"])], context={"active_test": False})
    (company_currency,) = (row["currency_id"] for row in odoo.read("res.company", [company], ["currency_id"]))
    foreign = next(one for one in both if one != company_currency)
    odoo.write("res.currency", [foreign], {"active": True})
    (tax,) = odoo.search("account.tax", [("type_tax_use", "=", "purchase"), ("company_id", "=", company)], limit=1)
    free = shop.make("account.fiscal.position", {"name": "Tower test, no tax", "company_id": company})
    buyer = shop.make("res.users", {"name": "Tower test buyer", "login": f"tower-buyer-{number}"})
    terms = odoo.search("account.payment.term", [], limit=1)[0]
    of_vendor = {"property_supplier_payment_term_id": terms, "property_account_position_id": free, "buyer_id": buyer}
    vendor = shop.make("res.partner", {"name": "Tower test vendor abroad", **of_vendor})
    product = shop.storable(supplier_taxes_id=[(6, 0, [tax])], seller_ids=[])
    template = odoo.read("product.product", [product], ["product_tmpl_id"])[0]["product_tmpl_id"]
    offer = {"partner_id": vendor, "product_tmpl_id": template, "price": 66, "delay": 4, "currency_id": foreign, "discount": 10}
    shop.make("product.supplierinfo", offer)
    order = shop.sell(5, promised_in=9, product=product, warehouse_id=hall)

    apply(shop, shop.cases("sale.order", order)["order.stock_shortage"], "buy_elsewhere", f"{product}-{vendor}")
    fields = ["picking_type_id", "payment_term_id", "fiscal_position_id", "user_id", "currency_id", "order_line", "amount_total"]
    (draft,) = odoo.search_read("purchase.order", [("partner_id", "=", vendor)], fields)
    (into,) = odoo.read("stock.picking.type", [draft["picking_type_id"]], ["warehouse_id", "code"])
    assert (into["warehouse_id"], into["code"]) == (hall, "incoming")
    assert (draft["payment_term_id"], draft["fiscal_position_id"], draft["user_id"]) == (terms, free, buyer)
    assert (draft["currency_id"], draft["amount_total"]) == (foreign, 297)
    # Once it is ordered, the order waits for it.
    odoo.call("purchase.order", "button_confirm", [draft["id"]])
    assert "order.stock_shortage" not in shop.cases("sale.order", order)


def open_case(shop: Shop, kind: str, model: str, odoo_id: int, **more: object) -> ExceptionCase:
    """An exception as it opens once its time has passed."""
    team, _ = Team.objects.get_or_create(slug="sales", defaults={"name": "Sales"})
    values = {"workflow": kind.split(".")[0], "record_name": f"{model} {odoo_id}", "severity": 2, "team": team}
    at = {"opened_at": clock.now(), "updated_at": clock.now()}
    of_it = {"connection": shop.connection, "type": kind, "model": model, "odoo_id": odoo_id}
    return ExceptionCase.objects.create(**of_it, **values, **at, **more)


def test_what_was_delivered_is_invoiced_and_posted_and_what_came_back_is_credited(shop: Shop) -> None:
    order = shop.sell(3, product=shop.storable(invoice_policy="delivery"))
    picking = deliver(shop, order)
    shop.look()
    apply(shop, open_case(shop, "invoice.delivered_not_invoiced", "sale.order", order), "invoice")
    fields = ["move_type", "state", "amount_untaxed"]
    of_order = [("line_ids.sale_line_ids.order_id", "=", order)]
    (invoice,) = shop.odoo.search_read("account.move", of_order, fields)
    assert (invoice["move_type"], invoice["state"], invoice["amount_untaxed"]) == ("out_invoice", "posted", 300)
    back = bring_back(shop, picking)
    apply(shop, shop.cases("stock.picking", back)["returns.not_credited"], "credit")
    (_, credit) = shop.odoo.search_read("account.move", of_order, fields, order="id")
    assert (credit["move_type"], credit["state"]) == ("out_refund", "posted")
    assert not Command.objects.exclude(status="done").exists()


def test_of_two_orders_one_is_cancelled_and_a_quotation_is_renewed(shop: Shop) -> None:
    first, second = shop.sell(3), shop.sell(3)
    apply(shop, shop.cases("sale.order", second)["order.possible_duplicate"], "cancel_duplicate", f"{second}-")
    states = shop.odoo.read("sale.order", [first, second], ["state"])
    assert {row["id"]: row["state"] for row in states} == {first: "sale", second: "cancel"}
    line = {"product_id": shop.product, "product_uom_qty": 1, "price_unit": 100}
    values = {"partner_id": shop.customer, "order_line": [(0, 0, line)], "validity_date": in_days(-2)[:10]}
    quotation = shop.make("sale.order", values)
    shop.look()
    apply(shop, open_case(shop, "order_to_cash.stuck", "sale.order", quotation, cause="quotation"), "renew_quotation")
    (row,) = shop.odoo.read("sale.order", [quotation], ["validity_date", "state"])
    assert (row["validity_date"], row["state"]) == (in_days(30)[:10], "draft")
    assert not Command.objects.exclude(status="done").exists()


def test_a_count_is_planned_for_today(shop: Shop) -> None:
    here, _ = shop.shelves()
    shop.lay_in(shop.product, 5, here)
    (quant,) = shop.odoo.search("stock.quant", [("product_id", "=", shop.product), ("location_id", "=", here)])
    shop.look()
    (planned,) = shop.odoo.read("stock.quant", [quant], ["inventory_date"])
    case = open_case(shop, "inventory.negative_stock", "stock.quant", quant)
    apply(shop, case, "plan_count")
    assert shop.odoo.read("stock.quant", [quant], ["inventory_date"])[0]["inventory_date"] == in_days(0)[:10]
    undo = {"action": "plan_count", "option": in_days(0)[:10]}
    applying.undo_apply(case.pk, **undo, by=User.objects.get(username="olga"), now=clock.now())
    carried_out()
    assert shop.odoo.read("stock.quant", [quant], ["inventory_date"])[0]["inventory_date"] == planned["inventory_date"]


def test_who_is_responsible_gets_an_activity_due_today(shop: Shop) -> None:
    seller = shop.odoo.search("res.users", [("id", ">", 2), ("share", "=", False)], limit=1)[0]
    order = shop.sell(3, user_id=seller)
    shop.look()
    apply(shop, open_case(shop, "order.unusual", "sale.order", order), "ask_responsible", str(seller))
    domain = [("res_model", "=", "sale.order"), ("res_id", "=", order), ("user_id", "=", seller)]
    (activity,) = shop.odoo.search_read("mail.activity", domain, ["summary", "date_deadline"])
    assert activity["summary"] == "ask the customer whether the quantities are right"
    assert activity["date_deadline"] == in_days(0)[:10]


def test_a_customer_is_reminded_of_what_is_overdue(shop: Shop) -> None:
    order = shop.sell(3, product=shop.storable(invoice_policy="delivery"))
    deliver(shop, order)
    dates = {"invoice_date": in_days(-40)[:10], "invoice_date_due": in_days(-10)[:10]}
    invoice = bill(shop, order, invoice_payment_term_id=False, **dates)
    shop.odoo.write("res.partner", [shop.customer], {"email": "books@customer.test"})
    apply(shop, shop.cases("account.move", invoice)["invoice.overdue_exposure"], "remind_customer")
    domain = [("model", "=", "account.move"), ("res_id", "=", invoice), ("partner_ids", "in", [shop.customer])]
    (message,) = shop.odoo.search_read("mail.message", domain, ["body"])
    name = shop.odoo.read("account.move", [invoice], ["name"])[0]["name"]
    assert name in message["body"] and "300.00" in message["body"]

"""Four more scenarios, each as the people in it go through it: on their own screens, to what Odoo shows in the end.

A clerk and a buyer at their desks, an approver and a vendor each with a phone, the vendor without an account, and an account owner
who writes to the customer. What happens in Odoo alone (a salesperson confirms, a picker ships, an accountant posts) is done there.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.company import ACCOUNTANT, BUYER, PICKER, Company
from tests.main_job.conftest import PHONE, Visit
from tests.tower import Tower, eventually

LINK = re.compile(r"https?://[^\"'\s<>]+/vendor/[^\"'\s<>]+")


@pytest.fixture(autouse=True)
def alone(company: Company) -> None:
    company.send_others_home()


def in_days(days: int) -> str:
    """So many days from now, as Odoo writes it."""
    return (datetime.now(UTC) + timedelta(days=days)).strftime("%Y-%m-%d 12:00:00")


def name_of(company: Company, model: str, record: int) -> str:
    return str(company.read(model, record, "name")["name"])


def messages(company: Company, model: str, record: int, words: str) -> list[str]:
    """What stands in a record's chatter and has these words."""
    domain = [("model", "=", model), ("res_id", "=", record)]
    found = company.ask("mail.message", "search_read", domain, fields=["body"])
    return [one["body"] for one in found if words in one["body"]]


def loaded_until(page: Page, path: str, wanted: Callable[[], Locator]) -> Locator:
    """What is wanted of a page, loaded again until it is there: a list does not move under the hand that works on it."""

    def look() -> bool:
        page.goto(path)
        return wanted().count() > 0

    eventually(look, what=f"what is wanted at {path}")
    return wanted().first


def opens_case(page: Page, name: str, title: str) -> None:
    """Finds an exception by its record's name in the queue, each by itself, and opens it as a page."""
    row = loaded_until(
        page, f"/exceptions/?q={name}&group=none", lambda: page.locator("#main tr", has_text=title).filter(has_text=name)
    )
    row.get_by_role("link", name=name).click()
    page.get_by_role("link", name=f"Open {name} as a page").click()
    expect(page.get_by_role("heading", name=f"{name}: {title}")).to_be_visible()


def applies(page: Page, words: str) -> None:
    """Applies the suggested action that is offered in these words, once it is."""
    way = loaded_until(page, page.url, lambda: page.locator("form.way", has_text=words))
    for tick in way.locator("input[type=checkbox]").all():
        tick.check()
    way.get_by_role("button", name="Apply").click()


def opens_request(phone: Page, name: str) -> None:
    """Opens the card that came into the inbox by itself."""
    phone.locator(".ask", has_text=name).get_by_role("link").first.click()
    expect(phone.get_by_role("button", name="Approve")).to_be_visible()


def fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


def a_customer(company: Company) -> tuple[int, int]:
    """A company, and who orders for it."""
    address = {"street": "Dock 1", "city": "Hamburg", "country_id": company.ask("res.country", "search", [("code", "=", "DE")])[0]}
    harbour = {"name": "Harbour Hotels Ltd", "is_company": True, "email": "office@harbour.example"}
    group = company.make("res.partner", harbour | address)
    return group, company.make("res.partner", {"name": "Mara Chef", "parent_id": group, "email": "mara@harbour.example"} | address)


def late_purchase(company: Company) -> tuple[int, int]:
    """A contact's order that is promised in six days, and the purchase that it waits for, which should have come two days ago."""
    product, vendor = company.goods(price=100, cost=40), company.vendor()
    company.ask("res.partner", "write", [vendor], {"email": "sales@vendor.example"})
    purchase = company.purchase(vendor, product, quantity=10, price=40)
    assert not company.attempt(BUYER, "purchase.order", "button_confirm", purchase)
    lines = company.ask("purchase.order.line", "search", [("order_id", "=", purchase)])
    company.worker(BUYER).call("purchase.order.line", "write", lines, {"date_planned": in_days(-2)})
    # It is shipped where the goods come: to another warehouse they are of no help.
    (receipt,) = company.read("purchase.order", purchase, "picking_ids")["picking_ids"]
    kind = company.read("stock.picking", receipt, "picking_type_id")["picking_type_id"][0]
    house = company.read("stock.picking.type", kind, "warehouse_id")["warehouse_id"][0]
    order = company.order(a_customer(company)[1], amount=100, product=product)
    company.ask("sale.order", "write", [order], {"commitment_date": in_days(6), "warehouse_id": house})
    assert not company.confirm(order)
    return order, purchase


def answers(vendor: Page, purchase: str, day: str) -> None:
    """On the vendor's phone: what should have come already cannot come as ordered; it comes on that day."""
    expect(vendor.locator("body")).to_contain_text("Not answered yet")
    vendor.get_by_role("link", name=f"Answer {purchase}").click()
    expect(vendor.locator("body")).to_contain_text("The date of 1 line has passed")
    assert fits(vendor)
    vendor.get_by_label("Another date or quantity").check()
    vendor.locator("input[type=date]").first.fill(day)
    vendor.get_by_label("Reason or note").fill("The mill is down")
    assert fits(vendor)
    vendor.get_by_role("button", name="Send answer").click()
    expect(vendor.locator("body")).to_contain_text("Thank you")


def test_a_late_vendor_answers_on_the_phone_and_the_customer_is_told(visit: Visit, tower: Tower, company: Company) -> None:
    order, purchase = late_purchase(company)
    ordered, sold = name_of(company, "purchase.order", purchase), name_of(company, "sale.order", order)
    # Who was made a moment ago, customer and vendor, is polled, and this test does not wait for that.
    tower.manage("sync", tower.connection)

    # The buyer writes to the vendor from the exception.
    buyer = visit("operator", "/")
    opens_case(buyer, ordered, "Supplier delay")
    case = buyer.url
    applies(buyer, f"about {ordered}")
    letters = eventually(lambda: messages(company, "purchase.order", purchase, "/vendor/"), what="the letter to stand in Odoo")
    link = LINK.search(letters[0])
    assert link
    assert in_days(-2)[:10] in letters[0]

    # The vendor answers, and the proposal comes to the buyer's list by itself.
    buyer.goto("/proposals/")
    day = in_days(21)[:10]
    answers(visit("", link[0], size=PHONE), ordered, day)
    buyer.locator("#main a", has_text=ordered).click()
    change = buyer.locator("#main")
    expect(change).to_contain_text("newly at risk")
    expect(change).to_contain_text(sold)
    expect(change).to_contain_text("The mill is down")
    change.get_by_role("button", name="Accept", exact=True).click()
    expect(change).to_contain_text("Customers whose orders come later")
    expect(change.locator(".badge", has_text="In Odoo")).to_be_visible()
    (line,) = company.ask("purchase.order.line", "search_read", [("order_id", "=", purchase)], fields=["date_planned"])
    assert line["date_planned"][:10] == day

    # The account owner finds the draft, adds a sentence, and sends it.
    owner = visit("operator", "/")
    loaded_until(owner, f"/records/{tower.connection}/sale.order/{order}/", lambda: owner.get_by_text("To send"))
    expect(owner.locator("#main")).to_contain_text("d late")
    owner.get_by_role("link", name="Messages to customers").click()
    draft = owner.locator("li", has_text=sold)
    expect(draft).to_contain_text("Harbour Hotels Ltd")
    draft.get_by_role("link", name="Edit").click()
    expect(owner.locator("#main")).to_contain_text("mara@harbour.example")
    body = owner.get_by_label("Body")
    body.fill(body.input_value() + "\n\nWe carry the freight.")
    owner.get_by_role("button", name="Send").click()
    eventually(lambda: messages(company, "sale.order", order, "We carry the freight."), what="the message to stand in Odoo")
    loaded_until(owner, "/customer-messages/sent/", lambda: owner.locator("li", has_text=sold).filter(has_text="Seen in Odoo"))

    # The promise moves to the vendor's day, and with it all that waited for it ends.
    buyer.goto(case)
    applies(buyer, f"{day} instead of")
    eventually(
        lambda: str(company.read("sale.order", order, "commitment_date")["commitment_date"])[:10] == day,
        what="the promise to move in Odoo",
    )
    expect(buyer.locator("#main")).to_contain_text("Closed automatically")
    buyer.goto(f"/exceptions/?q={ordered}")
    expect(buyer.locator("#main")).to_contain_text("No matches in this view")


def on_the_shelf(company: Company, product: int, quantity: float) -> None:
    """Puts so much of a product into the company's own warehouse."""
    (place,) = company.ask("stock.warehouse", "search_read", [], fields=["lot_stock_id"], limit=1, order="id")
    values = {"product_id": product, "location_id": place["lot_stock_id"][0]}
    if company.is_sandbox:
        company.ask("stock.quant", "create", values | {"quantity": quantity})
        return
    counted = company.ask("stock.quant", "create", values | {"inventory_quantity": quantity}, context={"inventory_mode": True})
    company.ask("stock.quant", "action_apply_inventory", [counted])


def short_pick(company: Company) -> tuple[int, str, int]:
    """Three of five are there and are shipped; the order, the transfer that is left, and the vendor who has a price."""
    product, vendor = company.goods(price=100, cost=40), company.vendor()
    template = company.read("product.product", product, "product_tmpl_id")["product_tmpl_id"][0]
    company.make("product.supplierinfo", {"partner_id": vendor, "product_tmpl_id": template, "price": 45, "delay": 4})
    on_the_shelf(company, product, 3)
    order = company.order(a_customer(company)[1], amount=100, product=product)
    (line,) = company.ask("sale.order.line", "search", [("order_id", "=", order)])
    company.ask("sale.order.line", "write", [line], {"product_uom_qty": 5})
    company.ask("sale.order", "write", [order], {"commitment_date": in_days(9)})
    assert not company.confirm(order)
    (transfer,) = company.ask("stock.picking", "search", [("sale_id", "=", order)])
    (move,) = company.ask("stock.move", "search", [("picking_id", "=", transfer)])
    assert company.read("stock.move", move, "quantity")["quantity"] == 3
    picker = company.worker(PICKER)
    picker.call("stock.move", "write", [move], {"picked": True})
    picker.call("stock.picking", "button_validate", [transfer], context={"skip_backorder": True, "skip_sms": True})
    (left,) = company.ask("stock.picking", "search_read", [("backorder_id", "=", transfer)], fields=["name"])
    return order, str(left["name"]), vendor


def test_what_a_picker_did_not_find_is_bought_and_shipped(visit: Visit, tower: Tower, company: Company) -> None:
    order, left, vendor = short_pick(company)
    tower.manage("sync", tower.connection)
    clerk = visit("operator", "/")
    opens_case(clerk, left, "Pick shortage")
    expect(clerk.locator("#main")).to_contain_text("Back-ordered")
    case = clerk.url
    applies(clerk, "45.00")

    def drafted() -> list[dict[str, Any]]:
        return list(company.ask("purchase.order", "search_read", [("partner_id", "=", vendor)], fields=["origin", "order_line"]))

    (draft,) = eventually(drafted, what="the request for quotation to be drafted")
    company.made.append(("purchase.order", draft["id"]))
    (line,) = company.ask("purchase.order.line", "read", draft["order_line"], fields=["product_qty", "price_unit"])
    assert (line["product_qty"], line["price_unit"]) == (2, 45)
    expect(clerk.locator("#main")).to_contain_text("Seen in Odoo")

    # The buyer orders it, the goods come, and the picker ships the rest.
    assert not company.attempt(BUYER, "purchase.order", "button_confirm", draft["id"])
    company.carry_out("purchase.order", draft["id"])
    expect(clerk.locator("#main")).to_contain_text("Closed automatically")
    (rest,) = company.ask("stock.picking", "search", [("name", "=", left)])
    company.worker(PICKER).call("stock.picking", "action_assign", [rest])
    company.carry_out("sale.order", order)
    record = visit("manager", f"/records/{tower.connection}/sale.order/{order}/")
    expect(record.locator("#main")).to_contain_text("Delivered, to invoice")
    clerk.goto(case)
    expect(clerk.locator("#main")).to_contain_text("Closed automatically")


def test_a_large_order_below_its_margin_is_weighed_and_released_on_the_phone(visit: Visit, tower: Tower, company: Company) -> None:
    phone = visit("approver", "/approvals/", size=PHONE)
    product = company.goods(price=9_000, cost=8_800)
    order = company.order(a_customer(company)[1], amount=9_000, product=product)
    assert "less than 10 % needs an approval" in company.confirm(order)
    sold = name_of(company, "sale.order", order)

    clerk = visit("operator", "/")
    opens_case(clerk, sold, "Margin or discount breach")
    expect(clerk.locator("#main")).to_contain_text("Pricing exception is pending")
    expect(clerk.locator("#main")).to_contain_text("Shortfall to minimum margin")

    opens_request(phone, sold)
    facts = phone.locator("#main")
    for words in ("700.00", "2.2 %", "10 %", "Confirm the order"):
        expect(facts).to_contain_text(words)
    assert fits(phone)
    phone.get_by_role("button", name="Reject", exact=True).click()
    expect(facts).to_contain_text("Enter a reason: a rejection needs one.")
    phone.fill("#reason", "Opens the account")
    phone.get_by_role("button", name="Approve").click()
    expect(facts).to_contain_text("done and seen there")

    now = company.read("sale.order", order, "state", "x_ct_released_concession")
    assert (now["state"], now["x_ct_released_concession"]) == ("sale", 700)
    assert len(messages(company, "sale.order", order, "Opens the account")) == 1
    expect(clerk.locator("#main")).to_contain_text("Closed automatically")
    record = visit("manager", f"/records/{tower.connection}/sale.order/{order}/")
    expect(record.locator("#main")).to_contain_text("Opens the account")


def test_an_invoice_that_bills_too_much_is_sent_back_and_posted_once_it_is_right(
    visit: Visit, tower: Tower, company: Company
) -> None:
    phone = visit("approver", "/approvals/", size=PHONE)
    product = company.goods(price=1_000, cost=400, is_storable=False)
    order = company.order(a_customer(company)[1], amount=1_000, product=product)
    assert not company.confirm(order)
    company.carry_out("sale.order", order)
    invoice, line = company.draft_invoice(order)
    accountant = company.worker(ACCOUNTANT)
    accountant.call("account.move", "write", [invoice], {"invoice_line_ids": [(1, line, {"quantity": 2, "price_unit": 1_050})]})
    assert "1 billed beyond what may be" in company.attempt(ACCOUNTANT, "account.move", "action_post", invoice)

    # Finance sees order, delivery and invoice side by side.
    tower.manage("sync", tower.connection)
    clerk = visit("operator", "/")
    path = f"/records/{tower.connection}/account.move/{invoice}/"
    loaded_until(clerk, path, lambda: clerk.get_by_role("link", name="Invoice differs from order or delivery")).click()
    compared = clerk.locator("#main")
    expect(compared).to_contain_text("1,150.00")
    case = clerk.url
    expect(compared).to_contain_text("correct the invoice")
    clerk.get_by_role("link", name="Open the request").click()
    clerk.wait_for_url("**/approvals/*/")
    request = clerk.url

    phone.goto(request)
    expect(phone.locator("#main")).to_contain_text("Post the invoice")
    assert fits(phone)
    phone.fill("#reason", "Bill what was shipped")
    phone.get_by_role("button", name="Reject", exact=True).click()
    expect(phone.locator("#main")).to_contain_text("done and seen there")

    domain = [("res_model", "=", "account.move"), ("res_id", "=", invoice), ("summary", "like", "Put the invoice right")]
    assert company.ask("mail.activity", "search", domain)
    assert "Bill what was shipped" in company.attempt(ACCOUNTANT, "account.move", "action_post", invoice)
    accountant.call("account.move", "write", [invoice], {"invoice_line_ids": [(1, line, {"quantity": 1, "price_unit": 1_000})]})
    assert not company.attempt(ACCOUNTANT, "account.move", "action_post", invoice)
    tower.manage("sync", tower.connection)
    clerk.goto(case)
    expect(compared).to_contain_text("Closed automatically")

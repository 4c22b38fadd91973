"""What Odoo's users see of the tower in Odoo's own web client.

With ``PICTURES=1`` the pictures of docs/provisioning.md are taken on the way.
"""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings
from playwright.sync_api import Browser, Page, expect

from apps.accounts.models import User
from apps.core import clock
from apps.odoo.client import OdooClient
from tests.odoo.seen import PASSWORD, Seen, Worker, carried_out
from tests.odoo.test_approvals import at_price, credit_note
from tests.odoo.test_guards import BUYER, SELLER, customer, decide, desk, quoted, state
from tests.odoo.test_returns import delivered, return_of

__all__ = ["desk"]
# Committed, as the tower's processes commit it: what Odoo is told is carried out outside any transaction.
pytestmark = [pytest.mark.odoo, pytest.mark.browser, pytest.mark.django_db(transaction=True)]
# Odoo makes the web client's assets when they are first asked for.
PATIENCE_MS = 60_000


def pictured(page: Page, name: str) -> None:
    """Take the picture of the documents with that name, where pictures are wanted."""
    if os.environ.get("PICTURES"):
        images = Path(__file__).resolve().parents[2] / "docs" / "img"
        page.screenshot(path=images / f"{name}.png", animations="disabled")


def signed_in(browser: Browser, worker: Worker) -> tuple[Page, list[str]]:
    """The web client as this person sees it, and the addresses that were answered with an error."""
    page = browser.new_context(base_url=worker.odoo.connection.url).new_page()
    page.set_default_timeout(PATIENCE_MS)
    failed: list[str] = []
    page.on("response", lambda answer: failed.append(f"{answer.status} {answer.url}") if answer.status >= 400 else None)
    page.goto("/web/login")
    page.fill("input[name=login]", worker.login)
    page.fill("input[name=password]", PASSWORD)
    page.get_by_role("button", name="Log in", exact=True).click()
    expect(page.locator(".o_main_navbar")).to_be_visible(timeout=PATIENCE_MS)
    return page, failed


def opened(page: Page, model: str, record: int, button: str) -> None:
    page.goto(f"/odoo/{model}/{record}")
    expect(page.locator(f"button[name={button}]:visible").first).to_be_visible(timeout=PATIENCE_MS)


def test_a_salesperson_is_refused_reads_why_asks_and_reads_the_answer(
    guarded: Seen, odoo: OdooClient, hired: Callable[..., Worker], mia: User, desk: int, chromium: Browser
) -> None:
    seller = hired(*SELLER)
    order = quoted(seller, customer(odoo, 1_000), desk, 18)
    page, failed = signed_in(chromium, seller)
    opened(page, "sale.order", order, "action_confirm")
    page.locator("button[name=action_confirm]:visible").first.click()
    expect(page.locator(".modal-content")).to_contain_text("above its credit limit of 1000.00", timeout=PATIENCE_MS)
    expect(page.locator(".modal-content")).to_contain_text("An approval has been asked for.")
    guarded.look()
    carried_out(guarded)

    opened(page, "sale.order", order, "action_confirm")
    place = f"{settings.PUBLIC_URL}/records/{guarded.connection.name}/sale.order/{order}/"
    held = page.locator(".o_form_view .alert-warning", has_text="Waits for a decision in Control Tower")
    expect(held).to_contain_text("above its credit limit of 1000.00")
    expect(held.get_by_role("link", name="See where it stands")).to_have_attribute("href", place)
    pictured(page, "odoo-held")
    page.locator(".o_cp_action_menus button:has(.fa-cog)").click()
    page.get_by_text("Ask for approval in Control Tower: credit override").click()
    expect(page.locator(".o_notification")).to_contain_text("was asked for before and waits", timeout=PATIENCE_MS)

    decide(guarded, order, "credit_override", mia, yes=False)
    opened(page, "sale.order", order, "action_confirm")
    rejected = page.locator(".o_form_view .alert-danger", has_text="Rejected in Control Tower")
    expect(rejected).to_contain_text("Mia: Because")
    expect(held).to_have_count(0)
    pictured(page, "odoo-rejected")
    chatter = page.locator(".o-mail-Chatter")
    note = chatter.locator(".o-mail-Message", has_text="rejected by Mia")
    expect(note).to_have_count(1, timeout=PATIENCE_MS)
    expect(note).to_contain_text("Because")
    expect(chatter.locator(".o-mail-Activity", has_text="Credit override rejected by Mia")).to_have_count(1)
    assert failed == []
    page.context.close()


def test_a_buyer_is_refused_and_reads_the_hold(
    guarded: Seen, odoo: OdooClient, hired: Callable[..., Worker], mia: User, desk: int, chromium: Browser
) -> None:
    buyer, vendor = hired(*BUYER), odoo.create("res.partner", {"name": "Tower test vendor"})
    line = {"product_id": desk, "product_qty": 400, "price_unit": 40.0, "tax_ids": [(5, 0, 0)]}
    order = buyer.do("purchase.order", "create", {"partner_id": vendor, "order_line": [(0, 0, line)]})
    page, failed = signed_in(chromium, buyer)
    opened(page, "purchase.order", order, "button_confirm")
    page.locator("button[name=button_confirm]:visible").first.click()
    expect(page.locator(".modal-content")).to_contain_text("An approval has been asked for.", timeout=PATIENCE_MS)
    guarded.look()
    carried_out(guarded)
    page.goto(f"/odoo/purchase.order/{order}")
    banner = page.locator(".o_form_view .alert-warning", has_text="Waits for a decision in Control Tower")
    expect(banner).to_have_count(1, timeout=PATIENCE_MS)
    assert failed == []
    page.context.close()


def test_a_customer_who_signs_is_told_that_the_order_is_checked_and_signs_no_more(
    guarded: Seen, odoo: OdooClient, hired: Callable[..., Worker], mia: User, desk: int, chromium: Browser
) -> None:
    portal = hired("base.group_portal")
    partner = odoo.read("res.users", [portal.uid], ["partner_id"])[0]["partner_id"]
    customer(odoo, 1_000)
    odoo.write("res.partner", [partner], {"credit_limit": 1_000})
    order = quoted(hired(*SELLER), partner, desk, 18)
    odoo.write("sale.order", [order], {"require_signature": True, "require_payment": False, "state": "sent"})
    page = chromium.new_context(base_url=odoo.connection.url).new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.goto(f"/web/login?redirect=/my/orders/{order}")
    page.fill("input[name=login]", portal.login)
    page.fill("input[name=password]", PASSWORD)
    page.get_by_role("button", name="Log in", exact=True).click()
    accept = page.locator("#sale_order_sidebar_button a[data-bs-target='#modalaccept']")
    notice = page.get_by_role("status").filter(has_text="Your order needs a check by our team; we will contact you.")
    expect(accept).to_be_visible(timeout=PATIENCE_MS)
    expect(notice).to_have_count(0)
    accept.click()
    page.locator("#modalaccept input[name=signer]").fill("A. Customer")
    page.locator("#modalaccept .o_web_sign_auto_button").click()
    submit = page.locator("#modalaccept .o_portal_sign_submit")
    expect(submit).to_be_enabled(timeout=PATIENCE_MS)
    submit.click()
    # The page is there again by itself, with the sentence and without a way to try once more.
    expect(notice).to_be_visible(timeout=PATIENCE_MS)
    for button in page.locator("[data-bs-target='#modalaccept']").all():
        expect(button).not_to_be_visible()
    expect(page.locator("#modalaccept")).to_have_count(0)
    for secret in ("limit", "1,000.00", "credit", "/records/", "Control Tower"):
        expect(page.locator("body")).not_to_contain_text(secret)
    held = portal.do("sale.order", "read", [order], ["x_ct_hold_reason", "x_ct_url", "state"])[0]
    assert (held["x_ct_hold_reason"], held["state"]) == ("The order waits for a check by our team.", "sent")
    assert held["x_ct_url"] is False

    decide(guarded, order, "credit_override", mia, yes=True)
    page.reload()
    expect(notice).to_have_count(0)
    assert state(odoo, order) == "sale"
    page.context.close()


def asked_by_menu(page: Page, what: str, said: str) -> None:
    """Ask for an approval by the Action menu, and read what it answers."""
    page.locator(".o_cp_action_menus button:has(.fa-cog)").click()
    page.get_by_text(f"Ask for approval in Control Tower: {what}").click()
    expect(page.locator(".o_notification").last).to_contain_text(said, timeout=PATIENCE_MS)


def pressed(page: Page, button: str, said: str) -> None:
    """Press a button that is refused, read why, and close what was said."""
    page.locator(f"button[name={button}]:visible").first.click()
    expect(page.locator(".modal-content")).to_contain_text(said, timeout=PATIENCE_MS)
    page.locator(".modal-content").get_by_role("button", name="Close").last.click()


def test_a_picker_is_refused_a_return_and_receives_it_after_the_yes(
    guarded: Seen, odoo: OdooClient, hired: Callable[..., Worker], mia: User, chromium: Browser
) -> None:
    # Odoo shows them no transfer without the right to contacts, once there is a delivery method: it reads its zip prefixes.
    picker = hired("stock.group_stock_user", "base.group_partner_manager")
    _, delivery = delivered(odoo, picker, 6)
    back = return_of(picker, delivery, 5)
    page, failed = signed_in(chromium, picker)
    opened(page, "stock.picking", back, "button_validate")
    pressed(page, "button_validate", "is worth 500.00 USD; from 500 on a return needs an authorisation.")
    guarded.look()
    carried_out(guarded)
    opened(page, "stock.picking", back, "button_validate")
    held = page.locator(".o_form_view .alert-warning", has_text="Waits for a decision in Control Tower")
    expect(held).to_contain_text("which needs an authorisation")
    pictured(page, "odoo-return-held")
    asked_by_menu(page, "return authorisation", "was asked for before and waits")
    decide(guarded, back, "return_authorisation", mia, yes=True)
    opened(page, "stock.picking", back, "button_validate")
    expect(held).to_have_count(0)
    chatter = page.locator(".o-mail-Chatter")
    expect(chatter.locator(".o-mail-Message", has_text="Return authorised by Mia")).to_have_count(1, timeout=PATIENCE_MS)
    expect(chatter.locator(".o-mail-Activity", has_text="Receive the return: authorised by Mia")).to_have_count(1)
    page.locator("button[name=button_validate]:visible").first.click()
    expect(page.locator("button[name=button_validate]:visible")).to_have_count(0, timeout=PATIENCE_MS)
    assert state(odoo, back, "stock.picking") == "done"
    assert failed == []
    page.context.close()


def test_a_picker_reads_in_the_list_of_counts_which_one_waits_and_which_was_rejected(
    guarded: Seen, odoo: OdooClient, hired: Callable[..., Worker], mia: User, desk: int, chromium: Browser
) -> None:
    picker = hired("stock.group_stock_user")
    shelf = odoo.search_read("stock.warehouse", [], ["lot_stock_id"], limit=1, order="id")[0]["lot_stock_id"]
    name = f"Shelf of {picker.login}"
    other = odoo.create("product.product", {"name": name, "is_storable": True, "standard_price": 90.0})
    quants = []
    for product in (desk, other):
        values = {"product_id": product, "location_id": shelf, "inventory_quantity": 2, "user_id": picker.uid}
        quants.append(picker.do("stock.quant", "create", values, context={"inventory_mode": True}))
        picker.do("stock.quant", "action_apply_inventory", [quants[-1]])
        picker.do("stock.quant", "create", values | {"inventory_quantity": 20}, context={"inventory_mode": True})
    page, failed = signed_in(chromium, picker)
    page.goto("/odoo/physical-inventory")
    row = page.locator("tr.o_data_row", has_text="Tower test desk")
    row.locator("button[name=action_apply_inventory]").click()
    expect(page.locator(".modal-content")).to_contain_text("from 250 on a count needs an approval", timeout=PATIENCE_MS)
    guarded.look()
    carried_out(guarded)
    page.goto("/odoo/physical-inventory")
    expect(row.locator("td[name=x_ct_why]")).to_contain_text("which needs an approval", timeout=PATIENCE_MS)
    expect(row.get_by_role("link", name="Details")).to_have_count(1)
    pictured(page, "odoo-count-held")
    row.locator("input[type=checkbox]").first.click()
    page.locator(".o_cp_action_menus button", has_text="Actions").click()
    page.get_by_text("Ask for approval in Control Tower: inventory adjustment").click()
    expect(page.locator(".o_notification")).to_contain_text("was asked for before and waits", timeout=PATIENCE_MS)
    decide(guarded, quants[0], "inventory_adjustment", mia, yes=True)
    decide(guarded, quants[1], "inventory_adjustment", mia, yes=False)
    page.goto("/odoo/physical-inventory")
    # Odoo has taken the rejected count away, and with it who counted.
    page.locator(".o_searchview_facet", has_text="My Counts").locator(".o_facet_remove").click(timeout=PATIENCE_MS)
    page.locator("input.o_searchview_input").fill(name)
    page.locator("input.o_searchview_input").press("Enter")
    rejected = page.locator("tr.o_data_row", has_text=name).locator("td[name=x_ct_why]")
    expect(rejected).to_contain_text("Rejected by Mia: Because", timeout=PATIENCE_MS)
    assert [row["quantity"] for row in odoo.read("stock.quant", quants, ["quantity"])] == [20, 2]
    assert failed == []
    page.context.close()


def test_an_accountant_reads_why_a_bill_and_a_credit_note_wait_and_finds_the_one_posted_and_the_other_rejected(
    guarded: Seen, odoo: OdooClient, hired: Callable[..., Worker], mia: User, desk: int, chromium: Browser
) -> None:
    accountant, vendor = hired("account.group_account_invoice"), odoo.create("res.partner", {"name": "Tower test vendor"})
    odoo.write("product.product", [desk], {"purchase_method": "purchase"})
    line = {"product_id": desk, "product_qty": 10, "price_unit": 40.0, "tax_ids": [(5, 0, 0)]}
    order = odoo.create("purchase.order", {"partner_id": vendor, "order_line": [(0, 0, line)]})
    odoo.call("purchase.order", "button_confirm", [order])
    odoo.call("purchase.order", "action_create_invoice", [order])
    (bill,) = odoo.search("account.move", [("invoice_line_ids.purchase_order_id", "=", order)])
    accountant.do("account.move", "write", [bill], {"invoice_date": f"{clock.now():%Y-%m-%d}"})
    at_price(accountant, bill, 60.0)
    credit = credit_note(accountant, vendor, 900)
    page, failed = signed_in(chromium, accountant)
    opened(page, "account.move", bill, "action_post")
    pressed(page, "action_post", "differs from the order or the delivery by 200.00 USD: 200.00 USD above the price agreed")
    opened(page, "account.move", credit, "action_post")
    pressed(page, "action_post", "would be credited 900.00 USD beyond what came back")
    guarded.look()
    carried_out(guarded)
    opened(page, "account.move", bill, "action_post")
    held = page.locator(".o_form_view .alert-warning", has_text="Waits for a decision in Control Tower")
    expect(held).to_contain_text("The bill of Tower test vendor")
    pictured(page, "odoo-bill-held")
    asked_by_menu(page, "credit note", "Nothing has been asked for: this approval is for a draft credit note.")
    asked_by_menu(page, "invoice mismatch", "was asked for before and waits")
    decide(guarded, bill, "invoice_mismatch", mia, yes=True)
    decide(guarded, credit, "return_authorisation", mia, yes=False)
    opened(page, "account.move", bill, "button_draft")
    expect(held).to_have_count(0)
    assert state(odoo, bill, "account.move") == "posted"
    opened(page, "account.move", credit, "button_draft")
    rejected = page.locator(".o_form_view .alert-danger", has_text="Rejected in Control Tower")
    expect(rejected).to_contain_text("Mia: Because")
    assert failed == []
    page.context.close()

"""What Odoo's users see of the tower in Odoo's own web client."""

from collections.abc import Callable

import pytest
from django.conf import settings
from playwright.sync_api import Browser, Page, expect

from apps.accounts.models import User
from apps.odoo.client import OdooClient
from tests.odoo.seen import PASSWORD, Seen, Worker, carried_out
from tests.odoo.test_guards import BUYER, SELLER, customer, decide, desk, quoted, state

__all__ = ["desk"]
# Committed, as the tower's processes commit it: what Odoo is told is carried out outside any transaction.
pytestmark = [pytest.mark.odoo, pytest.mark.browser, pytest.mark.django_db(transaction=True)]
# Odoo makes the web client's assets when they are first asked for.
PATIENCE_MS = 60_000


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
    expect(held).to_contain_text("The order waits for a credit review.")
    expect(held.get_by_role("link", name="See where it stands")).to_have_attribute("href", place)
    page.locator(".o_cp_action_menus button:has(.fa-cog)").click()
    page.get_by_text("Ask for approval in Control Tower: credit override").click()
    expect(page.locator(".o_notification")).to_contain_text("was asked for before and waits", timeout=PATIENCE_MS)

    decide(guarded, order, "credit_override", mia, yes=False)
    opened(page, "sale.order", order, "action_confirm")
    rejected = page.locator(".o_form_view .alert-danger", has_text="Rejected in Control Tower")
    # Customers may read the order over RPC, so that the words of who decided stand in its notes alone.
    expect(rejected).to_contain_text("The note on it says why.")
    expect(held).to_have_count(0)
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

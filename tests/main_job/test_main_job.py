"""One order on credit hold, all the way: from the click in Odoo to the phone, and back into Odoo."""

from playwright.sync_api import Page, expect

from tests.company import Company
from tests.main_job.conftest import PHONE, Visit
from tests.tower import Tower, eventually


def in_credit_review(board: Page) -> int:
    return int(board.locator("#stage-credit_review .lane-count").inner_text().replace(",", ""))


def held_order(company: Company, *, amount: float = 6_200) -> tuple[int, str, float]:
    """An order over its customer's limit, which the salesperson has just tried to confirm; its id, name and total."""
    order = company.order(company.customer(credit_limit=1_000), amount=amount)
    refusal = company.confirm(order)
    assert "above its credit limit of 1000.00" in refusal
    assert "/records/" in refusal
    held = company.read("sale.order", order, "name", "amount_total")
    return order, held["name"], held["amount_total"]


def test_yes_on_the_phone_confirms_the_order_and_the_board_moves_by_itself(visit: Visit, tower: Tower, company: Company) -> None:
    board = visit("manager", "/boards/order_to_cash/")
    phone = visit("approver", "/approvals/", size=PHONE)
    before = in_credit_review(board)

    order, name, total = held_order(company)
    card = phone.locator(".ask", has_text=name)
    expect(card).to_be_visible(timeout=5_000)
    eventually(lambda: in_credit_review(board) > before, what="the board to move by itself")

    card.get_by_role("link").first.click()
    expect(phone.locator("#main")).to_contain_text(f"{total:,.2f}")
    expect(phone.locator("#main")).to_contain_text("Confirm the order")
    phone.fill("#reason", "Pays within the week")
    phone.get_by_role("button", name="Approve").click()
    expect(phone.locator("#main")).to_contain_text("done and seen there")

    assert company.read("sale.order", order, "state")["state"] == "sale"
    assert not company.read("sale.order", order, "x_ct_hold")["x_ct_hold"]
    notes = company.ask("mail.message", "search_read", [("model", "=", "sale.order"), ("res_id", "=", order)], fields=["body"])
    assert sum("Pays within the week" in note["body"] for note in notes) == 1

    record = visit("manager", f"/records/{tower.connection}/sale.order/{order}/")
    expect(record.locator("#main")).to_contain_text("approved")
    expect(record.locator("#main")).to_contain_text(company.salesperson_name)
    expect(record.get_by_role("link", name="Open in Odoo")).to_be_visible()
    queue = visit("operator", f"/exceptions/?q={name}&status=resolved")
    expect(queue.locator("#main")).to_contain_text(name)


def test_no_keeps_the_order_held_and_tells_the_salesperson_why(visit: Visit, tower: Tower, company: Company) -> None:
    order, name, _ = held_order(company)
    phone = visit("approver", "/approvals/", size=PHONE)
    card = phone.locator(".ask", has_text=name)
    expect(card).to_be_visible(timeout=5_000)
    card.get_by_role("link").first.click()
    phone.fill("#reason", "Two invoices are overdue")
    phone.get_by_role("button", name="Reject", exact=True).click()
    expect(phone.locator("#main")).to_contain_text("done and seen there")
    assert company.read("sale.order", order, "state")["state"] == "draft"
    activities = company.ask(
        "mail.activity",
        "search_read",
        [("res_model", "=", "sale.order"), ("res_id", "=", order), ("summary", "like", "rejected")],
        fields=["user_id", "note"],
    )
    assert [row["user_id"][0] for row in activities] == [company.uid]
    assert "Two invoices are overdue" in activities[0]["note"]
    assert "Two invoices are overdue" in company.confirm(order)


def test_nobody_acts_and_it_is_reminded_escalated_and_given_up(visit: Visit, tower: Tower, company: Company) -> None:
    phone = visit("manager", "/approvals/", size=PHONE)
    order, name, _ = held_order(company)
    record, path = visit("manager", "/"), f"/records/{tower.connection}/sale.order/{order}/"

    def is_mirrored() -> bool:
        answer = record.goto(path)
        return answer is not None and answer.ok

    eventually(is_mirrored, what="the order to be mirrored")
    expect(record.locator("#main")).to_contain_text("requested the approval")
    token = tower.token("approver")
    (asked,) = tower.api(f"approvals/?odoo_id={order}", token)["results"]

    tower.let_pass("approvals.remind", asked["id"])
    expect(record.locator(".timeline").first).to_contain_text("sent an approval reminder")
    expect(phone.locator("#asks-others")).to_contain_text(name)

    tower.let_pass("approvals.escalate", asked["id"])
    expect(record.locator(".timeline").first).to_contain_text("escalated the approval")
    expect(phone.locator("#asks-mine")).to_contain_text(name)
    told = visit("manager", "/notifications/", size=PHONE)
    expect(told.locator("#main")).to_contain_text(f"Escalated to you: {name}")

    tower.let_pass("approvals.escalate", asked["id"])
    expect(record.locator(".timeline").first).to_contain_text("Not decided in time")
    assert company.read("sale.order", order, "state")["state"] == "draft"
    assert company.read("sale.order", order, "x_ct_hold")["x_ct_hold"] == "credit_override"
    assert tower.api(f"approvals/{asked['id']}/", token)["status"] == "expired"
    assert "The audit trail holds" in tower.manage("audit_verify")


def test_the_same_through_rest(tower: Tower, company: Company) -> None:
    token = tower.token("approver")
    order, _, total = held_order(company)

    def waiting() -> list[dict[str, object]]:
        found = tower.api(f"approvals/?status=pending&kind=credit_override&odoo_id={order}", token)
        return list(found["results"])

    (asked,) = eventually(waiting, what="the request to be listed")
    assert asked["amount"] == f"{total:.2f}"
    record = tower.api(f"records/sale.order/{order}/", token)
    assert (record["stage"], record["blockers"][0]["kind"]) == ("credit_review", "credit_hold")
    headers = {"Idempotency-Key": f"decide-{asked['id']}"}
    first = tower.api(f"approvals/{asked['id']}/approve/", token, body={"reason": "By REST"}, headers=headers)
    again = tower.api(f"approvals/{asked['id']}/approve/", token, body={"reason": "By REST"}, headers=headers)
    assert (first["status"], again["status"]) == ("approved", "approved")
    eventually(lambda: company.read("sale.order", order, "state")["state"] == "sale", what="Odoo to confirm")
    closed = eventually(
        lambda: tower.api(f"exceptions/?odoo_id={order}&status=resolved", token)["results"],
        what="the exception to close",
    )
    assert closed[0]["type"] == "order.credit_hold"

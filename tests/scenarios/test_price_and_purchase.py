"""Decisions about prices and purchases, from the attempt in Odoo through REST to what Odoo shows afterwards."""

from typing import Any

import pytest

from tests.company import BUYER, Company
from tests.tower import Tower, eventually


def asked(tower: Tower, token: str, kind: str, odoo_id: int) -> dict[str, Any]:
    """The request of that kind about that record, once it waits."""
    path = f"approvals/?status=pending&kind={kind}&odoo_id={odoo_id}"
    found = eventually(lambda: tower.api(path, token)["results"], within_seconds=10, what=f"{kind} to be asked for")
    return dict(found[0])


def decide(tower: Tower, token: str, request: dict[str, Any], answer: str, reason: str) -> None:
    decided = tower.api(f"approvals/{request['id']}/{answer}/", token, body={"reason": reason})
    assert decided["status"] in ("approved", "rejected", "pending")


def becomes(company: Company, model: str, record: int, state: str) -> None:
    eventually(
        lambda: company.read(model, record, "state")["state"] == state, within_seconds=30, what=f"{model} {record} to be {state}"
    )


@pytest.fixture
def approver(tower: Tower) -> str:
    return tower.token("approver")


def test_a_margin_exception_on_a_large_order_is_released_at_its_price_alone(
    tower: Tower, company: Company, approver: str
) -> None:
    product = company.goods(price=9_000, cost=8_800)
    order = company.order(company.customer(credit_limit=0), amount=9_000, product=product)
    assert "less than 10 % needs an approval" in company.confirm(order)

    request = asked(tower, approver, "pricing_exception", order)
    context = request["context"]
    # The margin is 200 on 9,000; 10 % of it would be 900.
    assert (context["order_margin"], context["conceded"], context["order_margin_percent"]) == ("200.00", "700.00", "2.20")
    record = tower.api(f"records/sale.order/{order}/", approver)
    assert (record["stage"], record["blockers"][0]["kind"]) == ("pricing_review", "pricing_approval")
    (case,) = tower.api(f"exceptions/?odoo_id={order}&status=open", approver)["results"]
    assert (case["type"], case["evidence"]["conceded"]) == ("order.price_breach", "700.00")

    eventually(lambda: company.read("sale.order", order, "x_ct_hold")["x_ct_hold"], within_seconds=30, what="the hold")
    decide(tower, approver, request, "approve", "Opens the account")
    becomes(company, "sale.order", order, "sale")
    assert company.read("sale.order", order, "x_ct_released_concession")["x_ct_released_concession"] == 700.0
    eventually(
        lambda: tower.api(f"exceptions/?odoo_id={order}&status=resolved", approver)["results"], within_seconds=10,
        what="the exception to close",
    )  # fmt: skip


def test_a_discount_that_is_refused_leaves_the_order_held_with_the_reason(
    tower: Tower, company: Company, approver: str
) -> None:
    product = company.goods(price=1_000, cost=100)
    order = company.order(company.customer(credit_limit=0), amount=1_000, product=product, discount=45)
    assert "gives up to 45.0 % off" in company.confirm(order)
    decide(tower, approver, asked(tower, approver, "pricing_exception", order), "reject", "Thirty is the most")
    eventually(
        lambda: "Thirty is the most" in (company.read("sale.order", order, "x_ct_hold_reason")["x_ct_hold_reason"] or ""),
        within_seconds=30, what="the reason to reach Odoo",
    )  # fmt: skip
    assert "Thirty is the most" in company.confirm(order)
    assert company.read("sale.order", order, "state")["state"] == "draft"


def test_an_order_over_both_limits_takes_both_decisions_and_is_confirmed_by_the_second(
    tower: Tower, company: Company, approver: str
) -> None:
    product = company.goods(price=3_000, cost=100)
    order = company.order(company.customer(credit_limit=500), amount=3_000, product=product, discount=50)
    said = company.confirm(order)
    assert "above its credit limit of 500.00" in said
    assert "gives up to 50.0 % off" in said
    decide(tower, approver, asked(tower, approver, "credit_override", order), "approve", "Good for it")
    decide(tower, approver, asked(tower, approver, "pricing_exception", order), "approve", "This once")
    becomes(company, "sale.order", order, "sale")


def test_a_purchase_beyond_the_limit_is_approved_and_ordered(tower: Tower, company: Company, approver: str) -> None:
    purchase = company.purchase(company.vendor(), company.goods(price=90, cost=60), quantity=200, price=60)
    assert "from 10000 on an order needs an approval" in company.attempt(BUYER, "purchase.order", "button_confirm", purchase)
    request = asked(tower, approver, "procurement_threshold", purchase)
    assert request["requested_by"] == company.worker(BUYER).name
    decide(tower, approver, request, "approve", "Season stock")
    becomes(company, "purchase.order", purchase, "purchase")


def test_a_purchase_that_odoo_itself_holds_is_rejected_and_cancelled(
    tower: Tower, company: Company, approver: str
) -> None:
    (own,) = company.ask("res.company", "search", [], limit=1, order="id")
    before = company.read("res.company", own, "po_double_validation", "po_double_validation_amount")
    company.ask("res.company", "write", [own], {"po_double_validation": "two_step", "po_double_validation_amount": 1_000})
    try:
        purchase = company.purchase(company.vendor(), company.goods(price=90, cost=60), quantity=50, price=60)
        assert not company.attempt(BUYER, "purchase.order", "button_confirm", purchase)
        assert company.read("purchase.order", purchase, "state")["state"] == "to approve"
        decide(tower, approver, asked(tower, approver, "procurement_threshold", purchase), "reject", "Over budget")
        becomes(company, "purchase.order", purchase, "cancel")

        def noted() -> bool:
            domain = [("model", "=", "purchase.order"), ("res_id", "=", purchase)]
            notes = company.ask("mail.message", "search_read", domain, fields=["body"])
            return any("Over budget" in note["body"] for note in notes)

        eventually(noted, within_seconds=30, what="the note to the buyer")
    finally:
        company.ask("res.company", "write", [own], {key: value for key, value in before.items() if key != "id"})

"""What accounting does: bill, post, pay, credit."""

from random import Random
from typing import TYPE_CHECKING, Any

from apps.core import clock
from tests.walk.acts.drawing import act, some

if TYPE_CHECKING:
    from tests.walk.walk import Walk


@act(7)
def bill_an_order(walk: "Walk", random: Random) -> str:
    order = some(random, walk.those("sale.order", [("state", "=", "sale"), ("invoice_status", "=", "to invoice")]))
    if not order:
        return ""
    context = {"active_model": "sale.order", "active_ids": [order], "active_id": order}
    values: dict[str, Any] = {"advance_payment_method": "delivered"}
    if random.random() < 0.15:
        values = {"advance_payment_method": "percentage", "amount": 30}
    wizard = walk.do("accountant", "sale.advance.payment.inv", "create", values, context=context)
    made = walk.do(
        "accountant",
        "sale.advance.payment.inv",
        "create_invoices",
        wizard if isinstance(wizard, list) else [wizard],
        context=context,
    )
    if made.get("res_id"):
        walk.note("account.move", made["res_id"])
    return f"S{order} billed by {made.get('res_id')}"


@act(5)
def bill_a_purchase(walk: "Walk", random: Random) -> str:
    order = some(random, walk.those("purchase.order", [("state", "=", "purchase"), ("invoice_status", "=", "to invoice")]))
    if not order:
        return ""
    made = walk.do("accountant", "purchase.order", "action_create_invoice", [order])
    if made.get("res_id"):
        walk.note("account.move", made["res_id"])
        walk.do("accountant", "account.move", "write", [made["res_id"]], {"invoice_date": clock.now().date().isoformat()})
    return f"P{order} billed by {made.get('res_id')}"


@act(7)
def post(walk: "Walk", random: Random) -> str:
    move = some(random, walk.those("account.move", [("state", "=", "draft")]))
    if not move:
        return ""
    if random.random() < 0.2:
        lines = walk.rows("account.move.line", [("move_id", "=", move), ("display_type", "=", "product")], ["quantity"])
        if lines:
            line = random.choice(lines)
            walk.do("accountant", "account.move.line", "write", [line["id"]], {"quantity": line["quantity"] + 3})
    walk.do("accountant", "account.move", "action_post", [move])
    return f"invoice {move} posted"


@act(5)
def pay(walk: "Walk", random: Random) -> str:
    owed = [("state", "=", "posted"), ("payment_state", "in", ["not_paid", "partial"]), ("amount_residual", ">", 0)]
    move = some(random, walk.those("account.move", owed))
    if not move:
        return ""
    context = {"active_model": "account.move", "active_ids": [move]}
    wizard = walk.do("accountant", "account.payment.register", "create", {}, context=context)
    wizard = wizard if isinstance(wizard, list) else [wizard]
    if random.random() < 0.4:
        amount = walk.rows("account.payment.register", [("id", "in", wizard)], ["amount"], who="accountant")
        if amount:
            walk.do("accountant", "account.payment.register", "write", wizard, {"amount": amount[0]["amount"] / 2})
    walk.do("accountant", "account.payment.register", "action_create_payments", wizard)
    return f"invoice {move} paid"


@act(3)
def credit(walk: "Walk", random: Random) -> str:
    posted = [("state", "=", "posted"), ("move_type", "in", ["out_invoice", "in_invoice"])]
    move = some(random, walk.those("account.move", posted))
    if not move:
        return ""
    context = {"active_model": "account.move", "active_ids": [move]}
    wizard = walk.do(
        "accountant", "account.move.reversal", "create", {"reason": "Walk", "move_ids": [(6, 0, [move])]}, context=context
    )
    made = walk.do(
        "accountant",
        "account.move.reversal",
        random.choice(["refund_moves", "modify_moves"]),
        wizard if isinstance(wizard, list) else [wizard],
        context=context,
    )
    if made.get("res_id"):
        walk.note("account.move", made["res_id"])
    return f"invoice {move} credited by {made.get('res_id')}"


@act(2)
def reset_an_invoice(walk: "Walk", random: Random) -> str:
    move = some(random, walk.those("account.move", [("state", "=", "posted")]))
    if not move:
        return ""
    walk.do("accountant", "account.move", "button_draft", [move])
    if random.random() < 0.5:
        walk.do("accountant", "account.move", "button_cancel", [move])
    return f"invoice {move} reset"

"""What Odoo keeps of changes: the words of its selections, and a message with tracked values for each change.

Changes of one record in one transaction and at one moment are one message, as in Odoo.
"""

from collections.abc import Mapping
from typing import Any

from sandbox.records import Env

Row = dict[str, Any]
# (model, field) of selections to the words that people read.
WORDS: Mapping[tuple[str, str], Mapping[str, str]] = {
    ("sale.order", "state"): {
        "draft": "Quotation",
        "sent": "Quotation Sent",
        "sale": "Sales Order",
        "cancel": "Cancelled",
    },
    ("purchase.order", "state"): {
        "draft": "RFQ",
        "sent": "RFQ Sent",
        "to approve": "To Approve",
        "purchase": "Purchase Order",
        "cancel": "Cancelled",
    },
    ("stock.picking", "state"): {
        "draft": "Draft",
        "waiting": "Waiting Another Operation",
        "confirmed": "Waiting",
        "assigned": "Ready",
        "done": "Done",
        "cancel": "Cancelled",
    },
    ("account.move", "state"): {"draft": "Draft", "posted": "Posted", "cancel": "Cancelled"},
    ("account.move", "payment_state"): {
        "not_paid": "Not Paid",
        "in_payment": "In Payment",
        "paid": "Paid",
        "partial": "Partially Paid",
        "reversed": "Reversed",
        "blocked": "Blocked",
        "invoicing_legacy": "Invoicing App Legacy",
    },
}
BOOLEANS = {("purchase.order", "acknowledged")}
TRACKED: dict[str, tuple[str, ...]] = {}
for _model, _field in [*WORDS, *sorted(BOOLEANS)]:
    TRACKED[_model] = (*TRACKED.get(_model, ()), _field)


def note(env: Env, model: str, odoo_id: int, old: Row, new: Row) -> None:
    """Keep what of the tracked fields differs between ``old`` and ``new``."""
    changed = [name for name in TRACKED.get(model, ()) if (old.get(name) or False) != (new.get(name) or False)]
    # What is made and changed in one go is new, not changed.
    if not changed or old["create_date"] == env.cr.now or env.context.get("tracking_disable"):
        return
    message = env.cr.tracked.get((model, odoo_id, env.cr.now))
    if message is None:
        message = env.cr.tracked[model, odoo_id, env.cr.now] = _put(
            env,
            "mail.message",
            model=model,
            res_id=odoo_id,
            body="",
            author_id=_author(env),
            message_type="notification",
            date=env.cr.now[:19],
        )
    for name in changed:
        field = _field_id(env, model, env.engine.shape.then(model, name))
        if not field:
            continue
        values: Row = {"mail_message_id": message, "field_id": field}
        for when, row in (("old", old), ("new", new)):
            if (model, name) in BOOLEANS:
                values[f"{when}_value_integer"] = int(bool(row.get(name)))
            else:
                values[f"{when}_value_char"] = WORDS[model, name].get(row.get(name) or "", row.get(name) or False)
        _put(env, "mail.tracking.value", **values)


def _author(env: Env) -> Any:
    return env.engine.store.table("res.users").rows.get(env.uid, {}).get("partner_id", False)


def _field_id(env: Env, model: str, name: str) -> int:
    table = env.engine.store.table("ir.model.fields")
    named = table.indexes["name"].get(name, ())
    return next((one for one in named if table.rows[one]["model"] == model), 0)


def _put(env: Env, model: str, /, **values: Any) -> int:
    table = env.engine.store.table(model)
    odoo_id = table.next_id
    table.next_id += 1
    stamp = {"create_date": env.cr.now, "write_date": env.cr.now, "create_uid": env.uid, "write_uid": env.uid}
    env.cr.put(model, odoo_id, {"id": odoo_id, **stamp, **values})
    return odoo_id

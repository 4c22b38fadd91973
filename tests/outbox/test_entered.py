"""What Odoo's form fills in as a field is entered: asked of each version as it takes it."""

from typing import Any

import pytest

from apps.outbox.dispatch_arguments import resolve
from apps.workflows.placeholders import ENTERED

VALUES = {
    ENTERED: ["purchase.order", "partner_id", ["payment_term_id", "user_id", "fiscal_position_id"]],
    "partner_id": 60,
    "user_id": 7,
    "order_line": [[0, 0, {"product_id": 3}]],
}


class Form:
    """An Odoo that puts payment terms into the form, and says records as its version does."""

    def __init__(self, version: str, terms: Any) -> None:
        self.said, self.terms, self.asked = version, terms, {}

    def version(self) -> str:
        return self.said

    def call(self, model: str, method: str, ids: list[int], **named: Any) -> Any:
        self.asked = {"model": model, "method": method, "ids": ids, **named}
        return {"value": {"payment_term_id": self.terms, "partner_ref": "not asked for"}}


@pytest.mark.parametrize(
    ("version", "terms", "how"),
    [
        ("14.0", (4, "30 days"), {"field_name": "partner_id", "field_onchange": "1"}),
        ("16.0", [4, "30 days"], {"field_name": "partner_id", "field_onchange": "1"}),
        ("17.0", 4, {"field_names": ["partner_id"], "fields_spec": {}}),
        ("saas~18.2", 4, {"field_names": ["partner_id"], "fields_spec": {}}),
        ("19.0", {"id": 4, "display_name": "30 days"}, {"field_names": ["partner_id"], "fields_spec": {}}),
    ],
)
def test_the_form_fills_in_what_follows_and_leaves_what_was_given(version: str, terms: Any, how: dict[str, Any]) -> None:
    form = Form(version, terms)
    made = resolve(form, {"vals_list": [VALUES]}, model="purchase.order")["vals_list"]  # type: ignore[arg-type]
    assert made == [
        {
            "partner_id": 60,
            "order_line": [[0, 0, {"product_id": 3}]],
            "payment_term_id": 4,
            # The one who was named stays where the form says nobody; what neither says is empty, not the session's own.
            "user_id": 7,
            "fiscal_position_id": False,
        }
    ]
    assert (form.asked["model"], form.asked["method"], form.asked["ids"]) == ("purchase.order", "onchange", [])
    assert form.asked["values"] == {"payment_term_id": False, "user_id": 7, "fiscal_position_id": False, "partner_id": 60}
    for name, value in how.items():
        shown = dict.fromkeys(["payment_term_id", "user_id", "fiscal_position_id", "partner_id"], value)
        assert form.asked[name] == (shown if name in ("field_onchange", "fields_spec") else value)

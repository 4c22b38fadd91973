"""What an extension declares gives nobody more rights: its SQL reads, and its calls leave people, rights and holds alone."""

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import Q

from apps.extensions import rights
from apps.workflows import guard_requests, registry, responsible
from apps.workflows.declare import Addition, ApprovalKind, ExceptionType, Fact, Guard, OdooCall, SuggestedAction, Workflow

NO_OTHERS: dict[str, Any] = {"on_asked": [], "on_rejection": [], "on_withdrawal": [], "on_expiry": []}


def fact(sql: str) -> Addition:
    return Addition(workflow="order_to_cash", facts=[Fact(name="more", columns=["more"], sql=sql)])


def action(**call: Any) -> Addition:
    action = SuggestedAction(name="act", title="Act", sql="SELECT 1", columns=[], calls=[OdooCall(title="Act", **call)])
    kind = ExceptionType(
        name="order.more",
        title="More",
        when=Q(),
        team="sales",
        due=timedelta(hours=1),
        amount="amount_total",
        evidence={},
        severity=("amount_total", (1, 2, 3)),
        actions=[action],
    )
    return Addition(workflow="order_to_cash", exceptions=[kind])


def approval(*calls: OdooCall) -> Addition:
    kind: ApprovalKind = registry.approval_kinds()["credit_override"][1]
    return Addition(workflow="order_to_cash", approvals=[replace(kind, name="more", on_approval=calls, **NO_OTHERS)])


def found(declared: Addition | Workflow, *, own: set[str] | None = None, model: str = "sale.order") -> str:
    return " ".join(rights.problems(declared, model=model, own=own or set(), label="ct_more"))


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("WITH gone AS (DELETE FROM mirror_sale_order RETURNING 1) SELECT 1 AS more", "says DELETE in its SQL"),
        ("SELECT 1 AS more; DROP TABLE x", "says DROP in its SQL"),
        ("SELECT 1 AS more; SELECT 2", "says ; in its SQL"),
        ("SELECT 1 AS more -- hidden", "says -- in its SQL"),
        ("SELECT pg_read_file('/etc/passwd') AS more", "says pg_read_file in its SQL"),
        ("SELECT api_key AS more FROM odoo_connection", "reads odoo_connection."),
        ('SELECT api_key AS more FROM "odoo_connection"', "reads odoo_connection."),
        ("SELECT role AS more FROM accounts_user", "reads accounts_user."),
        ("SELECT action AS more FROM audit_entry", "reads audit_entry."),
        ("SELECT name AS more FROM mirror_res_partner LIMIT 1", "reads the mirror without naming connection_id"),
    ],
)
def test_sql_reads_what_the_mirror_has_of_one_connection(sql: str, said: str) -> None:
    assert f"Fact more {said}" in found(fact(sql))


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT p.name AS more FROM mirror_res_partner p WHERE p.connection_id = r.connection_id AND p.odoo_id = r.partner_id",
        "SELECT 'drop; it -- now' AS more",
        "SELECT e.text AS more FROM events_event e WHERE e.connection_id = r.connection_id",
    ],
)
def test_sql_that_reads_is_let_be(sql: str) -> None:
    assert found(fact(sql)) == ""


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ({"model": "res.users", "method": "write"}, "calls write of res.users: people, rights, settings and code"),
        ({"model": "ir.config_parameter", "method": "set_param"}, "calls set_param of ir.config_parameter"),
        ({"method": "_action_confirm"}, "calls _action_confirm of sale.order, which is private"),
        ({"method": "write", "arguments": {"vals": {"x_ct_hold": False}}}, "writes x_ct_hold of sale.order"),
    ],
)
def test_a_suggested_action_leaves_people_settings_and_holds_alone(call: dict[str, Any], said: str) -> None:
    assert f"Suggested action act {said}" in found(action(**call))


def test_whoever_is_responsible_may_be_asked_by_an_extension_too() -> None:
    asks = responsible.ask(responsible.SALES_ORDER, "look at it")
    assert found(Addition(workflow="order_to_cash", actions={"order.unusual": [asks]})) == ""


def test_an_approval_releases_records_of_the_extensions_own_models_only() -> None:
    assert "writes x_ct_hold, x_ct_hold_reason, x_ct_rejected of sale.order" in found(approval(guard_requests.LIFT))
    assert found(approval(guard_requests.LIFT), own={"sale.order"}) == ""
    assert found(approval(guard_requests.answer("approved"), guard_requests.note("Done"))) == ""


def test_a_guard_is_over_models_of_its_own_and_keeps_to_odoos_rights() -> None:
    workflow = registry.workflows()["order_to_cash"]
    guard = Guard(approval="more", state_value="sale", release=("x", "X", ""), terms="", condition="why = False")
    only = replace(
        workflow, facts=[], dependencies=[], exceptions=[], approvals=[], blockers=[], lines=None, belongs_sql="", guards=[guard]
    )
    assert "is over a model that the extension does not mirror" in found(only)
    escaping = replace(only, guards=[replace(guard, condition="record.sudo().x = 1")])
    assert "The guard for more names sudo" in found(escaping, own={"sale.order"})


def test_people_and_settings_are_not_mirrored() -> None:
    assert [bool(rights.why_not_mirrored(name)) for name in ("res.users", "ir.config_parameter", "base.automation")] == [True] * 3
    assert [bool(rights.why_not_mirrored(name)) for name in ("rental.order", "x_rental_order", "res.partner.bank")] == [False] * 3


def test_the_houses_own_workflows_read_no_more_than_an_extension_may() -> None:
    said = [
        one
        for workflow in registry.workflows().values()
        for one in rights.problems(workflow, model=workflow.odoo_model, own=set(), label="ct_more")
        if " reads " in one and "in its SQL" not in one
    ]
    # Whether the tower asked for itself: who it is in Odoo stands beside its key, which is nothing for an extension.
    own = re.compile(r"(Fact (\w+_)?told|Suggested action (invoice|draft_invoice|credit)) reads odoo_connection\. ")
    assert [one for one in said if not own.match(one)] == []

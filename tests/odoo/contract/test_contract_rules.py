"""Automation rules, their code, and webhooks."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.odoo.contract.raw import OdooFault, Wire

Rule = Callable[..., int]
MARK = "Contract Rule"
PARAMETER = "contract.trace"


@pytest.fixture
def rule(wire: Wire) -> Iterator[Rule]:
    """Makes a rule on partners whose name begins with the mark, with one action; deleted afterwards."""
    actions: list[int] = []
    rules: list[int] = []

    def make(trigger: str, *watch: str, **action: Any) -> int:
        model = wire.model_id("res.partner")
        values = {
            "name": MARK,
            "model_id": model,
            "trigger": trigger,
            "filter_domain": f"[('name', '=like', '{MARK}%')]",
            "trigger_field_ids": [(6, 0, wire.field_ids("res.partner", *watch))],
        }
        if trigger == "on_unlink":
            del values["trigger_field_ids"]
        rules.append(wire.call("base.automation", "create", values))
        given = {"name": MARK, "model_id": model, "usage": "base_automation", "base_automation_id": rules[-1]}
        actions.append(wire.call("ir.actions.server", "create", {**given, **action}))
        return rules[-1]

    yield make
    wire.call("ir.actions.server", "unlink", actions)
    wire.call("base.automation", "unlink", rules)
    wire.clean()


def test_code_refuses_and_the_caller_is_rolled_back(wire: Wire, rule: Rule) -> None:
    rule("on_create_or_write", "ref", state="code", code="if record.ref == 'NO':\n    raise UserError('Not this one.')")
    partner = wire.create("res.partner", {"name": f"{MARK} One", "ref": "YES"})
    with pytest.raises(OdooFault) as refused:
        wire.call("res.partner", "write", [partner], {"ref": "NO", "phone": "1"})
    assert (refused.value.name, str(refused.value)) == ("odoo.exceptions.UserError", "Not this one.")
    row = wire.row("res.partner", partner, "ref", "phone")
    assert (row["ref"], row["phone"]) == ("YES", False)
    with pytest.raises(OdooFault):
        wire.call("res.partner", "create", {"name": f"{MARK} Two", "ref": "NO"})
    assert wire.call("res.partner", "search_count", [["name", "=", f"{MARK} Two"]]) == 0


def test_what_a_second_cursor_commits_outlives_the_refusal(wire: Wire, rule: Rule) -> None:
    code = f"""
own = env.registry.cursor()
try:
    own.execute('SELECT pg_advisory_xact_lock(hashtext(%s))', ['contract'])
    traces = env(cr=own, su=True)['ir.config_parameter']
    traces.create({{'key': '{PARAMETER}', 'value': '%s by %s' % (record._name, env.uid)}})
    own.commit()
finally:
    own.close()
raise UserError('Noted, and refused.')
"""
    partner = wire.create("res.partner", {"name": f"{MARK} Traced"})
    rule("on_create_or_write", "ref", state="code", code=code)
    try:
        with pytest.raises(OdooFault, match="Noted, and refused"):
            wire.call("res.partner", "write", [partner], {"ref": "TRACED"})
        assert wire.row("res.partner", partner, "ref")["ref"] is False
        (trace,) = wire.call("ir.config_parameter", "search_read", [["key", "=", PARAMETER]], ["value"])
        assert trace["value"] == f"res.partner by {wire.uid}"
    finally:
        wire.call("ir.config_parameter", "unlink", wire.call("ir.config_parameter", "search", [["key", "=", PARAMETER]]))


def test_code_sees_the_old_values_and_who_acts(wire: Wire, rule: Rule) -> None:
    code = "raise UserError('%s %s %s' % (env.context.get('old_values') is None, env.uid, env.user.id))"
    rule("on_create_or_write", "ref", state="code", code=code)
    with pytest.raises(OdooFault) as new:
        wire.call("res.partner", "create", {"name": f"{MARK} New"})
    assert str(new.value) == f"True {wire.uid} {wire.uid}"


def test_a_change_of_a_watched_field_is_told_after_the_commit(wire: Wire, rule: Rule, told: Any) -> None:
    partner = wire.create("res.partner", {"name": f"{MARK} Told"})
    fields = [(6, 0, wire.field_ids("res.partner", "write_date", "ref"))]
    rule("on_create_or_write", "ref", state="webhook", webhook_url=told.url, webhook_field_ids=fields)
    wire.call("res.partner", "write", [partner], {"phone": "2"})
    assert told.posts == []
    wire.call("res.partner", "write", [partner], {"ref": "R1"})
    ((headers, body),) = told.posts
    assert headers["content-type"] == "application/json"
    assert body["_action"].startswith(f"{MARK}(#")
    assert (body["_model"], body["_id"], body["id"], body["ref"]) == ("res.partner", partner, partner, "R1")
    assert set(body) == {"_action", "_id", "_model", "id", "ref", "write_date"}
    assert body["write_date"][:19] == wire.row("res.partner", partner, "write_date")["write_date"]
    assert len(body["write_date"]) == len("2026-01-01 00:00:00.123456")
    wire.call("res.partner", "write", [partner], {"ref": "R1"})
    assert len(told.posts) == 1


def test_creations_and_deletions_are_told_record_by_record(wire: Wire, rule: Rule, told: Any) -> None:
    fields = [(6, 0, wire.field_ids("res.partner", "write_date"))]
    rule("on_create_or_write", "ref", state="webhook", webhook_url=told.url, webhook_field_ids=fields)
    rule("on_unlink", state="webhook", webhook_url=told.url, webhook_field_ids=fields)
    ids = wire.call("res.partner", "create", [{"name": f"{MARK} A"}, {"name": f"{MARK} B"}])
    assert [body["_id"] for _, body in told.posts] == ids
    wire.call("res.partner", "unlink", ids)
    assert sorted(body["_id"] for _, body in told.posts[2:]) == ids


def test_a_listener_that_fails_or_keeps_silent_is_told_once_and_the_caller_goes_on(wire: Wire, rule: Rule, told: Any) -> None:
    partner = wire.create("res.partner", {"name": f"{MARK} Unheard"})
    fields = [(6, 0, wire.field_ids("res.partner", "write_date"))]
    rule("on_create_or_write", "ref", state="webhook", webhook_url=told.url, webhook_field_ids=fields)
    told.status = 500
    assert wire.call("res.partner", "write", [partner], {"ref": "R3"}) is True
    assert (len(told.posts), told.answered) == (1, 1)
    told.speaks.clear()
    assert wire.call("res.partner", "write", [partner], {"ref": "R4"}) is True
    assert (len(told.posts), told.answered) == (2, 1)
    assert wire.row("res.partner", partner, "ref")["ref"] == "R4"
    told.speaks.set()
    wire.call("res.partner", "write", [partner], {"ref": "R5"})
    assert [body["_id"] for _, body in told.posts] == [partner] * 3


def test_what_is_refused_is_not_told(wire: Wire, rule: Rule, told: Any) -> None:
    partner = wire.create("res.partner", {"name": f"{MARK} Quiet"})
    fields = [(6, 0, wire.field_ids("res.partner", "write_date"))]
    rule("on_create_or_write", "ref", state="webhook", webhook_url=told.url, webhook_field_ids=fields)
    rule("on_create_or_write", "ref", state="code", code="raise UserError('No.')")
    with pytest.raises(OdooFault):
        wire.call("res.partner", "write", [partner], {"ref": "R2"})
    assert told.posts == []


def test_a_custom_model_comes_and_goes(wire: Wire) -> None:
    model = wire.create("ir.model", {"name": "Contract Note", "model": "x_contract_note", "state": "manual", "field_id": []})
    wire.create(
        "ir.model.fields",
        {
            "model_id": model,
            "name": "x_amount",
            "ttype": "float",
            "field_description": "Amount",
            "state": "manual",
        },
    )
    group = wire.call("ir.model.data", "search_read", [["module", "=", "base"], ["name", "=", "group_user"]], ["res_id"])
    with pytest.raises(OdooFault) as denied:
        wire.call("x_contract_note", "create", {"x_amount": 2.5})
    assert denied.value.name == "odoo.exceptions.AccessError"
    access = wire.create(
        "ir.model.access",
        {
            "name": "contract note",
            "model_id": model,
            "group_id": group[0]["res_id"],
            "perm_read": True,
            "perm_write": True,
            "perm_create": True,
            "perm_unlink": True,
        },
    )
    # Odoo forgets its rights before it makes the row, and remembers them, without the row, while making it.
    wire.call("ir.model.access", "write", [access], {"name": "contract note, seen"})
    note = wire.call("x_contract_note", "create", {"x_amount": 2.5})
    assert wire.row("x_contract_note", note, "x_amount") == {"id": note, "x_amount": 2.5}
    wire.clean()
    with pytest.raises(OdooFault, match="doesn't exist"):
        wire.call("x_contract_note", "search", [])

"""How records are found, read and changed."""

import time
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.odoo.contract.raw import OdooFault, Wire

# Fields that an Odoo has with an app of its own.
OF_PRODUCT_EXPIRY = {"removal_date"}


@pytest.fixture(scope="module")
def people(wire: Wire) -> dict[str, int]:
    """A company with two addresses, one archived."""
    head = wire.create("res.partner", {"name": "Contract Head", "is_company": True, "ref": "CT-1", "credit_limit": 500.5})
    return {
        "head": head,
        "desk": wire.create("res.partner", {"name": "Contract Desk", "parent_id": head, "ref": "CT-2", "function": "Buyer"}),
        "old": wire.create("res.partner", {"name": "Contract_Old", "parent_id": head, "ref": "CT-3", "active": False}),
    }


MINE = ["ref", "in", ["CT-1", "CT-2", "CT-3"]]


def found(wire: Wire, people: dict[str, int], domain: list[Any], **named: Any) -> set[str]:
    """The names under which those that match are known."""
    named.setdefault("context", {"active_test": False})
    ids = wire.call("res.partner", "search", [["id", "in", list(people.values())], *domain], **named)
    return {name for name, odoo_id in people.items() if odoo_id in ids}


@pytest.mark.parametrize(
    ("domain", "names"),
    [
        ([["name", "=", "Contract Head"]], "head"),
        ([["name", "!=", "Contract Head"]], "desk old"),
        ([["name", "ilike", "contract d"]], "desk"),
        ([["name", "like", "contract d"]], ""),
        ([["name", "=ilike", "contract%desk"]], "desk"),
        ([["name", "=like", "Contract_Old"]], "old"),
        ([["name", "not ilike", "desk"]], "head old"),
        ([["function", "=", False]], "head old"),
        ([["function", "!=", False]], "desk"),
        ([["function", "!=", "Buyer"]], "head old"),
        ([["function", "not in", ["Buyer"]]], "head old"),
        ([["parent_id", "=", False]], "head"),
        ([["parent_id.name", "=", "Contract Head"]], "desk old"),
        ([["parent_id", "ilike", "contract he"]], "desk old"),
        ([["parent_id", "any", [["ref", "=", "CT-1"]]]], "desk old"),
        ([["child_ids.function", "=", "Buyer"]], "head"),
        ([["active", "=", False]], "old"),
        ([["is_company", "=", True]], "head"),
        ([["ref", ">", "CT-1"], ["ref", "<=", "CT-2"]], "desk"),
        (["|", ["ref", "=", "CT-1"], ["ref", "=", "CT-3"]], "head old"),
        (["!", ["ref", "=", "CT-1"]], "desk old"),
        (["&", "!", ["ref", "=", "CT-1"], "|", ["active", "=", False], ["function", "=", "Nowhere"]], "old"),
        (["!", "|", ["ref", "=", "CT-1"], ["ref", "=", "CT-3"]], "desk"),
        ([["credit_limit", ">=", 500.5], ["is_company", "=", True]], "head"),
        ([["commercial_partner_id.ref", "=", "CT-1"]], "head desk old"),
    ],
)
def test_a_domain_finds(wire: Wire, people: dict[str, int], domain: list[Any], names: str) -> None:
    assert found(wire, people, domain) == set(names.split())


def test_archived_records_are_found_only_when_asked_for(wire: Wire, people: dict[str, int]) -> None:
    assert found(wire, people, [], context={}) == {"head", "desk"}
    assert found(wire, people, [["active", "in", [True, False]]], context={}) == {"head", "desk", "old"}
    assert wire.call("res.partner", "search_count", [MINE]) == 2


def test_order_limit_and_offset(wire: Wire, people: dict[str, int]) -> None:
    named = {"context": {"active_test": False}}
    ids = [people["head"], people["desk"], people["old"]]
    assert wire.call("res.partner", "search", [MINE], order="id desc", **named) == ids[::-1]
    assert wire.call("res.partner", "search", [MINE], order="ref", limit=2, **named) == ids[:2]
    assert wire.call("res.partner", "search", [MINE], order="ref desc, id", offset=1, limit=1, **named) == [people["desk"]]
    # What is not set comes last.
    assert wire.call("res.partner", "search", [MINE], order="function, id", **named)[0] == people["desk"]
    assert wire.call("res.partner", "search", [MINE], order="function desc, id", **named)[-1] == people["desk"]


def test_values_come_in_their_shapes(wire: Wire, people: dict[str, int]) -> None:
    fields = [
        "name",
        "parent_id",
        "child_ids",
        "function",
        "active",
        "credit_limit",
        "create_date",
        "write_date",
        "user_id",
    ]
    (row,) = wire.call("res.partner", "read", [people["desk"]], fields=fields)
    assert row["id"] == people["desk"]
    assert row["parent_id"] == [people["head"], "Contract Head"]
    assert (row["user_id"], row["child_ids"], row["active"]) == (False, [], True)
    assert datetime.strptime(row["write_date"], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    head = wire.row("res.partner", people["head"], "parent_id", "child_ids", "credit_limit", "function", "commercial_partner_id")
    assert (head["parent_id"], head["function"], head["credit_limit"]) == (False, False, 500.5)
    assert head["commercial_partner_id"] == people["head"]
    assert people["desk"] in head["child_ids"]
    assert wire.row("res.partner", people["desk"], "parent_id")["parent_id"] == people["head"]
    assert wire.row("res.partner", people["desk"], "commercial_partner_id")["commercial_partner_id"] == people["head"]


def test_what_is_gone_is_left_out_of_a_read(wire: Wire, people: dict[str, int]) -> None:
    assert wire.call("res.partner", "search_read", [["id", "in", [people["head"], 99_999_999]]], ["name"]) == [
        {"id": people["head"], "name": "Contract Head"}
    ]
    assert wire.call("res.partner", "read", [99_999_999], ["name"]) == []


def test_a_write_moves_the_write_date_and_answers_true(wire: Wire) -> None:
    mine = wire.create("res.partner", {"name": "Contract Written"})
    before = wire.row("res.partner", mine, "write_date")["write_date"]
    deadline = time.monotonic() + 10
    while wire.row("res.partner", mine, "write_date")["write_date"] == before and time.monotonic() < deadline:
        assert wire.call("res.partner", "write", [mine], {"function": "Clerk"}) is True
    after = wire.row("res.partner", mine, "write_date", "function")
    assert (after["write_date"] > before, after["function"]) == (True, "Clerk")
    # Kept to the microsecond, shown to the second.
    domain = [["id", "=", mine], ["write_date", ">=", after["write_date"]]]
    assert wire.call("res.partner", "search_count", domain) == 1


def test_one_record_is_made_as_an_id_and_several_as_ids(wire: Wire) -> None:
    one = wire.call("res.partner", "create", {"name": "Contract Single"})
    wire.made.append(("res.partner", [one]))
    several = wire.call("res.partner", "create", [{"name": "Contract A"}, {"name": "Contract B"}])
    wire.made.append(("res.partner", several))
    assert isinstance(one, int)
    assert [isinstance(each, int) for each in several] == [True, True]


def test_a_call_that_fails_leaves_nothing(wire: Wire) -> None:
    with pytest.raises(OdooFault):
        wire.call("res.partner", "create", [{"name": "Contract Half", "ref": "CT-HALF"}, {"no_such_field": 1}])
    assert wire.call("res.partner", "search_count", [["ref", "=", "CT-HALF"]]) == 0


def test_deleted_is_deleted(wire: Wire) -> None:
    gone = wire.call("res.partner", "create", {"name": "Contract Gone"})
    assert wire.call("res.partner", "unlink", [gone]) is True
    assert wire.call("res.partner", "search", [["id", "=", gone]]) == []


def test_groups_are_counted_and_summed(wire: Wire, people: dict[str, int]) -> None:
    named = {"context": {"active_test": False}}
    wanted = {"groupby": ["write_date:day"], "aggregates": ["__count", "id:sum", "write_date:max"], **named}
    rows = wire.call("res.partner", "formatted_read_group", [["id", "in", list(people.values())]], **wanted)
    assert sum(row["__count"] for row in rows) == 3
    assert sum(row["id:sum"] for row in rows) == sum(people.values())
    newest = max(wire.row("res.partner", one, "write_date")["write_date"] for one in people.values())
    assert max(row["write_date:max"] for row in rows) == newest
    start, label = rows[-1]["write_date:day"]
    assert (start, len(label) > 5) == (f"{newest[:10]} 00:00:00", True)
    assert rows[-1]["__extra_domain"][0] == "&"
    by_parent = wire.call("res.partner", "formatted_read_group", [MINE], ["parent_id"], ["__count"], **named)
    assert {(row["parent_id"] and row["parent_id"][0], row["__count"]) for row in by_parent} == {
        (people["head"], 2),
        (False, 1),
    }
    old = wire.call("res.partner", "read_group", [MINE], ["total:sum(id)"], ["function"], lazy=False, **named)
    assert {row["function"]: (row["__count"], row["total"]) for row in old}["Buyer"] == (1, people["desk"])


def test_fields_and_rights_are_told(wire: Wire) -> None:
    fields = wire.call("sale.order", "fields_get", attributes=["type", "store", "relation", "string"])
    assert fields["partner_id"] == {"type": "many2one", "store": True, "relation": "res.partner", "string": "Customer"}
    assert (fields["order_line"]["type"], fields["order_line"]["relation"]) == ("one2many", "sale.order.line")
    assert (fields["amount_total"]["type"], fields["state"]["type"]) == ("monetary", "selection")
    assert wire.call("sale.order", "has_access", [], operation="read") is True
    assert wire.call("res.users", "context_get")["uid"] == wire.uid


def test_names_are_searched(wire: Wire, people: dict[str, int]) -> None:
    assert wire.call("res.partner", "name_search", "Contract Head", limit=1)[0][0] == people["head"]


def test_every_mirrored_field_is_there_with_its_type(wire: Wire) -> None:
    from apps.mirror import declare, registry

    kinds = {
        declare.Text: {"char", "text", "selection", "html"},
        declare.Many2one: {"many2one"},
        declare.Ids: {"one2many", "many2many"},
        declare.Number: {"float", "monetary"},
        declare.Exact: {"float"},
        declare.Integer: {"integer"},
        declare.Boolean: {"boolean"},
        declare.Moment: {"datetime"},
        declare.Day: {"date"},
    }
    wrong = []
    for name, model in registry.models().items():
        if model.optional or name.startswith("x_ct_"):
            continue
        there = wire.call(name, "fields_get", attributes=["type"])
        for field in model._meta.concrete_fields:
            if field.name in model.odoo_fields() and not field.name.startswith(("x_ct_", "carrier_")):
                told = there.get(field.name, {}).get("type")
                if told not in kinds[type(field)] and (told is not None or field.name not in OF_PRODUCT_EXPIRY):
                    wrong.append(f"{name}.{field.name} is {told}")
    assert not wrong

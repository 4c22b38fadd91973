"""Odoo's guards are told what is set, and it is said where one goes by something else."""

import json

from apps.accounts.models import User
from apps.approvals.policies import guard_policy
from apps.health import incidents
from apps.odoo.guards import PARAMETERS
from apps.odoo.models import Connection
from apps.outbox.models import Command
from apps.pipeline import parameter_changes
from apps.workflows import blueprint, parameter_values, registry
from apps.workflows.scopes import EVERYBODY, Scope
from tests.world import World


def put(world: World, name: str, value: object, scope: Scope = EVERYBODY) -> None:
    parameter_values.set_value(name, value, scope=scope, by=User.objects.get(username="mia"), now=world.now)
    parameter_changes.apply_due(now=world.now)


def row(world: World, terms: str = "") -> None:
    world.write("x_ct_request", 9, x_res_model="policy", x_kind=PARAMETERS, x_res_id=0, x_terms=terms)


def told(world: World) -> list[str]:
    return [one.evidence["problem_name"] for one in incidents.found(now=world.now) if one.kind == "integration.guards_outdated"]


def test_a_limit_reaches_the_guard_by_company_and_only_once(world: World) -> None:
    row(world)
    put(world, "purchase_limit", 8_000)
    command = Command.objects.get()
    assert (command.model, command.odoo_id, command.method) == ("x_ct_request", 9, "write")
    assert json.loads(command.arguments["vals"]["x_terms"]) == {"purchase_limit": {"": 8000.0}}
    assert guard_policy.publish(now=world.now) == [] and told(world) == []
    put(world, "purchase_limit", 5_000, Scope(connection=world.connection, company_id=2))
    put(world, "procure_to_pay.request.target", 3)
    newest = Command.objects.order_by("-sequence").first()
    assert newest is not None and Command.objects.count() == 2
    assert json.loads(newest.arguments["vals"]["x_terms"]) == {"purchase_limit": {"": 8000.0, "2": 5000.0}}


def test_it_is_said_where_a_guard_goes_by_something_else(world: World) -> None:
    put(world, "purchase_limit", 8_000)
    assert told(world) == [
        "What was set up in main is of an older version: its guards know the declared limits alone. "
        "Run manage.py provision_odoo main."
    ]
    row(world)
    assert "other limits" in told(world)[0]
    row(world, '{"purchase_limit": {"": 8000.0}}')
    assert told(world) == []
    put(world, "purchase_limit", None)
    Command.objects.update(status="failed")
    assert "other limits" in told(world)[0]


def test_an_odoo_in_which_nothing_was_set_up_has_no_guard_to_tell(world: World) -> None:
    Connection.objects.update(capabilities={"models": {"sale.order": {}}})
    put(world, "purchase_limit", 8_000)
    assert told(world) == [] and not Command.objects.exists()


def test_every_limit_of_a_guard_is_read_there_and_none_is_written_into_it(world: World) -> None:
    code = "\n".join(
        item.code(world.connection) if callable(item.code) else item.code
        for item in blueprint.of_catalogue().items
        if hasattr(item, "code")
    )
    guarded = {name for name, declared in registry.parameters().items() if declared.is_in_guard}
    assert guarded == {
        "purchase_limit",
        "return_limit",
        "count_limit",
        "mismatch_limit",
        "most_discount_percent",
        "least_margin_percent",
    }
    for name in guarded:
        default = float(registry.parameters()[name].parameter.default)
        assert f"parameter_of(env, '{name}', " in code
        assert f" >= {default:.0f})" not in code and f"from {default:.0f} on" not in code

"""The house's own provisioning, against the sandbox company."""

from collections.abc import Callable

import pytest

from apps.core import clock
from apps.odoo import capabilities, provision
from apps.odoo.client import OdooClient, connect
from apps.odoo.models import Connection
from apps.workflows import blueprint

WATCHED = (
    "res.groups",
    "ir.model",
    "ir.model.fields",
    "ir.model.access",
    "base.automation",
    "ir.actions.server",
    "ir.ui.view",
    "ir.cron",
    "ir.model.data",
)


def standing(client: OdooClient) -> dict[str, list[int]]:
    """The ids of everything that provisioning touches."""
    return {model: client.search(model, [], order="id") for model in WATCHED}


@pytest.mark.parametrize("transport", ["json2", "jsonrpc"])
def test_what_was_provisioned_is_removed_without_trace(at: Callable[..., Connection], transport: str) -> None:
    connection = at(transport=transport)
    client = connect(connection)
    before, orders = standing(client), client.search_read("sale.order", [], ["id", "write_date"], order="id")
    plan = blueprint.of_catalogue()
    done = provision.apply(connection, plan)
    assert {step.action for step in done} == {"create"}
    again = provision.apply(connection, plan)
    assert {step.action for step in again} == {"keep"}
    assert "x_ct_hold" in client.fields_get("sale.order")
    provision.remove(connection)
    assert standing(client) == before
    assert "x_ct_hold" not in client.fields_get("sale.order")
    assert client.search_read("sale.order", [], ["id", "write_date"], order="id") == orders


def test_what_a_field_held_goes_with_the_field(at: Callable[..., Connection]) -> None:
    connection = at()
    client = connect(connection)
    plan = blueprint.of_catalogue()
    provision.apply(connection, plan)
    (order,) = client.search("sale.order", [], order="id", limit=1)
    client.write("sale.order", [order], {"x_ct_hold": True})
    provision.remove(connection)
    provision.apply(connection, plan)
    assert client.read("sale.order", [order], ["x_ct_hold"]) == [{"id": order, "x_ct_hold": False}]


def test_the_probe_finds_nothing_missing(at: Callable[..., Connection]) -> None:
    from apps.mirror import registry

    connection = at()
    wanted = {name: model.odoo_fields() for name, model in registry.models().items() if not name.startswith("x_ct_")}
    report = capabilities.look(connection, wanted, optional=["helpdesk.stage"], now=clock.now())
    missing = {name: model.missing_fields for name, model in report.models.items() if model.missing_fields}
    assert report.can_provision
    assert report.has_automation
    assert report.reads_history
    assert not report.missing_models
    # Fields of the tower's own come with provisioning; carrier fields with an app that this company has not. Its helpdesk is
    # that of the OCA, which knows less of a ticket than Enterprise's does.
    enterprise = set(missing.pop("helpdesk.ticket"))
    assert enterprise == {"team_id", "ticket_ref", "close_date", "sla_deadline"}
    assert all(one.startswith(("x_ct_", "carrier_")) for fields in missing.values() for one in fields), missing

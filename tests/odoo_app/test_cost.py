"""What the guards cost Odoo's users stands on the page of a connection that has them, with where it was measured."""

from django.test import Client

from apps.accounts.models import Role
from apps.core.templatetags.show import brief_span
from apps.odoo.cost import COSTS
from controltower.env import BASE_DIR
from tests.world import World, person


def test_a_provisioned_connection_says_what_its_guards_cost_and_that_this_was_measured_elsewhere(db: None) -> None:
    world, client = World(), Client()
    client.force_login(person("ivan", Role.INTEGRATOR))
    world.connection.capabilities = {"models": {"sale.order": {}}}
    world.connection.save()
    assert "Cost of guards and webhooks" not in client.get("/connections/main/").content.decode()
    world.connection.capabilities = {"models": {"x_ct_request": {}}}
    world.connection.save()
    page = client.get("/connections/main/").content.decode()
    assert "not measured in this Odoo: processor time on a reference machine, Odoo 19.0" in page
    for cost in COSTS:
        assert str(cost.act) in page
        assert brief_span(cost.with_seconds) in page


def test_the_page_and_the_measurements_say_the_same() -> None:
    documented = (BASE_DIR / "docs" / "measurements.md").read_text()
    for cost in COSTS:
        figures = f"{brief_span(cost.with_seconds)} | {brief_span(cost.without_seconds)} | {cost.ratio} | "
        assert f"{cost.webhooks} webhooks | {figures}" in documented, cost.act

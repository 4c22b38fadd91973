"""Who held the orders of one customer, on its page."""

import pytest
from django.test import Client

from apps.accounts.access import EVERYTHING, AccessScope
from apps.accounts.models import User
from apps.boards.held import splitting
from apps.workflows import registry
from apps.workflows.models import Position
from tests.boards.lives import NOW, START, at, moved
from tests.boards.test_held import company, hours
from tests.world import World

__all__ = ["company"]
pytestmark = pytest.mark.django_db


def stands_with(world: World, odoo_id: int, partner: int, workflow: str = "order_to_cash") -> None:
    """The record's place, with its customer or vendor."""
    Position.objects.create(
        connection=world.connection,
        workflow=workflow,
        model=registry.workflows()[workflow].odoo_model,
        odoo_id=odoo_id,
        name=f"S{odoo_id}",
        stage="closed",
        since=at(12),
        is_open=False,
        partner_id=partner,
        company_id=1,
    )


def test_a_customers_page_says_who_held_its_orders(company: World, mia_manager: User, client: Client) -> None:
    company.write("res.partner", 71, name="Azure, Rita", commercial_partner_id=50, active=True)
    company.customer(52, name="Gemini", credit_limit=0)
    for odoo_id, partner in ((1, 50), (2, 71), (3, 52)):
        moved(company, odoo_id, (0, "to_invoice"), (2 * odoo_id, "unpaid"), (12, "closed"))
        stands_with(company, odoo_id, partner)
    moved(company, 4, (0, "unacknowledged"), (10, "closed"), workflow="procure_to_pay")
    stands_with(company, 4, 50, "procure_to_pay")
    workflow, asked_for = registry.workflows()["order_to_cash"], {"since": START, "until": NOW, "access_scope": EVERYTHING}

    found = splitting.of_partner(workflow, connection_id=company.connection.pk, members=[50, 71], **asked_for)
    assert found is not None and found.count == 2
    assert hours(found) == {"customer": 10 + 8, "us finance": 2 + 4}
    assert splitting.of_partner(workflow, connection_id=company.connection.pk, members=[99], **asked_for) is None
    other = AccessScope(frozenset({(company.connection.pk, 2)}))
    hidden = asked_for | {"access_scope": other}
    assert splitting.of_partner(workflow, connection_id=company.connection.pk, members=[50, 71], **hidden) is None

    client.force_login(mia_manager)
    assert "held/partners/main/50/order_to_cash/" in client.get("/customers/main/50/").content.decode()
    part = client.get("/held/partners/main/71/order_to_cash/")
    assert part.status_code == 200 and "Who held it" in part.content.decode()
    assert client.get("/held/partners/main/999/order_to_cash/").status_code == 404
    assert client.get("/held/partners/main/50/nothing/").status_code == 404

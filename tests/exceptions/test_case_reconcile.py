"""Who is told of what is raised, and that a workflow brings its team."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection as database
from django.db import transaction
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import Role, Team
from apps.exceptions.cases import case_reconcile
from apps.exceptions.models import ExceptionCase
from apps.mirror import registry, upsert
from apps.notifications.models import Notification
from apps.pipeline import change_processing
from tests.world import World, odoo_time, person


def overdue(world: World, customers: range) -> None:
    """One invoice of each customer, ten days late, all of it in one batch."""
    model = registry.models()["account.move"]
    due = (world.now - timedelta(days=10)).strftime("%Y-%m-%d")
    given = {
        "state": "posted",
        "move_type": "out_invoice",
        "payment_state": "not_paid",
        "company_id": 1,
        "currency_id": 1,
        "amount_total": 100.0,
        "amount_total_signed": 100.0,
        "amount_residual": 100.0,
        "amount_residual_signed": 100.0,
        "invoice_date_due": due,
        "write_date": odoo_time(world.now),
        "create_date": odoo_time(world.now),
    }
    rows = [
        dict.fromkeys(model.odoo_fields(), False)
        | given
        | {"id": 5_000 + customer, "name": f"INV/{customer}", "partner_id": customer, "commercial_partner_id": customer}
        for customer in customers
    ]
    changes = upsert.apply(model, connection_id=world.connection.pk, rows=rows, read_at=world.now)
    change_processing.apply_changes([changes], now=world.now)


@pytest.mark.django_db
def test_few_are_told_one_by_one() -> None:
    world = World()
    olga = person("olga", Role.OPERATOR, team="finance")
    overdue(world, range(200, 200 + case_reconcile.TOLD_SINGLY))
    told = Notification.objects.filter(user=olga, kind="exception.opened")
    assert told.count() == ExceptionCase.objects.count() == case_reconcile.TOLD_SINGLY


@pytest.mark.django_db
def test_many_of_one_batch_are_one_message_to_their_owner() -> None:
    world = World()
    olga = person("olga", Role.OPERATOR, team="finance")
    overdue(world, range(200, 240))
    assert ExceptionCase.objects.filter(owner=olga).count() == 40
    told = Notification.objects.get(user=olga, kind="exception.opened")
    assert (told.title, told.body) == ("40 exceptions assigned to you", "Overdue exposure: 40.")


@pytest.mark.django_db
def test_a_team_that_nobody_made_comes_with_the_workflow_and_owns_nobodys_work() -> None:
    overdue(World(), range(200, 202))
    assert Team.objects.get(slug="finance").name == "Finance"
    assert ExceptionCase.objects.filter(owner=None).count() == 2


@pytest.mark.django_db
def test_a_thousand_records_raise_in_the_statements_that_a_few_do() -> None:
    world = World()
    world.write("product.template", 300, name="Oak desk")
    world.write("product.product", 30, product_tmpl_id=300, standard_price=40)

    def statements(first: int, many: int) -> int:
        quants = registry.models()["stock.quant"]
        written = odoo_time(world.now)
        rows: list[dict[str, Any]] = [
            dict.fromkeys(quants.odoo_fields(), False)
            | {
                "id": first + number,
                "product_id": 30,
                "company_id": 1,
                "quantity": -1.0,
                "inventory_date": "2026-12-31",
                "create_date": written,
                "write_date": written,
            }
            for number in range(many)
        ]
        with transaction.atomic():
            changes = upsert.apply(quants, connection_id=world.connection.pk, rows=rows, read_at=world.now)
            with CaptureQueriesContext(database) as asked:
                change_processing.apply_changes([changes], now=world.now)
        return len(asked)

    few = statements(1_000, 10)
    many = statements(5_000, 1_000)
    assert ExceptionCase.objects.filter(type="inventory.negative_stock").count() == 1_010
    assert many <= few

"""The companies of a real Odoo's demonstration: a person who is limited to one is shown that one."""

import os

import pytest
from django.core.management import call_command

from apps.accounts.models import Role
from apps.mirror.models.res_company import Company
from apps.odoo.models import Connection
from apps.workflows.models import Position
from tests.access.test_nothing_leaks import browser
from tests.world import person

pytestmark = [pytest.mark.odoo, pytest.mark.django_db(transaction=True)]


def test_who_sees_one_company_of_a_real_odoo_is_shown_its_records_alone() -> None:
    call_command(
        "connect_odoo",
        "real",
        url=os.environ["ODOO_URL"],
        db=os.environ["ODOO_DB"],
        login=os.environ["ODOO_LOGIN"],
        key=os.environ["ODOO_PASSWORD"],
    )
    call_command("sync", "real", "--full")
    connection = Connection.objects.get(name="real")
    companies = Company.objects.filter(connection=connection).count()
    held = set(Position.objects.exclude(company_id=None).values_list("company_id", flat=True))
    assert companies > 1 and len(held) > 1, (companies, held)
    for company in held:
        person(f"only{company}", Role.MANAGER)
        call_command("grant", f"only{company}", sees=[f"real:{company}"])
        shown = browser(f"only{company}")
        for position in Position.objects.select_related("connection"):
            may = position.company_id in (None, company)
            address = f"real/{position.model}/{position.odoo_id}/"
            assert (shown.get(f"/records/{address}").status_code == 200) == may, (company, position.company_id, address)
        counted = {stage["stage"]: stage["count"] or 0 for stage in shown.get("/api/v1/boards/order_to_cash/").json()["stages"]}
        own = Position.objects.filter(workflow="order_to_cash", is_open=True, company_id=company)
        assert sum(counted.values()) == own.count()

"""How soon an incident of the integration has to be resolved is a parameter, as it is of every other exception."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import User
from apps.exceptions import integration
from apps.exceptions.cases import incident_reconcile
from apps.exceptions.cases.incident_reconcile import Incident
from apps.exceptions.models import ExceptionCase, Severity
from apps.odoo.models import Connection
from apps.pipeline import parameter_changes
from apps.workflows import parameter_values, registry
from apps.workflows.models import ParameterValue
from apps.workflows.scopes import EVERYBODY, Scope

pytestmark = pytest.mark.usefixtures("db", "staffed")

NAME = "integration.connection_down.due"


def put(value: float | None, now: datetime, scope: Scope = EVERYBODY) -> None:
    parameter_values.append(NAME, value, scope=scope, by=None, now=now)


def opened(connection: Connection, now: datetime, **more: Any) -> ExceptionCase:
    incident = Incident(
        kind="integration.connection_down",
        connection_id=connection.pk,
        name=connection.name,
        severity=Severity.HIGH,
        since=now,
        evidence={},
        **more,
    )
    (case,) = incident_reconcile.reconcile([incident], now=now)
    return case


def test_every_type_of_incident_has_its_sla_among_the_parameters() -> None:
    known = registry.parameters()
    for kind in integration.TYPES.values():
        declared = known[f"{kind.name}.due"]
        assert declared.parameter.default == kind.due / timedelta(hours=1)
        assert [reader.name for reader in declared.readers] == ["integration"]


@pytest.mark.parametrize(
    ("everybody", "of_connection", "of_company", "hours"),
    [(None, None, None, 0.5), (3, None, None, 3), (3, 2, None, 2), (3, 2, 1, 1), (None, None, 1, 1), (3, None, 1, 1)],
)
def test_the_nearest_value_counts(
    everybody: float | None,
    of_connection: float | None,
    of_company: float | None,
    hours: float,
    connection: Connection,
    ivan_integrator: User,
    now: datetime,
) -> None:
    for value, scope in (
        (everybody, EVERYBODY),
        (of_connection, Scope(connection=connection)),
        (of_company, Scope(connection=connection, company_id=4)),
    ):
        if value is not None:
            put(value, now, scope)

    assert opened(connection, now, company_id=4).due_at == now + timedelta(hours=hours)


def test_another_companys_value_and_one_that_was_reset_do_not_count(
    connection: Connection, ivan_integrator: User, now: datetime
) -> None:
    put(7, now, Scope(connection=connection, company_id=5))
    put(6, now)
    put(None, now)

    assert opened(connection, now, company_id=4).due_at == now + timedelta(minutes=30)


def test_what_is_open_keeps_its_time_and_no_record_is_evaluated_for_it(
    connection: Connection, ivan_integrator: User, now: datetime
) -> None:
    case = opened(connection, now)
    put(5, now)

    assert parameter_changes.apply_due(now=now) == 1
    assert not ParameterValue.objects.filter(applied_at=None).exists()
    case.refresh_from_db()
    assert case.due_at == now + timedelta(minutes=30)


def test_they_stand_on_the_page_of_parameters(client: Client) -> None:
    client.force_login(User.objects.create_superuser("root", password="works-here-2026"))

    page = client.get("/parameters/").content.decode()
    assert 'id="of-integration"' in page
    assert "Odoo cannot be reached" in page
    assert client.get(f"/parameters/{NAME}/").status_code == 200

"""Addresses of the release before are answered with 308 for one release, so that programs go on."""

import pytest
from django.test import Client

JOB = "01890000-0000-7000-8000-000000000000"


@pytest.mark.parametrize(
    ("former", "address"),
    [
        ("deeds/", "bulk-jobs/"),
        ("deeds/?state=done", "bulk-jobs/?state=done"),
        (f"deeds/{JOB}/", f"bulk-jobs/{JOB}/"),
        (f"deeds/{JOB}/rows/?outcome=refused", f"bulk-jobs/{JOB}/items/?outcome=refused"),
        (f"deeds/{JOB}/undo/", f"bulk-jobs/{JOB}/undo/"),
        ("exceptions/7/remedies/", "exceptions/7/actions/"),
        ("exceptions/7/take/", "exceptions/7/apply/"),
        ("approvals/askable/?model=sale.order&odoo_id=1", "approvals/available/?model=sale.order&odoo_id=1"),
        ("deliveries/7/mend/", "deliveries/7/edit/"),
    ],
)
@pytest.mark.parametrize("method", ["get", "post"])
def test_a_former_address_answers_with_the_new_one_and_keeps_the_method(
    client: Client, former: str, address: str, method: str
) -> None:
    answer = getattr(client, method)(f"/api/v1/{former}")
    assert (answer.status_code, answer["Location"]) == (308, f"/api/v1/{address}")


@pytest.mark.parametrize("nowhere", ["deed/", "deeds", "exceptions/x/take/", "deliveries/mend/", "x/deeds/"])
def test_an_address_that_never_was_is_a_problem_document(client: Client, nowhere: str) -> None:
    answer = client.get(f"/api/v1/{nowhere}")
    assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")

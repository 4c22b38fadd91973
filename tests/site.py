"""A whole tower and the company that it is connected to, for the tests that walk from Odoo to the screen and back.

It runs twice, each time once for all tests of a module: against the stand-in company, and against a real Odoo. Not longer,
for what a tower sets up in an Odoo, its guards above all, meets every other test there.
"""

import os
from collections.abc import Iterator

import pytest

from tests.company import Company, Worker
from tests.tower import Tower

# Who decides in the tower is somebody in Odoo.
DECIDERS = ("approver", "manager", "admin")


@pytest.fixture(
    scope="module",
    params=[pytest.param("sandbox"), pytest.param("real", marks=pytest.mark.odoo)],
)
def site(request: pytest.FixtureRequest) -> Iterator[tuple[Tower, Company]]:
    """A whole tower, connected to a company, provisioned and read."""
    if request.param == "real" and not os.environ.get("ODOO_URL"):
        pytest.skip("no real Odoo: set ODOO_URL, ODOO_DB, ODOO_LOGIN and ODOO_PASSWORD, or run make test-odoo")
    tower = Tower("demo" if request.param == "sandbox" else "up")
    try:
        if request.param == "sandbox":
            yield tower, Company.sandbox(tower.company_url)
            return
        company = Company.real()
        tower.manage(
            "connect_odoo",
            tower.connection,
            "--url",
            company.url,
            "--db",
            company.database,
            "--login",
            company.login,
            "--key",
            os.environ.get("ODOO_KEY") or company.password,
            "--provision",
        )
        try:
            known = {name: company.worker(Worker(f"Tower {name}", "base.group_user", "")) for name in DECIDERS}
            tower.manage("sync", tower.connection, "--full")
            for name, worker in known.items():
                login = company.ask("res.users", "read", [worker.uid], ["login"])[0]["login"]
                tower.manage("link_odoo_user", name, "--odoo-login", login)
            yield tower, company
        finally:
            tower.manage("provision_odoo", tower.connection, "--remove")
            company.clean_up()
    finally:
        tower.stop()


@pytest.fixture
def tower(site: tuple[Tower, Company]) -> Tower:
    return site[0]


@pytest.fixture
def company(site: tuple[Tower, Company]) -> Company:
    return site[1]

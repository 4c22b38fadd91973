"""The real Odoo that ODOO_URL, ODOO_DB, ODOO_LOGIN and ODOO_PASSWORD name."""

import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from apps.odoo.models import Connection


def login() -> "Connection":
    """A connection to the real Odoo, not stored. Without one the test is skipped, and says so."""
    from apps.odoo.models import Connection

    if not os.environ.get("ODOO_URL"):
        pytest.skip("no real Odoo: set ODOO_URL, ODOO_DB, ODOO_LOGIN and ODOO_PASSWORD, or run make test-odoo")
    return Connection(
        name="real",
        url=os.environ["ODOO_URL"],
        database=os.environ["ODOO_DB"],
        login=os.environ["ODOO_LOGIN"],
        api_key=os.environ["ODOO_PASSWORD"],
    )

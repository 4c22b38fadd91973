"""SQL of an extension that cannot be run is found by the check of the database, before any record meets it."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from apps.core.extensions import discover
from apps.extensions import checks, validation
from apps.workflows import engine
from tests.extensions.packages import declared, write

pytestmark = pytest.mark.django_db
ADDITION = """
from datetime import timedelta

from django.db.models import Q

from apps.workflows.declare import Addition, Dependency, ExceptionType, Fact, Unwatched

ADDITION = Addition(
    workflow="order_to_cash",
    facts=[Fact(name="more", columns=["more_count"], unwatched={reasons},
                sql="SELECT {column} AS more_count FROM mirror_res_partner p "
                "WHERE p.connection_id = r.connection_id AND p.odoo_id = r.partner_id")],
    dependencies=[Dependency(model="res.partner", sql="SELECT s.odoo_id FROM mirror_sale_order s WHERE s.connection_id = "
                             "%(connection)s AND s.{link} = ANY(%(ids)s)")],
    exceptions=[ExceptionType(name="order.more", title="More", when=Q(more_count__gt=0), team="sales", due=timedelta(hours=1),
                              amount="amount_total", evidence={}, severity=("amount_total", (1, 2, 3)))],
)
"""


def forget() -> None:
    validation.forget()
    engine._statements.cache_clear()


@pytest.fixture
def folder(tmp_path: Path, settings: Any) -> Iterator[Path]:
    yield tmp_path
    settings.EXTENSIONS = discover()
    forget()
    sys.path.remove(str(tmp_path))
    for name in [name for name in sys.modules if name.partition(".")[0] == "ct_sql"]:
        del sys.modules[name]


def found(folder: Path, settings: Any, *, column: str, link: str, unwatched: Sequence[str] = ()) -> list[str]:
    """What the check says of an addition with these columns in its SQL."""
    reasons = f"[Unwatched(model='stock.lot', columns={unwatched!r}, because='Lots keep their names.')]" if unwatched else "[]"
    text = ADDITION.replace("{column}", column).replace("{link}", link).replace("{reasons}", reasons)
    write(folder, "ct_sql", {"__init__.py": declared("sql", additions=["ct_sql.more"]), "more.py": text})
    settings.EXTENSIONS = discover(folder=folder)
    forget()
    return [str(one.msg) for one in checks.statements(databases=["default"])]


def test_sql_that_can_be_run_is_let_be(folder: Path, settings: Any) -> None:
    assert found(folder, settings, column="p.odoo_id", link="partner_id") == []


def test_what_fails_is_named_with_the_remedy(folder: Path, settings: Any) -> None:
    fact, dependency = found(folder, settings, column="p.gone", link="gone_id")
    assert fact.startswith("The workflow order_to_cash of an extension cannot be run (column p.gone does not exist")
    assert dependency.startswith("The dependency on res.partner of an extension cannot be run (column s.gone_id does not exist")
    assert fact.endswith("Run manage.py migrate, or mend the SQL.")


OF_LOTS = "(SELECT count(*) FROM mirror_stock_lot l WHERE l.connection_id = r.connection_id AND l.name = r.name)"


def test_columns_that_are_said_to_be_read_without_being_watched_are_let_be(folder: Path, settings: Any) -> None:
    assert found(folder, settings, column=OF_LOTS, link="partner_id", unwatched=["name"]) == []


def test_a_column_that_is_read_beside_them_is_named_with_the_remedy(folder: Path, settings: Any) -> None:
    missing, surplus = found(folder, settings, column=OF_LOTS, link="partner_id", unwatched=["product_id"])
    assert missing.startswith("Workflow order_to_cash: fact more reads name of stock.lot, and a change there wakes no record")
    assert surplus.endswith("does not read product_id of stock.lot. Leave that out of what is not watched.")


def test_without_the_database_nothing_is_asked_of_it(folder: Path, settings: Any) -> None:
    found(folder, settings, column="p.gone", link="gone_id")
    assert checks.statements(databases=None) == []

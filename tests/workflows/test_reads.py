"""What facts read of other records is watched, or there is a reason; a wrong declaration says what is wrong and the remedy."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from apps.workflows import checks, reads, registry
from apps.workflows.declare import Dependency, Fact, Unwatched, Workflow

TRANSFERS = Fact(
    name="transfers",
    columns=["transfers_count"],
    sql="""
        SELECT count(*) AS transfers_count FROM mirror_stock_picking p
         WHERE p.connection_id = r.connection_id AND p.sale_id = r.odoo_id AND p.state = 'done' AND p.deleted_at IS NULL
    """,
)
READ = ["sale_id", "state"]
BECAUSE = "It is counted once a day."


def ticketed(fact: Fact, dependencies: Sequence[Dependency] = (), **more: object) -> Workflow:
    """The workflow of tickets, which watches no transfers, with one more fact."""
    tickets = registry.workflows()["service"]
    return replace(tickets, facts=[*tickets.facts, fact], dependencies=[*tickets.dependencies, *dependencies], **more)  # type: ignore[arg-type]


def unwatched(*columns: str, model: str = "stock.picking", because: str = BECAUSE) -> Fact:
    return replace(TRANSFERS, unwatched=[Unwatched(model=model, columns=columns, because=because)])


@pytest.mark.parametrize("name", registry.workflows())
def test_each_column_that_a_fact_reads_is_watched_or_has_a_reason(name: str, db: None) -> None:
    workflow = registry.workflows()[name]
    assert [*reads.problems(workflow), *reads.problems_of_columns(workflow)] == []


def test_a_table_that_nothing_watches_is_named_as_the_workflow_loads() -> None:
    (problem,) = checks.problems_of(ticketed(TRANSFERS))
    assert problem.startswith(
        "Workflow service: fact transfers reads stock.picking, and a change there wakes no record of service."
    )
    assert "Add a Dependency on stock.picking, or say in the fact why it may be: unwatched=[Unwatched(" in problem


def test_a_dependency_or_a_reason_ends_it() -> None:
    watching = Dependency(model="stock.picking", sql="SELECT 1 WHERE %(connection)s = 0 AND 1 = ANY(%(ids)s)")
    assert list(reads.problems(ticketed(TRANSFERS, [watching]))) == []
    assert list(reads.problems(ticketed(unwatched(*READ)))) == []


def test_a_column_that_the_reason_does_not_speak_of_is_named(db: None) -> None:
    assert list(reads.problems_of_columns(ticketed(unwatched(*READ)))) == []
    (problem,) = reads.problems_of_columns(ticketed(unwatched("sale_id")))
    assert problem.startswith("Workflow service: fact transfers reads state of stock.picking, and a change there wakes no record")
    (problem,) = reads.problems_of_columns(ticketed(unwatched(*READ, "name")))
    assert problem == (
        "Workflow service: fact transfers does not read name of stock.picking. Leave that out of what is not watched."
    )


@pytest.mark.parametrize(
    ("fact", "says"),
    [
        (unwatched(*READ, because=" "), "gives no reason why stock.picking is not watched. Say it."),
        (
            replace(unwatched(*READ), unwatched=[*unwatched(*READ).unwatched, *unwatched("name", model="stock.lot").unwatched]),
            "says that stock.lot is not watched, and reads nothing of it. Leave that out.",
        ),
        (
            replace(unwatched(*READ), unwatched=[*unwatched(*READ).unwatched, *unwatched("name", model="res.partner").unwatched]),
            "says that res.partner is not watched, and a dependency is on it. Leave one out.",
        ),
    ],
)
def test_a_reason_that_is_none_is_refused(fact: Fact, says: str) -> None:
    assert list(reads.problems(ticketed(fact))) == [f"Workflow service: fact transfers {says}"]


def test_another_record_of_the_same_model_is_another_record() -> None:
    others = Fact(
        name="others",
        columns=["others_count"],
        sql="SELECT count(*) AS others_count FROM mirror_helpdesk_ticket o"
        " WHERE o.connection_id = r.connection_id AND o.partner_id = r.partner_id",
    )
    (problem,) = reads.problems(ticketed(others))
    assert "fact others reads helpdesk.ticket" in problem


def test_which_records_belong_has_no_excuse() -> None:
    open_ones = "EXISTS (SELECT FROM mirror_stock_lot l WHERE l.connection_id = r.connection_id AND l.odoo_id = r.odoo_id)"
    (problem,) = reads.problems(ticketed(unwatched(*READ), belongs_sql=open_ones))
    assert problem.startswith("Workflow service: fact belongs reads stock.lot")
    assert problem.endswith("Add a Dependency on stock.lot.")


def test_what_a_function_of_the_database_reads_is_found(db: None) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("CREATE FUNCTION lots() RETURNS bigint LANGUAGE sql STABLE AS 'SELECT count(*) FROM mirror_stock_lot'")
    hidden = Fact(name="hidden", columns=["lots_count"], sql="SELECT lots() AS lots_count")
    assert list(reads.problems(ticketed(hidden))) == []
    (problem,) = reads.problems_of_columns(ticketed(hidden))
    assert "fact hidden reads whatever lots() reads of stock.lot" in problem


def test_nothing_is_left_behind(db: None) -> None:
    from django.db import connection

    list(reads.columns_read(registry.workflows()["service"]))
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname FROM pg_class WHERE relname LIKE 'reads_%%' AND relpersistence = 't'", [])
        assert cursor.fetchall() == []

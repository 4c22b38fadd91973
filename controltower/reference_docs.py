"""``python -m controltower.reference_docs`` writes the documents that are made from declarations (``make reference-docs``)."""

from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import django
from django.conf import settings

ERRORS = """# Errors

Each error of the REST API is a problem document (RFC 9457). `code` is what a program compares and never changes; `type` is the
address of the same code, `/api/v1/errors/{code}/`, which answers with the row below; `detail` is a sentence for people about
this one call. Pages say the same sentence. The module is where the kind is declared and raised, or whose rules raise it.

This page is written by `make reference-docs` from the declarations in those modules.

| code | status | meaning | remedy | module |
| --- | --- | --- | --- | --- |
"""


def _errors() -> Iterator[str]:
    # The API's own addresses load every module that refuses something.
    import_module("controltower.urls")
    problems = import_module("apps.api.problems")
    refusals = import_module("apps.core.refusals")
    modules = {kind.problem.code: kind.__module__ for kind in refusals.kinds()}
    yield ERRORS
    for code, problem in problems.every_problem().items():
        module = modules.get(code, problems.__name__).replace(".", "/") + ".py"
        yield f"| `{code}` | {problem.status} | {problem.meaning} | {problem.remedy} | `{module}` |\n"


STATES = """# States and transitions

Every change of a status goes through one table for its kind of thing (`apps/*/transitions.py`); a move that is not in the table is
refused with `transition_not_possible` ([errors](errors.md)), whoever makes it. A diagram shows the moves that lead to another
status, the table below it all of them. "=" leaves the status as it is.

This page is written by `make reference-docs` from those tables.
"""
TABLES = {
    "Exceptions: cases": ("apps.exceptions.transitions", "CASES"),
    "Exceptions: incidents": ("apps.exceptions.transitions", "INCIDENTS"),
    "Approval requests": ("apps.approvals.transitions", "REQUESTS"),
    "Steps of approval requests": ("apps.approvals.transitions", "STEPS"),
    "Proposals": ("apps.vendors.transitions", "PROPOSALS"),
    "Mails": ("apps.vendors.transitions", "MAILS"),
    "New dates to customers": ("apps.customers.transitions", "NEW_DATES"),
    "Commands": ("apps.outbox.transitions", "COMMANDS"),
    "Deliveries": ("apps.intake.transitions", "DELIVERIES"),
    "Outside events": ("apps.events.transitions", "EVENTS"),
    "Messages to other systems": ("apps.notifications.transitions", "MESSAGES"),
    "Timers": ("apps.timers.transitions", "TIMERS"),
    "Bulk jobs": ("apps.exceptions.transitions", "BULK_JOBS"),
    "Items of bulk jobs": ("apps.exceptions.transitions", "BULK_JOB_ITEMS"),
    "Connections": ("apps.odoo.transitions", "CONNECTIONS"),
    "Tests of access data": ("apps.odoo.transitions", "ACCESS_TESTS"),
}


def _states() -> Iterator[str]:
    yield STATES
    for title, (module, name) in TABLES.items():
        table = getattr(import_module(module), name)
        yield f"\n## {title}\n\n```mermaid\n{table.diagram()}\n```\n\n"
        yield "| move | from | to | who, and on which condition |\n| --- | --- | --- | --- |\n"
        for row in table.rows:
            sources = ", ".join(f"`{table.shown(source)}`" for source in row.sources)
            yield f"| {row.move} | {sources} | {f'`{row.target}`' if row.target else '='} | {row.by} |\n"


PARAMETERS = """# Parameters

The numbers of the rules: limits, stage targets, SLA times (of integration incidents too), severity thresholds. Each is declared
beside its rule (`Parameter` in [`apps/workflows/parameters.py`](../apps/workflows/parameters.py)) or follows from what every stage
and exception type has. This page is written from the code by `make reference-docs`.

A value is set for everybody, for a connection, or for one company of a connection. The company's own counts before the
connection's, that before everybody's, and what is declared where none is set. A sum without another unit is in the company's own
currency: 10,000 yen there is 10,000 yen.

- **In the tower**: Approvals, Parameters. Before a value is set, *Preview* says what it would change among the records that are
  open now: exceptions that would open, close, become more or less severe, approvals that would be requested or withdrawn, records
  over their target.
- **By command**: `manage.py parameter list|set|reset|preview|history`, with `--connection`, `--company` and `--json`:
  `manage.py parameter set purchase_limit 5000 --connection main --company 2 --note "New branch"`.
- **Over REST**: `GET /api/v1/parameters/?connection=main&company=2`, `POST` there sets one (`"value": null` resets it; scope
  `admin`), `parameters/preview/` says what it would change, `parameters/NAME/` has every version.

Who may make policies sets them, in what they may see; what counts for everybody is set by who sees all. Values are never changed:
each is a version that says who set it, when and why, and the audit trail has an entry. What is open, and what stands in a queue or
an inbox, is evaluated anew at once; a record that has ended is judged when it next changes. An SLA time holds for what is opened
from then on.

Those marked *guard* are read by Odoo's own guards as well. The tower writes them there as a command of the outbox, within seconds.
The connection's page, and an exception `integration.guards_outdated`, say where a guard goes by another value: an Odoo that was
provisioned by an older version needs `manage.py provision_odoo NAME` first.

Targets of the KPIs are set at Boards, KPIs, Targets, working hours of teams at Approvals, Working hours.
"""


def _parameters() -> Iterator[str]:
    yield PARAMETERS
    registry, plain = import_module("apps.workflows.registry"), import_module("apps.workflows.parameters").plain
    known = registry.parameters()
    for area in registry.parameter_areas().values():
        own = [one for one in known.values() if one.readers[0] is area]
        if not own:
            continue
        yield f"\n## {area.title}\n\n"
        yield "| name | what | default | unit | from | to | guard |\n| --- | --- | --- | --- | --- | --- | --- |\n"
        for declared in own:
            one = declared.parameter
            what = f"{declared.part}: {one.title}" if declared.part else f"**{one.title}**. {one.help}"
            least, most = (plain(bound) for bound in one.bounds)
            guard = "yes" if declared.is_in_guard else ""
            yield f"| `{one.name}` | {what} | {plain(one.default)} | {one.unit} | {least} | {most} | {guard} |\n"


KPI_QUERIES = """# The KPIs and their queries

What each figure means, what it is to reach, and the statement that gives it; how lines, days and units are counted stands in
[KPIs](kpis.md). `{seen}` narrows to what the reader may see, and is `TRUE` for who sees everything; `{of_line}` narrows lines to a
part that is asked for, and is `TRUE` for all; `%(begin)s` and `%(now)s` are the ends of the range, `%(since)s` is the begin of the
range before it, which is as long, `%(zone)s` the time zone of the (first) company in sight. A row without a
day is the whole range, or the whole range before.

This page is written by `make reference-docs` from the declarations in
[`apps/boards/boards/kpi_catalogue.py`](../apps/boards/boards/kpi_catalogue.py).
"""


def _kpi_queries() -> Iterator[str]:
    kpi, catalogue = import_module("apps.boards.boards.kpi"), import_module("apps.boards.boards.kpi_catalogue")
    yield KPI_QUERIES
    for kind, title in ((kpi.BUSINESS, "Business"), (kpi.ORCHESTRATION, "Orchestration")):
        yield f"\n## {title}\n"
        for one in (one for one in catalogue.KPIS if one.kind == kind):
            yield f"\n### {one.title}\n\n{one.meaning} Target: {_target(one)}. In the API: `{one.name}`.\n\n"
            yield f"```sql\n{one.sql.replace('%%', '%').strip()}\n```\n"


def _target(kpi: Any) -> str:
    if kpi.target is None:
        return "none"
    if kpi.is_share:
        return f"{'at least' if kpi.is_higher_better else 'at most'} {kpi.target * 100:g}%"
    unit, seconds = next(one for one in (("days", 86_400), ("h", 3_600), ("min", 60)) if kpi.target >= one[1])
    return f"at most {kpi.target / seconds:g} {unit}"


DOCUMENTS: dict[str, Callable[[], Iterator[str]]] = {
    "kpi-queries.md": _kpi_queries,
    "errors.md": _errors,
    "states.md": _states,
    "parameters.md": _parameters,
}


def text_of(name: str) -> str:
    """Return what a document has to say now."""
    return "".join(DOCUMENTS[name]())


def main() -> None:
    """Write all of them."""
    django.setup()
    for name in DOCUMENTS:
        (Path(settings.BASE_DIR) / "docs" / name).write_text(text_of(name))


if __name__ == "__main__":
    main()

"""``python -m controltower.reference_docs`` writes the documents that are made from declarations (``make reference-docs``)."""

from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

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
    "Commands": ("apps.outbox.transitions", "COMMANDS"),
}


def _states() -> Iterator[str]:
    yield STATES
    for title, (module, name) in TABLES.items():
        table = getattr(import_module(module), name)
        yield f"\n## {title}\n\n```mermaid\n{table.diagram()}\n```\n\n"
        yield "| move | from | to | who, and on which condition |\n| --- | --- | --- | --- |\n"
        for row in table.rows:
            sources = ", ".join(f"`{source}`" for source in row.sources)
            yield f"| {row.move} | {sources} | {f'`{row.target}`' if row.target else '='} | {row.by} |\n"


DOCUMENTS: dict[str, Callable[[], Iterator[str]]] = {"errors.md": _errors, "states.md": _states}


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

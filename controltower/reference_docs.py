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


DOCUMENTS: dict[str, Callable[[], Iterator[str]]] = {"errors.md": _errors}


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

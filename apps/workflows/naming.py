"""What a workflow may call its parts: names stand in addresses, in rows, in SQL and in other systems' scripts."""

import re
from collections.abc import Iterable, Iterator

from apps.workflows.declare import Workflow

SLUG = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
# An exception type says what it is about before it says what is wrong: order.credit_hold.
DOTTED = re.compile(rf"{SLUG.pattern}(\.{SLUG.pattern})?")
LONGEST, LONGEST_TYPE = 60, 80
# Addresses below /boards/<workflow>/ where a stage's name would stand; a test compares them with the routes.
ROUTES = frozenset({"outlook", "flow", "moves", "compare", "findings"})
# Aliases of the statements that facts become a part of.
ALIASES = frozenset({"r"})


def problems(workflow: Workflow) -> list[str]:
    """Return what is wrong with the names that ``workflow`` gives, each with the remedy."""
    place = f"Workflow {workflow.name}"
    stages = [stage.name for stage in workflow.stages]
    actions = {kind.name: [action.name for action in kind.actions] for kind in workflow.exceptions}
    found = [
        *_malformed("Workflow", "", [workflow.name]),
        *_malformed(place, "stage", stages),
        *_malformed(place, "approval kind", [kind.name for kind in workflow.approvals]),
        *_malformed(place, "exception type", [kind.name for kind in workflow.exceptions]),
        *_malformed(place, "fact", [fact.name for fact in workflow.facts]),
        *(one for kind, names in actions.items() for one in _malformed(f"Exception type {kind}", "suggested action", names)),
    ]
    found += [
        f"{place} has a stage called {name}, which is an address of its board. Rename it; taken are: {', '.join(sorted(ROUTES))}."
        for name in stages
        if name in ROUTES
    ]
    found += [
        f"{place} has a fact called {fact.name}, which stands for the record itself. Rename it."
        for fact in workflow.facts
        if fact.name in ALIASES
    ]
    return found


def _malformed(place: str, kind: str, names: Iterable[str]) -> Iterator[str]:
    """Yield what is wrong with ``names``, which have to be slugs and each given once."""
    shape, longest = (DOTTED, LONGEST_TYPE) if kind == "exception type" else (SLUG, LONGEST)
    seen: set[str] = set()
    for name in names:
        said = f"{place} {name}" if not kind else f"{place}: the {kind} {name}"
        if not shape.fullmatch(name):
            more = ", with one dot in it at most" if shape is DOTTED else ""
            yield f"{said} is not named as a slug. Begin with a small letter; take small letters, digits, single underscores{more}."
        if len(name) > longest:
            yield f"{said} has a name of {len(name)} characters. Use {longest} at most."
        if name in seen:
            yield f"{place} has two {kind}s called {name}. Rename one."
        seen.add(name)

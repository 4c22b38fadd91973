"""What an extension may read, and have Odoo do: nothing that gives anybody more rights than the tower's own rules give.

Its SQL reads the mirror, outside events and positions, each of one connection; it changes nothing, and sees no people, secrets
or audit trail. Its calls to Odoo change no users, groups, settings or code, and what holds and releases records only those of
its own models.
"""

import re
from collections.abc import Iterator, Sequence

from django.apps import apps

from apps.workflows import responsible
from apps.workflows.declare import Addition, ApprovalKind, OdooCall, SuggestedAction, Workflow

# Apps whose tables a fact may read.
READABLE = {"mirror", "events", "workflows"}
TEXT = re.compile(r"'(?:[^']|'')*'")
WORDS = re.compile(
    r"\b(insert|update|delete|merge|truncate|alter|drop|create|grant|revoke|copy|vacuum|lock|listen|notify|set_config|dblink\w*"
    r"|pg_\w+|lo_\w+|information_schema|current_setting|query_to_xml\w*|table_to_xml\w*|database_to_xml\w*|schema_to_xml\w*)\b",
    re.IGNORECASE,
)
SIGNS = re.compile(r";|--|/\*|\$\$|\$\w+\$|\bU&", re.IGNORECASE)
# Odoo's models of people, rights, settings and code.
SETTINGS = re.compile(r"(ir|base|auth|bus|change|mail\.template|mail\.alias|fetchmail|res\.(users|groups|config))\b.*")
ESCAPES = re.compile(r"\bsudo\b|\bwith_user\b|\bwith_env\b|res\.(users|groups)|\bir\.\w+|\.cr\b|\b_\w+")
HOLDS = "x_ct_"
ASK = "x_ct_request"


def why_not_mirrored(odoo_model: str) -> str:
    """Return why a model of Odoo is not mirrored for an extension; empty where it may be."""
    return "Odoo's people, rights and settings stay in Odoo. Leave it out." if SETTINGS.fullmatch(odoo_model) else ""


def problems(declared: Workflow | Addition, *, model: str, own: set[str], label: str) -> Iterator[str]:
    """Yield what ``declared`` reads or does that it may not, each with the remedy.

    Args:
        model: Odoo's model of the workflow's records.
        own: Odoo's models that the extension mirrors itself.
        label: of the extension's own app.
    """
    forbidden = {
        found._meta.db_table
        for found in apps.get_models(include_auto_created=True)
        if found._meta.app_label not in {*READABLE, label}
    }
    for place, sql in _statements(declared):
        yield from _problems_of_sql(place, sql, forbidden)
    for kind in declared.approvals:
        calls = [*kind.on_asked, *kind.on_approval, *kind.on_rejection, *kind.on_withdrawal, *kind.on_expiry]
        for call in calls:
            yield from _problems_of_call(f"Approval kind {kind.name}", call, model, {*own, ASK})
    for action in _actions(declared):
        for call in (*action.calls, *action.undo):
            yield from _problems_of_call(f"Suggested action {action.name}", call, model, own)
    for guard in declared.guards if isinstance(declared, Workflow) else ():
        if {model, guard.model or model, *(line for line, _, _ in guard.lines)} - own:
            yield f"The guard for {guard.approval} is over a model that the extension does not mirror. Guard models of its own."
        if found := ESCAPES.search(" ".join([guard.condition, guard.terms, guard.subject])):
            yield f"The guard for {guard.approval} names {found[0]}, by which it gets round Odoo's rights. Leave it out."


def _actions(declared: Workflow | Addition) -> list[SuggestedAction]:
    added = [action for some in declared.actions.values() for action in some] if isinstance(declared, Addition) else []
    return [*added, *(action for kind in declared.exceptions for action in kind.actions)]


def _statements(declared: Workflow | Addition) -> Iterator[tuple[str, str]]:
    """All SQL of ``declared``, each with where it stands."""
    yield from ((f"Fact {fact.name}", fact.sql) for fact in declared.facts)
    if isinstance(declared, Workflow):
        yield f"Workflow {declared.name}", declared.belongs_sql
    yield from standalone(declared)


def standalone(declared: Workflow | Addition) -> Iterator[tuple[str, str]]:
    """Yield the SQL of ``declared`` that is run as it stands, each with where it stands; some of it is empty."""
    yield from ((f"The dependency on {one.model}", one.sql) for one in declared.dependencies)
    yield from ((f"Suggested action {action.name}", action.sql) for action in _actions(declared))
    yield from ((f"Approval kind {kind.name}", sql) for kind in declared.approvals for sql in _of_kind(kind))
    if isinstance(declared, Workflow):
        yield from ((f"Blocker {one.kind}", one.sql) for one in declared.blockers)
        yield f"The lines of {declared.name}", declared.lines.sql if declared.lines else ""


def _of_kind(kind: ApprovalKind) -> Sequence[str]:
    return [kind.peers, kind.choice.sql if kind.choice else ""]


def _problems_of_sql(place: str, sql: str, forbidden: set[str]) -> Iterator[str]:
    # Who the tower is in Odoo tells nothing of its key: what the house gives extensions may name it.
    bare = TEXT.sub("''", sql.replace(responsible.TOWER, "0"))
    if found := WORDS.search(bare) or SIGNS.search(bare):
        yield f"{place} says {found[0]} in its SQL. It reads, in one SELECT without comments: leave that out."
    if tables := sorted(table for table in forbidden if re.search(rf"\b{re.escape(table)}\b", bare, re.IGNORECASE)):
        yield f"{place} reads {', '.join(tables)}. It may read what is mirrored, events_event and workflows_position."
    if re.search(r"\bmirror_\w+", bare) and "connection_id" not in bare:
        yield f"{place} reads the mirror without naming connection_id: it would show one company another's. Compare the column."


def _problems_of_call(place: str, call: OdooCall, model: str, own: set[str]) -> Iterator[str]:
    target = call.model or model
    for reached in (target, call.wizard[0] if call.wizard else ""):
        if SETTINGS.fullmatch(reached):
            yield f"{place} calls {call.method} of {reached}: people, rights, settings and code are no extension's. Leave it out."
    if call.method.startswith("_"):
        yield f"{place} calls {call.method} of {target}, which is private. Call a public method."
    held = sorted(name for name in _fields([call.arguments, call.wizard]) if name.startswith(HOLDS))
    if held and target not in own:
        yield (
            f"{place} writes {', '.join(held)} of {target}: what holds and releases a record follows from the tower's own "
            "approvals. Leave it out."
        )


def _fields(value: object) -> Iterator[str]:
    """All names of fields in the arguments of a call, however deep they stand."""
    match value:
        case dict():
            for name, inner in value.items():
                yield str(name)
                yield from _fields(inner)
        case list() | tuple():
            for inner in value:
                yield from _fields(inner)

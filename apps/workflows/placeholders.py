"""Which columns the texts of a declared call speak of: ``{column}``, ``{column:money}``, ``{column:number}`` and the other forms
of :mod:`apps.core.sentences`."""

from collections.abc import Mapping, Sequence
from typing import Any

from apps.core import sentences
from apps.workflows.declare import ApprovalKind, OdooCall

# Stands for the id that Odoo gave to the record's model: what is created points at it.
MODEL_REFERENCE = "{model:ref}"
# In the values of a record that is made: what Odoo itself copies of another record, ``[model, id]``; the values beside it win.
COPIED = "{copied}"
# In the values of a record that is made: what Odoo fills in when somebody enters a field of them on its form,
# ``[model, field, [fields that follow]]``.
ENTERED = "{entered}"
# In the arguments of a command: Odoo's wizard that does it, ``[model, values]``, and the domain by which the target is found.
WIZARD, FOUND = "{wizard}", "{found}"
# In what a command writes: a file that the tower keeps, ``[app.Model, field, key]``, as Odoo takes contents; and the ids of records
# that an earlier command made, ``[model, domain]``. Neither is copied into the command.
KEPT, IDS = "{kept}", "{ids}"
# What a call may name besides the record's columns: it is known once somebody has decided.
OF_DECISION = {"decided_by", "reason", "record_name", "record_url", "odoo_id", "counted_in_words"}
# What the record counts against its limit, with what counts together with it: known once it is asked about.
COUNTED = "counted_in_words"


def names(template: Any) -> set[str]:
    """The names in ``template``, all the way down."""
    if isinstance(template, Mapping):
        return set().union(*(names(value) for value in template.values()))
    if isinstance(template, list | tuple):
        return set().union(*(names(value) for value in template))
    if not isinstance(template, str) or template == MODEL_REFERENCE:
        return set()
    return set(sentences.names(template))


def of_calls(calls: Sequence[OdooCall]) -> set[str]:
    """The names that ``calls`` speak of."""
    named = {call.record for call in calls} | {call.only_if for call in calls}
    for call in calls:
        named |= names([call.title, call.arguments, call.require, call.expect, call.wizard, call.found])
    return named - {""}


def columns_of(kind: ApprovalKind) -> set[str]:
    """The record's columns that the question and the calls of ``kind`` speak of."""
    calls = [*kind.on_asked, *kind.on_approval, *kind.on_rejection, *kind.on_withdrawal, *kind.on_expiry]
    return (names([kind.question, kind.matters]) | of_calls(calls)) - OF_DECISION

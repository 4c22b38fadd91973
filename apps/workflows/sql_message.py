"""SQL that says something of its figures: a template and its values, put into words when somebody reads it.

A workflow writes English, with ``{column}`` where a value belongs, and nothing of languages: what is declared here is found
among the workflow's texts (:mod:`apps.workflows.wording`) and said in the reader's language
(:func:`apps.core.sentences.said`)::

    SHORT = say("{product}: {missing:quantity} missing", product="t.name", missing="m.product_uom_qty - m.quantity")

``:quantity``, ``:money``, ``:day`` and ``:moment`` behind a name write it as the language does.
"""

import json
import re
from collections.abc import Iterator, Mapping

from apps.core import sentences
from apps.workflows import days

SAID = re.compile(r"""jsonb_build_object\('say', '((?:[^']|'')*)'|'(\{"say": (?:[^']|'')*\})'::jsonb""")


def say(template: str, *, when: Mapping[str, str] | None = None, **values: str) -> str:
    """SQL (jsonb) of a sentence.

    Args:
        when: other templates, each for an SQL condition; the first that holds is said, ``template`` where none does.
        values: SQL of what the templates name; of each sentence only what it names is worked out and kept.

    Raises KeyError where a template names what is not among the values.
    """
    otherwise = _built(template, values)
    if not when:
        return otherwise
    cases = " ".join(f"WHEN {condition} THEN {_built(text, values)}" for condition, text in when.items())
    return f"CASE {cases} ELSE {otherwise} END"


def joined(several: str, *, by: str = ", ") -> str:
    """SQL of several sentences or texts in a row, out of that of a jsonb array of them; NULL where that is NULL."""
    return f"jsonb_set({literal(json.dumps({'by': by}))}, '{{each}}', {several})"


def those(*several: str) -> str:
    """SQL of a jsonb array of those that are not NULL; NULL where all are."""
    return f"to_jsonb(NULLIF(array_remove(ARRAY[{', '.join(several)}]::jsonb[], NULL), '{{}}'))"


def day(moment: str, *, at: str = "'UTC'") -> str:
    """SQL of the day of a moment in the zone ``at``: the company's, wherever a statement knows it (apps/workflows/days.py)."""
    return days.day(moment, at=at)


def company_day(moment: str, company: str = "NULL") -> str:
    """SQL of the day of a moment as a company counts days, in a statement with ``%(connection)s``.

    Args:
        company: SQL of the company's id; NULL is the connection's first.
    """
    return days.day(moment, at=f"company_zone(%(connection)s, {company})")


def literal(value: str) -> str:
    """``value`` as a literal in a statement that has parameters of its own."""
    return "'" + value.replace("'", "''").replace("%", "%%") + "'"


def _built(template: str, values: Mapping[str, str]) -> str:
    parts = [f"{literal(name)}, {values[name]}" for name in sentences.names(template)]
    if not parts:
        return f"{literal(json.dumps({'say': template}, ensure_ascii=False))}::jsonb"
    return f"jsonb_build_object({', '.join([f"'say', {literal(template)}", *parts])})"


def templates_in(statement: str) -> Iterator[str]:
    """The templates of what ``statement`` says."""
    for match in SAID.finditer(statement):
        text = (match[1] or match[2]).replace("''", "'").replace("%%", "%")
        yield text if match[1] else json.loads(text)["say"]

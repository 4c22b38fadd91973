"""A process finding as it is declared: what is looked for in how records really went, and the words in which it is said."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from apps.workflows.declare import Workflow

# The words of one part of a finding: of which workflow, which part, of how many records, and what numbers in it are called.
type Say = Callable[[Workflow, Sequence[str], int, Mapping[str, str]], str]

# Seconds between v.begins and v.ends, within the days asked for, in the working time of team v.team; all of them where it has none.
BEGINS = "floor(extract(epoch FROM GREATEST(v.begins, %(since)s::timestamptz)))::bigint"
ENDS = "floor(extract(epoch FROM LEAST(v.ends, %(until)s::timestamptz)))::bigint"
WORKED = f"""(SELECT CASE WHEN count(w.team) = 0 THEN GREATEST({ENDS} - {BEGINS}, 0)
                      ELSE COALESCE(sum((SELECT sum(upper(o) - lower(o)) FROM unnest(w.hours
                             * int8multirange(int8range({BEGINS}, GREATEST({BEGINS}, {ENDS})))) AS o)), 0)::bigint END
            FROM worktime w WHERE w.team = v.team)"""
CLOCKED = "NOT EXISTS (SELECT FROM worktime w WHERE w.team = v.team)"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One kind of finding.

    Attributes:
        title: what it is called.
        meaning: what is counted, in a sentence.
        help: how it is counted, what is left out, and what its time is.
        sample: what it was looked for in.
        unit: what ``times`` counts.
        found: SQL of the queries ``facts`` and ``sample`` (``sums.sql``), with a place for the filter of who may see what.
        say: the words of one of its parts.
        values: what else the SQL takes.
    """

    name: str
    title: str
    meaning: str
    help: str
    sample: str
    unit: str
    found: str
    say: Say
    values: Mapping[str, Any] = field(default_factory=dict)

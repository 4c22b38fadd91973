"""Tables of transitions: which move leads from which state to which, and who makes it.

Each thing with a status has one table (``apps/*/transitions.py``). Every change of status goes through it, so that a move that
is not in the table cannot happen, and docs/states.md draws the same table.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet, TextChoices
from django.utils.translation import gettext

from apps.core.refusals import Problem, Refusal

START = "[*]"


class TransitionRefusedError(Refusal):
    """The move does not start from the state that this is in."""

    problem = Problem(
        "transition_not_possible",
        409,
        "Transition not possible",
        meaning="The move does not start from the status that this is in; states.md of the documentation has all that do.",
        remedy="Read it again: its status has changed, or the move is not meant for it.",
    )


@dataclass(frozen=True)
class Transition:
    """One row of a table.

    Attributes:
        move: its name, as the code and the diagram call it.
        sources: the states that it starts from.
        target: the state that it leads to; empty where it leaves the state as it is.
        by: who or what makes it, and on which condition.
    """

    move: str
    sources: Sequence[str]
    target: str
    by: str


class Transitions:
    """The table of one kind of thing.

    Args:
        name: what its rows are, in a word.
        states: all states; the first of them is where it begins.
        rows: the moves. Raises ValueError for a state that does not exist, is entered by no move, or a row that is there twice.
        field: what the status is called on the row.
    """

    def __init__(self, name: str, states: type[TextChoices], rows: Iterable[Transition], *, field: str = "status") -> None:
        self.name, self.states, self.rows, self.field = name, states, tuple(rows), field
        self.first = str(states.values[0])
        known, single = set(states.values), set[tuple[str, str, str]]()
        for row in self.rows:
            for source in row.sources:
                if source not in known or row.target not in known | {""}:
                    raise ValueError(f"{name}: {row.move} names a state that does not exist.")
                if (one := (row.move, source, row.target)) in single:
                    raise ValueError(f"{name}: {row.move} from {source} stands there twice.")
                single.add(one)
        if unreached := known - {self.first} - {row.target for row in self.rows if set(row.sources) - {row.target}}:
            raise ValueError(f"{name}: no move leads to {', '.join(sorted(unreached))}.")

    def sources(self, move: str) -> frozenset[str]:
        """Return the states that ``move`` starts from. Raises KeyError where the table has no such move."""
        found = frozenset(source for row in self.rows if row.move == move for source in row.sources)
        if not found:
            raise KeyError(f"{self.name} has no move {move}")
        return found

    def sources_of(self, status: str) -> frozenset[str]:
        """Return the states from which any move leads to ``status``."""
        return frozenset(source for row in self.rows if row.target == status for source in row.sources)

    def sql_sources(self, move: str) -> str:
        """Return the states that ``move`` starts from as SQL, to stand between the brackets of ``IN (…)``."""
        return ", ".join(f"'{source}'" for source in sorted(self.sources(move)))

    def make(self, move: str, row: Any, to: str | None = None) -> None:
        """Set the status that ``move`` leads to; ``to`` says which, where there are several. The caller saves the row.

        Raises TransitionRefusedError where the table has no such move from the row's status.
        """
        status = getattr(row, self.field)
        targets = [one.target or status for one in self.rows if one.move == move and status in one.sources]
        if to is not None:
            targets = [target for target in targets if target == to]
        if len(targets) != 1:
            raise self._refused(move, status)
        setattr(row, self.field, self.states(targets[0]))

    def make_all(self, move: str, rows: QuerySet[Any], to: str | None = None, **values: Any) -> int:
        """Make ``move``, and set ``values``, by one conditional update of those rows that it starts from; how many.

        ``to`` says where it leads, if there are several. Raises KeyError where it leads nowhere, or to several.
        """
        ways = [one for one in self.rows if one.move == move and one.target and to in (None, one.target)]
        if len(targets := {one.target for one in ways}) != 1:
            raise KeyError(f"{self.name}: {move} leads to {len(targets)} states")
        sources = {source for one in ways for source in one.sources}
        return rows.filter(**{f"{self.field}__in": sources}).update(**{self.field: targets.pop()}, **values)

    def enter(self, status: str, row: Any) -> None:
        """Set a status that some move leads to from the row's. Raises TransitionRefusedError where none does."""
        if (now := getattr(row, self.field)) not in self.sources_of(status):
            raise self._refused(str(status), now)
        setattr(row, self.field, self.states(status))

    def enter_all(self, status: str, rows: QuerySet[Any], **values: Any) -> int:
        """Set a status, and ``values``, by one conditional update of those rows that a move leads there from; how many."""
        return rows.filter(**{f"{self.field}__in": self.sources_of(status)}).update(**{self.field: status}, **values)

    def _refused(self, move: str, status: str) -> TransitionRefusedError:
        state = self.states(status).label.lower() if status in self.states.values else status
        return TransitionRefusedError(
            gettext("This is %(state)s, and “%(move)s” does not start from there. Load it again.") % {"state": state, "move": move}
        )

    def diagram(self) -> str:
        """Return the table as a Mermaid state diagram."""
        lines = ["stateDiagram-v2", f"    {START} --> {self.shown(self.first)}"]
        arrows: dict[tuple[str, str], list[str]] = {}
        for row in self.rows:
            for source in row.sources:
                if row.target not in ("", source):
                    arrows.setdefault((str(source), str(row.target)), []).append(row.move)
        lines += [
            f"    {self.shown(source)} --> {self.shown(target)}: {', '.join(moves)}" for (source, target), moves in arrows.items()
        ]
        return "\n".join(lines)

    def shown(self, status: str) -> str:
        """Return how documents call a status: by its code, or by its name where the code is empty."""
        return str(status) or self.states(status).name.lower()

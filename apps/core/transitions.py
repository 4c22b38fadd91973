"""Tables of transitions: which move leads from which state to which, and who makes it.

Each thing with a status has one table (``apps/*/transitions.py``). Every change of status goes through it, so that a move that
is not in the table cannot happen, and docs/states.md draws the same table.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

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


class HasStatus(Protocol):
    """Anything with a status."""

    status: Any


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
    """

    def __init__(self, name: str, states: type[TextChoices], rows: Iterable[Transition]) -> None:
        self.name, self.states, self.rows = name, states, tuple(rows)
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

    def make(self, move: str, row: HasStatus, to: str | None = None) -> None:
        """Set the status that ``move`` leads to; ``to`` says which, where there are several. The caller saves the row.

        Raises TransitionRefusedError where the table has no such move from the row's status.
        """
        targets = [one.target or row.status for one in self.rows if one.move == move and row.status in one.sources]
        if to is not None:
            targets = [target for target in targets if target == to]
        if len(targets) != 1:
            raise self._refused(move, row.status)
        row.status = self.states(targets[0])

    def enter(self, status: str, row: HasStatus) -> None:
        """Set a status that some move leads to from the row's. Raises TransitionRefusedError where none does."""
        if row.status not in self.sources_of(status):
            raise self._refused(str(status), row.status)
        row.status = self.states(status)

    def enter_all(self, status: str, rows: QuerySet[Any], **values: Any) -> int:
        """Set a status, and ``values``, by one conditional update of those rows that a move leads there from; how many."""
        return rows.filter(status__in=self.sources_of(status)).update(status=status, **values)

    def _refused(self, move: str, status: str) -> TransitionRefusedError:
        state = self.states(status).label.lower() if status in self.states.values else status
        return TransitionRefusedError(
            gettext("This is %(state)s, and “%(move)s” does not start from there. Load it again.") % {"state": state, "move": move}
        )

    def diagram(self) -> str:
        """Return the table as a Mermaid state diagram."""
        lines = ["stateDiagram-v2", f"    {START} --> {self.first}"]
        arrows: dict[tuple[str, str], list[str]] = {}
        for row in self.rows:
            for source in row.sources:
                if row.target not in ("", source):
                    arrows.setdefault((str(source), str(row.target)), []).append(row.move)
        lines += [f"    {source} --> {target}: {', '.join(moves)}" for (source, target), moves in arrows.items()]
        return "\n".join(lines)

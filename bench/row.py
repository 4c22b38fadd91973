"""What a measurement says: a figure, its peer's in the same run, and the ratio that was aimed at."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of the table.

    Attributes:
        name: what was measured.
        value: the tower's figure (a median), in ``unit``.
        peer: the peer's figure (a median), in the same run and unit.
        ratio: the median of the rounds' own ratios, tower to peer.
        goal: what the ratio is to reach; with ``lower_is_better``, what it is not to pass.
        unit: such as "rows/s".
        spread: lowest and highest ratio of the rounds.
    """

    name: str
    value: float
    peer: float
    ratio: float
    goal: float
    unit: str
    lower_is_better: bool = False
    spread: tuple[float, float] | None = None

    @property
    def is_met(self) -> bool:
        """Whether the goal is reached."""
        return self.ratio <= self.goal if self.lower_is_better else self.ratio >= self.goal


class CannotMeasureError(Exception):
    """The measurement needs something that is not here; the message says what, and how to give it."""

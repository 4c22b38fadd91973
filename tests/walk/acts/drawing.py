"""What people of a distribution business do, one act at a time.

An act draws all it needs from its own number, so the same act does the same in another walk, and a walk from which acts
were left out still makes sense: that is how a failing walk shrinks.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING

from apps.core import clock

if TYPE_CHECKING:
    from tests.walk.walk import Walk

Performed = Callable[["Walk", Random], str]


@dataclass(frozen=True)
class Act:
    """One act of a walk: its name, and the number that its chance comes from."""

    name: str
    number: int

    def __str__(self) -> str:
        return f"{self.name}/{self.number}"


def parse(text: str) -> list[Act]:
    """The acts that a report names: ``quote/12, confirm/7``. Raises ValueError for anything else."""
    return [Act(name, int(number)) for name, _, number in (one.strip().partition("/") for one in text.split(","))]


ACTS: dict[str, tuple[int, Performed]] = {}


def act(weight: int) -> Callable[[Performed], Performed]:
    """Declare an act that is drawn in proportion to ``weight``. It returns what was done, empty where nothing could be."""

    def declare(performed: Performed) -> Performed:
        ACTS[performed.__name__] = (weight, performed)
        return performed

    return declare


# A business begins with offers and orders: before there are any, nothing else can be done.
OPENING = ("quote", "quote", "request_quotation", "quote", "confirm", "order_goods", "quote", "confirm")


def plan(seed: int, acts: int, *, weights_of: Mapping[str, int] | None = None) -> list[Act]:
    """The acts of the walk of that seed.

    Args:
        weights_of: the acts to draw from, and their weights; all of :data:`ACTS` after an opening, where it is not given.
    """
    random = Random(seed)
    weighted = weights_of or {name: ACTS[name][0] for name in sorted(ACTS)}
    names, weights = list(weighted), list(weighted.values())
    drawn = [*(() if weights_of else OPENING), *(random.choices(names, weights)[0] for _ in range(acts))][:acts]
    return [Act(name, random.randrange(10**9)) for name in drawn]


def in_days(number: float) -> str:
    """So many days from now, as Odoo writes it."""
    return (clock.now() + timedelta(days=number)).strftime("%Y-%m-%d %H:%M:%S")


def some(random: Random, ids: Sequence[int]) -> int:
    """One of the newest eight of ``ids``; 0 where there is none."""
    return random.choice(sorted(ids)[-8:]) if ids else 0

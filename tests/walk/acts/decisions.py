"""What the tower's people do; and one step of the sandbox's."""

from random import Random
from typing import TYPE_CHECKING

from tests.walk.acts.drawing import act

if TYPE_CHECKING:
    from tests.walk.walk import Walk


@act(0)
def work(walk: "Walk", random: Random) -> str:
    return walk.business.step()


@act(16)
def decide(walk: "Walk", random: Random) -> str:
    return walk.tower.decide(random)


@act(2)
def undo(walk: "Walk", random: Random) -> str:
    return walk.tower.undo(random)


@act(2)
def delegate(walk: "Walk", random: Random) -> str:
    return walk.tower.delegate(random)


@act(1)
def leave(walk: "Walk", random: Random) -> str:
    return walk.tower.leave(random)


@act(1)
def be_away(walk: "Walk", random: Random) -> str:
    return walk.tower.be_away(random)

"""A walk that fails is cut down to the acts that it takes, and these are the same walk whenever they are taken."""

from collections.abc import Sequence

import pytest

from tests.walk.acts import ACTS, Act, parse, plan
from tests.walk.walk import shrink


@pytest.mark.parametrize("wanted", [{3}, {0, 59}, {7, 30, 31}])
def test_what_fails_is_cut_down_to_what_it_takes(wanted: set[int]) -> None:
    acts = plan(5, 60)
    needed = {acts[one] for one in wanted}
    runs = 0

    def fails(some: Sequence[Act]) -> bool:
        nonlocal runs
        runs += 1
        return needed <= set(some)

    assert set(shrink(acts, fails, most_runs=200)) == needed
    assert runs <= 200


def test_a_walk_is_the_same_for_the_same_seed_and_is_read_as_it_is_written() -> None:
    acts = plan(9, 50)
    assert acts == plan(9, 50) != plan(10, 50)
    assert parse(", ".join(map(str, acts))) == acts
    assert {one.name for one in acts} <= set(ACTS)

"""A distribution with its sample, told by its quantiles and by how many fall where; never by an average alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from math import ceil

from django.utils.translation import gettext

type Value = int | Decimal


@dataclass(frozen=True, kw_only=True)
class Spread:
    """How many days something took or was late, or by how many percent it differs; below zero it was early, or less.

    Attributes:
        n: how many were counted; with none, there is no other figure.
        unit: "d" for days, "%" for percent.
        median, p95: the least value that half, and 95 of 100, do not pass.
        bins: the words of each range with how many fall there.
    """

    n: int
    unit: str = "d"
    least: Value | None = None
    median: Value | None = None
    p95: Value | None = None
    most: Value | None = None
    bins: Sequence[tuple[str, int]] = ()


def spread_of(values: Sequence[int], cuts: Sequence[int], *, first: str = "") -> Spread:
    """Return the distribution of whole days.

    Args:
        cuts: the last day of each range but the open one behind them, ascending.
        first: the words of the first range; else what suits days late.
    """
    words = [first or _range(None, cuts[0])]
    words += [_range(before, cut) for before, cut in pairwise(cuts)]
    words.append(gettext("more than %(days)s days") % {"days": cuts[-1]})
    return _spread(values, cuts, words, "d")


def percent_spread_of(values: Sequence[Decimal], cuts: Sequence[int]) -> Spread:
    """Return the distribution of differences in percent: what is less, what agrees, and what is more by how much.

    Args:
        cuts: the last percent of each range above zero but the open one behind them, ascending.
    """
    words = [gettext("less"), gettext("as agreed")]
    words += [
        gettext("more than %(first)s to %(last)s %%") % {"first": before, "last": cut}
        for before, cut in zip((0, *cuts), cuts, strict=False)
    ]
    words.append(gettext("more than %(percent)s %%") % {"percent": cuts[-1]})
    return _spread(values, (Decimal("-0.01"), 0, *cuts), words, "%")


def _spread(values: Sequence[Value], cuts: Sequence[Value], words: Sequence[str], unit: str) -> Spread:
    if not values:
        return Spread(n=0, unit=unit)
    ordered = sorted(values)
    upto = [sum(1 for one in ordered if one <= cut) for cut in cuts] + [len(ordered)]
    return Spread(
        n=len(ordered),
        unit=unit,
        least=ordered[0],
        median=ordered[ceil(len(ordered) / 2) - 1],
        p95=ordered[ceil(len(ordered) * 0.95) - 1],
        most=ordered[-1],
        bins=[(title, so_far - before) for title, so_far, before in zip(words, upto, [0, *upto[:-1]], strict=True)],
    )


def _range(first: int | None, last: int) -> str:
    if first is None:
        return gettext("on time or early") if last == 0 else gettext("up to %(days)s days") % {"days": last}
    return gettext("%(first)s to %(last)s days") % {"first": first + 1, "last": last}

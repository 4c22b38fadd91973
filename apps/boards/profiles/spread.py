"""A distribution of whole days with its sample, told by its quantiles and by how many fall where; never by an average alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from django.utils.translation import gettext


@dataclass(frozen=True, kw_only=True)
class Spread:
    """How many days something took, or was late: below zero it was early.

    Attributes:
        n: how many were counted; with none, there is no other figure.
        median, p95: the least value that half, and 95 of 100, do not pass.
        bins: the words of each range of days with how many fall there.
    """

    n: int
    least: int | None = None
    median: int | None = None
    p95: int | None = None
    most: int | None = None
    bins: Sequence[tuple[str, int]] = ()


def spread_of(values: Sequence[int], cuts: Sequence[int]) -> Spread:
    """Return the distribution of the values.

    Args:
        cuts: the last day of each range but the open one behind them, ascending.
    """
    if not values:
        return Spread(n=0)
    ordered = sorted(values)
    bins = []
    for number, cut in enumerate(cuts):
        first = cuts[number - 1] if number else None
        bins.append((_range(first, cut), sum(1 for one in ordered if one <= cut and (first is None or one > first))))
    bins.append((gettext("more than %(days)s days") % {"days": cuts[-1]}, sum(1 for one in ordered if one > cuts[-1])))
    return Spread(
        n=len(ordered),
        least=ordered[0],
        median=ordered[ceil(len(ordered) / 2) - 1],
        p95=ordered[ceil(len(ordered) * 0.95) - 1],
        most=ordered[-1],
        bins=bins,
    )


def _range(first: int | None, last: int) -> str:
    if first is None:
        return gettext("on time or early") if last == 0 else gettext("up to %(days)s days") % {"days": last}
    return gettext("%(first)s to %(last)s days") % {"first": first + 1, "last": last}

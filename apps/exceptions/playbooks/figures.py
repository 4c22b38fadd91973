"""What playbooks' figures say: which step takes the time, who takes the steps, and what ended the cases."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from apps.accounts.access import AccessScope
from apps.exceptions.models import ExceptionCase, Status, StepDone
from apps.exceptions.playbooks import progress
from apps.exceptions.playbooks.versions import Version
from apps.workflows.playbooks import Step

# The figures rest on so many of the latest cases that have ended.
LOOKED_AT = 1_000


@dataclass(frozen=True, kw_only=True)
class StepFigures:
    """One step over the cases that ended: how often it was done, by whom, and how long it took after what came before it."""

    step: Step
    title: str
    shown_count: int
    by_hand_count: int
    skipped_count: int
    open_count: int
    median_seconds: float | None
    ended_count: int

    @property
    def done_count(self) -> int:
        """How often it was done, by itself or by somebody."""
        return self.shown_count + self.by_hand_count


@dataclass(frozen=True, kw_only=True)
class Figures:
    """The figures of one version.

    Attributes:
        none_ended_count: the cases that ended before any of the steps was done.
        by_itself_count: those whose condition went.
    """

    cases_count: int
    steps: Sequence[StepFigures]
    none_ended_count: int
    by_itself_count: int

    @property
    def slowest(self) -> StepFigures | None:
        """The step that takes most of the time; None where none was done."""
        timed = [step for step in self.steps if step.median_seconds is not None]
        return max(timed, key=lambda step: step.median_seconds or 0.0, default=None)


def of_version(version: Version, following: Version | None, *, access_scope: AccessScope) -> Figures:
    """Work out the figures of a version over the latest cases that began with it and have ended.

    Args:
        following: the version after it, where there is one: cases that opened from then on began with that.
    """
    found = ExceptionCase.objects.filter(access_scope.of_records(), type=version.type, status=Status.RESOLVED)
    if version.row:
        found = found.filter(opened_at__gte=version.row.made_at)
    if following and following.row:
        found = found.filter(opened_at__lt=following.row.made_at)
    cases = list(found.order_by("-resolved_at", "-id").values_list("id", "opened_at", "closed_itself")[:LOOKED_AT])
    ids = [case_id for case_id, _, _ in cases]
    by_hand = {(one.case_id, one.step): one for one in StepDone.objects.filter(case__in=ids)}
    data = progress.shown(ids)
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    lengths: dict[str, list[float]] = defaultdict(list)
    last = Counter[str]()
    for case_id, opened_at, _ in cases:
        ended = []
        for number, step in enumerate(version.steps):
            done, shown = by_hand.get((case_id, step.name)), data.get((case_id, str(step.done_when.value)))
            outcome = ("skipped" if done.is_skipped else "by_hand") if done else "shown" if shown else "open"
            counts[step.name][outcome] += 1
            at = done.at if done else shown
            if at is not None and outcome != "skipped":
                ended.append((at, number, step.name))
        before = opened_at
        for at, _, name in sorted(ended):
            lengths[name].append((at - before).total_seconds())
            before = at
        last[max(ended)[2] if ended else ""] += 1
    steps = [
        StepFigures(
            step=step,
            title=version.title_of(step),
            shown_count=counts[step.name]["shown"],
            by_hand_count=counts[step.name]["by_hand"],
            skipped_count=counts[step.name]["skipped"],
            open_count=counts[step.name]["open"],
            median_seconds=median(lengths[step.name]) if lengths[step.name] else None,
            ended_count=last[step.name],
        )
        for step in version.steps
    ]
    by_itself = sum(bool(itself) for *_, itself in cases)
    return Figures(cases_count=len(cases), steps=steps, none_ended_count=last[""], by_itself_count=by_itself)

"""The process findings that there are."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from django.utils.translation import gettext, gettext_noop, ngettext

from apps.boards.findings.finding import CLOCKED, WORKED, Finding
from apps.core import statements
from apps.workflows.declare import Workflow

VISITS = statements.load(__file__, "visits", seen="{seen}").strip()
# Of fewer records that ended alike nothing is usual; a step is, where so many of them were seen in it.
LEAST, USUAL = 20, Decimal("0.8")


def _title(workflow: Workflow, name: str) -> str:
    """What a stage is called; its name where the workflow has it no more."""
    return next((gettext(stage.title) for stage in workflow.stages if stage.name == name), name)


def _back(workflow: Workflow, part: Sequence[str], count: int, names: Mapping[str, str]) -> str:
    said = ngettext(
        "%(count)s record went back from %(start)s to %(end)s", "%(count)s records went back from %(start)s to %(end)s", count
    )
    return said % {"count": count, "start": _title(workflow, part[0]), "end": _title(workflow, part[1])}


def _to_and_fro(workflow: Workflow, part: Sequence[str], count: int, names: Mapping[str, str]) -> str:
    said = ngettext(
        "%(count)s record went to and fro between %(start)s and %(end)s",
        "%(count)s records went to and fro between %(start)s and %(end)s",
        count,
    )
    return said % {"count": count, "start": _title(workflow, part[0]), "end": _title(workflow, part[1])}


def _without(workflow: Workflow, part: Sequence[str], count: int, names: Mapping[str, str]) -> str:
    said = ngettext(
        "%(count)s record came to %(end)s and was never seen in %(step)s",
        "%(count)s records came to %(end)s and were never seen in %(step)s",
        count,
    )
    return said % {"count": count, "step": _title(workflow, part[0]), "end": _title(workflow, part[1])}


FINDINGS: tuple[Finding, ...] = (
    Finding(
        name="rework",
        title=gettext_noop("Rework"),
        meaning=gettext_noop("Records that went back to a step that they had left."),
        help=gettext_noop(
            "Back is against the workflow's order of stages. Stages that time alone brings about, such as late or expired, are no "
            "steps. Lost is the time in that step again, and in others before the furthest that the record had reached."
        ),
        sample=gettext_noop("records that moved"),
        unit=gettext_noop("times back"),
        found=statements.load(__file__, "rework", visits=VISITS, worked=WORKED, clocked=CLOCKED).strip(),
        say=_back,
    ),
    Finding(
        name="ping_pong",
        title=gettext_noop("Ping-pong"),
        meaning=gettext_noop("Records that went to and fro between two steps: there, back, and there again."),
        help=gettext_noop("Lost is the time from the first of these moves to the last. Each is rework as well."),
        sample=gettext_noop("records that moved"),
        unit=gettext_noop("moves"),
        found=statements.load(__file__, "ping_pong", visits=VISITS, worked=WORKED, clocked=CLOCKED).strip(),
        say=_to_and_fro,
    ),
    Finding(
        name="skipped",
        title=gettext_noop("Skipped steps"),
        meaning=gettext_noop("Records that ended without having been seen in a step that is usual for those that end alike."),
        help=gettext_noop(
            "Usual is a step in which at least 80% of at least 20 records were seen that came to the same end in these days. Only "
            "what the tower saw itself is judged; a step that was passed between two reads of Odoo was not seen. It has no time."
        ),
        sample=gettext_noop("records that ended"),
        unit=gettext_noop("steps"),
        found=statements.load(__file__, "skipped", visits=VISITS).strip(),
        say=_without,
        values={"least": LEAST, "usual": USUAL},
    ),
)


def called(name: str) -> Finding | None:
    """Return the finding of that name; None where there is none."""
    return next((one for one in FINDINGS if one.name == name), None)

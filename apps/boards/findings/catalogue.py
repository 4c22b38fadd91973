"""The process findings that there are."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from django.utils.translation import gettext, gettext_noop, ngettext

from apps.boards.findings.finding import CLOCKED, WORKED, Finding
from apps.core import statements
from apps.workflows.declare import Workflow

# Who never went back by the order of stages, nor left one that is no step, neither returned nor went to and fro. They are found at
# once: as a condition of each record it was looked up again for each of its transitions.
RETURNED = """SELECT DISTINCT b.*
          FROM moved b
          JOIN workflows_transition r ON r.connection_id = b.connection_id AND r.model = b.model AND r.odoo_id = b.odoo_id
           AND r.workflow = b.workflow AND r.at <= %(until)s
          LEFT JOIN stage f ON f.workflow = r.workflow AND f.name = r.from_stage
          LEFT JOIN stage g ON g.workflow = r.workflow AND g.name = r.to_stage
         WHERE g.place < f.place OR r.from_stage <> '' AND f.is_step IS NOT TRUE"""
VISITS, RETURNS = (
    statements.load(__file__, "visits", seen="{seen}", chosen=chosen).strip() for chosen in ("SELECT * FROM moved", RETURNED)
)
# Of fewer records that ended alike nothing is usual; a step is, where so many of them were seen in it.
LEAST, USUAL = 20, Decimal("0.8")
# A batch: so many answers in one sitting that had waited for so many seconds.
SEVERAL, LONG = 3, 4 * 3600


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


CHANGES = {
    "date": lambda n: ngettext("%(count)s confirmed order got another date", "%(count)s confirmed orders got another date", n),
    "amount": lambda n: ngettext(
        "%(count)s confirmed order got another amount", "%(count)s confirmed orders got another amount", n
    ),
    "quantity": lambda n: ngettext(
        "%(count)s confirmed order got other quantities", "%(count)s confirmed orders got other quantities", n
    ),
    "line_added": lambda n: ngettext(
        "%(count)s confirmed order got further lines", "%(count)s confirmed orders got further lines", n
    ),
    "line_removed": lambda n: ngettext("%(count)s confirmed order lost lines", "%(count)s confirmed orders lost lines", n),
}


def _changed(workflow: Workflow, part: Sequence[str], count: int, names: Mapping[str, str]) -> str:
    return CHANGES[part[0]](count) % {"count": count}


def _in_a_batch(workflow: Workflow, part: Sequence[str], count: int, names: Mapping[str, str]) -> str:
    said = ngettext(
        "%(count)s record waited for %(person)s, who answered it with others in one sitting",
        "%(count)s records waited for %(person)s, who answered them with others in one sitting",
        count,
    )
    return said % {"count": count, "person": names.get(part[0], part[0])}


def _handed(workflow: Workflow, part: Sequence[str], count: int, names: Mapping[str, str]) -> str:
    said = ngettext(
        "%(count)s record was handed to and fro between %(one)s and %(other)s",
        "%(count)s records were handed to and fro between %(one)s and %(other)s",
        count,
    )
    return said % {"count": count, "one": names.get(part[1], part[1]), "other": names.get(part[2], part[2])}


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
        found=statements.load(__file__, "rework", visits=RETURNS, worked=WORKED, clocked=CLOCKED).strip(),
        say=_back,
    ),
    Finding(
        name="ping_pong",
        title=gettext_noop("Ping-pong"),
        meaning=gettext_noop("Records that went to and fro between two steps: there, back, and there again."),
        help=gettext_noop("Lost is the time from the first of these moves to the last. Each is rework as well."),
        sample=gettext_noop("records that moved"),
        unit=gettext_noop("moves"),
        found=statements.load(__file__, "ping_pong", visits=RETURNS, worked=WORKED, clocked=CLOCKED).strip(),
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
    Finding(
        name="changed",
        title=gettext_noop("Changes after confirmation"),
        meaning=gettext_noop("Orders whose dates, amount, quantities or lines changed after they were confirmed."),
        help=gettext_noop(
            "From a minute after the confirmation on, each write once. Dates are the promise of a sales order and the arrival of a "
            "purchase line. What changed between two reads of Odoo and back again was not seen. It has no time."
        ),
        sample=gettext_noop("confirmed orders in hand"),
        unit=gettext_noop("changes"),
        found=statements.load(__file__, "changed", seen="{seen}").strip(),
        say=_changed,
    ),
    Finding(
        name="batches",
        title=gettext_noop("Batches that waited for a person"),
        meaning=gettext_noop(
            "Records whose approval or exception waited for one person, who then answered several in one sitting."
        ),
        help=gettext_noop(
            "A sitting are answers with at most ten minutes between them; a batch are three or more in it that had waited for four "
            "hours or longer. An approval waits from when this person's step was asked for, an exception that nobody had owned "
            "from when it opened until a person resolved it. Lost is the wait."
        ),
        sample=gettext_noop("records that a person answered"),
        unit=gettext_noop("answers"),
        found=statements.load(__file__, "batches", seen="{seen}", worked=WORKED, clocked=CLOCKED).strip(),
        say=_in_a_batch,
        values={"long": LONG, "several": SEVERAL},
    ),
    Finding(
        name="handed",
        title=gettext_noop("Handed to and fro"),
        meaning=gettext_noop(
            "Records whose exception or approval was handed to and fro between two people or teams: there, back, and there again."
        ),
        help=gettext_noop("Lost is the time from the first of these hand-overs to the last."),
        sample=gettext_noop("records that were handed over"),
        unit=gettext_noop("hand-overs"),
        found=statements.load(__file__, "handed", seen="{seen}", worked=WORKED, clocked=CLOCKED).strip(),
        say=_handed,
    ),
)


def called(name: str) -> Finding | None:
    """Return the finding of that name; None where there is none."""
    return next((one for one in FINDINGS if one.name == name), None)

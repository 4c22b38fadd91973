"""The words in which a workflow is declared: one file in ``catalogue`` uses nothing else.

Conditions are ``Q`` objects over columns of the record and of declared facts, compiled to SQL (:mod:`apps.workflows.compile`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db.models import Q

from apps.core.figures import Figure, Kind, money
from apps.workflows.changes import Change
from apps.workflows.counted_by_guards import GuardFigures
from apps.workflows.holders import US, HeldBy
from apps.workflows.parameters import Parameter
from apps.workflows.playbooks import Step
from apps.workflows.root_causes import RootCause


@dataclass(frozen=True, kw_only=True)
class Unwatched:
    """Columns that a fact reads of other records though a change of one of these alone wakes nothing (:mod:`.reads`).

    Attributes:
        model: Odoo's name of their model, on which the workflow has no dependency.
        columns, because: those that are read, and no others; why what was worked out may stay as it is.
    """

    model: str
    columns: Sequence[str]
    because: str


@dataclass(frozen=True, kw_only=True)
class Fact:
    """Columns about a record that come from other mirrored tables, as one SQL query.

    Each mirrored table that it reads has a :class:`Dependency` of the workflow, or is :class:`Unwatched`.

    Attributes:
        name: alias of the query; conditions name the columns alone.
        sql: a SELECT of at most one row, with the record as ``r``, all that are looked at as ``%(ids)s``, and ``%(now)s``.
        columns: the columns that it returns.
        unwatched: what it reads without a dependency, with the reason.
    """

    name: str
    sql: str
    columns: Sequence[str]
    unwatched: Sequence[Unwatched] = ()


@dataclass(frozen=True, kw_only=True)
class Dependency:
    """Records of the workflow whose stage may change because a record of another model did.

    Attributes:
        model: Odoo's name of the other model.
        sql: a SELECT of odoo_ids of the workflow's records, with ``%(connection)s``, ``%(ids)s`` (the changed ids) and
            ``%(now)s``. It must cost by the number of changed and of *open* records, never by history.
    """

    model: str
    sql: str


@dataclass(frozen=True, kw_only=True)
class Stage:
    """Where a record can stand.

    Attributes:
        when: its condition. Stages are tried in order; the first that holds is the record's.
        owner: slug of the team that has to move records out of it.
        target: how long a record may stay; none where there is nothing to move.
        first_seen_since: column that says since when, for a record that the tower sees for the first time.
        blocker: the kind of blocker that standing there is, and why in words; none where other records tell.
        stuck_from: what a record must be worth, in the company's currency, for it to be raised when it stands there far
            beyond the target (:mod:`apps.workflows.stuck`); None where an exception type of its own tells already.
        held_by: who has a record that stands there, for whom its time counts; us, the owner team, where nothing is declared.
        is_step: whether a record goes on or back by coming there; not where time alone brings it, such as late: there it stays in
            the step in which it was (:mod:`apps.boards.findings`).
    """

    name: str
    title: str
    when: Q
    owner: str
    target: timedelta | None = None
    is_open: bool = True
    first_seen_since: str = "write_date"
    blocker: tuple[str, str] | None = None
    stuck_from: float | None = 1_000
    held_by: HeldBy = US
    is_step: bool = True


@dataclass(frozen=True, kw_only=True)
class BlockerRule:
    """What else may hold a record up: another record, or something that it lacks.

    Attributes:
        kind: the kind of blocker.
        sql: a SELECT of ``since``, ``model``, ``odoo_id``, ``name`` (of the record that holds it up) and ``text`` (as
            :func:`apps.workflows.sql_message.say` says it), with ``%(connection)s``, ``%(record)s`` (one) and ``%(now)s``.
    """

    kind: str
    sql: str


@dataclass(frozen=True, kw_only=True)
class OdooCall:
    """One write to Odoo, as it follows from a decision. Texts and values may hold ``{column}`` of the context.

    Attributes:
        title: what it does, in words for people.
        method: method of the record's model; ``create`` and ``message_post`` leave a mark that is looked for first.
        arguments: named arguments.
        require: domain that the record must match before, else the command is refused and shown to a person.
        expect: domain that the record matches once it is done; of ``create``, by what it finds what it makes, in place of a mark.
        model, record: another target than the workflow's record: Odoo's model, and the context's column with the id.
        only_if: column that has to hold, as it stood when the decision was taken, or the call is left out.
        wizard: Odoo's wizard that does it and the values with which it is made; ``method`` is the wizard's then, what is required
            and expected is still the record's.
        found: domain by which the target is found in ``model`` as the call is made, the newest of several; where there is none,
            a person has ended it, and it is left so.
        by_mark: the context's column with the command that made the target, found by its mark; what a person ended is left.
    """

    title: str
    method: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    require: Sequence[Any] = ()
    expect: Sequence[Any] = ()
    model: str = ""
    record: str = ""
    only_if: str = ""
    wizard: tuple[str, Mapping[str, Any]] | None = None
    found: Sequence[Any] = ()
    by_mark: str = ""


@dataclass(frozen=True, kw_only=True)
class SuggestedAction:
    """A way to resolve an exception: what can be offered now, and what Odoo is told when a person applies it.

    Attributes:
        name, title: what tells it from the type's other actions; what it does, in words for people.
        sql: a SELECT of what can be offered, one row an option, the best first, with ``%(connection)s``, ``%(record)s``
            (the exception's record), ``%(cause)s`` (the text of its cause) and ``%(now)s``. It returns ``option``
            (text that tells the options apart), ``text`` (what it means, as :func:`apps.workflows.sql_message.say` says it)
            and :attr:`columns`, of which the calls speak.
        calls: what Odoo is told. Their texts may name the columns, ``record_name``, ``record_url`` and ``decided_by``.
        asks: what a person has to confirm before, with columns in braces: what somebody outside gets, or that it cannot be
            undone; nothing, where it may be applied at once.
        letter: column with a sentence that somebody outside reads: it is said in the language of the column ``lang``, as Odoo
            names it.
        undo: what puts it back in Odoo once it was carried out, with the columns as they were when it was applied; nothing, where
            Odoo does not allow it.
        effect: of an option's columns, the changes that applying it comes down to, which are previewed (:mod:`.what_if`).
    """

    name: str
    title: str
    sql: str
    columns: Sequence[str]
    calls: Sequence[OdooCall]
    asks: str = ""
    undo: Sequence[OdooCall] = ()
    letter: str = ""
    effect: Callable[[Mapping[str, Any]], Sequence[Change]] | None = None


@dataclass(frozen=True, kw_only=True)
class ExceptionType:
    """A deviation that somebody must own.

    Attributes:
        when: opens while it holds, closes itself when it does not.
        team: slug of the team that owns it.
        team_column: column with that slug, where it depends on the record; ``team`` where it is empty.
        due: its SLA, in working time of the team.
        amount: column with the money at risk, in the company's currency.
        evidence: columns kept as evidence, each with what it is (:mod:`apps.core.figures`).
        cause: column that tells two deviations of one type apart; none where there can be but one.
        severity: column and thresholds of medium, high and critical; more weighs as well (:mod:`apps.workflows.severity_boost`).
        severity_kind: what that column is, where the evidence does not show it.
        closed_because: what is said when it closes itself.
        actions: ways to resolve it that a person may apply in the tower.
        root_causes: which record is to blame, the most pressing first; none where it stands alone.
        playbook: the steps that a good operator takes, in order; those who write policies may replace them.
    """

    name: str
    title: str
    when: Q
    team: str
    due: timedelta
    amount: str
    evidence: Mapping[str, Figure]
    severity: tuple[str, tuple[float, float, float]]
    cause: str = ""
    team_column: str = ""
    closed_because: str = "The condition is gone"
    actions: Sequence[SuggestedAction] = ()
    severity_kind: Kind = money
    root_causes: Sequence[RootCause] = ()
    playbook: Sequence[Step] = ()

    @property
    def measure(self) -> Kind:
        """What its severity is measured in."""
        figure = self.evidence.get(self.severity[0])
        return figure.kind if figure else self.severity_kind


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What the one who asks for an approval in the tower has to choose among.

    Attributes:
        title: what is chosen, in words for people.
        sql: a SELECT of what there is, the best first, as that of a :class:`SuggestedAction`.
        columns: what else it returns, for the one who decides and for the calls. They are empty where the approval was asked
            for in Odoo, or where there is nothing to choose.
    """

    title: str
    sql: str
    columns: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class ApprovalKind:
    """A decision that policy may demand.

    Attributes:
        when: is asked for while it holds; a pending request is withdrawn when it no longer does.
        possible: while it holds, somebody may ask for it in the tower, though ``when`` does not hold.
        cause: column that names the asking: the same asking never opens a second request.
        asked_by: column with the name of who asked.
        involved: columns with the uids (or logins) in Odoo, one or a list, of those with a hand in the record: they may not decide.
        account_owner: columns with the Odoo login and the e-mail address of who is told.
        exception: the exception type that the decision answers; empty where it answers none.
        context: columns shown to the one who decides, each with what it is. What the calls name besides is kept as well.
        on_asked, on_approval, on_rejection, on_withdrawal, on_expiry: what Odoo is told.
        matters: the one line that matters in an inbox, with columns in braces; the question, where none is declared.
        default_policy: rules of the policy's first version.
        figures: what the guard counted beside what the tower counts; none where they are not compared.
        choice: what is to be chosen when it is asked for in the tower; nothing, where none is declared.
        bounds: columns of ``context`` that a yes bounds beside the amount: it no longer counts once one of them has grown.
        peers: a SELECT of the records that count together with one of them under a cumulative policy, whether or not anybody was
            asked about them, with ``%(connection)s``, ``%(record)s``, ``%(since)s``, ``%(by_partner)s``, ``%(by_person)s`` and
            ``%(people)s`` (uids) and ``%(now)s``. It returns ``odoo_id``, ``record_name``, ``amount`` (the company's currency)
            and ``at``. Beside them those that are ``possible`` and were asked about count, as they stand; without it, what was
            asked is all that counts.
        menu: what the Action menu in Odoo calls it; its title, where empty.
        requestable: what it can be asked for by that menu, in words ("a draft credit note") and as Odoo's domain; anything, where
            empty.
        peers_model: Odoo's model of the peers, where it is another than the workflow's: they are then what became of the kind's
            records.
    """

    name: str
    title: str
    question: str
    when: Q
    possible: Q
    cause: str
    amount: str
    asked_by: str
    involved: Sequence[str]
    account_owner: tuple[str, str]
    exception: str
    context: Mapping[str, Figure]
    on_asked: Sequence[OdooCall]
    on_approval: Sequence[OdooCall]
    on_rejection: Sequence[OdooCall]
    on_withdrawal: Sequence[OdooCall]
    default_policy: Mapping[str, Any]
    on_expiry: Sequence[OdooCall] = ()
    matters: str = ""
    choice: Choice | None = None
    bounds: Sequence[str] = ()
    figures: GuardFigures | None = None
    peers: str = ""
    peers_model: str = ""
    menu: str = ""
    requestable: tuple[str, Sequence[Any]] = ("", ())


@dataclass(frozen=True, kw_only=True)
class Guard:
    """What Odoo itself refuses, in its own transaction, until the tower has released the record.

    Attributes:
        approval: the approval kind that is asked for when it refuses.
        state_value: refused when the record's ``state`` is set to it.
        release: the number up to which the tower lets the record through, made in Odoo: its field, label and help.
        terms: Odoo server-action code over ``record`` of the workflow's model that sets ``terms``, a dictionary of what a
            release names beside its number: ``partner``, ``company`` and the like, which have to be the same, and ``lines``,
            each ``[product, unit, quantity, unit price, discount]``, which may ask for less and for no more.
        condition: Odoo server-action code over ``record``; sets ``why`` (a sentence, or False) and the figures ``amount``,
            ``exposure`` and ``limit`` that it rests on. It reads ``released_up_to``, the released number where the release
            fits, and sets ``measure``, by how much the record breaks policy, where that is not its amount, and ``remedy``,
            what to do instead, where nothing is to be asked.
        identity: fields of the workflow's model whose change ends a release, as cancellation and drafting do.
        model: the model whose ``state`` is watched, where that is not the workflow's own; ``subject`` is then the code that
            makes ``record`` of the workflow's model, or none of it, out of the ``record`` that reaches the state.
        watch: fields whose change is judged as well while the record stands in the state, or in one of ``later``.
        later: states after ``state_value`` in which it may still be changed.
        lines: models of the record's lines, each with the field that points at the record and the fields that are watched.
        is_judged_last: what is created in the state is judged as a change of it is, once the transaction has written all of it.
    """

    approval: str
    state_value: str
    release: tuple[str, str, str]
    terms: str
    condition: str
    identity: Sequence[str] = ()
    model: str = ""
    subject: str = ""
    watch: Sequence[str] = ()
    later: Sequence[str] = ()
    lines: Sequence[tuple[str, str, Sequence[str]]] = ()
    is_judged_last: bool = False


@dataclass(frozen=True, kw_only=True)
class Sample:
    """A row and the stage that it must land in; a test runs all of them."""

    row: Mapping[str, Any]
    stage: str


@dataclass(frozen=True, kw_only=True)
class Lines:
    """The lines of one record, as its page shows them.

    Attributes:
        title: what they are called, "Order lines".
        sql: a SELECT of the columns for ``%(record)s`` of ``%(connection)s``, in order; the first hundred are shown. A column
            ``product_id`` beside them is not shown: it leads from the line to the product's page.
        columns: its columns in order, each with what it is. Money is in the record's own currency; a share of zero is left out.
    """

    title: str
    sql: str
    columns: Mapping[str, Figure]


@dataclass(frozen=True, kw_only=True)
class Workflow:
    """An end-to-end business process over one Odoo model.

    Attributes:
        rank: where it stands among the workflows on overviews, the lowest first.
        amount, currency: columns with the record's value and its currency, the company's.
        belongs: which records of the model are the workflow's, over the record's own columns. The others stand in no stage
            and raise nothing; stages have to be complete only for those that belong.
        belongs_sql: SQL over the record ``r`` that has to hold as well, never NULL, where its own columns do not tell.
        label: column with what people call the record.
        look_again: column with the moment at which the passing of time alone may move the record or raise something about
            it, NULL where none lies ahead. It is looked at again then (:func:`apps.pipeline.change_processing.reevaluate_due`).
        promise: column with the moment that was promised for the record; none where nothing is. As it comes near and passes, what
            is raised about the record weighs more (:mod:`apps.workflows.severity_boost`).
        is_recurring: whether a record that has ended begins anew when it comes back, as the next count; else it was reopened.
        form: external id of Odoo's form view on which a hold is shown; needed where there are guards.
        listed: external id of the list in which people work on the records, and the field after which it says why one is held;
            where they see no form.
        portal: external id of the page on which a customer signs and pays; empty where there is none.
        lines: the record's lines, where it has any.
        blockers: what may hold a record up beside its stage, the nearest cause first.
        stuck_actions: ways to resolve a record of it that stands still, beside asking who is responsible.
        hooks: Odoo's models whose changes matter at once, each with the fields that matter; the rest is found by polling.
        parameters: the numbers of its rules that can be set per connection and company. Targets, SLA times and severity
            thresholds need no mention: they are parameters by themselves.
    """

    name: str
    title: str
    odoo_model: str
    amount: str
    currency: str
    facts: Sequence[Fact]
    dependencies: Sequence[Dependency]
    stages: Sequence[Stage]
    exceptions: Sequence[ExceptionType]
    approvals: Sequence[ApprovalKind]
    guards: Sequence[Guard] = ()
    belongs: Q = field(default_factory=Q)
    belongs_sql: str = ""
    label: str = "name"
    look_again: str = ""
    promise: str = ""
    is_recurring: bool = False
    blockers: Sequence[BlockerRule] = ()
    rank: int = 100
    form: str = ""
    listed: tuple[str, str] | None = None
    portal: str = ""
    lines: Lines | None = None
    hooks: Mapping[str, Sequence[str]] = field(default_factory=dict)
    samples: Sequence[Sample] = ()
    parameters: Sequence[Parameter] = ()
    stuck_actions: Sequence[SuggestedAction] = ()

    def stage(self, name: str) -> Stage:
        """The stage called ``name``. Raises KeyError with what there is."""
        for stage in self.stages:
            if stage.name == name:
                return stage
        raise KeyError(f"{self.name} has no stage {name}; it has {', '.join(stage.name for stage in self.stages)}")

    def approval(self, kind: str) -> ApprovalKind:
        """The approval kind called ``kind``. Raises KeyError with what there is."""
        for approval in self.approvals:
            if approval.name == kind:
                return approval
        raise KeyError(f"{self.name} has no approval kind {kind}; it has {', '.join(a.name for a in self.approvals)}")


@dataclass(frozen=True, kw_only=True)
class Addition:
    """What an extension adds to a workflow that there is already (docs/extending.md).

    Attributes:
        workflow: name of the workflow.
        facts, dependencies, exceptions, approvals: what it has more, as :class:`Workflow` has them.
        actions: suggested actions by the name of the exception type on whose cases they are offered.
    """

    workflow: str
    facts: Sequence[Fact] = ()
    dependencies: Sequence[Dependency] = ()
    exceptions: Sequence[ExceptionType] = ()
    approvals: Sequence[ApprovalKind] = ()
    actions: Mapping[str, Sequence[SuggestedAction]] = field(default_factory=dict)

"""Bringing a pending request in line again: with its amount and its facts, and with the people who may decide it.

Steps, limits and conditions are those of the version of the policy with which the request began. The caller holds the
request's row lock in all of this, as every other move does.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from apps.approvals import reasons
from apps.approvals.models import Assignment, Request, Status, Step, StepStatus
from apps.approvals.policies import conditions, limits, policy
from apps.approvals.requests import closing, decision_commands, facts, permissions, steps
from apps.approvals.transitions import STEPS
from apps.audit import trail
from apps.core import actor, sentences

MACHINE = actor.system("pipeline")
RUNNING = (StepStatus.WAITING, StepStatus.PENDING)


@dataclass(kw_only=True)
class Outcome:
    """What a re-evaluation changed, as the audit trail keeps it."""

    added: list[str] = field(default_factory=list)
    no_longer_required: list[str] = field(default_factory=list)
    asked_again: list[dict[str, str]] = field(default_factory=list)
    no_longer_asked: list[dict[str, str]] = field(default_factory=list)
    now_asked: list[dict[str, Any]] = field(default_factory=list)

    @property
    def is_change(self) -> bool:
        """True if anything changed."""
        return any(vars(self).values())


def reevaluate(request: Request, *, before: Mapping[str, Any], now: datetime) -> None:
    """Evaluate steps, limits and conditions anew because the amount or the facts changed.

    1. Add the steps that are demanded now; put aside those that no longer are.
    2. Let the answers lapse that were given for less than is asked now, or whose giver could not give them now.
    3. Replace the people who may not decide it any more, and ask those who may now.
    4. Go on with the first step that is not answered. Where all are, the request is approved by those who answered.

    Args:
        before: the snapshot (:func:`facts.snapshot`) of what was true before the change.
    """
    outcome = Outcome()
    _lay_out_anew(request, outcome)
    _let_answers_lapse(request, before, outcome, now)
    _replace_people(request, outcome, now, widened=True)
    _go_on(request, outcome, now)
    has_new_amount = (before.get("amount"), before.get("currency")) != _sum_of(request)
    if outcome.is_change or has_new_amount:
        was = {"amount": before.get("amount"), "currency": before.get("currency")}
        _record(request, outcome, {"from": was, "to": dict(zip(was, _sum_of(request), strict=True))}, now)


def reassign(request: Request, *, now: datetime, leaves_at: datetime | None = None) -> None:
    """Replace who may not decide the request any more, at once: a person changed, or has decided another step.

    Args:
        leaves_at: from when on those who are asked now hear of it, where what led here can still be undone.
    """
    outcome = Outcome()
    _replace_people(request, outcome, now, widened=False, leaves_at=leaves_at)
    if not outcome.is_change:
        return
    _go_on(request, outcome, now)
    _record(request, outcome, {}, now)


def _sum_of(request: Request) -> tuple[str | None, str]:
    now = facts.snapshot(request)
    return now["amount"], now["currency"]


def _lay_out_anew(request: Request, outcome: Outcome) -> None:
    in_force = policy.usable_rules(request.policy)
    rules = in_force["steps"]
    places = policy.demanded(in_force, limits.amount_of(request), conditions.facts_of(request))
    known: dict[int, Step] = {}
    for step in request.steps.all():
        # A request that is older than the place is matched by the step's name.
        place = (
            step.rule
            if step.rule is not None
            else next((one for one, rule in enumerate(rules) if rule["name"] == step.name and one not in known), None)
        )
        if place is None:
            continue
        known[place] = step
        step.rule, step.position = place, steps.position_of(rules, place)
        step.save(update_fields=["rule", "position"])
        is_required = place in places
        if not is_required and step.status in RUNNING:
            _put_aside(step)
            outcome.no_longer_required.append(step.name)
        elif is_required and not step.is_required:
            step.is_required = True
            STEPS.make("demand", step)
            step.save(update_fields=["is_required", "status"])
            outcome.added.append(step.name)
    fresh = steps.lay_out(request, [place for place in places if place not in known])
    outcome.added += [step.name for step in fresh]


def _put_aside(step: Step) -> None:
    _begin_anew(step, "put_aside")
    step.is_required = False
    step.save(update_fields=["is_required"])


def _begin_anew(step: Step, move: str) -> None:
    """Make a move that leaves a step as if it had not begun; what was answered in it stays."""
    steps.cancel_timers([step])
    step.assignments.filter(decision="", lapsed_at=None).delete()
    STEPS.make(move, step)
    step.level, step.due_at = 0, None
    step.save(update_fields=["status", "level", "due_at"])


def _let_answers_lapse(request: Request, before: Mapping[str, Any], outcome: Outcome, now: datetime) -> None:
    for step in request.steps.filter(is_required=True, status__in=[StepStatus.APPROVED, *RUNNING]):
        has_lapsed = False
        for said in step.assignments.filter(decision="approved", lapsed_at=None).select_related("user"):
            why = _outgrown(request, said, before) or permissions.obstacle(request, step, said.user)
            if why:
                _lapse(said, why, now)
                has_lapsed = True
                outcome.asked_again.append({"step": step.name, "person": str(said.user), "why": why})
        if step.status != StepStatus.APPROVED or not has_lapsed:
            continue
        # Where all must agree, the yes of the others is enough only where nobody is left to be asked.
        if not steps.is_answered(step) or (step.needs_all and steps.can_be_asked(request, step, step.level)):
            _begin_anew(step, "send_back")


def _outgrown(request: Request, said: Assignment, before: Mapping[str, Any]) -> str:
    """Return why what is asked now goes beyond what the person approved; empty where it does not."""
    approved, person = said.decided_on or before, str(said.user)
    was, amount = facts.decimal(approved.get("amount")), request.amount
    same_currency = approved.get("currency") == request.currency
    if not same_currency or (amount is None) != (was is None) or (amount is not None and was is not None and amount > was):
        return sentences.in_english(
            reasons.AMOUNT_GREW, person=person, before=was, currency=approved.get("currency"), now=amount, same=request.currency
        )
    if approved.get("partner") != request.partner_name:
        return sentences.in_english(
            reasons.PARTNER_CHANGED, person=person, before=approved.get("partner"), now=request.partner_name
        )
    if approved.get("company_id") != request.company_id:
        return sentences.in_english(reasons.COMPANY_CHANGED, person=person)
    if not decision_commands.is_declared(request):
        return ""
    kind, old = decision_commands.kind_of(request), approved.get("facts", {})
    for name in kind.bounds:
        bound, figure = facts.decimal(old.get(name)), facts.decimal(request.context.get(name))
        if figure is not None and (bound is None or figure > bound):
            return sentences.in_english(
                reasons.FACT_GREW,
                person=person,
                fact=sentences.compose(kind.context[name].label, {}),
                before=facts.said(request, name, old.get(name)),
                now=facts.said(request, name, request.context.get(name)),
            )
    return ""


def _lapse(row: Assignment, why: str, now: datetime) -> None:
    row.is_active, row.lapsed_at, row.lapsed_because = False, now, why
    row.lapse_sentence = sentences.sentence_of(why)
    row.save(update_fields=["is_active", "lapsed_at", "lapsed_because", "lapse_sentence"])


def _replace_people(request: Request, outcome: Outcome, now: datetime, *, widened: bool, leaves_at: datetime | None = None) -> None:
    """Replace those who are asked in the running steps and may not answer.

    Args:
        widened: also ask those of the present level who may decide now and could not before.
    """
    for step in request.steps.filter(status=StepStatus.PENDING):
        why = ""
        for asked in step.assignments.filter(is_active=True, decision="").select_related("user"):
            if found := permissions.obstacle(request, step, asked.user):
                why = found
                _lapse(asked, found, now)
                outcome.no_longer_asked.append({"step": step.name, "person": str(asked.user), "why": found})
        if widened:
            _ask_more(request, step, outcome, now)
        if steps.is_answered(step):
            steps.cancel_timers([step])
            STEPS.make("approve", step)
            step.save(update_fields=["status"])
            continue
        open_ones = step.assignments.filter(is_active=True, decision="")
        levels = range(step.level, len(step.levels["levels"]))
        level = next((one for one in levels if steps.can_be_asked(request, step, one)), None)
        if not open_ones.exists():
            # Without a level that may, administrators are asked; where there is none either, that is noted once.
            if level is not None or why or steps.administrators(request, step):
                _ask(request, step, step.level if level is None else level, outcome, now, why, leaves_at)
        elif why and level is not None and not open_ones.filter(level__gte=step.level).exists():
            _ask(request, step, level, outcome, now, why, leaves_at)


def _ask_more(request: Request, step: Step, outcome: Outcome, now: datetime) -> None:
    """Ask those of the levels up to the present one who may decide now and are not asked; the step's time stays as it is."""
    if step.due_at is None or not step.assignments.filter(is_active=True, decision="").exists():
        return  # where nobody is left, the level begins anew
    for level in range(step.level + 1):
        present = set(step.assignments.filter(lapsed_at=None).values_list("user_id", flat=True))
        fresh = [user for user in steps.can_be_asked(request, step, level) if user.pk not in present]
        if fresh:
            asked = steps.ask_more(request, step, fresh, level=level, now=now)
            outcome.now_asked.append({"step": step.name, "people": [str(user) for user in asked]})


def _ask(
    request: Request, step: Step, level: int, outcome: Outcome, now: datetime, why: str, leaves_at: datetime | None = None
) -> None:
    asked = steps.begin_level(request, step, level, now=now, leaves_at=leaves_at, why=why)
    if asked:
        outcome.now_asked.append({"step": step.name, "people": [str(user) for user in asked]})


def _go_on(request: Request, outcome: Outcome, now: datetime) -> None:
    running = list(request.steps.filter(status__in=RUNNING).order_by("position", "id"))
    if not running:
        _approve(request, now)
        return
    first = running[0].position
    for step in running:
        if step.position > first and step.status == StepStatus.PENDING:
            _begin_anew(step, "send_back")
    if any(step.position == first and step.status == StepStatus.WAITING for step in running):
        again = next((one["why"] for one in outcome.asked_again), "")
        steps.begin_next(request, now=now, why=again)
        begun = request.steps.filter(position=first, status=StepStatus.PENDING)
        outcome.now_asked += [{"step": step.name, "people": _names(step)} for step in begun]
    request.current_step = first
    steps.refresh_due(request)
    if request.paused_at:
        steps.cancel_timers(list(request.steps.filter(status=StepStatus.PENDING)))


def _names(step: Step) -> list[str]:
    asked = step.assignments.filter(is_active=True, decision="").select_related("user")
    return [str(row.user) for row in asked]


def _approve(request: Request, now: datetime) -> None:
    """Approve what everybody who is needed has answered: what they approved covers what is asked now."""
    said = (
        Assignment.objects.filter(step__request=request, decision="approved", lapsed_at=None)
        .select_related("user")
        .order_by("-decided_at", "-id")
        .first()
    )
    if said is not None:
        closing.close_request(request, Status.APPROVED, by=said.user.actor, decided_by=said.user, reason=said.reason, now=now)


def _record(request: Request, outcome: Outcome, data: dict[str, Any], now: datetime) -> None:
    found = {name: value for name, value in vars(outcome).items() if value}
    trail.record(
        trail.Event(
            action="approval.reevaluated",
            actor=MACHINE,
            subject=f"approval:{request.pk}",
            data=data | found,
            about=(request.connection_id, request.company_id),
        ),
        now=now,
    )
    closing.announce(request)

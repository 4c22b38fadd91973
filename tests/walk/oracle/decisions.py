"""Who decided what, on what, and who is asked."""

from collections import defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING

from apps.accounts.models import Role, User
from apps.approvals.models import Assignment, Status
from apps.mirror.identities import identities_of

if TYPE_CHECKING:
    from tests.walk.walk import Walk


def decisions_were_anybodys_to_take(walk: "Walk") -> list[str]:
    """Each yes came from somebody whose limit covers it, and no person said two of them that count on one request."""
    found = []
    counting = Assignment.objects.filter(decision="approved", lapsed_at=None, step__request__in=walk.requests())
    said = counting.exclude(step__status="skipped")
    people: dict[int, list[int]] = defaultdict(list)
    for one in said.select_related("step__request", "user"):
        request = one.step.request
        if request.status == Status.APPROVED:
            people[request.pk].append(one.user_id)
            limit = one.user.approval_limit
            if request.amount is not None and limit is not None and request.amount > limit:
                found.append(f"{one.user} approved {request.record_name} at {request.amount} with a limit of {limit}")
    found += [f"one person decided two steps of request {request}" for request, who in people.items() if len(set(who)) < len(who)]
    return found


def deciders_had_no_hand_in_it(walk: "Walk") -> list[str]:
    """Nobody decided what they had made, changed or asked for in Odoo, and everybody who decided was asked."""
    found = []
    said = Assignment.objects.filter(step__request__in=walk.requests(), lapsed_at=None).exclude(decision="")
    answers = list(said.select_related("step__request", "user"))
    known = identities_of([one.user for one in answers], walk.tower.connection.pk)
    for one in answers:
        request = one.step.request
        uids = known[one.user.pk].uids
        if uids & set(request.involved_uids):
            found.append(f"{one.user} decided {request.kind} of {request.record_name} and had a hand in it")
    decided = walk.requests().filter(status__in=[Status.APPROVED, Status.REJECTED])
    for request in decided.exclude(decided_by=None).exclude(pk__in=said.values("step__request_id")):
        found.append(f"{request.decided_by} decided {request.kind} of {request.record_name}, and no answer of theirs counts")
    return found


def somebody_is_asked(walk: "Walk") -> list[str]:
    """Each step that waits asks somebody who works here, who had no hand in the record and whose limit covers it."""
    found = []
    people = list(User.objects.filter(role__in=[Role.APPROVER, Role.MANAGER, Role.ADMIN]))
    known = identities_of(list(User.objects.all()), walk.tower.connection.pk)
    waiting = walk.requests().filter(status=Status.PENDING).prefetch_related("steps__assignments__user")
    for request in waiting:
        for step in request.steps.all():
            if step.status != "pending" or not step.is_required:
                continue
            standing = [one for one in step.assignments.all() if one.lapsed_at is None]
            asked = [one for one in standing if one.is_active and not one.decision]
            # What is beyond everybody's limit waits for whoever comes to have a higher one.
            decided = {one.user_id for other in request.steps.all() for one in other.assignments.all() if one.decision}
            able = [
                user
                for user in people
                if user.is_active
                and user.pk not in decided
                and not known[user.pk].uids & set(request.involved_uids)
                and (user.approval_limit is None or request.amount is None or user.approval_limit >= request.amount)
            ]
            if not asked and not any(one.decision for one in standing) and able:
                found.append(f"{request.kind} of {request.record_name}: {step.name} waits for nobody")
            for one in asked:
                uids = known[one.user.pk].uids
                if not one.user.is_active:
                    found.append(f"{request.kind} of {request.record_name} waits for {one.user}, who has left")
                if uids & set(request.involved_uids):
                    found.append(f"{request.kind} of {request.record_name} waits for {one.user}, who had a hand in it")
    return found


def approved_is_what_was_seen(walk: "Walk") -> list[str]:
    """Each step of an approved request has an answer that counts, given on the amount for which it was approved, or more."""
    found = []
    approved = walk.requests().filter(status=Status.APPROVED).prefetch_related("steps__assignments__user")
    for request in approved:
        for step in request.steps.all():
            if not step.is_required or step.status == "skipped":
                continue
            answers = [one for one in step.assignments.all() if one.decision == "approved" and one.lapsed_at is None]
            if step.status != "approved" or not answers:
                found.append(f"{request.kind} of {request.record_name} is approved, and its step {step.name} is {step.status}")
            for one in answers:
                if request.amount is not None and one.decided_amount and Decimal(one.decided_amount) < request.amount:
                    limit = one.user.approval_limit
                    if limit is not None and limit < request.amount:
                        found.append(f"{one.user} said yes to {one.decided_amount} of {request.record_name}: now {request.amount}")
    return found

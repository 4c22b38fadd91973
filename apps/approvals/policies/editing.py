"""A policy's rules as a form, and back. What the form holds may still be wrong: ``policy.check`` says so, in its words."""

from collections.abc import Mapping
from typing import Any

from apps.approvals.policies import cumulation, policy

NEW_LEVEL: dict[str, Any] = {"ask": {"role": "manager"}, "within_minutes": 240, "remind_after_minutes": 120}
NEW_STEP: dict[str, Any] = {"name": "", "levels": [NEW_LEVEL], "fallback": "expire"}
MOST_STEPS, MOST_LEVELS, MOST_CONDITIONS = 8, 6, 6


def rules_of(form: Mapping[str, str]) -> dict[str, Any]:
    """The rules that the fields of a form describe, in the form's order; numbers are numbers where they can be."""
    steps = []
    for number in range(min(_count(form, "steps"), MOST_STEPS)):
        at = f"step-{number}"
        step: dict[str, Any] = {"name": form.get(f"{at}-name", "").strip(), "fallback": form.get(f"{at}-fallback", "")}
        if amount := form.get(f"{at}-from_amount", "").strip():
            step["from_amount"] = amount
        if currency := form.get(f"{at}-currency", "").strip().upper():
            step["currency"] = currency
        if position := form.get(f"{at}-position", "").strip():
            step["position"] = _whole(position)
        if form.get(f"{at}-needs_all"):
            step["needs_all"] = True
        if conditions := _conditions(form, at):
            step["when"] = conditions
        step["levels"] = [_level(form, f"{at}-level-{depth}") for depth in range(min(_count(form, f"{at}-levels"), MOST_LEVELS))]
        steps.append(step)
    rules: dict[str, Any] = {"steps": steps}
    if form.get(policy.SEVERAL_STEPS):
        rules[policy.SEVERAL_STEPS] = True
    if form.get("unlinked_may_decide"):
        rules["unlinked_may_decide"] = True
    if days := form.get("cumulative-over_days", "").strip():
        per = [one for one in cumulation.PER if form.get(f"cumulative-{one}")]
        rules[cumulation.KEY] = {"over_days": _whole(days), "per": per}
    if up_to := form.get("bulk-up_to_amount", "").strip():
        rules["bulk"] = {"up_to_amount": up_to}
        if currency := form.get("bulk-currency", "").strip().upper():
            rules["bulk"]["currency"] = currency
        if conditions := _conditions(form, "bulk"):
            rules["bulk"]["when"] = conditions
    return rules


def changed(rules: dict[str, Any], act: str) -> dict[str, Any]:
    """The rules after one of the form's small buttons: ``add-step``, ``drop-step:1``, ``add-level:1``, ``drop-level:1:0``,
    ``add-condition:1`` and ``add-condition:bulk``."""
    word, *numbers = act.split(":")
    places = [int(number) for number in numbers if number.isdecimal()]
    steps = rules["steps"]
    if word == "add-step":
        return rules | {"steps": [*steps, NEW_STEP]}
    if act == "add-condition:bulk":
        bulk = rules.get("bulk", {"up_to_amount": ""})
        return rules | {"bulk": bulk | {"when": [*bulk.get("when", []), {"fact": "", "at_least": ""}]}}
    if not places or places[0] >= len(steps):
        return rules
    step = steps[places[0]]
    if word == "drop-step":
        return rules | {"steps": [one for one in steps if one is not step]}
    if word == "add-level":
        step = step | {"levels": [*step["levels"], NEW_LEVEL]}
    elif word == "drop-level" and len(places) == 2:
        step = step | {"levels": [one for depth, one in enumerate(step["levels"]) if depth != places[1]]}
    elif word == "add-condition":
        step = step | {"when": [*step.get("when", []), {"fact": "", "at_least": ""}]}
    return rules | {"steps": [step if number == places[0] else one for number, one in enumerate(steps)]}


def _level(form: Mapping[str, str], at: str) -> dict[str, Any]:
    kind, _, value = form.get(f"{at}-ask", "").partition(":")
    level: dict[str, Any] = {"ask": {kind: value}, "within_minutes": _whole(form.get(f"{at}-within", ""))}
    if reminder := form.get(f"{at}-remind", "").strip():
        level["remind_after_minutes"] = _whole(reminder)
    return level


def _conditions(form: Mapping[str, str], at: str) -> list[dict[str, Any]]:
    found = []
    for number in range(MOST_CONDITIONS):
        fact, test = form.get(f"{at}-when-{number}-fact", ""), form.get(f"{at}-when-{number}-test", "")
        if fact and test:
            found.append({"fact": fact, test: form.get(f"{at}-when-{number}-value", "").strip()})
    return found


def _count(form: Mapping[str, str], name: str) -> int:
    text = form.get(name, "")
    return int(text) if text.isdecimal() and len(text) < 4 else 0


def _whole(text: str) -> Any:
    """The whole number that is written; else the text, which ``policy.check`` refuses with a sentence."""
    return int(text) if text.strip().isdecimal() and len(text) < 10 else text

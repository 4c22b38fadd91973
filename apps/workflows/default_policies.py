"""Whom an approval asks, one after the other, until a policy of its own is made: the shape that the catalogue's kinds share."""

from typing import Any


def policy(*steps: dict[str, Any]) -> dict[str, Any]:
    """The rules of a policy that takes ``steps`` in this order, as :attr:`ApprovalKind.default_policy` takes them."""
    return {"steps": list(steps)}


def step(name: str, *asked: tuple[str, str], minutes: int, from_amount: int | None = None) -> dict[str, Any]:
    """A step that asks one level after the other, reminds each at half of its time, and expires when none answers.

    Args:
        name: what people call it.
        asked: for each level whom it asks, such as ``("team", "finance")`` or ``("role", "manager")``.
        minutes: how long each level has.
        from_amount: in the company's currency, from what amount on the step is taken; always where nothing is said.
    """
    levels = [{"ask": {who: which}, "within_minutes": minutes, "remind_after_minutes": minutes // 2} for who, which in asked]
    bounds = {} if from_amount is None else {"from_amount": from_amount}
    return {"name": name, **bounds, "levels": levels, "fallback": "expire"}

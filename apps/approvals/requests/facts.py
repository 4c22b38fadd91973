"""The facts on which a request is decided: their digest, what was seen of them, and what has changed since."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.utils.translation import gettext, gettext_noop

from apps.approvals.errors import FactsChangedError
from apps.approvals.models import Request
from apps.approvals.policies import cumulation
from apps.core import sentences
from apps.core.currencies import exact
from apps.core.figures import Figure, Value, text, undeclared, value_of, values_of
from apps.core.words import money
from apps.workflows import registry

# How many earlier versions of its facts a request keeps, to name what changed since one of them was seen.
MOST_EARLIER = 20
AMOUNT, CURRENCY, PARTNER = gettext_noop("Amount"), gettext_noop("Currency"), gettext_noop("Partner")
OTHERS = gettext_noop("Combined with")
UNDECLARED = Figure("", text)
# What a request keeps beside its facts where Odoo's guard counted otherwise (:mod:`apps.approvals.requests.guard_figures`).
NAMED = "odoo_counted"
ODOOS = Figure(gettext_noop("Odoo's figure"), text)


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What somebody saw before they decided.

    Attributes:
        digest: the digest of the facts, as the page or the API showed it.
        amount: the amount. Without either, the decision counts only while the amount, the currency, the partner and what a yes
            bounds besides (:attr:`ApprovalKind.bounds`) are what they were when it was asked for.
    """

    digest: str = ""
    amount: Decimal | None = None


def decimal(value: Any) -> Decimal | None:
    """Return ``value`` as a number; None where it is none."""
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def plain(value: Any) -> Any:
    """Return ``value`` of a column as a request's context keeps it. Money is text."""
    if isinstance(value, Decimal):
        return exact(value)
    if isinstance(value, int | str | bool) or value is None or sentences.is_sentence(value):
        return value
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def declared_of(request: Request) -> Mapping[str, Figure]:
    """Return the facts that are shown, each with what it is; empty where no workflow declares the kind any more."""
    found = registry.approval_kind(request.kind, request.model)
    return found.context if found else {}


def values(request: Request) -> list[Value]:
    """Return the facts that are known, as they are declared; as text, where nothing declares the kind any more."""
    declared = declared_of(request) or undeclared(request.context)
    return list(values_of({NAMED: ODOOS, **declared}, request.context, currency=request.currency))


def digest(request: Request) -> str:
    """Return what changes when the facts do, so that a decision is never taken on facts that have moved meanwhile."""
    facts = {key: request.context.get(key) for key in declared_of(request)}
    facts |= {"amount": _amount(request), "currency": request.currency, "partner": request.partner_name}
    if together := _together(request):
        facts["together"] = together
    return hashlib.sha256(json.dumps(facts, sort_keys=True, cls=DjangoJSONEncoder).encode()).hexdigest()[:16]


def snapshot(request: Request) -> dict[str, Any]:
    """Return the facts as JSON can carry them: what somebody decided on, or what was true before a change."""
    return {
        "digest": digest(request),
        "amount": _amount(request),
        "currency": request.currency,
        "partner": request.partner_name,
        "company_id": request.company_id,
        "together": _together(request),
        "facts": {key: sentences.plain(request.context.get(key)) for key in declared_of(request)},
    }


def keep_earlier(request: Request, before: Mapping[str, Any], *, now: datetime) -> bool:
    """Keep ``before`` among the request's earlier facts where they differ from the present ones; whether they do.

    The caller saves ``facts_changed_at`` and ``earlier_facts``.
    """
    if before["digest"] == digest(request):
        return False
    request.facts_changed_at = now
    known: list[Any] = [*(request.earlier_facts or []), dict(before)]
    # The first is what was asked for; it is kept however often the facts change.
    request.earlier_facts = known[:1] + known[1:][-MOST_EARLIER:]
    return True


def check_seen(request: Request, seen: Seen) -> None:
    """Raise FactsChangedError unless what was seen is what is true now. The caller holds the request's row lock."""
    if seen.digest and seen.digest != digest(request):
        earlier = next((one for one in request.earlier_facts or [] if one["digest"] == seen.digest), None)
        raise _refusal(request, changes(request, earlier) if earlier else [])
    if seen.amount is not None and seen.amount != request.amount:
        raise _refusal(request, [_change("amount", AMOUNT, f"{seen.amount}", _amount(request))])
    if not seen.digest and seen.amount is None and request.earlier_facts:
        found = registry.approval_kind(request.kind, request.model)
        material = {"amount", "currency", "partner", *(found.bounds if found else ())}
        if changed := [one for one in changes(request, request.earlier_facts[0]) if one["fact"] in material]:
            remedy = gettext("Send facts_digest or expected_amount, as the request shows them now.")
            raise _refusal(request, changed, remedy=remedy)


def changes(request: Request, before: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what differs between ``before``, a snapshot, and now: each fact with its words and both values."""
    now = snapshot(request)
    found = [
        _change(name, label, before.get(name), now[name])
        for name, label in (("amount", AMOUNT), ("currency", CURRENCY), ("partner", PARTNER), ("together", OTHERS))
        if before.get(name) != now[name]
    ]
    old = before.get("facts", {})
    return found + [
        _change(name, figure.label, old.get(name), now["facts"][name])
        for name, figure in declared_of(request).items()
        if old.get(name) != now["facts"][name]
    ]


def named_changes(request: Request, before: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Return what :func:`changes` finds as people read it: each fact's title, what it was and what it is."""
    return [_named(request, one) for one in changes(request, before)]


def _named(request: Request, change: Mapping[str, Any]) -> tuple[str, str, str]:
    name = str(change["fact"])
    return gettext(str(change["label"])), said(request, name, change["before"]), said(request, name, change["now"])


def _together(request: Request) -> str | None:
    found = request.context.get(cumulation.TOGETHER)
    return found["amount"] if found else None


def _amount(request: Request) -> str | None:
    return None if request.amount is None else exact(Decimal(request.amount))


def _change(name: str, label: str, before: Any, now: Any) -> dict[str, Any]:
    return {"fact": name, "label": label, "before": before, "now": now}


def _refusal(request: Request, changed: list[dict[str, Any]], *, remedy: str = "") -> FactsChangedError:
    named = "; ".join(
        gettext("%(fact)s: %(before)s before, now %(now)s") % {"fact": title, "before": before, "now": now}
        for title, before, now in (_named(request, one) for one in changed)
    )
    sentence = gettext("The facts have changed since you opened %(record_name)s.") % {"record_name": request.record_name}
    remedy = remedy or gettext("Review the figures again, then decide.")
    return FactsChangedError(" ".join(part for part in (sentence, f"{named}." if named else "", remedy) if part), changed)


def said(request: Request, name: str, value: Any) -> str:
    """Return what a fact was or is, in the active language."""
    if name in ("amount", "together"):
        return money(decimal(value), request.currency)
    if value in (None, ""):
        return "–"
    figure = declared_of(request).get(name, UNDECLARED)
    return value_of(name, figure, {**request.context, name: value}, currency=request.currency).text

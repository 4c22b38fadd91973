"""What a record waits for and what waits for it, one step in both directions."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext, gettext_noop, ngettext

from apps.core.templatetags.show import quantity
from apps.workflows import registry
from apps.workflows.blockers import Blocker
from apps.workflows.impact import Impact
from apps.workflows.supply_chain import Delivery, Supply

# So many are drawn on a side; the rest is counted.
DRAWN = 10
ENDED = ("done", "cancel")


@dataclass(frozen=True, kw_only=True)
class Node:
    """A record beside the one that the page is about.

    Attributes:
        text: why the two hang together.
        at: when it is expected, or since when it holds the other up; ``at_means`` says which.
        is_followed: whether the tower has a page of it.
        tone: ``late`` where it holds the record up, ``calm`` where all is as it should be.
    """

    model: str
    odoo_id: int
    name: str
    icon: str
    text: str
    at: datetime | None
    at_means: str
    tone: str
    is_followed: bool


@dataclass(frozen=True, kw_only=True)
class Graph:
    """Both sides; ``more_before`` and ``more_after`` count what is not drawn."""

    before: list[Node]
    after: list[Node]
    more_before: int
    more_after: int


ICONS = {
    "purchase.order": "shopping-cart",
    "stock.picking": "truck",
    "sale.order": "file-text",
    "account.move": "receipt",
}


def _node(model: str, odoo_id: int, name: str, text: str, at: datetime | None, at_means: str, tone: str) -> Node:
    return Node(
        model=model,
        odoo_id=odoo_id,
        name=name,
        icon=ICONS.get(model, "file-text"),
        text=text,
        at=at,
        at_means=at_means,
        tone=tone,
        is_followed=any(one.odoo_model == model for one in registry.workflows().values()),
    )


# Odoo's kinds and states of transfers, as people read them.
DELIVERY_WORDS = {
    "outgoing": gettext_noop("outgoing"),
    "incoming": gettext_noop("incoming"),
    "internal": gettext_noop("internal"),
    "dropship": gettext_noop("from the vendor"),
    "draft": gettext_noop("draft"),
    "waiting": gettext_noop("waiting for another"),
    "confirmed": gettext_noop("waiting"),
    "assigned": gettext_noop("ready"),
    "done": gettext_noop("done"),
    "cancel": gettext_noop("cancelled"),
}


def dependencies_of(
    *,
    model: str,
    odoo_id: int,
    blockers: Iterable[Blocker],
    supplies: Sequence[Supply],
    deliveries: Sequence[Delivery],
    impact: Impact,
) -> Graph:
    """The picture of a record, from what its page knows already: costs no query.

    Each neighbour once: what holds the record up comes first, with its own words.
    """
    before: dict[tuple[str, int], Node] = {}
    for blocker in blockers:
        if (blocker.model, blocker.odoo_id) != (model, odoo_id):
            before.setdefault(
                (blocker.model, blocker.odoo_id),
                _node(blocker.model, blocker.odoo_id, blocker.name, blocker.text, blocker.since, gettext("since"), "late"),
            )
    for supply in supplies:
        told = (
            gettext("brings %(quantity)s %(product)s")
            if supply.linked
            else gettext("brings %(quantity)s %(product)s for it, not linked in Odoo")
        )
        text = told % {"quantity": quantity(supply.quantity), "product": supply.product}
        before.setdefault(
            ("purchase.order", supply.odoo_id),
            _node("purchase.order", supply.odoo_id, supply.name, text, supply.expected_at, gettext("expected"), "calm"),
        )
    after: dict[tuple[str, int], Node] = {}
    for delivery in deliveries:
        key = ("stock.picking", delivery.odoo_id)
        if key not in before:
            state = gettext(DELIVERY_WORDS.get(delivery.state, delivery.state.replace("_", " ")))
            at, means = (delivery.done_at, gettext("done")) if delivery.done_at else (delivery.scheduled_at, gettext("due"))
            tone = "done" if delivery.state in ENDED else "calm"
            text = f"{gettext(DELIVERY_WORDS.get(delivery.kind, delivery.kind))}, {state}"
            after[key] = _node("stock.picking", delivery.odoo_id, delivery.name, text, at, means, tone)
    for order in impact.orders:
        text = order.customer
        if order.is_at_risk and order.late_days:
            text += ", " + ngettext("%(days)s day late", "%(days)s days late", order.late_days) % {"days": order.late_days}
        tone = "late" if order.is_at_risk else "calm"
        after[("sale.order", order.odoo_id)] = _node(
            "sale.order", order.odoo_id, order.name, text, order.promised_at, gettext("promised"), tone
        )
    firsts, lasts = list(before.values()), list(after.values())
    return Graph(
        before=firsts[:DRAWN],
        after=lasts[:DRAWN],
        more_before=max(len(firsts) - DRAWN, 0),
        more_after=max(len(lasts), impact.waiting_count) - min(len(lasts), DRAWN),
    )

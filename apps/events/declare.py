"""The words in which a kind of source is declared: where its messages hold what the tower wants to know.

A path names a value in a message: ``shipment.tracking_number``, with ``lines.0.sku`` for the first of a list. Where a
path begins with ``/`` it starts at the whole message, and else at the single event in it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from django.utils.translation import gettext_noop

# What can happen outside of Odoo, in words for people. Every source's own words are mapped to these.
KINDS = {
    "shipment_picked_up": gettext_noop("Shipment picked up"),
    "shipment_delayed": gettext_noop("Shipment delayed"),
    "shipment_failed": gettext_noop("Delivery failed"),
    "shipment_delivered": gettext_noop("Shipment delivered"),
    "eta_changed": gettext_noop("Expected date moved"),
    "order_acknowledged": gettext_noop("Order acknowledged"),
    "order_line_changed": gettext_noop("Order line changed"),
    "order_cancelled": gettext_noop("Order cancelled"),
}

# By these words an adapter's ``data`` names the line that changed, and its new quantity in all.
ITEM, QUANTITY = "Item", "Quantity"

# Columns that may hold several references at once.
OF_SEVERAL = ("carrier_tracking_ref",)


@dataclass(frozen=True, kw_only=True)
class Reference:
    """By what other systems refer to a record of Odoo, the most telling column first, and which of its states are its end."""

    columns: Sequence[str]
    name: str = "name"
    state: str = "state"
    ended: Sequence[str] = ("done", "cancel")


REFERENCES: Mapping[str, Reference] = {
    "stock.picking": Reference(columns=("carrier_tracking_ref", "name")),
    "purchase.order": Reference(columns=("name", "partner_ref")),
    "sale.order": Reference(columns=("client_order_ref", "name")),
}


@dataclass(frozen=True, kw_only=True)
class Adapter:
    """How messages of one kind of source are read.

    Attributes:
        title: what people call it.
        model: Odoo's model of the records that it refers to, one of :data:`REFERENCES`, or one that it says itself how to find.
        kind: path of its own word for what happened.
        kinds: its words, each with one of :data:`KINDS` or of ``own_kinds``.
        ignored: its words for what the tower has no use for. Any other word makes the message a dead letter.
        reference: paths of the record's reference; the first that holds something counts.
        occurred_at: path of when it happened; none where the message does not say, then it is when it arrived.
        events: path of a list, where one message tells of several events.
        expected_at: paths of when it is now expected; the first that holds something counts.
        text: path of what is said about it in words.
        data: what else is kept, by the words that people read for it; :data:`ITEM` and :data:`QUANTITY` are those of a line.
        own_kinds: kinds that no other source tells of, each with the words that people read for it.
        found_by: how records of the model are found, where :data:`REFERENCES` does not say.
    """

    title: str
    model: str
    kind: str
    kinds: Mapping[str, str]
    reference: Sequence[str]
    occurred_at: str = ""
    ignored: Sequence[str] = ()
    events: str = ""
    expected_at: Sequence[str] = ()
    text: str = ""
    data: Mapping[str, str] = field(default_factory=dict)
    own_kinds: Mapping[str, str] = field(default_factory=dict)
    found_by: Reference | None = None

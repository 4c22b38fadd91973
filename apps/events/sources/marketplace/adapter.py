"""A marketplace: its customers change or cancel what they ordered; several changes in one message."""

from apps.events.declare import ITEM, QUANTITY, Adapter

ADAPTER = Adapter(
    title="Marketplace orders",
    model="sale.order",
    events="changes",
    kind="change",
    kinds={"quantity": "order_line_changed", "line_removed": "order_line_changed", "cancelled": "order_cancelled"},
    ignored=["address"],
    reference=["order_number"],
    occurred_at="changed_at",
    text="note",
    data={"Marketplace": "/marketplace", ITEM: "sku", QUANTITY: "quantity", "Was": "previous_quantity"},
)

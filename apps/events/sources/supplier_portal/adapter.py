"""A supplier portal: the vendor acknowledges a purchase order, moves its date, changes a line, or cancels it."""

from apps.events.declare import ITEM, QUANTITY, Adapter

ADAPTER = Adapter(
    title="Supplier portal",
    model="purchase.order",
    kind="type",
    kinds={
        "order.acknowledged": "order_acknowledged",
        "order.date_changed": "eta_changed",
        "order.line_changed": "order_line_changed",
        "order.cancelled": "order_cancelled",
    },
    ignored=["order.viewed"],
    reference=["data.purchase_order", "data.supplier_reference"],
    occurred_at="timestamp",
    expected_at=["data.confirmed_date", "data.new_date", "data.line.date"],
    text="data.comment",
    data={"Supplier": "data.supplier", ITEM: "data.line.item", QUANTITY: "data.line.quantity"},
)

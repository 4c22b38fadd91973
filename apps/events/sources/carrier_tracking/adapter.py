"""A carrier's tracking feed: one message per scan of a parcel, by its tracking number."""

from apps.events.declare import Adapter

ADAPTER = Adapter(
    title="Carrier tracking",
    model="stock.picking",
    kind="event.code",
    kinds={
        "PICKED_UP": "shipment_picked_up",
        "DELAYED": "shipment_delayed",
        "EXCEPTION": "shipment_failed",
        "ETA_CHANGED": "eta_changed",
        "DELIVERED": "shipment_delivered",
    },
    ignored=["LABEL_CREATED", "IN_TRANSIT", "OUT_FOR_DELIVERY"],
    reference=["shipment.tracking_number", "shipment.reference"],
    occurred_at="event.timestamp",
    expected_at=["event.estimated_delivery"],
    text="event.description",
    data={"Place": "event.location", "Carrier": "shipment.carrier"},
)

"""Why a record does not move on: the kind, the record that holds it up, since when."""

from dataclasses import dataclass
from datetime import datetime

from apps.core.words import money, quantity
from apps.workflows import chain, registry
from apps.workflows.models import Position


@dataclass(frozen=True, kw_only=True)
class Blocker:
    """One thing that holds a record up.

    Attributes:
        kind: stock_shortage, supplier_delay, invoice_dispute, or what the stage declares, such as credit_hold.
        model, odoo_id, name: the record that holds it up.
        text: in words, with the numbers.
    """

    kind: str
    since: datetime | None
    model: str
    odoo_id: int
    name: str
    text: str


def of_stage(position: Position) -> list[Blocker]:
    """What its stage alone says holds the record up; costs no query."""
    if not position.is_open:
        return []
    stage = registry.workflows()[position.workflow].stage(position.stage)
    if stage.blocker is None:
        return []
    kind, why = stage.blocker
    return [
        Blocker(
            kind=kind, model=position.model, odoo_id=position.odoo_id, name=position.name, since=position.since,
            text=f"{stage.title}: {why}",
        )
    ]  # fmt: skip


def of(position: Position, *, now: datetime) -> list[Blocker]:
    """What holds the record up now, the nearest cause first; nothing for a record whose stage is closed."""
    if not position.is_open:
        return []
    found, supplies = of_stage(position), chain.supplies_of(position)
    brought = {supply.product for supply in supplies}
    for short in chain.shortages_of(position):
        missing = f"{short.product}: {quantity(short.wanted - short.reserved)} of {quantity(short.wanted)} missing"
        found.append(
            Blocker(
                kind="stock_shortage", since=short.since, model="stock.picking" if short.picking_id else "stock.move",
                odoo_id=short.picking_id or short.odoo_id, name=short.picking or short.product,
                text=missing if short.product in brought else f"{missing}, and no purchase order brings any",
            )
        )  # fmt: skip
    for supply in supplies:
        if supply.expected_at and supply.expected_at < now:
            found.append(
                Blocker(
                    kind="supplier_delay", since=supply.expected_at, model="purchase.order", odoo_id=supply.odoo_id,
                    name=supply.name,
                    text=f"{supply.supplier} was to bring {quantity(supply.quantity)} {supply.product} by "
                    f"{supply.expected_at:%Y-%m-%d}" + ("" if supply.linked else " (next purchase of the product)"),
                )
            )  # fmt: skip
    for dispute in chain.disputes_of(position):
        found.append(
            Blocker(
                kind="invoice_dispute", since=dispute.since, model="account.move", odoo_id=dispute.odoo_id, name=dispute.name,
                text=f"{dispute.name} is disputed; {money(dispute.amount, dispute.currency)} of it is open",
            )
        )  # fmt: skip
    return found

"""What must hold of asks and holds in Odoo, whatever anybody did."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from apps.approvals.models import Request, Status
from apps.approvals.requests.guard_figures import NAMED
from apps.core import clock
from apps.outbox.models import Command
from apps.workflows import engine, registry

if TYPE_CHECKING:
    from tests.walk.walk import Walk


def no_ask_without_a_request(walk: "Walk") -> list[str]:
    """Every ask that stands open in Odoo has a request that waits, or one that was decided and is being carried out.

    Where somebody has to decide there is no time to wait for: people press again and again, and each time the ask is written anew.
    """
    found = []
    connection = walk.tower.connection
    requests = Request.objects.filter(connection=connection)
    waiting = set(requests.filter(status=Status.PENDING).values_list("model", "odoo_id"))
    for row in walk.rows("x_ct_request", [("x_state", "=", "open")], ["x_res_model", "x_res_id", "x_kind", "write_date"]):
        about = {"model": row["x_res_model"], "odoo_id": row["x_res_id"], "kind": row["x_kind"]}
        # One after the other: a price waits for the credit.
        if (row["x_res_model"], row["x_res_id"]) in waiting or not walk.has(row["x_res_model"], row["x_res_id"]):
            continue
        last = requests.filter(**about).order_by("-id").first()
        if not _has_to_be_decided(connection.pk, **about):
            # What nobody has to decide any more is withdrawn by the first poll after half a minute.
            written = datetime.fromisoformat(row["write_date"]).replace(tzinfo=UTC)
            ended = max(written, last.decided_at if last and last.decided_at else written)
            if ended > walk.tower.polled_at - timedelta(seconds=45):
                continue
        elif last and Command.objects.filter(decision=f"approval:{last.pk}", status__in=["refused", "dead"]).exists():
            # What was decided on a record that changed meanwhile is not carried out, and a person has to look.
            continue
        if walk.rows(row["x_res_model"], [("id", "=", row["x_res_id"])], ["id"]):
            found.append(f"{about} is asked for in Odoo, and nobody is: {last.status if last else 'never opened'}")
    return found


def _has_to_be_decided(connection_id: int, *, model: str, odoo_id: int, kind: str) -> bool:
    return any(
        engine.look(workflow, connection_id=connection_id, odoo_ids=[odoo_id], now=clock.now(), condition=declared.when)
        for workflow, declared in registry.declarations_of(kind)
        if workflow.odoo_model == model
    )


def _of(requests: Iterable[Request]) -> list[str]:
    return [f"approval:{request.pk}" for request in requests]


def no_hold_without_a_reason(walk: "Walk") -> list[str]:
    """A held record has words for it, and a request that waits or was rejected."""
    found = []
    for model in ("sale.order", "purchase.order", "account.move", "stock.picking"):
        held = [("id", "in", walk.ids(model)), ("x_ct_hold", "!=", False)]
        for row in walk.rows(model, held, ["x_ct_hold", "x_ct_hold_reason"]):
            asked = Request.objects.filter(connection=walk.tower.connection, model=model, odoo_id=row["id"], kind=row["x_ct_hold"])
            if not row["x_ct_hold_reason"]:
                found.append(f"{model} {row['id']} is held without a reason")
            # What was decided on a record that changed meanwhile is not carried out, and a person has to look.
            stopped = Command.objects.filter(
                connection=walk.tower.connection, model=model, odoo_id=row["id"], status="refused", decision__in=_of(asked)
            )
            waits = asked.filter(status__in=[Status.PENDING, Status.REJECTED, Status.EXPIRED])
            if not waits.exists() and not stopped.exists():
                found.append(f"{model} {row['id']} is held for {row['x_ct_hold']}, and nobody decides it")
    return found


def guard_and_tower_count_alike(walk: "Walk") -> list[str]:
    """What the guard counted in Odoo and what the tower counts differ in no open request, to the currency's last digit.

    Where the tower reads after several acts, what was done since the asking counts as well, and nothing is compared.
    """
    if walk.check_every > 1:
        return []
    waiting = Request.objects.filter(connection=walk.tower.connection, status=Status.PENDING)
    # A change that Odoo refused is nowhere to be counted but in the guard.
    asks = {
        (row["x_res_model"], row["x_res_id"], row["x_kind"])
        for row in walk.rows("x_ct_request", [("x_state", "=", "open")], ["x_res_model", "x_res_id", "x_kind", "x_terms"])
        if '"confirms": true' in (row["x_terms"] or "")
    }
    return [
        f"{one.kind} of {one.record_name}: {one.context[NAMED]}"
        for one in waiting
        if one.context.get(NAMED) and (one.model, one.odoo_id, one.kind) in asks and walk.has(one.model, one.odoo_id)
    ]

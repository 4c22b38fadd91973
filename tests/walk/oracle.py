"""What Odoo says of the walk's records, by its own fields and methods, compared with what the tower says.

Each check reads Odoo and returns the sentences that do not hold, each with its record. A check of a walk must be able to
fail: none of them reads from the tower what it compares with.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.db import connection as database

from apps.approvals.guard_figures import NAMED
from apps.approvals.models import Assignment, Request, Status
from apps.audit.models import Entry
from apps.audit.verify import verify
from apps.core import clock
from apps.exceptions.models import ExceptionCase
from apps.mirror import registry as mirror
from apps.mirror.identities import identities_of
from apps.outbox.models import Command
from apps.workflows import engine, tallies
from apps.workflows import registry as workflows
from apps.workflows.models import Position

if TYPE_CHECKING:
    from tests.walk.walk import Walk

BEFORE_DELIVERY = {"waiting_for_stock", "ready_to_pick", "partly_delivered"}
TO_COME = {"unacknowledged", "on_time", "late", "partly_received"}
UNCONFIRMED = {"quotation", "credit_review", "pricing_review", "expired"}


def _positions(walk: "Walk", workflow: str) -> dict[int, Position]:
    return {one.odoo_id: one for one in Position.objects.filter(connection=walk.tower.connection, workflow=workflow)}


def _money(value: float | Decimal, digits: int) -> Decimal:
    return round(Decimal(str(value)), digits)


def orders_stand_where_odoo_says(walk: "Walk") -> list[str]:
    """Ask of each sales order what remains to be done: to confirm, to deliver, to invoice, to pay, nothing."""
    made, found = walk.made.get("sale.order", []), []
    if not made:
        return []
    orders = walk.rows("sale.order", [("id", "in", made)], ["name", "state", "invoice_ids"])
    lines = walk.rows(
        "sale.order.line",
        [("order_id", "in", made), ("display_type", "=", False)],
        [
            "order_id",
            "product_id",
            "qty_to_invoice",
            "move_ids",
            "product_uom_qty",
            "qty_delivered",
            "is_downpayment",
            "price_unit",
            "discount",
        ],
    )
    open_moves = {
        row["id"]
        for row in walk.rows(
            "stock.move",
            # What comes back is of the returns.
            [("sale_line_id.order_id", "in", made), ("state", "not in", ["done", "cancel"]), ("picking_id.return_id", "=", False)],
            ["state"],
        )
    }
    drafts, owed = defaultdict(bool), defaultdict(Decimal)
    invoices = {
        row["id"]: row
        for row in walk.rows(
            "account.move",
            [("id", "in", [one for order in orders for one in order["invoice_ids"]])],
            ["state", "move_type", "amount_residual"],
        )
    }
    for order in orders:
        for one in order["invoice_ids"]:
            invoice = invoices[one]
            drafts[order["id"]] |= invoice["state"] == "draft"
            if invoice["state"] == "posted" and invoice["move_type"] == "out_invoice":
                owed[order["id"]] += _money(invoice["amount_residual"], 3)
    of_order: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for line in lines:
        of_order[line["order_id"]].append(line)
    stands = _positions(walk, "order_to_cash")
    for order in orders:
        number, name = order["id"], f"S{order['id']} ({order['name']})"
        stage = stands[number].stage if number in stands else "no stage"
        own = of_order[number]
        if order["state"] == "cancel":
            expected = {"cancelled"}
        elif order["state"] in ("draft", "sent"):
            expected = UNCONFIRMED
        elif any(move in open_moves for line in own for move in line["move_ids"]):
            expected = BEFORE_DELIVERY
        elif any(line["qty_to_invoice"] for line in own) or drafts[number]:
            values = [line["qty_to_invoice"] * line["price_unit"] * (100 - line["discount"]) for line in own]
            expected = {"to_invoice"}
            if sum(values) < 0 or any(line["qty_to_invoice"] < 0 for line in own):
                # Less than nothing: goods that came back, a rebate that is left alone.
                expected = {"to_invoice", "to_credit"}
            elif abs(sum(values)) < 0.005 and not drafts[number]:
                expected = {"to_invoice", "unpaid" if owed[number] > 0 else "closed"}
        elif owed[number] > 0:
            expected = {"unpaid"}
        else:
            expected = {"closed"}
        # Nothing moves, and yet less was done than ordered: hours that nobody has worked, a delivery that was called off.
        if order["state"] == "sale" and any(
            line["product_uom_qty"] > line["qty_delivered"] and not line["is_downpayment"] for line in own
        ):
            expected = expected | {"to_deliver"}
            # Nobody has ordered it from the vendor yet, and so nothing moves.
            if any(line["product_id"] in (walk.business.goods.dropshipped, walk.business.goods.to_order) for line in own):
                expected = expected | BEFORE_DELIVERY
        if stage not in expected:
            found.append(f"{name} stands in {stage}; Odoo says {' or '.join(sorted(expected))}")
    return found


def values_are_odoos(walk: "Walk") -> list[str]:
    """The value of each sales and purchase order is its total in the company's currency, rounded as that is."""
    found = []
    digits = {row["id"]: row["decimal_places"] for row in walk.rows("res.currency", [], ["decimal_places"])}
    companies = {row["id"]: row["currency_id"] for row in walk.rows("res.company", [], ["currency_id"])}
    for model, workflow in (("sale.order", "order_to_cash"), ("purchase.order", "procure_to_pay")):
        stands = _positions(walk, workflow)
        rows = walk.rows(model, [("id", "in", walk.made.get(model, []))], ["name", "amount_total", "currency_rate", "company_id"])
        for row in rows:
            if row["id"] not in stands:
                found.append(f"{model} {row['name']} has no position")
                continue
            expected = _money(row["amount_total"] / (row["currency_rate"] or 1), digits[companies[row["company_id"]]])
            here = stands[row["id"]].amount
            if here is None or abs(here - expected) > Decimal("0.01"):
                found.append(f"{model} {row['name']} is worth {here}; Odoo says {expected}")
    return found


def purchases_miss_what_odoo_says(walk: "Walk") -> list[str]:
    """What is still to come of each ordered purchase, in the product's own unit, is what its open moves say."""
    made, found = walk.made.get("purchase.order", []), []
    orders = walk.rows("purchase.order", [("id", "in", made), ("state", "=", "purchase")], ["name"])
    lines = walk.rows(
        "purchase.order.line",
        [("order_id", "in", [one["id"] for one in orders]), ("product_id", "!=", False)],
        ["order_id", "product_qty", "qty_received", "product_uom_id"],
    )
    factor = {row["id"]: row["factor"] for row in walk.rows("uom.uom", [("active", "in", [True, False])], ["factor"])}
    missing: dict[int, float] = defaultdict(float)
    for line in lines:
        missing[line["order_id"]] += max(line["product_qty"] - line["qty_received"], 0) * factor[line["product_uom_id"]]
    stands = _positions(walk, "procure_to_pay")
    workflow = workflows.workflows()["procure_to_pay"]
    here = engine.look(workflow, connection_id=walk.tower.connection.pk, odoo_ids=[one["id"] for one in orders], now=clock.now())
    for order in orders:
        row, stage = here.get(order["id"]), stands[order["id"]].stage if order["id"] in stands else "no stage"
        if row is None:
            found.append(f"P{order['id']} is not mirrored")
        elif stage in TO_COME and abs(float(row["missing_quantity"]) - missing[order["id"]]) > 0.01:
            found.append(f"P{order['id']} misses {row['missing_quantity']}; Odoo says {missing[order['id']]:g}")
        if stage in ("request", "awaiting_approval", "cancelled"):
            found.append(f"P{order['id']} stands in {stage}, and is ordered in Odoo")
    return found


def customers_owe_what_odoo_says(walk: "Walk") -> list[str]:
    """What each customer owes on posted invoices is Odoo's own ``credit``."""
    found = []
    open_ones = [("id", "in", walk.made.get("sale.order", [])), ("state", "in", ["draft", "sent"])]
    orders = walk.rows("sale.order", [*open_ones, ("company_id", "=", walk.business.home)], ["partner_id", "name"])
    if not orders:
        return []
    workflow = workflows.workflows()["order_to_cash"]
    here = engine.look(workflow, connection_id=walk.tower.connection.pk, odoo_ids=[one["id"] for one in orders], now=clock.now())
    partners = walk.rows("res.partner", [("id", "in", [one["partner_id"] for one in orders])], ["commercial_partner_id"])
    commercial = {row["id"]: row["commercial_partner_id"] for row in partners}
    credit = {
        row["id"]: row["credit"]
        for row in walk.business.odoo.search_read(
            "res.partner",
            [("id", "in", list(commercial.values()))],
            ["credit"],
            context={"allowed_company_ids": [walk.business.home]},
        )
    }
    for order in orders:
        row = here.get(order["id"])
        if row is None or row.get("open_invoices") is None:
            continue
        expected = credit[commercial[order["partner_id"]]]
        if abs(float(row["open_invoices"]) - expected) > 0.01:
            found.append(f"{order['name']}: its customer owes {row['open_invoices']}; Odoo says {expected:.2f}")
    return found


def invoices_stand_where_odoo_says(walk: "Walk") -> list[str]:
    """Drafts are drafts, what is paid is paid, what was cancelled is cancelled."""
    found = []
    stands = _positions(walk, "invoicing")
    fields = ["state", "payment_state", "amount_residual", "name", "move_type"]
    for row in walk.rows("account.move", [("id", "in", walk.made.get("account.move", []))], fields):
        stage = stands[row["id"]].stage if row["id"] in stands else "no stage"
        if row["state"] == "draft":
            expected = {"draft", "disputed", "awaiting_authorisation", "requested", "held"}
        elif row["state"] == "cancel":
            expected = {"cancelled"}
        elif row["payment_state"] == "reversed":
            expected = {"reversed", "paid"}
        elif row["payment_state"] in ("paid", "in_payment"):
            expected = {"paid", "reversed", "disputed"}
        else:
            is_credit = row["move_type"] in ("out_refund", "in_refund")
            expected = {"to_settle", "disputed"} if is_credit else {"not_due", "overdue", "disputed", "posted"}
        if stage not in expected:
            found.append(f"invoice {row['name'] or row['id']} stands in {stage}; Odoo says {row['state']}, {row['payment_state']}")
    return found


def transfers_stand_where_odoo_says(walk: "Walk") -> list[str]:
    """The stage of a transfer is its state, or late."""
    found = []
    expected = {
        "draft": {"draft"},
        "waiting": {"waiting_operation", "late"},
        "confirmed": {"waiting_stock", "late"},
        "assigned": {"ready", "late"},
        "done": {"done"},
        "cancel": {"cancelled"},
    }
    stands = _positions(walk, "fulfilment")
    # What comes back is of the returns.
    for row in walk.rows("stock.picking", [("id", "in", walk.transfers([])), ("return_id", "=", False)], ["state", "name"]):
        stage = stands[row["id"]].stage if row["id"] in stands else "no stage"
        if stage not in expected[row["state"]]:
            found.append(f"{row['name']} stands in {stage}; Odoo says {row['state']}")
    return found


# What must hold whatever anybody did


def no_ask_without_a_request(walk: "Walk") -> list[str]:
    """Every ask that stands open in Odoo has a request that waits, or one that was decided and is being carried out."""
    found = []
    for row in walk.rows("x_ct_request", [("x_state", "=", "open")], ["x_res_model", "x_res_id", "x_kind", "write_date"]):
        about = {"model": row["x_res_model"], "odoo_id": row["x_res_id"], "kind": row["x_kind"]}
        if row["x_res_id"] not in walk.made.get(row["x_res_model"], []):
            continue
        if not walk.business.odoo.search_count(row["x_res_model"], [("id", "=", row["x_res_id"])], context={"active_test": False}):
            continue
        # One after the other: a price waits for the credit. What nobody has to decide any more is withdrawn after half a minute.
        record = {"model": row["x_res_model"], "odoo_id": row["x_res_id"]}
        if Request.objects.filter(connection=walk.tower.connection, status=Status.PENDING, **record).exists():
            continue
        if datetime.fromisoformat(row["write_date"]).replace(tzinfo=UTC) > clock.now() - timedelta(seconds=45):
            continue
        requests = Request.objects.filter(connection=walk.tower.connection, **about)
        if not requests.filter(status=Status.PENDING).exists():
            last = requests.order_by("-id").first()
            found.append(f"{about} is asked for in Odoo, and nobody is: {last.status if last else 'never opened'}")
    return found


def no_hold_without_a_reason(walk: "Walk") -> list[str]:
    """A held record has words for it, and a request that waits or was rejected."""
    found = []
    for model in ("sale.order", "purchase.order", "account.move", "stock.picking"):
        held = [("id", "in", walk.made.get(model, [])), ("x_ct_hold", "!=", False)]
        for row in walk.rows(model, held, ["x_ct_hold", "x_ct_hold_reason"]):
            asked = Request.objects.filter(connection=walk.tower.connection, model=model, odoo_id=row["id"], kind=row["x_ct_hold"])
            if not row["x_ct_hold_reason"]:
                found.append(f"{model} {row['id']} is held without a reason")
            if not asked.filter(status__in=[Status.PENDING, Status.REJECTED, Status.EXPIRED]).exists():
                found.append(f"{model} {row['id']} is held for {row['x_ct_hold']}, and nobody decides it")
    return found


def nothing_is_bought_beyond_policy(walk: "Walk") -> list[str]:
    """No purchase is ordered at the limit or above without an approval of at least its value."""
    found = []
    ordered = [("id", "in", walk.made.get("purchase.order", [])), ("state", "=", "purchase")]
    for row in walk.rows("purchase.order", ordered, ["name", "amount_total", "currency_rate"]):
        value = row["amount_total"] / (row["currency_rate"] or 1)
        if value < 10_000 or row["id"] in walk.past:
            continue
        yes = Request.objects.filter(
            connection=walk.tower.connection, model="purchase.order", odoo_id=row["id"], status=Status.APPROVED
        )
        # The rate may have moved since: what was approved is the order in its own currency.
        if not any(request.amount is not None and float(request.amount) >= value * 0.9 for request in yes):
            found.append(f"P{row['id']} is ordered for {value:.2f}; approved were {[str(one.amount) for one in yes]}")
    return found


def nothing_is_discounted_beyond_policy(walk: "Walk") -> list[str]:
    """No confirmed order has a line of more than the most discount without a decision about its price."""
    found = []
    confirmed = [
        ("order_id", "in", walk.made.get("sale.order", [])),
        ("order_id.state", "=", "sale"),
        ("discount", ">", 20),
        ("product_id", "!=", False),
        ("price_unit", ">", 0),
        ("product_uom_qty", ">", 0),
    ]
    orders = {row["order_id"] for row in walk.rows("sale.order.line", confirmed, ["order_id"])}
    for order in sorted(orders):
        if not Request.objects.filter(
            connection=walk.tower.connection, model="sale.order", odoo_id=order, kind="pricing_exception", status=Status.APPROVED
        ).exists():
            found.append(f"S{order} is confirmed with more than 20 % off, and nobody approved its price")
    return found


def decisions_were_anybodys_to_take(walk: "Walk") -> list[str]:
    """Each yes came from somebody whose limit covers it, and no person said two of them on one request."""
    found = []
    said = Assignment.objects.filter(decision="approved", step__request__connection=walk.tower.connection).exclude(
        step__status="skipped"
    )
    people: dict[int, list[int]] = defaultdict(list)
    for one in said.select_related("step__request", "user"):
        request = one.step.request
        if request.status == Status.APPROVED:
            people[request.pk].append(one.user_id)
            limit = one.user.approval_limit
            if request.amount is not None and limit is not None and request.amount > limit:
                found.append(f"{one.user} approved {request.record_name} at {request.amount} with a limit of {limit}")
    found += [f"one person decided two steps of request {request}" for request, who in people.items() if len(set(who)) < len(who)]
    return found


def one_request_at_a_time(walk: "Walk") -> list[str]:
    """The exceptions and requests of one record and type that are open are one."""
    with database.cursor() as cursor:
        cursor.execute(
            f"SELECT model, odoo_id, type, cause, count(*) FROM {ExceptionCase._meta.db_table} WHERE status <> 'resolved'"
            " GROUP BY connection_id, model, odoo_id, type, cause HAVING count(*) > 1"
        )
        return [f"several open cases: {row}" for row in cursor.fetchall()]


def every_record_stands_somewhere(walk: "Walk") -> list[str]:
    """Each mirrored record of a workflow that belongs to it has one position."""
    found = []
    for workflow in workflows.workflows().values():
        rows = mirror.models()[workflow.odoo_model].objects.filter(connection=walk.tower.connection, deleted_at=None)
        here = engine.look(
            workflow, connection_id=walk.tower.connection.pk, odoo_ids=list(rows.values_list("odoo_id", flat=True)), now=clock.now()
        )
        placed = Position.objects.filter(connection=walk.tower.connection, workflow=workflow.name)
        lost = set(here) - set(placed.values_list("odoo_id", flat=True))
        if lost:
            found.append(f"{workflow.name}: {sorted(lost)[:5]} stand nowhere")
    return found


def nothing_is_stuck_on_the_way_to_odoo(walk: "Walk") -> list[str]:
    """No command was given up."""
    return [
        f"{one.title} on {one.model} {one.odoo_id}: {one.problem}"
        for one in Command.objects.filter(connection=walk.tower.connection, status="dead")
    ]


def boards_count_what_is_there(walk: "Walk") -> list[str]:
    """The counts kept for the boards are the counts of the rows."""
    return [f"{table}: {number} differ" for table, number in tallies.differences().items() if number]


def the_trail_is_whole(walk: "Walk") -> list[str]:
    """The audit trail verifies, and every write that Odoo saw follows from a decision or an action that it tells of."""
    verdict = verify()
    found = [] if verdict.holds else [f"the audit trail is broken: {verdict}"]
    done = Command.objects.filter(connection=walk.tower.connection, status="done").count()
    told = Entry.objects.filter(action="command.done").count()
    return found if told >= done else [*found, f"{done} commands were carried out, and the trail tells of {told}"]


# What the mirror has of the walk's records, and how they are found there: Odoo recomputes stored fields without a new write date.
MIRRORED: dict[str, tuple[str, Sequence[str]]] = {
    "sale.order": ("id", ["state", "invoice_status", "delivery_status", "amount_total", "amount_untaxed"]),
    "sale.order.line": ("order_id", ["product_uom_qty", "qty_delivered", "qty_invoiced", "qty_to_invoice", "price_subtotal"]),
    "purchase.order": ("id", ["state", "amount_total", "invoice_status"]),
    "purchase.order.line": ("order_id", ["product_qty", "qty_received", "qty_invoiced"]),
    "account.move": ("id", ["state", "payment_state", "amount_residual", "amount_total"]),
    "stock.move": ("picking_id", ["state", "product_uom_qty", "quantity"]),
}
PARENT = {"sale.order.line": "sale.order", "purchase.order.line": "purchase.order"}


def the_mirror_has_what_odoo_computes(walk: "Walk") -> list[str]:
    """Delivered, invoiced, reserved, open: Odoo's computed fields stand in the mirror as they are in Odoo."""
    found = []
    for model, (key, fields) in MIRRORED.items():
        ids = walk.transfers([]) if model == "stock.move" else walk.made.get(PARENT.get(model, model), [])
        if not ids:
            continue
        rows = walk.rows(model, [(key, "in", ids)], fields)
        here = mirror.models()[model].objects.filter(connection=walk.tower.connection, odoo_id__in=[row["id"] for row in rows])
        mirrored = {one["odoo_id"]: one for one in here.values("odoo_id", *fields)}
        for row in rows:
            if row["id"] not in mirrored:
                found.append(f"{model} {row['id']} is not mirrored")
                continue
            for name in fields:
                there, own = row[name], mirrored[row["id"]][name]
                same = abs(float(own or 0) - float(there)) < 0.005 if isinstance(there, float) else (own or "") == (there or "")
                if not same:
                    found.append(f"{model} {row['id']}: {name} is {own} in the mirror; Odoo says {there}")
    return found


def orders_lack_what_odoo_has_not_reserved(walk: "Walk") -> list[str]:
    """What a confirmed order is short of is what the first open moves of its lines want and have not reserved, in Odoo's unit."""
    found = []
    orders = walk.rows("sale.order", [("id", "in", walk.made.get("sale.order", [])), ("state", "=", "sale")], ["name"])
    ids = [one["id"] for one in orders]
    if not ids:
        return []
    lines = walk.rows("sale.order.line", [("order_id", "in", ids)], ["order_id", "product_id"])
    of_line = {line["id"]: line for line in lines}
    moves = walk.rows(
        "stock.move",
        [("sale_line_id", "in", list(of_line)), ("state", "not in", ["draft", "done", "cancel"])],
        ["sale_line_id", "product_id", "product_qty", "product_uom_qty", "quantity", "state", "move_orig_ids"],
    )
    by_id = {move["id"]: move for move in moves}
    lacking: dict[int, float] = defaultdict(float)
    has_kit = {line["order_id"] for line in lines if line["product_id"] == walk.business.goods.kit}
    for move in moves:
        waits = [by_id[one] for one in move["move_orig_ids"] if one in by_id]
        if any(one["sale_line_id"] == move["sale_line_id"] for one in waits) or move["state"] == "assigned":
            continue
        # ``product_qty`` is Odoo's own conversion of what is wanted to the product's unit; what is reserved goes by the same.
        share = 1 - move["quantity"] / move["product_uom_qty"] if move["product_uom_qty"] else 0
        lacking[of_line[move["sale_line_id"]]["order_id"]] += max(move["product_qty"] * share, 0)
    workflow = workflows.workflows()["order_to_cash"]
    here = engine.look(workflow, connection_id=walk.tower.connection.pk, odoo_ids=ids, now=clock.now())
    for order in orders:
        row = here.get(order["id"])
        # Of a kit the sets are counted, which Odoo has no field for.
        if row is not None and order["id"] not in has_kit and abs(float(row["short_quantity"]) - lacking[order["id"]]) > 0.01:
            found.append(f"S{order['id']} is short of {row['short_quantity']}; Odoo has not reserved {lacking[order['id']]:g}")
    return found


def delivered_is_what_odoo_says(walk: "Walk") -> list[str]:
    """An order that Odoo calls fully delivered waits for no goods; one that Odoo calls pending is not closed."""
    found, stands = [], _positions(walk, "order_to_cash")
    made = [("id", "in", walk.made.get("sale.order", [])), ("state", "=", "sale"), ("delivery_status", "!=", False)]
    for row in walk.rows("sale.order", made, ["name", "delivery_status"]):
        stage = stands[row["id"]].stage if row["id"] in stands else "no stage"
        if row["delivery_status"] == "full" and stage in BEFORE_DELIVERY:
            found.append(f"S{row['id']} stands in {stage}; Odoo says that its delivery is {row['delivery_status']}")
        if row["delivery_status"] in ("pending", "started") and stage in ("closed", "unpaid", "to_invoice"):
            found.append(f"S{row['id']} stands in {stage}; Odoo says that its delivery is {row['delivery_status']}")
    return found


def transfers_are_due_when_odoo_says(walk: "Walk") -> list[str]:
    """A transfer is late when its deadline, or what it is scheduled for, has passed; not before."""
    found, stands, now = [], _positions(walk, "fulfilment"), clock.now()
    waiting = [("id", "in", walk.transfers([])), ("return_id", "=", False), ("state", "in", ["waiting", "confirmed", "assigned"])]
    for row in walk.rows("stock.picking", waiting, ["name", "scheduled_date", "date_deadline"]):
        if row["id"] not in stands:
            continue
        due = [datetime.fromisoformat(row[name]).replace(tzinfo=UTC) for name in ("scheduled_date", "date_deadline") if row[name]]
        is_late = stands[row["id"]].stage == "late"
        # Deadlines are kept by the day here and there: within a day of it either is right.
        if due and is_late and min(due) > now:
            found.append(f"{row['name']} is late; Odoo plans it for {min(due)}")
        if due and not is_late and max(due) < now - timedelta(days=1, hours=14):
            found.append(f"{row['name']} is not late; Odoo planned it for {max(due)}")
    return found


def invoices_are_due_when_odoo_says(walk: "Walk") -> list[str]:
    """An open invoice is overdue from the day after its due date on."""
    found, stands, today = [], _positions(walk, "invoicing"), clock.now().date()
    owed = [
        ("id", "in", walk.made.get("account.move", [])),
        ("state", "=", "posted"),
        ("payment_state", "in", ["not_paid", "partial"]),
    ]
    for row in walk.rows("account.move", owed, ["name", "invoice_date_due", "move_type"]):
        stage = stands[row["id"]].stage if row["id"] in stands else "no stage"
        if not row["invoice_date_due"] or stage not in ("not_due", "overdue"):
            continue
        days = (today - date.fromisoformat(row["invoice_date_due"])).days
        if (stage == "overdue" and days < 0) or (stage == "not_due" and days > 1):
            found.append(f"invoice {row['name']} stands in {stage}; Odoo says it is due on {row['invoice_date_due']}")
    return found


def guard_and_tower_count_alike(walk: "Walk") -> list[str]:
    """What the guard counted in Odoo and what the tower counts differ in no open request, to the currency's last digit."""
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
        if one.context.get(NAMED) and (one.model, one.odoo_id, one.kind) in asks and one.odoo_id in walk.made.get(one.model, [])
    ]


def deciders_had_no_hand_in_it(walk: "Walk") -> list[str]:
    """Nobody decided what they had made, changed or asked for in Odoo, and everybody who decided was asked."""
    found = []
    said = Assignment.objects.filter(step__request__connection=walk.tower.connection, lapsed_at=None).exclude(decision="")
    for one in said.select_related("step__request", "user"):
        request = one.step.request
        uids = identities_of([one.user], walk.tower.connection.pk)[one.user.pk].uids
        if uids & set(request.involved_uids):
            found.append(f"{one.user} decided {request.kind} of {request.record_name} and had a hand in it")
    decided = Request.objects.filter(connection=walk.tower.connection, status__in=[Status.APPROVED, Status.REJECTED])
    for request in decided.exclude(decided_by=None).exclude(pk__in=said.values("step__request_id")):
        found.append(f"{request.decided_by} decided {request.kind} of {request.record_name}, and no answer of theirs counts")
    return found


def somebody_is_asked(walk: "Walk") -> list[str]:
    """Each step that waits asks somebody who works here, who had no hand in the record and whose limit covers it."""
    found = []
    for request in walk.tower.pending():
        for step in request.steps.filter(status="pending", is_required=True):
            asked = step.assignments.filter(is_active=True, decision="", lapsed_at=None).select_related("user")
            if not asked.exists() and not step.assignments.exclude(decision="").filter(lapsed_at=None).exists():
                found.append(f"{request.kind} of {request.record_name}: {step.name} waits for nobody")
            for one in asked:
                uids = identities_of([one.user], walk.tower.connection.pk)[one.user.pk].uids
                if not one.user.is_active:
                    found.append(f"{request.kind} of {request.record_name} waits for {one.user}, who has left")
                if uids & set(request.involved_uids):
                    found.append(f"{request.kind} of {request.record_name} waits for {one.user}, who had a hand in it")
    return found


def approved_is_what_was_seen(walk: "Walk") -> list[str]:
    """Each step of an approved request has an answer that counts, given on the amount for which it was approved, or more."""
    found = []
    for request in Request.objects.filter(connection=walk.tower.connection, status=Status.APPROVED):
        for step in request.steps.filter(is_required=True).exclude(status="skipped"):
            answers = list(step.assignments.filter(decision="approved", lapsed_at=None))
            if step.status != "approved" or not answers:
                found.append(f"{request.kind} of {request.record_name} is approved, and its step {step.name} is {step.status}")
            for one in answers:
                if request.amount is not None and one.decided_amount and Decimal(one.decided_amount) < request.amount:
                    limit = one.user.approval_limit
                    if limit is not None and limit < request.amount:
                        found.append(f"{one.user} said yes to {one.decided_amount} of {request.record_name}: now {request.amount}")
    return found


def nothing_is_sold_beyond_the_limit(walk: "Walk") -> list[str]:
    """Right after somebody confirms an order, what its customer owes by Odoo's own ``credit`` and the order fit the limit."""
    confirmed = {
        row["id"] for row in walk.rows("sale.order", [("id", "in", walk.made.get("sale.order", [])), ("state", "=", "sale")], [])
    }
    new, walk.confirmed = confirmed - walk.confirmed, confirmed
    found = []
    for row in walk.rows("sale.order", [("id", "in", sorted(new))], ["partner_id", "amount_total", "currency_rate", "company_id"]):
        context = {"allowed_company_ids": [row["company_id"]]}
        partner = walk.business.odoo.search_read("res.partner", [("id", "=", row["partner_id"])], ["commercial_partner_id"])[0]
        of = walk.business.odoo.search_read(
            "res.partner", [("id", "=", partner["commercial_partner_id"])], ["credit", "credit_limit", "name"], context=context
        )[0]
        exposure = of["credit"] + row["amount_total"] / (row["currency_rate"] or 1)
        if not of["credit_limit"] or exposure <= of["credit_limit"] + 0.01 or not row["amount_total"]:
            continue
        yes = Request.objects.filter(
            connection=walk.tower.connection, model="sale.order", odoo_id=row["id"], kind="credit_override", status=Status.APPROVED
        )
        if not yes.exists():
            found.append(
                f"S{row['id']} is confirmed; {of['name']} owes {exposure:.2f} with it, and may owe {of['credit_limit']:.2f}"
            )
    return found


def every_write_is_explained(walk: "Walk") -> list[str]:
    """What the tower's login last wrote on an order, purchase, invoice or transfer is a command that the audit trail tells of."""
    found, uid = [], walk.business.odoo.uid
    told = set(Entry.objects.filter(action="command.done").values_list("subject", flat=True))
    done = Command.objects.filter(connection=walk.tower.connection, status="done")
    for model in ("sale.order", "purchase.order", "account.move"):
        origin = "origin" if model == "purchase.order" else "name"
        for row in walk.rows(model, [("id", "in", walk.made.get(model, [])), ("write_uid", "=", uid)], [origin]):
            if (model, row["id"]) in walk.by_machine:
                continue
            why = done.filter(model=model, odoo_id=row["id"])
            if model == "purchase.order" and row["origin"]:
                # What Odoo buys as the tower confirms the order that it is for.
                names = [name.strip() for name in row["origin"].split(",")]
                why = why | done.filter(model="sale.order", odoo_id__in=walk.those("sale.order", [("name", "in", names)]))
            if not any(f"command:{one}" in told for one in why.values_list("pk", flat=True)):
                found.append(f"{model} {row['id']} was written by the tower's login, and the trail does not say why")
    return found


AFTER_EACH_ACT = [
    orders_stand_where_odoo_says,
    values_are_odoos,
    purchases_miss_what_odoo_says,
    customers_owe_what_odoo_says,
    invoices_stand_where_odoo_says,
    transfers_stand_where_odoo_says,
    no_ask_without_a_request,
    no_hold_without_a_reason,
    nothing_is_bought_beyond_policy,
    nothing_is_discounted_beyond_policy,
    decisions_were_anybodys_to_take,
    one_request_at_a_time,
    the_mirror_has_what_odoo_computes,
    orders_lack_what_odoo_has_not_reserved,
    delivered_is_what_odoo_says,
    transfers_are_due_when_odoo_says,
    invoices_are_due_when_odoo_says,
    guard_and_tower_count_alike,
    deciders_had_no_hand_in_it,
    approved_is_what_was_seen,
    somebody_is_asked,
    nothing_is_sold_beyond_the_limit,
    every_write_is_explained,
]
AT_THE_END = [every_record_stands_somewhere, nothing_is_stuck_on_the_way_to_odoo, boards_count_what_is_there, the_trail_is_whole]
# The sandbox computes less than Odoo: what it has, it is asked.
OF_THE_SANDBOX = [
    values_are_odoos,
    transfers_stand_where_odoo_says,
    the_mirror_has_what_odoo_computes,
    transfers_are_due_when_odoo_says,
    no_ask_without_a_request,
    no_hold_without_a_reason,
    nothing_is_bought_beyond_policy,
    guard_and_tower_count_alike,
    decisions_were_anybodys_to_take,
    deciders_had_no_hand_in_it,
    approved_is_what_was_seen,
    somebody_is_asked,
    one_request_at_a_time,
]

"""The people at work: about one event a second."""

import logging
import random
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from sandbox import past
from sandbox.company import Company
from sandbox.control import Control
from sandbox.errors import OdooException
from sandbox.records import Env, Records

logger = logging.getLogger(__name__)
SELLERS, BUYER, ACCOUNTANT, ADMIN = past.SELLERS, past.BUYER, past.ACCOUNTANT, 2
BREACH_EVERY = 25
# Above these, people close what is open before they begin something new: the volume stays what it is.
MOST_QUOTATIONS = 120
MOST_PURCHASES = 40


class Simulator(threading.Thread):
    """Does business until told to stop."""

    def __init__(self, company: Company, control: Control, *, speed: float, stopping: threading.Event) -> None:
        super().__init__(name="people", daemon=True)
        self.company, self.control, self.stopping = company, control, stopping
        self.wait = 1.0 / max(speed, 0.01)
        self.chance = random.Random(company.seed + 1)
        self.number = 0
        self.refused = 0
        # Deliveries whose rest was dropped, and whose customers have not been asked yet.
        self.dropped: list[int] = []

    def run(self) -> None:
        """One event after another."""
        while not self.stopping.wait(self.wait * self.chance.uniform(0.7, 1.3)):
            if not self.control.is_paused:
                self.step()

    def step(self) -> str:
        """One event; its name."""
        uid, doing = self.next_event()
        try:
            self.company.transact(uid, doing)
        except OdooException as error:
            # The person reads it, and turns to something else.
            self.refused += 1
            logger.info("%s was refused: %s", doing.__name__, str(error).splitlines()[0])
        except Exception:
            logger.exception("%s failed", doing.__name__)
        return doing.__name__

    def next_event(self) -> tuple[int, Callable[[Env], Any]]:
        """What somebody does next, and who."""
        self.number += 1
        if self.number % BREACH_EVERY == 0:
            return self.chance.choice(SELLERS), self.breach_limit
        quotations = self._number("sale.order", "draft") + self._number("sale.order", "sent")
        seller = self.chance.choice(SELLERS)
        doings: list[tuple[float, int, Callable[[Env], Any]]] = [
            (1 if quotations > MOST_QUOTATIONS else 5, seller, self.quote),
            (5, seller, self.confirm),
            (1 + 0.2 * max(quotations - MOST_QUOTATIONS, 0), seller, self.give_up),
            (0.5 + 0.05 * self._number("stock.picking", "assigned"), BUYER, self.deliver),
            (0.3 + 0.01 * self._number("stock.picking", "assigned"), BUYER, self.deliver_some),
            (0.3, seller, self.undercut),
            (0.15, BUYER, self.find_fewer),
            (0.1, BUYER, self.drop_rest),
            (0.05 * len(self.dropped), seller, self.settle_for_less),
            (0.3, BUYER, self.name_lot),
            (1.2, BUYER, self.buy),
            (1.2, BUYER, self.receive),
            (0.4, BUYER, self.postpone),
            (0.3, BUYER, self.count),
            (0.3, BUYER, self.apply_count),
            (0.2, seller, self.complain),
            (0.3, seller, self.help),
            (0.5 + 0.1 * self._number("sale.order", "to invoice", by="invoice_status"), ACCOUNTANT, self.invoice),
            (0.3 + 0.03 * self._number("account.move", "not_paid", by="payment_state"), ACCOUNTANT, self.collect),
        ]
        _, uid, doing = self.chance.choices(doings, weights=[one[0] for one in doings])[0]
        return uid, doing

    def _number(self, model: str, value: str, *, by: str = "state") -> int:
        """How many wait there: the more, the likelier that somebody takes one up."""
        return len(self.company.store.table(model).indexes[by].get(value, ()))

    def _one(self, env: Env, model: str, domain: list[Any], *, among: int = 20, order: str = "id") -> Records | None:
        found = env[model].search(domain, order=order, limit=among)
        return found[self.chance.randrange(len(found))] if found else None

    def quote(self, env: Env) -> None:
        """A salesperson writes a quotation."""
        customers = env["res.partner"].search([("customer_rank", ">", 0)], order="id").ids
        products = env["product.product"].search([], order="id").ids
        order = env["sale.order"].create(
            {
                "partner_id": self.chance.choice(customers),
                "user_id": env.uid,
                "order_line": past.order_lines(self.chance, products),
                "client_order_ref": f"PO-{self.chance.randint(1000, 9999)}",
            }
        )
        if self.chance.random() < 0.4:
            order.action_quotation_sent()

    def _quotation(self, env: Env) -> Records | None:
        wanted: list[Any] = [("state", "in", ["draft", "sent"])]
        if env.engine.field("sale.order", "x_ct_hold"):
            wanted.append(("x_ct_hold", "=", False))
        return self._one(env, "sale.order", wanted, among=60, order="id desc")

    def confirm(self, env: Env) -> None:
        """A salesperson confirms an order that the customer's limit carries."""
        order = self._quotation(env)
        if order and (_room(order) is None or _room(order) > order.amount_total):
            order.action_confirm()

    def breach_limit(self, env: Env) -> None:
        """A salesperson tries an order that goes beyond the customer's limit."""
        customers = env["res.partner"].search([("customer_rank", ">", 0), ("credit_limit", ">", 0), ("parent_id", "=", False)])
        customer = customers[self.chance.randrange(len(customers))]
        products = env["product.product"].search([("list_price", ">", 200)], order="id").ids
        product = self.chance.choice(products)
        price = env["product.product"].browse(product).list_price
        number = float(int(customer.credit_limit / price) + self.chance.randint(1, 9))
        order = env["sale.order"].create(
            {
                "partner_id": customer.id,
                "user_id": env.uid,
                "order_line": [(0, 0, {"product_id": product, "product_uom_qty": number})],
            }
        )
        # The quotation stands, whatever becomes of the attempt.
        env.cr.commit()
        order.action_confirm()

    def undercut(self, env: Env) -> None:
        """A salesperson tries to win an order with a discount that nobody has agreed to."""
        customers = env["res.partner"].search([("customer_rank", ">", 0), ("credit_limit", "=", 0)], order="id").ids
        product = self.chance.choice(env["product.product"].search([], order="id").ids)
        line = {
            "product_id": product,
            "product_uom_qty": float(self.chance.randint(5, 40)),
            "discount": float(self.chance.choice((25, 30, 40, 50))),
        }
        order = env["sale.order"].create(
            {"partner_id": self.chance.choice(customers), "user_id": env.uid, "order_line": [(0, 0, line)]}
        )
        env.cr.commit()
        order.action_confirm()

    def give_up(self, env: Env) -> None:
        """A salesperson closes an old quotation."""
        order = self._one(env, "sale.order", [("state", "in", ["draft", "sent"])], among=10)
        if order:
            order.action_cancel()

    def deliver(self, env: Env) -> None:
        """The warehouse ships what is ready."""
        ready = [("state", "=", "assigned"), ("sale_id", "!=", False)]
        picking = self._one(env, "stock.picking", ready)
        if picking:
            picking.button_validate()

    def deliver_some(self, env: Env) -> None:
        """The warehouse ships less than was ordered."""
        ready = [("state", "in", ["assigned", "confirmed"]), ("sale_id", "!=", False)]
        picking = self._one(env, "stock.picking", ready)
        if picking and any(move.quantity for move in picking.move_ids):
            past._some_only(picking)
            picking.button_validate()

    def find_fewer(self, env: Env) -> None:
        """A picker finds fewer than were reserved, and leaves it at that."""
        picking = self._one(env, "stock.picking", [("state", "=", "assigned"), ("sale_id", "!=", False)])
        if picking:
            past._some_only(picking)

    def drop_rest(self, env: Env) -> None:
        """The warehouse ships what is there and makes no back order of the rest, though the customer waits for it."""
        picking = self._one(env, "stock.picking", [("state", "=", "assigned"), ("sale_id", "!=", False)])
        if picking and any(move.quantity >= 2 for move in picking.move_ids):
            past._some_only(picking)
            picking.with_context(cancel_backorder=True).button_validate()
            self.dropped.append(picking.id)

    def settle_for_less(self, env: Env) -> None:
        """A customer is content with what came."""
        if self.dropped:
            for move in env["stock.picking"].browse(self.dropped.pop(0)).move_ids:
                if move.sale_line_id:
                    move.sale_line_id.write({"product_uom_qty": move.sale_line_id.qty_delivered})

    def name_lot(self, env: Env) -> None:
        """A picker reads the lot that Odoo did not know."""
        line = self._one(env, "stock.move.line", [("lot_id", "=", False), ("state", "=", "assigned")])
        if line:
            line.write({"lot_id": env["stock.lot"].search([("product_id", "=", line.product_id.id)], limit=1).id})

    def buy(self, env: Env) -> None:
        """Purchasing orders what is missing."""
        if self._number("purchase.order", "pending", by="receipt_status") > MOST_PURCHASES:
            return
        products = env["product.product"].search([], order="id").ids
        planned = datetime.fromisoformat(env.cr.now[:19]) + timedelta(days=self.chance.randint(3, 20))
        order = past.purchase(env, self.chance, products, planned)
        # The request stands, whatever becomes of the attempt.
        env.cr.commit()
        order.button_confirm()
        past.answer(order)
        past.link_waiting(order.picking_ids)

    def receive(self, env: Env) -> None:
        """Goods arrive."""
        picking = self._one(env, "stock.picking", [("state", "=", "assigned"), ("picking_type_code", "=", "incoming")])
        if picking:
            picking.button_validate()

    def count(self, env: Env) -> None:
        """The warehouse counts a shelf; now and then something is missing."""
        quant = self._one(env, "stock.quant", [("inventory_quantity_set", "=", False), ("quantity", ">", 9)], among=200)
        if quant:
            quant.write({"inventory_quantity": quant.quantity + self.chance.choice((0, 0, 0, 1, -1, -2, -9))})

    def apply_count(self, env: Env) -> None:
        """The warehouse applies a count, unless so much is missing that somebody has to look first."""
        quant = self._one(env, "stock.quant", [("inventory_quantity_set", "=", True)])
        if quant and abs(quant.inventory_diff_quantity) < 9:
            quant.action_apply_inventory()

    def complain(self, env: Env) -> None:
        """A customer asks for help."""
        customers = env["res.partner"].search([("customer_rank", ">", 0)], order="id").ids
        trouble = self.chance.choice(("A leg is missing", "Scratched on arrival", "The wrong colour", "When does it come?"))
        env["helpdesk.ticket"].create(
            {
                "name": trouble,
                "description": trouble,
                "partner_id": self.chance.choice(customers),
                "priority": self.chance.choice("0112"),
            }
        )

    def help(self, env: Env) -> None:
        """Service takes up a ticket, waits for an answer, or is done with it."""
        ticket = self._one(env, "helpdesk.ticket", [("stage_id.closed", "=", False)])
        if ticket:
            ticket.write({"stage_id": self.chance.choice((2, 3, 4)), "user_id": env.uid})

    def postpone(self, env: Env) -> None:
        """A supplier says that it will be later."""
        order = self._one(env, "purchase.order", [("state", "=", "purchase"), ("receipt_status", "=", "pending")])
        if order:
            later = order.date_planned + timedelta(days=self.chance.randint(3, 14))
            order.write({"date_planned": later})
            order.picking_ids.filtered(lambda one: one.state == "assigned").write({"scheduled_date": later})

    def invoice(self, env: Env) -> None:
        """Accounting invoices what was delivered."""
        order = self._one(env, "sale.order", [("state", "=", "sale"), ("invoice_status", "=", "to invoice")])
        if order:
            order.create_invoices().action_post()

    def collect(self, env: Env) -> None:
        """A customer pays."""
        wanted = [("state", "=", "posted"), ("move_type", "=", "out_invoice"), ("amount_residual", ">", 0)]
        invoice = self._one(env, "account.move", wanted, among=60)
        if invoice:
            invoice.register_payment()


def _room(order: Records) -> float | None:
    """What the customer's limit still carries, roughly; None where there is no limit."""
    customer = order.sudo().partner_id.commercial_partner_id
    if not customer.credit_limit:
        return None
    running = order.sudo().search(
        [
            ("partner_id.commercial_partner_id", "=", customer.id),
            ("state", "=", "sale"),
            ("invoice_status", "!=", "invoiced"),
        ]
    )
    return float(customer.credit_limit - customer.credit - sum(one.amount_total for one in running))

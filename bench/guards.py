"""What the tower's guards and rules cost Odoo's users: CPU time to create, write and confirm orders, beside an Odoo without them.

Two Odoos of one database's copies run side by side, one set up by the tower. The same acts are done in both in turn, by the CPU
time of Odoo's own processes and of its database sessions: other work on the machine's cores does not count.
Webhooks go to a receiver that does nothing; what it takes to answer is measured by :mod:`bench.hooks`.
"""

import os
from collections.abc import Callable
from itertools import count

from bench import ground, hooks, intake, odoo
from bench.row import Row

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "7"))
# A round does each act so many times: the kernel counts CPU time in hundredths of a second.
ACTS, LINES = 20, 3
BARE, GUARDED = "ct_bench_bare", "ct_bench_guarded"

numbers = count(1)


def run() -> list[Row]:
    """Measure."""
    ground.tower()
    with hooks.served("bench.hooks:nothing") as port:
        bare, guarded = Side(BARE), Side(GUARDED)
        guarded.set_up(port)
        acts: dict[str, Callable[[Side], Callable[[], None]]] = {
            "creates a sales order": created,
            "writes a line of a draft sales order": written,
            "confirms a sales order": confirmed,
            "confirms a purchase order": bought,
        }
        for act in acts.values():  # Filling caches is nobody's cost.
            for side in (bare, guarded):
                side.cost_of(act)
        rows = []
        for name, act in acts.items():
            found = ground.interleaved(
                {"with": lambda act=act: guarded.cost_of(act), "without": lambda act=act: bare.cost_of(act)}, rounds=ROUNDS
            )
            rows.append(
                Row(
                    name=f"Odoo {name}, with the tower's rules ÷ without",
                    goal=1.5,
                    unit="ms CPU",
                    lower_is_better=True,
                    **ground.beside(found["with"], found["without"]),
                )
            )
    return rows


class Side:
    """One Odoo in which orders are made."""

    def __init__(self, database: str) -> None:
        from apps.odoo import client
        from apps.odoo.models import Connection

        address = odoo.copied(database)
        secret = f"{intake.SECRET}-{database}"
        self.connection = Connection.objects.create(name=database.replace("_", "-"), hook_secret=secret, **address)
        self.database = database
        self.client = client.connect(self.connection)
        values = {"name": "Bench customer", "is_company": True, "credit_limit": 1e9}
        self.customer = self.client.create("res.partner", values)
        self.vendor = self.client.create("res.partner", {"name": "Bench vendor", "is_company": True})
        company = self.client.read("res.users", [self.client.uid], ["company_id"])[0]["company_id"]
        self.client.write("res.company", [company], {"account_use_credit_limit": True})
        values = {"name": "Bench desk", "type": "consu", "is_storable": True, "list_price": 100.0, "standard_price": 40.0}
        self.product = self.client.create("product.product", values)

    def set_up(self, port: int) -> None:
        """Have the tower set this one up, telling a receiver on ``port``."""
        from django.conf import settings

        from apps.core import clock
        from apps.odoo import provision
        from apps.pipeline.upkeep import probing
        from apps.workflows import blueprint

        settings.INTAKE_URL = f"http://127.0.0.1:{port}"
        probing.probe(self.connection, now=clock.now())
        provision.apply(self.connection, blueprint.of_catalogue())

    def cost_of(self, act: "Callable[[Side], Callable[[], None]]") -> float:
        """Milliseconds of CPU that Odoo and its database spend on the act, once. What it needs is made before."""
        acts = [act(self) for _ in range(ACTS)]
        before = odoo.cpu_seconds(self.database)
        for do in acts:
            do()
        return (odoo.cpu_seconds(self.database) - before) * 1000 / ACTS

    def order(self, model: str = "sale.order") -> int:
        """Create a draft of three lines, below every limit."""
        quantity = "product_uom_qty" if model == "sale.order" else "product_qty"
        line = {"product_id": self.product, quantity: 2, "price_unit": 100.0}
        partner = self.customer if model == "sale.order" else self.vendor
        return int(self.client.create(model, {"partner_id": partner, "order_line": [(0, 0, line) for _ in range(LINES)]}))


def created(side: Side) -> Callable[[], None]:
    def do() -> None:
        side.order()

    return do


def written(side: Side) -> Callable[[], None]:
    order = side.order()
    (line, *_) = side.client.search("sale.order.line", [("order_id", "=", order)])
    values = {"order_line": [(1, line, {"product_uom_qty": 3})], "client_order_ref": f"bench {next(numbers)}"}
    return lambda: side.client.write("sale.order", [order], values)


def confirmed(side: Side) -> Callable[[], None]:
    return _called(side, "sale.order", "action_confirm")


def bought(side: Side) -> Callable[[], None]:
    return _called(side, "purchase.order", "button_confirm")


def _called(side: Side, model: str, method: str) -> Callable[[], None]:
    order = side.order(model)

    def do() -> None:
        side.client.call(model, method, [order])

    return do

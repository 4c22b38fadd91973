"""The sandbox company as the ground of a walk: its own people do business, one step an act, in this process."""

import threading
import time
import urllib.request
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import odoorpc
import uvicorn

from apps.odoo.client import OdooClient
from sandbox.company import Company
from sandbox.control import Control
from sandbox.errors import OdooException, UserError
from sandbox.simulator import Simulator
from sandbox.wire import Doors
from tests.sandbox.conftest import free_port
from tests.walk.business import OdooBrokeError

Ids = dict[str, set[int]]
# To whose documents a row belongs, as far as the checks look at those.
BELONGS = {
    "sale.order.line": [("order_id", "sale.order")],
    "purchase.order.line": [("order_id", "purchase.order")],
    "account.move.line": [("move_id", "account.move")],
    "stock.move.line": [("picking_id", "stock.picking"), ("move_id", "stock.move")],
    "stock.move": [
        ("picking_id", "stock.picking"),
        ("sale_line_id", "sale.order.line"),
        ("purchase_line_id", "purchase.order.line"),
    ],
    "stock.picking": [("sale_id", "sale.order")],
}
# Rows that the tower reads with what they belong to.
READ_WITH = {
    "sale.order.line": "order_id",
    "purchase.order.line": "order_id",
    "account.move.line": "move_id",
    "stock.move": "picking_id",
    "stock.move.line": "picking_id",
}
ALL = {"active_test": False}
LOGINS = {"sales": "sofia", "buyer": "paula", "picker": "paula", "accountant": "ada"}


@contextmanager
def served(company: Company, control: Control) -> Iterator[str]:
    """The address at which the company answers while the block lasts."""
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(Doors(company, control), host="127.0.0.1", port=port, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(400):
            with suppress(OSError):
                urllib.request.urlopen(f"{url}/web/health", timeout=5).close()
                break
            time.sleep(0.05)
        yield url
    finally:
        server.should_exit = True
        thread.join(timeout=20)


class Changes:
    """What was committed in the company, told to each who listens: the walk's checks, and the tower as if by webhook."""

    def __init__(self, company: Company) -> None:
        self.company = company
        self.kept, self.listeners = company.store.keep, list[Ids]()
        company.store.keep = self._keep  # type: ignore[method-assign]

    def listen(self) -> Ids:
        """Ids by model, of all that is committed from now on; whoever listens empties it."""
        self.listeners.append({})
        return self.listeners[-1]

    def _keep(self, changed: Iterable[tuple[str, int]], *, is_first: bool = False) -> None:
        rows = list(changed)
        for model, odoo_id in rows:
            for listener in self.listeners:
                listener.setdefault(model, set()).add(odoo_id)
        self.kept(rows, is_first=is_first)

    def with_documents(self, changed: Ids) -> Ids:
        """These and the documents to which they belong, and those of documents that follow from one another."""
        found: Ids = {}
        waiting = [(model, one) for model, ids in changed.items() for one in ids]
        while waiting:
            model, odoo_id = waiting.pop()
            if odoo_id in found.setdefault(model, set()):
                continue
            found[model].add(odoo_id)
            row = self.company.store.table(model).get(odoo_id) or {}
            waiting += [(relation, row[link]) for link, relation in BELONGS.get(model, ()) if row.get(link)]
        return found


class Reader:
    """The company's rows as an administrator reads them, without the way over HTTP."""

    def __init__(self, company: Company, uid: int) -> None:
        self.company, self.uid = company, uid

    def search_read(self, model: str, domain: Sequence[Any], fields: Sequence[str], *, context: Any = None) -> list[dict[str, Any]]:
        """Rows that match, archived ones too."""
        named = {"domain": list(domain), "fields": list(fields), "load": "", "context": ALL | (context or {})}
        rows: list[dict[str, Any]] = self.company.call(self.uid, model, "search_read", [], named)
        return rows

    def search(self, model: str, domain: Sequence[Any]) -> list[int]:
        """Ids of those that match, archived ones too."""
        found: list[int] = self.company.call(self.uid, model, "search", [], {"domain": list(domain), "context": ALL})
        return found


class SandboxBusiness:
    """What a walk asks of a business, answered by the sandbox."""

    def __init__(self, odoo: OdooClient, company: Company, control: Control) -> None:
        self.odoo, self.company = odoo, company
        self.reader = Reader(company, odoo.uid)
        self.changes = Changes(company)
        self._changed = self.changes.listen()
        self.hints = self.changes.listen()
        self.simulator = Simulator(company, control, speed=1, stopping=threading.Event())
        self.home = 1
        users = odoo.search_read("res.users", [("login", "in", list(LOGINS.values()))], ["login"])
        uids = {row["login"]: row["id"] for row in users}
        self.uids = {who: uids[login] for who, login in LOGINS.items()}

    def changed(self) -> Ids:
        """What was changed since this was asked last, with the documents to which it belongs."""
        found = self.changes.with_documents(self._changed)
        self._changed.clear()
        return found

    def take_hints(self) -> Ids:
        """What was changed since this was asked last, as webhooks would tell it."""
        found = self.changes.with_documents(self.hints)
        self.hints.clear()
        for model, link in READ_WITH.items():
            rows = self.company.store.table(model)
            alone = {one for one in found.get(model, ()) if not (rows.get(one) or {}).get(link)}
            found = found | {model: alone}
        return {model: ids for model, ids in found.items() if ids}

    def step(self) -> str:
        """One event of the business. Raises OdooBrokeError where it is not somebody who says no, but a program that breaks."""
        uid, doing = self.simulator.next_event()
        try:
            self.company.transact(uid, doing)
        except UserError as error:
            return f"{doing.__name__} refused: {str(error).splitlines()[0][:120]}"
        except Exception as error:
            raise OdooBrokeError(f"{doing.__name__}: {type(error).__name__}: {error}") from error
        return doing.__name__

    def do(self, who: str, model: str, method: str, *arguments: Any, **named: Any) -> Any:
        """Call the sandbox as one of its people. Raises RPCError where it says no, OdooBrokeError where it cannot do it."""
        try:
            return self.company.call(self.uids[who], model, method, list(arguments), named)
        except UserError as error:
            raise odoorpc.error.RPCError(str(error)) from error
        except OdooException as error:
            raise OdooBrokeError(f"{who}: {model}.{method}: {error}") from error

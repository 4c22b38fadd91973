"""The sandbox company as the ground of a walk: its own people do business, one step an act, in this process."""

import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import odoorpc
import uvicorn

from apps.odoo.client import OdooClient
from apps.sandbox.company import Company
from apps.sandbox.control import Control
from apps.sandbox.errors import OdooException, UserError
from apps.sandbox.simulator import Simulator
from apps.sandbox.wire import Doors
from tests.sandbox.conftest import free_port
from tests.walk.business import OdooBrokeError

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


class SandboxBusiness:
    """What a walk asks of a business, answered by the sandbox."""

    def __init__(self, odoo: OdooClient, company: Company, control: Control) -> None:
        self.odoo, self.company = odoo, company
        self.simulator = Simulator(company, control, speed=1, stopping=threading.Event())
        self.home = 1
        users = odoo.search_read("res.users", [("login", "in", list(LOGINS.values()))], ["login"])
        uids = {row["login"]: row["id"] for row in users}
        self.uids = {who: uids[login] for who, login in LOGINS.items()}

    def step(self) -> str:
        """One event of the business."""
        return self.simulator.step()

    def do(self, who: str, model: str, method: str, *arguments: Any, **named: Any) -> Any:
        """Call the sandbox as one of its people. Raises RPCError where it says no, OdooBrokeError where it cannot do it."""
        try:
            return self.company.call(self.uids[who], model, method, list(arguments), named)
        except UserError as error:
            raise odoorpc.error.RPCError(str(error)) from error
        except OdooException as error:
            raise OdooBrokeError(f"{who}: {model}.{method}: {error}") from error

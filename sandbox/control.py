"""What tests may do to the company from outside: pause its business, make it fail, touch its orders."""

import random
import threading
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sandbox.company import Company

Row = dict[str, Any]
FAULTS = ("slow", "html", "half", "down", "hang_after_commit")


class Control:
    """The switches."""

    def __init__(self, company: "Company") -> None:
        self.company = company
        self.is_paused = False
        self.fault: str | None = None
        self.fault_seconds = 0.0
        self._until = 0.0
        self._left: int | None = None
        self._lock = threading.Lock()
        self.touched = 0

    def fault_now(self, path: str) -> str | None:
        """The fault that this request meets; ``/web/health`` meets none but ``down``."""
        with self._lock:
            if self.fault and time.monotonic() > self._until:
                self.fault = None
            if self.fault is None or (path == "/web/health" and self.fault != "down"):
                return None
            if self._left is not None:
                if self._left <= 0:
                    self.fault = None
                    return None
                self._left -= 1
            return self.fault

    def handle(self, asked: Row) -> Row:
        """Do what is asked and tell how things stand.

        ``{"business": "pause"|"resume"}``; ``{"fault": name or null, "seconds": n, "count": n}``: ``seconds`` is how
        long a slow or hanging answer takes, and how long the fault lasts where no ``count`` of requests is given;
        ``{"touch_orders": n, "rate": per second}``. Raises ValueError for anything else.
        """
        if "business" in asked:
            if asked["business"] not in ("pause", "resume"):
                raise ValueError("business is paused or resumed: say 'pause' or 'resume'.")
            self.is_paused = asked["business"] == "pause"
        if "fault" in asked:
            self._set_fault(asked["fault"], float(asked.get("seconds") or 5.0), asked.get("count"))
        if "touch_orders" in asked:
            number, rate = int(asked["touch_orders"]), float(asked.get("rate") or 0)
            threading.Thread(target=self._touch, args=(number, rate), daemon=True).start()
        return {"business": "paused" if self.is_paused else "running", "fault": self.fault, "touched": self.touched}

    def _set_fault(self, fault: str | None, seconds: float, count: int | None) -> None:
        if fault is not None and fault not in FAULTS:
            raise ValueError(f"'{fault}' is no fault: choose one of {', '.join(FAULTS)}, or null.")
        with self._lock:
            self.fault, self.fault_seconds, self._left = fault, seconds, count
            self._until = time.monotonic() + (600.0 if count is not None else seconds)

    def _touch(self, number: int, rate: float) -> None:
        """Write a new customer reference to random orders, ``rate`` a second, each in a transaction of its own."""
        chance, company = random.Random(number), self.company
        table = company.store.table("sale.order")
        last = table.next_id - 1
        started = time.monotonic()
        done = 0
        while done < number and last > 0:
            odoo_id = chance.randint(1, last)
            if table.get(odoo_id) is None:
                continue
            company.call(2, "sale.order", "write", [[odoo_id], {"client_order_ref": f"T{number}-{done}"}], {})
            done += 1
            self.touched += 1
            if rate and (ahead := done / rate - (time.monotonic() - started)) > 0:
                time.sleep(ahead)

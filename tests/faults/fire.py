"""A whole tower under load, whose processes are killed while it works, and the counting of what came of it.

    python -m tests.faults.fire --rounds 50 --rate 200      starts a tower, and prints the figures
    python -m tests.faults.fire --storm 2000 --rate 200     so many kills, five a second, without waiting in between

Three kinds of work go on meanwhile: deliveries arrive at the intake, notes wait in the outbox for Odoo, and exceptions are
snoozed over the API, each of which sets a timer. At the end every promise that the tower made is held against what there is.
"""

import argparse
import hashlib
import http.client
import itertools
import json
import os
import random
import signal
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg

from tests.company import Company
from tests.platform.conftest import processes_of
from tests.tower import Tower, eventually

PARTS = {
    "web": "controltower.asgi:application",
    "intake": "apps.intake.asgi:application",
    "worker for people": "-Q tick,notify",
    "fast workers": "-Q decide,refresh",
    "slow workers": "-Q sync,default",
    "beat": "-A controltower beat",
    "Valkey": "valkey",
    "PostgreSQL": "/bin/postgres -D",
    "guard": "controltower.guard",
}
# Not a process: every session of the database is ended, as an administrator or a proxy does.
SESSIONS = "all sessions"
END_SESSIONS = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
)
END_A_SESSION = """
SELECT pg_terminate_backend(pid), coalesce(nullif(application_name, ''), 'the tower')
  FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() ORDER BY random() LIMIT 1
"""
# How many of a hundred kills are of a session, of a worker's child, of a whole part.
STORM, STORM_EVERY_SECONDS = (70, 27, 3), 0.2
NOTE = "Exactly one of me."
WHOLE_WITHIN_SECONDS = 30.0
ENQUEUE = """
import random
from datetime import timedelta
from django.db import transaction
from apps.core import clock
from apps.core.actor import system
from apps.mirror import registry
from apps.odoo.models import Connection
from apps.outbox import enqueue
from apps.workflows.declare import OdooCall
connection = Connection.objects.get()
orders = list(registry.models()["sale.order"].objects.filter(deleted_at=None).values_list("odoo_id", flat=True)[:{number}])
call = OdooCall(title="Leave a note", method="message_post", arguments={{"body": "{note}"}})
with transaction.atomic():
    for place, order in enumerate(orders):
        enqueue.commands([call], connection=connection, model="sale.order", odoo_id=order, context={{}}, decision="",
                         by=system("tests"), now=clock.now(), not_before=clock.now() + timedelta(seconds=place * {every}))
print(len(orders))
"""


@dataclass
class Whole:
    """One round: what was killed, and after how long a delivery that came then was at its end and all was ready."""

    parts: tuple[str, ...]
    seconds: float


@dataclass(kw_only=True)
class Fire:
    """The load on ``tower`` and the record of what was promised."""

    tower: Tower
    rate: float
    seed: int
    stopping: threading.Event = field(default_factory=threading.Event)
    accepted: set[str] = field(default_factory=set)
    refused: int = 0
    snoozed: set[int] = field(default_factory=set)
    rounds: list[Whole] = field(default_factory=list)
    threads: list[threading.Thread] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self.numbers = itertools.count(1)
        self.intake = json.loads((self.tower.home / "ports.json").read_text())["intake"]
        ((self.connection_id, self.secret),) = self.ask("SELECT id, hook_secret FROM odoo_connection")
        self.orders = [row[0] for row in self.ask("SELECT odoo_id FROM mirror_sale_order WHERE deleted_at IS NULL")]
        self.company = Company.sandbox(self.tower.company_url)
        self.company.send_others_home()

    def ask(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """Ask the tower's database; it is waited for while it is away."""
        deadline = time.monotonic() + 60
        while True:
            try:
                # Written anew where the guard was killed: the servers have other addresses then.
                database_url = json.loads((self.tower.home / "services.json").read_text())["database_url"]
                with psycopg.connect(database_url, autocommit=True, connect_timeout=5) as database:
                    return database.execute(sql, values).fetchall()  # type: ignore[arg-type]
            except (psycopg.OperationalError, FileNotFoundError, ValueError):
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)

    # The load

    def light(self, *, notes: int, every: float) -> None:
        """Begin: notes into the outbox, one due each ``every`` seconds; deliveries and snoozes until put out."""
        said = self.tower.manage("shell", "--no-imports", "-c", ENQUEUE.format(number=notes, note=NOTE, every=every))
        self.notes = int(said.strip().splitlines()[-1])
        token = self.tower.token("operator")
        cases = [row[0] for row in self.ask("SELECT id FROM exceptions_exceptioncase WHERE status = 'open' ORDER BY id")]
        senders = 4
        self.threads = [threading.Thread(target=self._deliver, args=(senders / self.rate,)) for _ in range(senders)]
        self.threads.append(threading.Thread(target=self._snooze, args=(token, cases)))
        for thread in self.threads:
            thread.start()

    def put_out(self) -> None:
        """Stop the load."""
        self.stopping.set()
        for thread in self.threads:
            thread.join()

    def _deliver(self, pause: float) -> None:
        wire: http.client.HTTPConnection | None = None
        while not self.stopping.wait(pause):
            try:
                wire = wire or http.client.HTTPConnection("127.0.0.1", self.intake, timeout=5)
                self.deliver(wire)
            except (OSError, http.client.HTTPException):
                self.refused += 1
                if wire:
                    wire.close()
                wire = None

    def deliver(self, wire: http.client.HTTPConnection) -> str:
        """Send one delivery; its key where it was accepted, else nothing."""
        said = json.dumps(
            {"_model": "sale.order", "_id": random.choice(self.orders), "_action": "Fire", "write_date": f"{next(self.numbers)}"}
        ).encode()
        wire.request("POST", f"/hooks/odoo/{self.secret}/", said, {"Content-Type": "application/json"})
        answer = wire.getresponse()
        answer.read()
        if answer.status != 202:
            self.refused += 1
            return ""
        key = hashlib.sha256(said).hexdigest()
        self.accepted.add(key)
        return key

    def _snooze(self, token: str, cases: list[int]) -> None:
        """Snooze one exception after the other for a few seconds, and again with the same key until it is answered."""
        for case in cases:
            until = datetime.now(UTC) + timedelta(seconds=4)
            while not self.stopping.is_set():
                try:
                    self.tower.api(
                        f"exceptions/{case}/snooze/",
                        token,
                        body={"until": until.isoformat()},
                        headers={"Idempotency-Key": f"fire-{self.seed}-{case}"},
                    )
                    self.snoozed.add(case)
                    break
                except urllib.error.HTTPError as error:
                    if error.code < 500:  # It took too long: the moment has passed. Or the exception is closed.
                        break
                except (OSError, http.client.HTTPException):
                    pass
                self.stopping.wait(0.3)
            if self.stopping.wait(0.4):
                return

    # The fire

    def kill(self, *parts: str) -> None:
        """End the parts as the kernel would, all at once, with the children that they have."""
        if SESSIONS in parts:
            self.ask(END_SESSIONS)
        living = processes_of(self.tower.home)
        guards = {pid for pid, command in living.items() if "controltower.guard" in command}
        for pid, command in [*living.items(), *((pid, "valkey") for pid in children_of(guards, "valkey"))]:
            if any(PARTS[part] in command for part in parts if part in PARTS):
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue

    def burn(self, *parts: str) -> Whole:
        """Kill the parts and wait until the tower is whole again: ready, and a new delivery at its end."""
        began = time.monotonic()
        self.kill(*parts)
        eventually(self._takes_one_through, within_seconds=120, what=f"the tower to be whole after {parts} died")
        eventually(self._is_ready, within_seconds=120, what=f"the tower to be ready after {parts} died")
        self.rounds.append(Whole(parts, time.monotonic() - began))
        return self.rounds[-1]

    def storm(self, number: int) -> Counter[str]:
        """Kill one thing after the other: mostly a session of the database or a worker's child, now and then a whole part.

        Nothing is waited for, so that each moment of the work is hit by and by, the coming back too. At the end the tower is
        to be whole. How often what was killed.
        """
        killed: Counter[str] = Counter()
        for _ in range(number):
            kind = self.chance.choices(["session", "child", "part"], STORM)[0]
            killed[getattr(self, f"_end_a_{kind}")()] += 1
            time.sleep(STORM_EVERY_SECONDS)
        self.burn()
        return killed

    def _end_a_session(self) -> str:
        found = self.ask(END_A_SESSION)
        return f"a session of {found[0][1]}" if found else "nothing there to kill"

    def _end_a_child(self) -> str:
        """End a process that a worker has forked, while the worker lives."""
        workers = {pid for pid, command in processes_of(self.tower.home).items() if "celery" in command and "worker" in command}
        children = children_of(workers, "")
        if not children:
            return "nothing there to kill"
        os.kill(self.chance.choice(children), signal.SIGKILL)
        return "a worker's child"

    def _end_a_part(self) -> str:
        part = self.chance.choice([part for part in PARTS if part != "guard"])
        self.kill(part)
        return part

    def _takes_one_through(self) -> bool:
        wire = http.client.HTTPConnection("127.0.0.1", self.intake, timeout=5)
        try:
            key = self.deliver(wire)
        except (OSError, http.client.HTTPException):
            return False
        finally:
            wire.close()
        if not key:
            time.sleep(0.1)
            return False
        done = "SELECT status FROM intake_delivery WHERE key = %s"
        eventually(lambda: self.ask(done, key) == [("done",)], within_seconds=120, what="a delivery to be at its end")
        return True

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.tower.url}/readyz", timeout=10) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    # The counting

    def settle(self) -> None:
        """Wait until nothing waits any more."""
        waiting = "SELECT count(*) FROM intake_delivery WHERE status IN ('pending', 'claimed')"
        commands = "SELECT count(*) FROM outbox_command WHERE status IN ('queued', 'unknown')"
        timers = "SELECT count(*) FROM timers_timer WHERE status = 'pending' AND kind = 'exceptions.wake'"
        for sql, what in ((waiting, "deliveries"), (timers, "timers"), (commands, "commands")):
            eventually(lambda sql=sql: self.ask(sql) == [(0,)], within_seconds=400, what=f"all {what} to be at their end")

    def losses(self) -> dict[str, Any]:
        """Each promise that was broken; empty where all were kept."""
        stored = dict(self.ask("SELECT key, status FROM intake_delivery WHERE source = 'odoo'"))
        notes = self.ask("SELECT id::text, status FROM outbox_command WHERE title = 'Leave a note'")
        messages = self.company.ask("mail.message", "search_read", [("body", "like", NOTE)], fields=["body"])
        found = [sum(number in message["body"] for message in messages) for number, _ in notes]
        moves = dict(
            self.ask(
                "SELECT subject || ' ' || action, count(*) FROM audit_entry "
                "WHERE action IN ('exception.snoozed', 'exception.woken') GROUP BY 1"
            )
        )
        closed = {row[0] for row in self.ask("SELECT id FROM exceptions_exceptioncase WHERE status = 'resolved'")}
        fired = dict(
            self.ask(
                "SELECT split_part(key, ':', 2)::bigint, count(*) FROM timers_timer "
                "WHERE kind = 'exceptions.wake' AND status = 'fired' GROUP BY 1"
            )
        )
        broken = {
            "deliveries lost": len(self.accepted - stored.keys()),
            "deliveries not processed": sum(stored.get(key) != "done" for key in self.accepted),
            "notes not exactly once": sum(number != 1 for number in found) + abs(self.notes - len(notes)),
            "commands not done": sum(status != "done" for _, status in notes),
            "snoozed not once": [case for case in self.snoozed if moves.get(f"exception:{case} exception.snoozed") != 1],
            "not woken once": [case for case in self.snoozed - closed if moves.get(f"exception:{case} exception.woken") != 1],
            "timers not fired once": [case for case in self.snoozed - closed if fired.get(case) != 1],
            "rows that differ from Odoo": self._differing(),
        }
        return {name: what for name, what in broken.items() if what}

    def _differing(self) -> int:
        fields = ["name", "state", "client_order_ref", "amount_total"]
        here = {
            row[0]: row[1:]
            for row in self.ask(
                "SELECT odoo_id, name, state, client_order_ref, amount_total::float FROM mirror_sale_order WHERE deleted_at IS NULL"
            )
        }
        there = self.company.ask("sale.order", "search_read", [], fields=fields)
        return sum(
            here.get(row["id"]) != (row["name"], row["state"], row["client_order_ref"] or "", row["amount_total"]) for row in there
        ) + abs(len(there) - len(here))


def children_of(parents: set[int], name: str) -> list[int]:
    """The children of ``parents`` that run a program of that name. Valkey writes its title over its environment."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            facts = dict(line.split(":", 1) for line in (place / "status").read_text().splitlines())
        except OSError:
            continue
        if int(facts["PPid"]) in parents and name in facts["Name"]:
            found.append(int(place.name))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--storm", type=int, default=0)
    parser.add_argument("--rate", type=float, default=200)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    tower = Tower("demo")
    try:
        fire = Fire(tower=tower, rate=chosen.rate, seed=chosen.seed)
        began = time.monotonic()
        fire.light(notes=chosen.storm // 20 or chosen.rounds * 3, every=4)
        for what, number in fire.storm(chosen.storm).most_common() if chosen.storm else ():
            print(f"{number:>6} × {what}", flush=True)
        names = [*PARTS, SESSIONS]
        for number in range(0 if chosen.storm else chosen.rounds):
            parts = [names[number % len(names)]] if number % 3 else fire.chance.sample(names, fire.chance.randint(2, len(names)))
            whole = fire.burn(*parts)
            print(f"{number + 1:>4}. {', '.join(parts)}: whole after {whole.seconds:.1f} s", flush=True)
        fire.put_out()
        lasted = time.monotonic() - began
        fire.settle()
        seconds = sorted(one.seconds for one in fire.rounds)
        print(
            f"{len(fire.accepted)} deliveries accepted in {lasted:.0f} s ({fire.refused} refused), {fire.notes} notes, "
            f"{len(fire.snoozed)} snoozes; whole again after {seconds[len(seconds) // 2]:.1f} s (median), "
            f"{seconds[-1]:.1f} s (longest)"
        )
        print(f"Broken promises: {fire.losses() or 'none'}")
        print(tower.manage("audit_verify").strip().splitlines()[-1])
    finally:
        kept = Path("/tmp/tower-under-fire.log")
        logs = sorted((tower.home / "logs").glob("*.log"))
        kept.write_text("\n".join(log.read_text(errors="replace")[-200_000:] for log in logs))
        tower.stop()


if __name__ == "__main__":
    main()

"""The package of docs/extending.md, built, installed into an environment of its own, and found everywhere in a tower there."""

import json
import os
import re
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any

import psycopg
import pytest

from apps.core import extension_contract
from apps.intake import signatures
from controltower import embedded
from controltower.process import free_port
from tests.company import Company
from tests.extensions import wheel
from tests.sandbox.conftest import served
from tests.tower import eventually

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "extending.md").read_text()
FILES = dict(re.findall(r"^### `([^`]+)`\n.*?^```\w+\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE))
PASSWORD = "correct horse battery"
FIELDS = {
    "name": ("char", ""),
    "state": ("char", ""),
    "partner_id": ("many2one", "res.partner"),
    "user_id": ("many2one", "res.users"),
    "company_id": ("many2one", "res.company"),
    "due_back": ("datetime", ""),
    "deposit": ("float", ""),
    "damage": ("float", ""),
}
# What its operator does once it is installed. The models named are read; the rest of the company is not needed here.
SET_UP = """
import io, json
from decimal import Decimal
from django.core.management import call_command
from apps.accounts import people
from apps.accounts.models import User
from apps.core import clock
call_command("makemigrations", "controltower_rental", check=True, dry_run=True, stdout=io.StringIO())
call_command("migrate", interactive=False, verbosity=0)
mia, _ = people.create_user("mia", role="manager", limit=Decimal(250_000), password={password!r})
adam, _ = people.create_user("adam", role="approver", limit=Decimal(50_000), password={password!r})
call_command("connect_odoo", "main", url={url!r}, db="sandbox", login="tower", key="sandbox-key", stdout=io.StringIO())
for model in ("res.company", "res.currency", "res.partner", "res.users", "sale.order", "rental.order"):
    call_command("sync", "main", full=True, model=model, stdout=io.StringIO())
source = io.StringIO()
call_command("event_source", "desk-1", adapter="rental_desk", connection="main", stdout=source)
token = people.create_token(mia, scope="write", now=clock.now())
print(json.dumps({{"token": token, "secret": source.getvalue().split()[-1]}}))
"""
WORK = """
from apps.core import clock
from apps.pipeline import batch, external_events
while batch.process(clock=clock.now):
    pass
external_events.apply_matched(now=clock.now())
"""


class Environment:
    """A fresh environment beside the tower's own, with the extension in it, and a database of its own."""

    def __init__(self, home: Path, database_url: str) -> None:
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", home / "env"], check=True)
        self.python = str(home / "env" / "bin" / "python")
        own = Path(
            subprocess.run(
                [self.python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
                check=True,
                capture_output=True,
                text=True,
            ).stdout.strip()
        )
        (own / "tower.pth").write_text(sysconfig.get_path("purelib") + "\n")
        self.port = free_port()
        dropped = ("PUBLIC_URL", "INTAKE_URL", "INTAKE_PORT", "PYTHONPATH", "EXTENSIONS_FOLDER")
        self.variables = {name: value for name, value in os.environ.items() if name not in dropped}
        self.variables |= {
            "CONTROLTOWER_HOME": str(home / "tower"),
            "DATABASE_URL": database_url,
            "PORT": str(self.port),
            "PYTHONWARNINGS": "ignore",
        }

    def install(self, built: Path) -> None:
        """Install a wheel, without the network."""
        command = [sys.executable, "-m", "pip", "--python", self.python, "install", "-q", "--no-deps", "--no-index", str(built)]
        subprocess.run([*command, "--disable-pip-version-check"], check=True)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command of manage.py."""
        done = subprocess.run(
            [self.python, "manage.py", *arguments],
            cwd=ROOT,
            env=self.variables,
            capture_output=True,
            text=True,
            check=False,
            timeout=180,
        )
        assert done.returncode == 0, done.stderr
        return done

    def serve(self) -> subprocess.Popen[bytes]:
        """Start the web process."""
        command = [self.python, "-m", "uvicorn", "controltower.asgi:application", "--port", str(self.port), "--log-level", "error"]
        return subprocess.Popen(command, cwd=ROOT, env=self.variables, preexec_fn=embedded.die_with_parent(signal.SIGKILL))


class Tower:
    """The tower that runs there, as a browser and a script see it."""

    def __init__(self, environment: Environment, token: str, secret: str) -> None:
        self.environment, self.token, self.secret = environment, token, secret
        self.url = f"http://127.0.0.1:{environment.port}"
        self.browsers: dict[str, urllib.request.OpenerDirector] = {}

    def answers(self) -> bool:
        try:
            return bool(urllib.request.urlopen(f"{self.url}/healthz", timeout=5).status == 200)
        except OSError:
            return False

    def api(self, path: str, body: Any = None) -> Any:
        """Get ``path`` of the API, or post ``body`` to it."""
        request = urllib.request.Request(
            f"{self.url}/api/v1/{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.loads(answer.read())

    def page(self, user: str, path: str) -> str:
        """The page as ``user`` sees it, who signs in for the first."""
        if user not in self.browsers:
            self.browsers[user] = self._signed_in(user)
        return str(self.browsers[user].open(f"{self.url}{path}", timeout=60).read().decode())

    def _signed_in(self, user: str) -> urllib.request.OpenerDirector:
        browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
        form = browser.open(f"{self.url}/accounts/login/", timeout=30).read().decode()
        (secret,) = re.findall(r'name="csrfmiddlewaretoken" value="([^"]+)"', form)[:1]
        given = {"login": user, "password": PASSWORD, "csrfmiddlewaretoken": secret}
        signing = urllib.request.Request(
            f"{self.url}/accounts/login/", urllib.parse.urlencode(given).encode(), headers={"Referer": self.url}
        )
        browser.open(signing, timeout=60).close()
        return browser

    def tell(self, message: dict[str, Any]) -> None:
        """Have the terminal at the desk say something, and the tower work it off."""
        body, now = json.dumps(message).encode(), int(time.time())
        signed = signatures.sign(signatures.key_of(self.secret), message_id="msg_1", timestamp=now, body=body)
        headers = {
            "Content-Type": "application/json",
            "webhook-id": "msg_1",
            "webhook-timestamp": str(now),
            "webhook-signature": signed,
        }
        urllib.request.urlopen(urllib.request.Request(f"{self.url}/hooks/events/desk-1/", body, headers=headers)).close()
        self.environment.run("shell", "--no-imports", "-c", WORK)


@pytest.fixture(scope="module")
def database_url(django_db_setup: None, django_db_blocker: Any) -> Iterator[str]:
    """A database of a tower that is up to date: a copy of the tests', which is empty between two tests."""
    from django.db import connection

    connection.close()
    connection.close_pool()
    tests, server = connection.settings_dict["NAME"], os.environ["DATABASE_URL"]
    copy = f"{tests}_extended"
    with psycopg.connect(server, autocommit=True) as session:
        session.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [tests])
        session.execute(f'CREATE DATABASE "{copy}" TEMPLATE "{tests}"')
    yield f"{server.rpartition('/')[0]}/{copy}"
    with psycopg.connect(server, autocommit=True) as session:
        session.execute(f'DROP DATABASE "{copy}" WITH (FORCE)')


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    """An Odoo with a module for rentals, and two rentals in it."""
    with served(tmp_path_factory.mktemp("sandbox"), "--no-business", "--orders", "5") as url:
        made = Company.sandbox(url)
        model = made.ask("ir.model", "create", {"name": "Rental Order", "model": "rental.order", "state": "manual"})
        for name, (kind, relation) in FIELDS.items():
            field = {
                "model_id": model,
                "model": "rental.order",
                "name": name,
                "ttype": kind,
                "field_description": name,
                "state": "manual",
                "relation": relation or False,
            }
            made.ask("ir.model.fields", "create", field)
        group = made.ask("ir.model.data", "search_read", [("module", "=", "base"), ("name", "=", "group_user")], fields=["res_id"])[
            0
        ]["res_id"]
        made.ask(
            "ir.model.access",
            "create",
            {"name": "rental", "model_id": model, "group_id": group, "perm_read": True, "perm_write": True, "perm_create": True},
        )
        partner = made.ask("res.partner", "create", {"name": "Azure Interior", "is_company": True})
        long_ago = (datetime.now(UTC) - timedelta(days=8)).strftime("%Y-%m-%d %H:%M:%S")
        shared = {"partner_id": partner, "company_id": 1, "user_id": made.uid, "due_back": long_ago, "deposit": 900.0}
        made.ask("rental.order", "create", shared | {"name": "RO/0001", "state": "out", "damage": 0.0})
        made.ask("rental.order", "create", shared | {"name": "RO/0002", "state": "inspection", "damage": 400.0})
        made.order(partner, amount=100)
        yield made


@pytest.fixture(scope="module")
def tower(database_url: str, company: Company) -> Iterator[Tower]:
    """A tower with the extension, which has read that Odoo."""
    with tempfile.TemporaryDirectory(prefix="controltower-extended-") as home:
        source = Path(home) / "source"
        for path, text in FILES.items():
            place = source / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text)
        environment = Environment(Path(home), database_url)
        environment.install(wheel.build(source))
        done = environment.run("shell", "--no-imports", "-c", SET_UP.format(password=PASSWORD, url=company.url))
        assert "is refused" not in done.stderr
        made = Tower(environment, **json.loads(done.stdout.splitlines()[-1]))
        web = environment.serve()
        try:
            eventually(made.answers, within_seconds=120, what="the web process to answer")
            yield made
        finally:
            web.terminate()
            web.wait(timeout=20)


def test_the_page_lists_the_modules_that_an_extension_may_import() -> None:
    listed = set(re.findall(r"^\| `(apps\.[\w.]+)` \|", PAGE, re.MULTILINE))
    assert listed == extension_contract.OF_THE_TOWER


@pytest.mark.long
@pytest.mark.django_db  # the tables that the database is a copy of
def test_it_is_on_the_board_in_the_queue_in_the_inbox_and_in_the_api(tower: Tower) -> None:
    stages = {one["stage"]: one["count"] for one in tower.api("boards/rental_orders/")["stages"]}
    assert stages == {"rented": 0, "overdue": 1, "at_the_desk": 0, "damage_review": 1, "closed": None}
    board = tower.page("mia", "/boards/rental_orders/")
    assert "Rental orders" in board and "Overdue for return" in board
    record = tower.api("records/rental.order/1/")
    assert (record["name"], record["stage"], record["amount"]) == ("RO/0001", "overdue", "900.00")

    cases = {one["type"]: one for one in tower.api("exceptions/")["results"]}
    assert cases["rental.overdue"]["severity"] == "high"
    assert cases["order.rentals_overdue"]["workflow"] == "order_to_cash"
    queue = tower.page("mia", "/exceptions/")
    assert "Rental not returned" in queue and "Customer has overdue rentals" in queue
    case = tower.page("mia", f"/exceptions/{cases['rental.overdue']['id']}/")
    assert "Remind the customer" in case and "8 days late" in case

    (request,) = tower.api("approvals/")["results"]
    assert (request["kind"], request["amount"], request["record"]["name"]) == ("damage_charge", "400.00", "RO/0002")
    assert "RO/0002" in tower.page("adam", "/approvals/")

    tower.tell({"event": "returned", "rental": "RO/0001", "at": datetime.now(UTC).isoformat(), "remark": "in good order"})
    stages = {one["stage"]: one["count"] for one in tower.api("boards/rental_orders/")["stages"]}
    assert (stages["overdue"], stages["at_the_desk"]) == (0, 1)
    (event,) = tower.api("events/?kind=rental_returned")["results"]
    assert (event["reference"], event["status"]) == ("RO/0001", "matched")
    closed = {one["type"] for one in tower.api("exceptions/?status=resolved")["results"]}
    assert "rental.overdue" in closed

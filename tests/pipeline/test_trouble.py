"""Bad input and trouble: what a person reads at the terminal and on the page, and that the rest keeps running."""

import json
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.test import Client

from apps.accounts.models import Role, Team
from apps.boards.records import coverage
from apps.core import clock
from apps.mirror.models import SyncState
from apps.odoo import client as clients
from apps.odoo.models import Connection
from apps.pipeline.upkeep import polling, probing
from apps.workflows.models import Position
from sandbox.company import Company
from sandbox.control import Control
from sandbox.wire import Doors
from tests.sandbox.conftest import free_port, served
from tests.world import person

ROOT = Path(__file__).resolve().parents[2]
GOOD = {"db": "sandbox", "login": "tower", "key": "sandbox-key"}
pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def odoo_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An Odoo that can be made to fail, without business of its own."""
    with served(tmp_path_factory.mktemp("troubled"), "--no-business") as url:
        yield url


@pytest.fixture
def trouble(odoo_url: str) -> Iterator[Callable[[str | None], None]]:
    """Makes the Odoo answer that way from now on; None: as it should."""

    def set_fault(name: str | None) -> None:
        asked = json.dumps({"fault": name, "seconds": 2, "count": 1_000}).encode()
        urllib.request.urlopen(f"{odoo_url}/sandbox/control", asked, timeout=10).close()

    yield set_fault
    set_fault(None)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a second is as long here as half a minute elsewhere."""
    monkeypatch.setitem(clients.connect.__kwdefaults__, "timeout_seconds", 0.5)
    monkeypatch.setattr("apps.odoo.provision.CALL_TIMEOUT_SECONDS", 0.5)


@pytest.fixture
def main(odoo_url: str) -> Iterator[Connection]:
    """A connection to it that was well until now."""
    for slug in ["finance", "sales", "warehouse", "purchasing"]:
        Team.objects.get_or_create(slug=slug, defaults={"name": slug.title()})
    call_command("connect_odoo", "main", **GOOD, url=odoo_url, stdout=StringIO())
    call_command("sync", "main", "--model", "res.currency", "--full", stdout=StringIO())
    connection = Connection.objects.get()
    yield connection
    clients.forget(connection)


def refusal(*command: str, **options: Any) -> str:
    """What a command says that fails; it says nothing else, and all of it on one line."""
    out = StringIO()
    with pytest.raises(CommandError) as failed:
        call_command(*command, **options, stdout=out)
    said = str(failed.value)
    assert failed.value.returncode == 1
    assert "\n" not in said
    return said


@pytest.mark.parametrize(
    ("wrong", "what", "remedy"),
    [
        ({"url": "http://127.0.0.1:1"}, "no connection to http://127.0.0.1:1", "Check the address"),
        ({"url": "http://no-such-host.invalid"}, "the name 'no-such-host.invalid' is not known", "Check the address"),
        ({"url": "erp"}, "address", "http"),
        ({"key": "wrong"}, "the key was not accepted for login 'tower' in database 'sandbox'", "Make a new API key"),
        ({"login": "nobody"}, "the key was not accepted for login 'nobody'", "Make a new API key"),
        ({"db": "nowhere"}, "there is no database 'nowhere' on that server", "Check the database's name"),
    ],
)
def test_what_was_entered_wrongly_is_named_with_the_remedy_and_nothing_is_stored(
    odoo_url: str, wrong: dict[str, str], what: str, remedy: str
) -> None:
    said = refusal("connect_odoo", "main", **{**GOOD, "url": odoo_url, **wrong})
    assert said.startswith("Connection 'main': ")
    assert what in said
    assert remedy in said
    assert not Connection.objects.exists()


FAULTS = {
    "down": ("a proxy before http://127.0.0.1", "Check the address, and that Odoo"),
    "half": ("broke off before its answer was whole", "Check the address, and that Odoo"),
    "html": ("an HTML page (it begins '<html><body>Down for maintenance", "no proxy or sign-in page stands before it"),
    "slow": ("did not answer within 0.5 s", "Check the address, and that Odoo"),
}


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("fault", FAULTS)
def test_an_odoo_in_trouble_is_told_by_every_command_and_on_the_page(
    trouble: Callable[[str | None], None], main: Connection, odoo_url: str, fault: str
) -> None:
    what, remedy = FAULTS[fault]
    trouble(fault)
    for command in (
        ("sync", "main"),
        ("sync", "main", "--full"),
        ("reconcile", "main"),
        ("provision_odoo", "main", "--dry-run"),
        ("provision_odoo", "main"),
        ("provision_odoo", "main", "--remove"),
    ):
        said = refusal(*command)
        assert said.startswith("Connection 'main': "), command
        assert what in said, command
        assert remedy in said, command
    assert what in refusal("connect_odoo", "other", **GOOD, url=odoo_url)

    polling.poll_all(clock=clock.now)
    person("ivan", Role.INTEGRATOR)
    browser = Client()
    assert browser.login(username="ivan", password="a long password")
    for page in ("/connections/main/", "/connections/"):
        shown = browser.get(page).content.decode().replace("&#x27;", "'").replace("&lt;", "<").replace("&gt;", ">")
        assert what in shown, page
        assert remedy in shown, page
    trouble(None)
    cache.clear()  # The rest that the breaker gives it is over.
    probing.probe_all(clock=clock.now)
    main.refresh_from_db()
    assert (main.state, main.problem) == ("connected", "")


@pytest.mark.usefixtures("impatient")
def test_while_one_odoo_is_in_trouble_the_others_are_read(
    trouble: Callable[[str | None], None], main: Connection, odoo_url: str, tmp_path: Path
) -> None:
    with served(tmp_path, "--no-business") as well:
        call_command("connect_odoo", "another", **GOOD, url=well, stdout=StringIO())
        call_command("sync", "another", "--full", stdout=StringIO())
        SyncState.objects.filter(connection__name="another").update(increment_at=None)
        trouble("slow")
        polling.poll_all(clock=clock.now)
        read = SyncState.objects.filter(connection__name="another", odoo_model="sale.order").get()
    assert read.increment_at is not None
    assert {one.name: one.state for one in Connection.objects.all()} == {"main": "failing", "another": "connected"}


@pytest.mark.django_db(transaction=True)
def test_the_exit_status_is_1_and_the_terminal_shows_a_sentence_and_no_traceback(process_environment: dict[str, str]) -> None:
    done = subprocess.run(
        [
            sys.executable,
            "manage.py",
            "connect_odoo",
            "main",
            "--url",
            "http://127.0.0.1:1",
            "--db",
            "d",
            "--login",
            "l",
            "--key",
            "k",
        ],
        cwd=ROOT,
        env=process_environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("CommandError: Connection 'main': no connection to http://127.0.0.1:1")
    assert "Traceback" not in done.stderr


def test_a_login_without_rights_is_told_which_it_lacks_and_reads_the_rest(odoo_url: str) -> None:
    out = StringIO()
    call_command("connect_odoo", "sofia", url=odoo_url, db="sandbox", login="sofia", key="sofia", stdout=out)
    assert "Login 'sofia' may not read " in out.getvalue()
    assert "account.move" in out.getvalue()
    assert "login 'sofia' may not read account.move. Give it the right" in refusal("sync", "sofia", "--model", "account.move")
    call_command("sync", "sofia", "--full", "--model", "sale.order", stdout=StringIO())
    assert "login 'sofia' may not do" in refusal("provision_odoo", "sofia", "--dry-run")
    clients.forget(Connection.objects.get())


@contextmanager
def without(*models: str) -> Iterator[str]:
    """The address of an Odoo in which the apps with these models are not installed."""
    company = Company(None, orders=40)
    for model in models:
        del company.models[model]
        company.store.table("ir.model").put(company.model_ids[model], None)
    config = uvicorn.Config(Doors(company, Control(company)), port=free_port(), log_level="error")
    server = uvicorn.Server(config)
    running = threading.Thread(target=server.run, daemon=True)
    running.start()
    while not server.started:
        assert running.is_alive()
    try:
        yield f"http://127.0.0.1:{config.port}"
    finally:
        server.should_exit = True
        running.join(timeout=20)
        company.close()


def test_a_missing_app_is_named_and_what_is_there_is_read() -> None:
    out = StringIO()
    with without("base.automation", "purchase.order", "purchase.order.line") as url:
        call_command("connect_odoo", "small", **GOOD, url=url, stdout=out)
        assert "There is no purchase.order and purchase.order.line here" in out.getvalue()
        assert "'Automation Rules' is not installed: install it" in out.getvalue()
        assert "Install the app that has it" in refusal("sync", "small", "--model", "purchase.order")
        assert "Install the app 'Automation Rules'" in refusal("provision_odoo", "small")
        call_command("sync", "small", "--full", stdout=StringIO())
    assert Position.objects.filter(workflow="order_to_cash").exists()
    assert not Position.objects.filter(workflow="procure_to_pay").exists()
    shown = {row.model for row in coverage.by_model(Connection.objects.get())}
    assert "sale.order" in shown
    assert "purchase.order" not in shown
    clients.forget(Connection.objects.get())


def test_what_does_not_exist_is_refused_with_what_does(main: Connection) -> None:
    assert "there is: main" in refusal("sync", "nobody")
    assert "there is: main" in refusal("provision_odoo", "nobody")
    assert "sale.order" in refusal("sync", "main", "--model", "no.such.model")

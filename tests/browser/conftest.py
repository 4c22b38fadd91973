"""A real server of the tower, and a real Chromium that looks at it."""

import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.db import connection, connections
from django.db.backends.base.operations import BaseDatabaseOperations
from playwright.sync_api import Browser, BrowserContext, Page, expect
from pytest_playwright_axe import Axe

from apps.accounts.models import Role, Team, User
from apps.core import clock
from apps.core.transactions import atomic_with_retry
from controltower import embedded
from tests.tower import eventually
from tests.world import World, person

ROOT = Path(__file__).resolve().parent.parent.parent
PASSWORD = "a long password"  # What tests.world.person gives everybody.
PHONE, DESKTOP = {"width": 390, "height": 844}, {"width": 1440, "height": 900}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(item.fspath).is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.browser)


def elsewhere[T](act: Callable[[], T]) -> T:
    """Do something in a thread of its own, as another process would: this one's runs Playwright's event loop."""

    def alone() -> T:
        try:
            return act()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(alone).result(30)


class Server:
    """The web process on the test database, on a port of its own."""

    def __init__(self, environment: dict[str, str], log: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.environment = environment | {"PORT": str(self.port), "PUBLIC_URL": f"http://127.0.0.1:{self.port}"}
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = log
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "uvicorn", "controltower.asgi:application", "--port", str(self.port), "--no-access-log"],
                cwd=ROOT,
                env=self.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                preexec_fn=embedded.die_with_parent(signal.SIGKILL),
            )
        eventually(self._answers, what="the server to answer")

    def _answers(self) -> bool:
        assert self.runs, f"The server ended:\n{self.log.read_text()[-3000:]}"
        with suppress(OSError), urllib.request.urlopen(f"{self.url}/accounts/login/", timeout=5) as answer:
            return bool(answer.status == 200)
        return False

    @property
    def runs(self) -> bool:
        """Whether it has been started, and has not ended."""
        return self.process is not None and self.process.poll() is None

    def stop(self) -> None:
        """Stop it, as a restart does."""
        if self.process and self.runs:
            self.process.kill()
            self.process.wait(10)


@pytest.fixture(scope="session", autouse=True)
def emptied_beside_the_server() -> Iterator[None]:
    """Empty the tables anew where the server stood in the way: between two queries of an answer it looks idle."""
    with pytest.MonkeyPatch.context() as patched:
        flush = BaseDatabaseOperations.execute_sql_flush
        patched.setattr(BaseDatabaseOperations, "execute_sql_flush", atomic_with_retry(flush))
        yield


@pytest.fixture
def world(chromium: Browser, transactional_db: None) -> Iterator[World]:
    """A company with one order on credit hold, asked for ten minutes ago, and people of each role."""
    yield elsewhere(_company)
    # The server may still be answering what the pages asked for last: emptying the tables beside it can end in a deadlock.
    eventually(lambda: elsewhere(_is_quiet), what="the server to have answered")


def _is_quiet() -> bool:
    """Whether no other session is at work in the test's database."""
    with connection.cursor() as cursor:
        cursor.execute("""
            SELECT count(*) FROM pg_stat_activity
             WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend' AND state <> 'idle'
        """)
        return bool(cursor.fetchone()[0] == 0)


def _company() -> World:
    for slug in ["finance", "sales", "warehouse", "purchasing"]:
        Team.objects.get_or_create(slug=slug, defaults={"name": slug.title()})
    person("olga", Role.OPERATOR, team="finance")
    person("adam", Role.APPROVER, limit=50_000, team="finance")
    person("mia", Role.MANAGER, limit=250_000, team="finance")
    person("ivan", Role.INTEGRATOR)
    # Tests hash passwords the quick way, which the server does not know.
    hasher = PBKDF2PasswordHasher()
    User.objects.update(password=hasher.encode(PASSWORD, hasher.salt(), iterations=1_000))
    world = World()
    world.now = clock.now() - timedelta(minutes=10)
    world.owes(1_000, due_days_ago=12)
    world.held_order(amount=6_200)
    return world


@pytest.fixture(scope="session")
def web(database_environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all tests of a worker: to start it costs more than most of them."""
    # A busy machine may take five seconds to show the button; a test that waits for its end has patience.
    server = Server(database_environment | {"UNDO_SECONDS": "15"}, tmp_path_factory.mktemp("web") / "server.log")
    yield server
    server.stop()


@pytest.fixture
def server(web: Server, world: World) -> Server:
    """The server, which an earlier test may have stopped."""
    if not web.runs:
        web.start()
    return web


Visit = Callable[..., Page]


def barriers(page: Page, *, of_colour_alone: bool = False) -> list[str]:
    """What axe finds on the page that keeps somebody from using it. Of another theme only the colours are new."""
    options = {"runOnly": ["color-contrast"]} if of_colour_alone else None
    found = Axe().run(page, options=options, html_report_generated=False, json_report_generated=False)["violations"]
    return [f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in found if one["impact"] in ("serious", "critical")]


@pytest.fixture
def visit(chromium: Browser, server: Server) -> Iterator[Visit]:
    """Opens a path as a person: ``visit("adam", "/approvals/", size=PHONE, theme="dark")``.

    What the browser complains of (an error in a script, something the content security policy forbids) fails the test.
    """
    contexts: dict[tuple[str, int, str], BrowserContext] = {}
    complaints: list[str] = []

    def open_page(name: str, path: str, *, size: dict[str, int] = DESKTOP, theme: str = "light") -> Page:
        key = (name, size["width"], theme)
        if key not in contexts:
            contexts[key] = chromium.new_context(viewport=size, color_scheme=theme, base_url=server.url)  # type: ignore[arg-type]
            if name:
                sign_in(contexts[key], name)
        page = contexts[key].new_page()
        page.on("pageerror", lambda error: complaints.append(f"{path}: {error}"))
        page.on(
            "console",
            lambda said: complaints.append(f"{path}: {said.text}") if "Content Security Policy" in said.text else None,
        )
        page.goto(path)
        return page

    yield open_page
    for context in contexts.values():
        context.close()
    assert not complaints, "\n".join(complaints)


def sign_in(context: BrowserContext, name: str) -> None:
    page = context.new_page()
    page.goto("/accounts/login/")
    page.fill("#id_login", name)
    page.fill("#id_password", PASSWORD)
    page.click("button[type=submit]")
    expect(page.locator("#main .page-head, #main .stack").first, f"{name} could not sign in").to_be_visible(timeout=15_000)
    page.close()

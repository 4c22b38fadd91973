"""The ground every test stands on: real PostgreSQL and Valkey, and the people the tests are about.

The servers are started here, at import, because Django's settings need their addresses before the first fixture runs.
``DATABASE_URL`` and ``REDIS_URL``, where both are given, name servers to use instead. With ``-n`` each worker gets
servers of its own, so that neither rows nor messages of one reach another.
"""

import atexit
import os
import shutil
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

import django
import pytest

from controltower import embedded
from tests import migrated, standing
from tests.site import company, site, tower  # noqa: F401

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from apps.accounts.models import User
    from tests.world import World

NO_ODOO = "there is no real Odoo; set ODOO_URL, ODOO_DB, ODOO_LOGIN and ODOO_PASSWORD, or run `make test-odoo`"
NO_CHROMIUM = "there is no Chromium; install the package chromium, or name one in CHROMIUM, or run `make test-browser`"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), "")
# The files whose tests find the tower's guards in the real Odoo.
GUARDED = pytest.StashKey[set[str]]()
IS_WORKER = "PYTEST_XDIST_WORKER" in os.environ
HAS_OWN_SERVERS = IS_WORKER or bool(os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL"))
HOME = Path(os.environ["CONTROLTOWER_HOME"] if IS_WORKER else tempfile.mkdtemp(prefix="controltower-tests-"))
leases: list[embedded.Lease] = []


def start_servers(name: str) -> dict[str, str]:
    """Servers that lose everything when the run ends, as the environment variables that name them."""
    migrated.copy_to(HOME / name)
    lease = embedded.use(HOME / name, fsync=False, temporary=True)
    leases.append(lease)
    return {"DATABASE_URL": lease.services.database_url, "REDIS_URL": lease.services.redis_url}


def stop_servers() -> None:
    """Stop what ``start_servers`` started. A run that is killed needs none of this: its leases end with it."""
    while leases:
        leases.pop().release()
    if not IS_WORKER:
        shutil.rmtree(HOME, ignore_errors=True)


atexit.register(stop_servers)  # For runs that end before pytest is configured.
if not HAS_OWN_SERVERS:
    migrated.make(Path(os.environ.get("CONTROLTOWER_HOME") or HOME) / "tests")
os.environ["CONTROLTOWER_HOME"] = str(HOME)
if not HAS_OWN_SERVERS:
    os.environ |= start_servers("servers")
os.environ["DJANGO_SETTINGS_MODULE"] = "controltower.settings"
django.setup()

from django.conf import settings  # noqa: E402
from django.db.backends.signals import connection_created  # noqa: E402

# People are made for every test; a slow hash would be most of the run.
settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
if migrated.PLACE in os.environ:
    settings.DATABASES["default"]["TEST"]["TEMPLATE"] = migrated.DATABASE

# The database sessions that have their place for temporary tables.
begun: WeakSet[Any] = WeakSet()


def begin_temporary_tables(connection: Any, **_: Any) -> None:
    """Have the session's schema of temporary tables there before any test.

    Made within a test it would go with the test's rollback, and each test would make it anew; with a new schema PostgreSQL
    gives up every plan that the session keeps, which was more than half of what a test asks of it.
    """
    session = connection.connection
    if session not in begun:
        session.execute("CREATE TEMP TABLE begun (); DROP TABLE begun")
        begun.add(session)


connection_created.connect(begin_temporary_tables)


def pytest_collection_modifyitems(session: pytest.Session, items: list[pytest.Item]) -> None:
    """Skip what needs something that is not there, by name, so that the summary counts it.

    Where several workers share the tests, those that take long come first.
    """
    session.stash[GUARDED] = guarded = standing.wanting(items)
    if IS_WORKER:
        items.sort(key=lambda item: (item.get_closest_marker("long") is None, item.nodeid.partition("::")[0] not in guarded))
    for item in items:
        if item.get_closest_marker("odoo") and not os.environ.get("ODOO_URL"):
            item.add_marker(pytest.mark.skip(reason=NO_ODOO))
        if item.get_closest_marker("browser") and not CHROMIUM:
            item.add_marker(pytest.mark.skip(reason=NO_CHROMIUM))


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Have the real Odoo as it is without the tower, for tests that do not say otherwise."""
    if item.get_closest_marker("odoo") and item.nodeid.partition("::")[0] not in item.session.stash[GUARDED]:
        standing.take_down()


def pytest_sessionfinish() -> None:
    """Leave the real Odoo as it was."""
    standing.take_down()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say loudly what could not be tried."""
    reasons = [str(report.longrepr) for report in terminalreporter.stats.get("skipped", [])]
    for reason in (NO_ODOO, NO_CHROMIUM):
        if count := sum(reason in text for text in reasons):
            terminalreporter.write_line(f"!!! {count} tests could not run: {reason}", yellow=True, bold=True)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes(specs: list[Any]) -> None:
    """Give each worker servers of its own, unless the ones to use were named, and an Odoo of its own where there are several."""
    for number, spec in enumerate(specs, start=1):
        if not HAS_OWN_SERVERS:
            spec.env |= start_servers(f"worker-{number}")
        own = f"ODOO_{number}_"
        spec.env |= {f"ODOO_{name.removeprefix(own)}": value for name, value in os.environ.items() if name.startswith(own)}


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    from django.db import connections

    for connection in connections.all(initialized_only=True):
        connection.close()
        # The pool's threads would otherwise see their server go and complain.
        connection.close_pool()
    stop_servers()


@pytest.fixture(scope="session")
def django_db_keepdb(request: pytest.FixtureRequest) -> bool:
    """The test database goes with its server; dropping it first would only wait for sessions to end."""
    return bool(leases) or IS_WORKER or request.config.getvalue("reuse_db")


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """Give up a pool that was opened before the test database had its name: all tables would be made where that one leads."""
    from django.db import connection

    connection.close_pool()


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> None:
    """Tests that commit empty every table after themselves, which the audit trail otherwise refuses.

    SQL that moves a row is held to the table of its moves.
    """
    from django.db import connection

    from tests import transitions

    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_entry DISABLE TRIGGER audit_no_truncate")
        transitions.hold_sql(cursor)


@pytest.fixture(autouse=True)
def no_language_is_left_over() -> None:
    """Begin each test in English: a request leaves the language active that its reader read."""
    from django.utils import translation

    translation.activate("en")


@pytest.fixture(autouse=True)
def no_rates_are_left_over() -> None:
    """Begin each test without what another's currencies were worth."""
    from apps.mirror import rates

    rates.forget()


@pytest.fixture(autouse=True)
def pool_is_whole_again(request: pytest.FixtureRequest) -> Iterator[None]:
    """Give each test that commits a pool of its own.

    The threads of an event loop end with the test, and the database sessions that they hold are given back by nobody: a few
    such tests later there would be none left.
    """
    yield
    if commits(request.node):
        from django.db import connection

        connection.close()
        connection.close_pool()


def commits(item: pytest.Item) -> bool:
    """Whether a test works with more than one database session."""
    marker = item.get_closest_marker("django_db")
    is_marked = marker is not None and bool(marker.kwargs.get("transaction") or True in marker.args[:1])
    return is_marked or "transactional_db" in getattr(item, "fixturenames", ())


@pytest.fixture(scope="session")
def chromium() -> "Iterator[Browser]":
    """The browser, one for the whole run: Playwright allows one event loop a thread."""
    from playwright.sync_api import expect, sync_playwright

    from tests.tower import PATIENCE_SECONDS

    expect.set_options(timeout=PATIENCE_SECONDS * 1000)

    # Its event loop runs in this thread, where Django would refuse every query.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture(autouse=True)
def linked_people(request: pytest.FixtureRequest) -> Iterator[None]:
    """Make everybody somebody in each Odoo who has no login there: only who is known there may decide.

    Tests marked ``unlinked`` go without.
    """
    from django.db.models.signals import post_save

    from apps.accounts.models import User
    from apps.odoo.models import Connection, LinkedUser

    def link(instance: "User | Connection", created: bool, **_: Any) -> None:
        if created:
            people = [instance] if isinstance(instance, User) else User.objects.filter(odoo_login="")
            places = [instance] if isinstance(instance, Connection) else Connection.objects.all()
            LinkedUser.objects.bulk_create(
                LinkedUser(connection=place, user=user, uid=1_000_000 + user.pk, linked_at=datetime.now(UTC))
                for user in people
                if not user.odoo_login
                for place in places
            )

    models = () if request.node.get_closest_marker("unlinked") else (User, Connection)
    for model in models:
        post_save.connect(link, sender=model, weak=False)
    yield
    for model in models:
        post_save.disconnect(link, sender=model)


@pytest.fixture
def now() -> datetime:
    """A fixed moment, Monday 2026-11-23 10:00 UTC, to be passed wherever ``now`` is asked for."""
    return datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


def person(username: str, first_name: str, last_name: str, **fields: Any) -> "User":
    """A person who signs in with the password ``correct horse battery``."""
    from apps.accounts.models import User

    return User.objects.create_user(
        username,
        email=f"{username}@example.com",
        password="correct horse battery",
        first_name=first_name,
        last_name=last_name,
        **fields,
    )


@pytest.fixture
def world(db: None) -> "World":
    """A company, and those who work in its tower. Where a folder needs others, it has a world of its own."""
    from tests import world

    return world.with_people()


@pytest.fixture
def olga_operator(db: None) -> "User":
    """Works the queue."""
    return person("olga", "Olga", "Operator", role="operator")


@pytest.fixture
def adam_approver(db: None) -> "User":
    """Decides up to 50,000."""
    return person("adam", "Adam", "Approver", role="approver", approval_limit=Decimal(50_000))


@pytest.fixture
def mia_manager(db: None) -> "User":
    """Decides up to 250,000, and makes policy."""
    return person("mia", "Mia", "Manager", role="manager", approval_limit=Decimal(250_000))


@pytest.fixture
def ivan_integrator(db: None) -> "User":
    """Looks after connections, commands and deliveries."""
    return person("ivan", "Ivan", "Integrator", role="integrator")


@pytest.fixture
def aida_auditor(db: None) -> "User":
    """Reads everything, the audit trail too, and changes nothing."""
    return person("aida", "Aida", "Auditor", role="auditor")


@pytest.fixture
def anna_admin(db: None) -> "User":
    """May do everything but decide beyond a limit, and has none."""
    return person("anna", "Anna", "Admin", role="admin")


@pytest.fixture(scope="session")
def database_environment(django_db_setup: None) -> dict[str, str]:
    """The environment of a process that works on the test database."""
    from django.db import connection

    named = os.environ["DATABASE_URL"]
    return os.environ | {"DATABASE_URL": named.rpartition("/")[0] + "/" + connection.settings_dict["NAME"]}


@pytest.fixture
def process_environment(transactional_db: None, database_environment: dict[str, str]) -> dict[str, str]:
    """The environment of a process that is to work on the test database, beside the test.

    Committed rows are what the process sees, so the test is transactional.
    """
    return dict(database_environment)

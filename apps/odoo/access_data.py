"""Change how a connection is reached, or delete it: what people ask for. Workers do the rest (:mod:`apps.odoo.access_test`)."""

from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext

from apps.accounts import permissions
from apps.accounts.models import User
from apps.audit import trail
from apps.core import live
from apps.core.refusals import Problem, Refusal
from apps.core.wake import wake
from apps.odoo.models import AccessTest, AccessTestState, Connection
from apps.odoo.transitions import CONNECTIONS

TEST, REGISTER, DELETE = "pipeline.test_access", "pipeline.register", "pipeline.delete_connection"
# What Odoo said longer ago than this is asked again before it is saved.
TEST_VALID_FOR = timedelta(hours=1)
FIELDS = ("url", "database", "login", "api_key")


class AccessDataError(Refusal):
    """The access data cannot be changed so; the message says why, and what to do."""

    problem = Problem(
        "access_data_refused",
        422,
        "Connection not changed",
        meaning="Access data have not been tested, were tested too long ago, or a deletion is not confirmed.",
        remedy="Test the access data again, or confirm with the connection's name.",
    )


@transaction.atomic
def request_test(
    connection: Connection, *, url: str, database: str, login: str, api_key: str, by: User, now: datetime
) -> AccessTest:
    """Have a worker test access data; nothing of the connection changes yet.

    Args:
        api_key: empty to keep the stored one, which only the stored address, database and login may be given.

    Raises:
        AccessDataError: a stored key would be sent elsewhere, or the connection is being deleted.
        NotAllowedError: only integrators may.
    """
    permissions.check_may_integrate(by)
    _check_stands(connection)
    if not api_key:
        if (url, database, login) != (connection.url, connection.database, connection.login):
            raise AccessDataError(
                gettext("Enter the API key as well: the stored one belongs to the stored address, database and login.")
            )
        api_key = connection.api_key or ""
    # One test a connection: what was tested before is worth nothing once somebody tries something else.
    AccessTest.objects.filter(connection=connection).delete()
    test = AccessTest.objects.create(
        connection=connection, url=url, database=database, login=login, api_key=api_key, requested_by=by, requested_at=now
    )
    trail.record(
        trail.Event(
            action="connection.tested",
            actor=by.actor,
            subject=f"connection:{connection.name}",
            data={"url": url, "database": database, "login": login},
            about=(connection.pk, None),
        ),
        now=now,
    )
    wake(TEST, test_id=test.pk)
    return test


@transaction.atomic
def save_tested(test: AccessTest, *, by: User, now: datetime) -> list[str]:
    """Give the connection the access data that Odoo accepted; the names of the fields that changed.

    Raises:
        AccessDataError: the test has not passed, or is too old.
        NotAllowedError: only integrators may.
    """
    permissions.check_may_integrate(by)
    connection = Connection.objects.select_for_update().get(pk=test.connection_id)
    _check_stands(connection)
    found = AccessTest.objects.select_for_update().filter(pk=test.pk).first()
    if found is None:
        raise AccessDataError(gettext("Other access data have been tested since. Review those, or test yours again."))
    if found.state != AccessTestState.PASSED or now - found.requested_at > TEST_VALID_FOR:
        raise AccessDataError(gettext("The test is older than an hour. Test again before saving."))
    changed = [name for name in FIELDS if getattr(connection, name) != getattr(found, name)]
    for name in changed:
        setattr(connection, name, getattr(found, name))
    CONNECTIONS.make("check", connection)
    connection.state_since, connection.problem, connection.is_active = now, "", True
    connection.save(update_fields=[*FIELDS, "state", "state_since", "problem", "is_active"])
    found.delete()
    trail.record(
        trail.Event(
            action="connection.changed",
            actor=by.actor,
            subject=f"connection:{connection.name}",
            data={"url": connection.url, "database": connection.database, "login": connection.login, "changed": changed},
            about=(connection.pk, None),
        ),
        now=now,
    )
    live.announce(["health"])
    wake(REGISTER, connection_id=connection.pk)
    return changed


@transaction.atomic
def request_deletion(connection: Connection, *, confirmed_name: str, lost: dict[str, int], by: User, now: datetime) -> None:
    """Stop the connection for good, and have a worker delete it with all that was read of it and decided about it.

    Args:
        lost: how many of what goes with it, for the audit trail, which keeps its own entries.

    Raises:
        AccessDataError: the name was not entered, or it is being deleted already.
        NotAllowedError: only integrators may.
    """
    permissions.check_may_integrate(by)
    found = Connection.objects.select_for_update().get(pk=connection.pk)
    _check_stands(found)
    if confirmed_name.strip() != found.name:
        raise AccessDataError(gettext("Not deleted: enter the name %(name)s to confirm.") % {"name": found.name})
    found.is_active, found.delete_requested_at = False, now
    found.save(update_fields=["is_active", "delete_requested_at"])
    trail.record(
        trail.Event(
            action="connection.deletion_requested",
            actor=by.actor,
            subject=f"connection:{found.name}",
            data={"url": found.url, "database": found.database, "lost": lost},
            about=(found.pk, None),
        ),
        now=now,
    )
    live.announce(["health"])
    wake(DELETE, connection_id=found.pk)


def _check_stands(connection: Connection) -> None:
    if connection.delete_requested_at:
        raise AccessDataError(gettext("%(name)s is being deleted.") % {"name": connection.name})

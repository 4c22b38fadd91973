"""From the error that Odoo names to the error that the tower names: one table for both transports."""

from apps.odoo.errors import (
    ForbiddenError,
    LockedError,
    MissingRecordError,
    OdooError,
    RefusedError,
    ServerFaultError,
    UnauthorisedError,
    UnsupportedError,
    bounded,
)

LOOK_IN_ODOO = "Open the record in Odoo and do what its message asks for."
# Odoo's class names, without their modules: those moved between versions (odoo.exceptions, psycopg2.errors).
BUSINESS_RULES = {
    "UserError",
    "ValidationError",
    "RedirectWarning",
    "Warning",
    "except_orm",
    "IntegrityError",
    "UniqueViolation",
    "ForeignKeyViolation",
    "NotNullViolation",
    "CheckViolation",
}
LOCKS = {
    "LockError",
    "LockNotAvailable",
    "SerializationFailure",
    "DeadlockDetected",
    "TransactionRollbackError",
    "ConcurrencyError",
    "QueryCanceled",
    "TooManyRequests",
}
NOT_THERE = {"KeyError", "AttributeError", "TypeError", "NotFound", "UnprocessableEntity", "NotImplementedError"}


def not_accepted(connection: str, *, login: str, database: str) -> UnauthorisedError:
    """The error for a key or password that Odoo does not take."""
    return UnauthorisedError(
        connection,
        f"the key was not accepted for login '{login}' in database '{database}'",
        "Make a new API key in Odoo (Preferences, Account Security) and run connect_odoo again.",
    )


def no_database(connection: str, *, database: str) -> UnauthorisedError:
    """The error for a database that is not on that server."""
    return UnauthorisedError(
        connection,
        f"there is no database '{database}' on that server",
        "Check the database's name (Odoo shows it at /web/database/selector) and run connect_odoo again.",
    )


def named(connection: str, *, name: str, message: str, about: str, login: str, database: str) -> OdooError:
    """The tower's error for Odoo's error ``name`` (a Python class's full name) with its ``message``.

    ``about`` says what was asked, for example ``sale.order.action_confirm``.
    """
    kind, message = name.rsplit(".", 1)[-1], bounded(message)
    if kind in ("AccessDenied", "Unauthorized"):
        return not_accepted(connection, login=login, database=database)
    if kind in ("AccessError", "Forbidden"):
        return ForbiddenError(connection, f"login '{login}' may not do {about}: {message}", "Give that login the right in Odoo.")
    if kind == "MissingError":
        return MissingRecordError(connection, f"the record that {about} was for is not there any more", "It was deleted in Odoo.")
    if kind in LOCKS or "could not serialize access" in message or "deadlock detected" in message:
        return LockedError(connection, f"{about} met a lock ({message})", "Nothing was done; the tower tries again.")
    if kind == "UserError" and message.startswith("Object ") and message.endswith("doesn't exist"):
        kind = "KeyError"  # How /jsonrpc speaks of a model that is not there.
    if kind in BUSINESS_RULES:
        return RefusedError(connection, message, LOOK_IN_ODOO)
    if kind == "OperationalError" and "does not exist" in message and "database" in message:
        return no_database(connection, database=database)
    if kind in NOT_THERE or (kind == "ValueError" and "nvalid field" in message):
        return UnsupportedError(
            connection,
            f"this Odoo cannot do {about}: {message}",
            "Check its version and installed apps, then run connect_odoo again so that the tower learns what is there.",
        )
    return ServerFaultError(
        connection, f"Odoo failed inside at {about} ({kind}: {message})", "Odoo's own log says where it failed."
    )

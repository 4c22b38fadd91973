"""What can go wrong with an Odoo, in a few names. Each message names the connection, what happened and the remedy."""

# Odoo's own texts can hold a whole traceback; people get its beginning.
LONGEST = 2_000


class OdooError(Exception):
    """Something is wrong with a connection or with what was asked of it."""

    remedy = ""

    def __init__(self, connection: str, message: str, *, remedy: str = "") -> None:
        self.connection, self.message, self.remedy = connection, message.strip()[:LONGEST], remedy or self.remedy
        super().__init__(f"Connection {connection}: {self.message}" + (f" {self.remedy}" if self.remedy else ""))


class UnreachableError(OdooError):
    """Nothing answers at the address, or not in time, and nothing was written."""

    remedy = "Check that Odoo runs and that its address is right; the tower tries again by itself."


class UnauthorisedError(OdooError):
    """The login and key were not accepted."""

    remedy = "Make a new API key in Odoo (Preferences, Account Security) and enter it with connect_odoo."


class ForbiddenError(OdooError):
    """The tower's user in Odoo may not do this."""

    remedy = "Give the tower's user in Odoo the right to it."


class MissingRecordError(OdooError):
    """The record is not there any more."""


class RefusedError(OdooError):
    """Odoo's business rules say no; the message is in Odoo's words."""


class LockedError(OdooError):
    """Somebody else is writing the same record; trying again is safe."""


class UnknownOutcomeError(OdooError):
    """The answer to a write was lost: it may have happened, or may still."""


class BadAnswerError(OdooError):
    """What answered does not speak as Odoo does, or not in whole."""

    remedy = "Check that the address is Odoo's own, and what a proxy before it does."


# Odoo's exception class → ours. Both transports carry the class's full name.
NAMED = {
    "odoo.exceptions.AccessDenied": UnauthorisedError,
    "odoo.http.SessionExpiredException": UnauthorisedError,
    "odoo.exceptions.AccessError": ForbiddenError,
    "odoo.exceptions.MissingError": MissingRecordError,
    "odoo.exceptions.UserError": RefusedError,
    "odoo.exceptions.ValidationError": RefusedError,
    "odoo.exceptions.RedirectWarning": RefusedError,
    "odoo.exceptions.LockError": LockedError,
    "odoo.exceptions.ConcurrencyError": LockedError,
    "psycopg2.errors.SerializationFailure": LockedError,
    "psycopg2.errors.LockNotAvailable": LockedError,
    "psycopg2.errors.DeadlockDetected": LockedError,
    "werkzeug.exceptions.Unauthorized": UnauthorisedError,
    "werkzeug.exceptions.Forbidden": ForbiddenError,
}


def named(connection: str, name: str, message: str) -> OdooError:
    """Odoo's error called ``name`` as one of ours; what is not known is a refusal to answer, with Odoo's words."""
    if kind := NAMED.get(name):
        return kind(connection, message)
    return BadAnswerError(connection, f"Odoo failed with {name}: {message}", remedy="Odoo's log has the details.")

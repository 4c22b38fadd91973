"""What can go wrong between the tower and an Odoo, by name.

Each error reads as one sentence that names the connection and what happened, and one that says what to do about it.
Whoever catches decides by class alone: the text is for people.
"""

# Odoo's own words are kept, but not without end: a fault there can answer with megabytes of traceback.
MESSAGE_LIMIT_CHARACTERS = 2_000


def bounded(text: object) -> str:
    """``text`` on one screen: stripped, and cut at ``MESSAGE_LIMIT_CHARACTERS``."""
    words = str(text).strip()
    return words if len(words) <= MESSAGE_LIMIT_CHARACTERS else words[: MESSAGE_LIMIT_CHARACTERS - 1] + "…"


class OdooError(Exception):
    """Something went wrong on a connection.

    ``connection`` is its name, ``what`` happened (a clause without a full stop), ``remedy`` what a person can do.
    """

    def __init__(self, connection: str, what: str, remedy: str) -> None:
        # One line: what another program said may come in several, and stands in the middle of a sentence here.
        self.connection, self.what, self.remedy = connection, bounded(" ".join(what.split())), remedy
        super().__init__(connection, what, remedy)

    def __str__(self) -> str:
        stop = "" if self.what.endswith((".", "!", "?", "…")) else "."
        return f"Connection '{self.connection}': {self.what}{stop} {self.remedy}"


class UnreachableError(OdooError):
    """Nothing came back, and nothing was done: refused, unknown host, too slow to read, a gateway's error page."""


class RestingError(UnreachableError):
    """It has not answered for a while, so it was not asked: the breaker before it is open (:mod:`apps.odoo.circuit`)."""


class UnauthorisedError(OdooError):
    """The key (or password) is not accepted, or the database is not there."""


class ForbiddenError(OdooError):
    """The login is known, and may not do this."""


class MissingRecordError(OdooError):
    """The record is not there any more."""


class RefusedError(OdooError):
    """A rule of the business in Odoo said no. ``message`` is Odoo's own sentence, as its user would read it."""

    def __init__(self, connection: str, message: str, remedy: str) -> None:
        self.message = bounded(message)
        super().__init__(connection, f"Odoo refused: {self.message}", remedy)


class LockedError(OdooError):
    """Odoo rolled back because somebody else held the row. Nothing was done, so it is safe to try again."""


class UnknownOutcomeError(OdooError):
    """A write was sent and no usable answer came: it may have happened, and may still be happening.

    The only right reaction is to read, on the primary, until Odoo's own limit for a request has passed.
    """


class BadAnswerError(OdooError):
    """What answered does not speak as Odoo does: another page, cut short, too long, or a redirect."""


class UnsupportedError(OdooError):
    """This Odoo does not know a model, field, method or argument that was named."""


class ServerFaultError(OdooError):
    """Odoo failed inside while it worked on the call, and rolled it back."""


class AddressRefusedError(OdooError):
    """The connection's address is one that the tower never calls."""


# What says that the whole connection does not work. Any other error may be of one model or record, and the others go on.
OF_THE_CONNECTION = (UnreachableError, UnauthorisedError, AddressRefusedError)

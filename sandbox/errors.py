"""Odoo's exceptions, under the names by which they travel over the wire."""


class OdooException(Exception):
    """The base of all; ``name`` is the Python class's full name in Odoo, ``status`` what JSON-2 answers."""

    name = "builtins.Exception"
    status = 500


class UserError(OdooException):
    """A business rule says no."""

    name = "odoo.exceptions.UserError"
    status = 422


class ValidationError(UserError):
    """The values cannot be."""

    name = "odoo.exceptions.ValidationError"


class AccessError(UserError):
    """The login lacks the right."""

    name = "odoo.exceptions.AccessError"
    status = 403


class MissingError(UserError):
    """The record is gone."""

    name = "odoo.exceptions.MissingError"
    status = 404


class AccessDenied(OdooException):
    """The sign-in failed."""

    name = "odoo.exceptions.AccessDenied"
    status = 401

    def __init__(self, message: str = "Access Denied") -> None:
        super().__init__(message)


class NoModelError(UserError):
    """There is no such model; JSON-2 says it in its own way (404, werkzeug's NotFound)."""

    status = 404


class NoMethodError(OdooException):
    """There is no such method on the model."""

    name = "builtins.AttributeError"
    status = 404


class NoFieldError(OdooException):
    """There is no such field on the model."""

    name = "builtins.ValueError"
    status = 500


class UnsupportedError(OdooException):
    """Odoo could do it and the sandbox cannot: it refuses, so that nothing is tested on what was quietly left out."""

    name = "builtins.NotImplementedError"


class SessionExpiredError(OdooException):
    """The web session is not known (any more)."""

    name = "odoo.http.SessionExpiredException"


class NoDatabaseError(OdooException):
    """That database is not here."""

    name = "psycopg2.OperationalError"

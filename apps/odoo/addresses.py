"""An Odoo's own address, guarded as every address that people enter (:mod:`apps.core.egress`), in the words of a connection."""

from django.utils.translation import gettext

from apps.core import egress
from apps.core.egress import AddressNotAllowedError
from apps.odoo.errors import AddressRefusedError


def checked_url(url: str, *, connection: str) -> str:
    """Return ``url`` without a slash at its end, if its form is one the tower calls. Raises AddressRefusedError."""
    try:
        parts = egress.checked_form(url.strip(), egress.ODOO)
    except AddressNotAllowedError as error:
        raise refused(connection, error) from error
    host = parts.hostname or ""
    host = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{host}{f':{parts.port}' if parts.port else ''}{parts.path.rstrip('/')}"


def refused(connection: str, error: AddressNotAllowedError) -> AddressRefusedError:
    """Return what the guard says as the error of a connection."""
    remedy = gettext("Give Odoo's own address, for example https://erp.example.com, and run connect_odoo again.")
    return AddressRefusedError(connection, str(error), remedy)

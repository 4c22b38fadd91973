"""The address of a vendor's page: the link's id, signed. It is stored nowhere, so that nobody finds it in the database."""

import uuid

from django.conf import settings
from django.core import signing

from apps.vendors.models import VendorLink

# Another for the form that a page shows, so that neither passes for the other.
LINK, FORM = "apps.vendors.links", "apps.vendors.forms"
# Not the colon that Django has: what makes links of addresses in a text may end them there.
BEFORE_SIGNATURE = "."
# What a page shows is answered within the day, or the page is loaded anew.
FORM_OPEN_FOR = 24 * 60 * 60


def token_of(link: VendorLink) -> str:
    """Return what the page's address names."""
    return signing.Signer(salt=LINK, sep=BEFORE_SIGNATURE).sign(link.pk.hex)


def address_of(link: VendorLink) -> str:
    """Return the page's whole address."""
    return f"{settings.PUBLIC_URL}/vendor/{token_of(link)}/"


def read(token: str) -> uuid.UUID | None:
    """Return the id of the link that a token was made for; None for one that was not made here. Compared in constant time."""
    try:
        return uuid.UUID(hex=signing.Signer(salt=LINK, sep=BEFORE_SIGNATURE).unsign(token))
    except (signing.BadSignature, ValueError):
        return None


def sign_form(form_id: uuid.UUID, link: VendorLink, order_id: int) -> str:
    """Return what a form carries: only who has been shown the page can send it, once, for that order."""
    return signing.dumps([form_id.hex, link.pk.hex, order_id], salt=FORM)


def read_form(text: str, link: VendorLink, order_id: int) -> uuid.UUID | None:
    """Return the form's id; None where it is of another link or order, too old, or not of a page of ours."""
    try:
        form_id, link_id, of_order = signing.loads(text, salt=FORM, max_age=FORM_OPEN_FOR)
        return uuid.UUID(hex=form_id) if (link_id, of_order) == (link.pk.hex, order_id) else None
    except (signing.BadSignature, ValueError, TypeError):
        return None

"""What no log is to say."""

import logging
import re

# The rest of such an address is a vendor's key to its orders (apps/vendors/links).
VENDOR_LINK = re.compile(r"(/vendor/)[^\s/\"']+")


class HideVendorLinks(logging.Filter):
    """Leave the key out of an address that is logged, whoever logs it."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite what names a vendor's page; every record is let through."""
        said = record.getMessage()
        if "/vendor/" in said:
            record.msg, record.args = VENDOR_LINK.sub(r"\1…", said), ()
        return True

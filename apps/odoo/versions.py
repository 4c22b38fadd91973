"""Odoo's version numbers."""

import re


def major(version: str) -> int:
    """19 for "19.0", "saas~19.2" and "19.0+e"; 0 when nothing can be read from it."""
    found = re.search(r"(\d+)", version)
    return int(found[1]) if found else 0

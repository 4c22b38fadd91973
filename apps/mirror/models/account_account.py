"""Odoo's ``account.account``."""

from apps.mirror.declare import Mirrored, Text


class Account(Mirrored):
    """An account of the ledger."""

    odoo_model = "account.account"

    name = Text()
    account_type = Text()

    class Meta(Mirrored.Meta):
        db_table = "mirror_account_account"

"""Who may do what: the rights of the people of the sandbox company."""

from fnmatch import fnmatch

ALL = "read write create unlink"
# Models that only administrators change.
SETTINGS = (
    "ir.*",
    "base.automation",
    "res.groups",
    "res.users",
    "res.company",
    "res.country",
    "res.currency",
    "res.currency.rate",
    "res.users.apikeys",
    "resource.calendar",
)
READABLE_SETTINGS = (
    "ir.model",
    "ir.model.data",
    "ir.model.fields",
    "res.groups",
    "res.users",
    "res.company",
    "res.country",
    "res.currency",
    "res.currency.rate",
    "res.users.apikeys",
    "ir.ui.view",
    "ir.module.module",
    "resource.calendar",
)
# External id of a group to the models and what its members may do with them; the first pattern that fits counts.
RIGHTS: dict[str, tuple[tuple[str, str], ...]] = {
    "base.group_system": (("x_*", ""), ("*", ALL)),
    "base.group_user": (
        *((model, "read") for model in READABLE_SETTINGS),
        ("mail.activity*", ALL),
        ("mail.message", "read create"),
        ("ir.attachment", "read create"),
        ("product.*", "read"),
        ("uom.uom", "read"),
        ("stock.*", "read"),
        ("res.partner", "read"),
        ("crm.team", "read"),
        ("delivery.carrier", "read"),
        ("helpdesk.*", "read write create"),
    ),
    "sales_team.group_sale_salesman": (
        ("sale.*", "read write create"),
        ("res.partner", "read write create"),
        ("stock.picking", "read write create"),
        ("stock.move", "read write create"),
    ),
    "purchase.group_purchase_user": (
        ("purchase.*", ALL),
        ("stock.*", "read write create"),
        ("sale.*", "read"),
        ("account.account", "read"),
    ),
    "account.group_account_invoice": (
        ("account.*", ALL),
        ("sale.*", "read write"),
        ("purchase.*", "read"),
        ("res.partner", "read write create"),
    ),
}


def standing_right(groups: set[str], model: str, operation: str) -> bool:
    """Whether a member of ``groups`` (external ids) may ``operation`` on ``model``."""
    for group in groups:
        for pattern, allowed in RIGHTS.get(group, ()):
            if fnmatch(model, pattern):
                if operation in allowed.split():
                    return True
                break
    return False

"""Which models of a real Odoo have rows that were written since a moment: one call in the place of one a model.

An increment finds rows by their ``write_date`` alone, so a model without a newer one has nothing to find. Tests look at Odoo
hundreds of times, and most of the sixty models have not changed since the look before.
"""

from collections.abc import Collection
from datetime import datetime, timedelta

from apps.odoo.client import OdooClient

NAME = "Control Tower tests: what has changed"
CODE = """
found = []
for name in env.context.get('tower_models') or []:
    if name in env:
        env.cr.execute('SELECT 1 FROM "%s" WHERE write_date >= %%s LIMIT 1' % env[name]._table, [env.context.get('tower_since')])
        if env.cr.fetchone():
            found.append(name)
action = {'type': 'ir.actions.act_window_close', 'infos': {'models': found}}
"""
# A row has the time at which its transaction began, and is seen once that is committed.
LONGEST_TRANSACTION = timedelta(seconds=10)

# The server action in each Odoo that answers.
_actions: dict[str, int] = {}


def since(odoo: OdooClient, models: Collection[str], moment: datetime) -> set[str]:
    """Return those of ``models`` that have rows written since ``moment``, or in a transaction that may have run then."""
    url = odoo.connection.url
    if url not in _actions:
        _actions[url] = _action(odoo)
    begun = f"{moment - LONGEST_TRANSACTION:%Y-%m-%d %H:%M:%S}"
    said = odoo.call("ir.actions.server", "run", [_actions[url]], context={"tower_models": sorted(models), "tower_since": begun})
    return set(said["infos"]["models"])


def _action(odoo: OdooClient) -> int:
    there = odoo.search_read("ir.actions.server", [("name", "=", NAME)], ["id"])
    if there:
        return int(there[0]["id"])
    model = odoo.search_read("ir.model", [("model", "=", "res.partner")], ["id"])[0]["id"]
    return odoo.create("ir.actions.server", {"name": NAME, "model_id": model, "state": "code", "code": CODE})

"""Whether the tower's guards stand in the real Odoo, from one test module to the next.

To set them up and take them away takes longer than most tests, so they stay for the modules that want them, which come one
after the other, and go before the others.
"""

from collections.abc import Iterable

import pytest

from tests.odoo.login import login

WANTED_BY = "provisioned"
_stands: list[bool] = []


def wanting(items: Iterable[pytest.Item]) -> set[str]:
    """The files of the tests that want the guards, and of those beside them."""
    return {item.nodeid.partition("::")[0] for item in items if WANTED_BY in getattr(item, "fixturenames", ())}


def set_up() -> None:
    """Have the guards and holds stand in the real Odoo."""
    from apps.odoo import client, provision
    from apps.workflows import blueprint

    if _stands:
        return
    tower = login()
    session = client.connect(tower)
    tower.version, tower.uid = session.version(), session.uid
    provision.apply(tower, blueprint.of_catalogue())
    _stands.append(True)
    client.forget(tower)


def take_down() -> None:
    """Have the real Odoo as it was without the tower."""
    from apps.odoo import client, provision

    if not _stands:
        return
    tower = login()
    provision.remove(tower)
    _stands.clear()
    client.forget(tower)

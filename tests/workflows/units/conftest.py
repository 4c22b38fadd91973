"""A company that counts its products in units and knows dozens."""

import pytest

from tests.trade import DESK, LAMP, company
from tests.workflows.units.goods import DOZEN, UNIT
from tests.world import World


@pytest.fixture
def world(db: None) -> World:
    made = company()
    made.write("uom.uom", UNIT, name="Units", factor=1, relative_factor=1)
    made.write("uom.uom", DOZEN, name="Dozens", factor=12, relative_factor=12, relative_uom_id=UNIT, active=False)
    for product, name in ((DESK, "Oak desk"), (LAMP, "Lamp")):
        made.write("product.template", product * 10, name=name, uom_id=UNIT)
    return made

"""What people of a distribution business do, one act at a time."""

from tests.walk.acts import accounting, buying, decisions, master_data, sales, warehouse
from tests.walk.acts.drawing import ACTS, Act, parse, plan

MODULES = [accounting, buying, decisions, master_data, sales, warehouse]
__all__ = ["ACTS", "MODULES", "Act", "parse", "plan"]

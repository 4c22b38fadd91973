"""One file an Odoo model. Every file here is imported, so that dropping one in is enough."""

import importlib
import pkgutil

for module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{module.name}")

from apps.mirror.remembered import DateChange, NumberChange  # noqa: E402
from apps.mirror.state import SyncRun, SyncState  # noqa: E402
from apps.mirror.tracked import TrackedChange  # noqa: E402

__all__ = ["DateChange", "NumberChange", "SyncRun", "SyncState", "TrackedChange"]

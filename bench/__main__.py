"""Run the measurements and print one table: ``python -m bench [NAME ...] [--json]``.

A measurement is a module of this directory with a function ``run() -> list[Row]``; its first docstring line says what
it is about. One that cannot run here raises :class:`bench.row.CannotMeasureError` and is counted as skipped.
"""

import argparse
import importlib
import json
import os
import pkgutil
import sys
from dataclasses import asdict
from pathlib import Path

from bench.row import CannotMeasureError, Row

NOT_MEASUREMENTS = {"__main__", "row", "ground", "odoo", "receivers", "late_handler", "pm4py_says"}


def names() -> list[str]:
    """The measurements there are."""
    found = {module.name for module in pkgutil.iter_modules([str(Path(__file__).parent)])}
    return sorted(found - NOT_MEASUREMENTS)


def table(rows: list[Row]) -> str:
    """The rows as a table for a terminal."""
    lines = [f"{'':<52}{'tower':>12}{'peer':>12}  {'unit':<12}{'ratio':>7}{'goal':>8}  {'rounds':<14}"]
    for row in rows:
        goal = f"{'≤' if row.lower_is_better else '≥'} {row.goal:g}"
        spread = f"{row.spread[0]:.2f} – {row.spread[1]:.2f}" if row.spread else ""
        figures = f"{row.value:>12,.0f}{row.peer:>12,.0f}  {row.unit:<12}{row.ratio:>7.2f}{goal:>8}"
        lines.append(f"{row.name:<52}{figures}  {spread:<14}{'met' if row.is_met else 'MISSED'}")
    return "\n".join(lines)


def main() -> int:
    """Measure; 0 when every goal that could be measured was met."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="which measurements; all where none is named")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args()
    if unknown := set(options.names) - set(names()):
        parser.error(f"there is no {', '.join(sorted(unknown))}; there is: {', '.join(names())}")
    rows: list[Row] = []
    for name in options.names or names():
        print(f"--- {name}", file=sys.stderr, flush=True)
        try:
            rows += importlib.import_module(f"bench.{name}").run()
        except CannotMeasureError as reason:
            print(f"!!! {name} skipped: {reason}", file=sys.stderr, flush=True)
    said = {"cpus": os.cpu_count(), "rows": [asdict(row) | {"is_met": row.is_met} for row in rows]}
    print(json.dumps(said, indent=2) if options.json else table(rows), flush=True)
    return 0 if all(row.is_met for row in rows) else 1


sys.exit(main())

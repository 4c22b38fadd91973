#!/usr/bin/env python3
"""Write NOTICE: the packages and front-end libraries that the tower is delivered with, each with its licence.

.venv/bin/python deploy/notice.py           write NOTICE
.venv/bin/python deploy/notice.py --check   compare it with what is installed; status 1 where they differ
"""

import argparse
import importlib.metadata
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NOTICE = ROOT / "NOTICE"
PINNED = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==", re.MULTILINE)
# Some packages name their licence in one word of their own.
SPDX = {
    "MIT License": "MIT",
    "BSD": "BSD-3-Clause",
    "BSD License": "BSD-3-Clause",
    "BSD 3-Clause OR Apache-2.0": "BSD-3-Clause OR Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "GNU Library or Lesser General Public License (LGPL)": "LGPL-3.0-or-later",
    "Python Software Foundation License": "PSF-2.0",
}
PERMITTED = re.compile(r"MIT(-0)?|BSD-[023]-Clause|Apache-2\.0|MPL-2\.0|LGPL-3\.0-(only|or-later)|PSF-2\.0|ISC")
HEAD = """\
Control Tower
Copyright the contributors to Control Tower

Licensed under the GNU Lesser General Public License, version 3 or, at your choice, any later version (LGPL-3.0-or-later).
LICENSE is its text; it adds to the GNU General Public License of version 3, which is in LICENSE.GPL-3.0.

The front-end libraries in static/vendor are delivered with it; their licences are in static/vendor/LICENCES.txt.

These Python packages are installed with it, each under its own licence:

"""


def licence_of(package: str) -> str:
    """Return the licence of an installed ``package`` as an SPDX expression.

    Raises:
        SystemExit: it names none, or one that is not permitted here.
    """
    meta = importlib.metadata.metadata(package)
    classified = [one.split(" :: ")[-1] for one in meta.get_all("Classifier", []) if one.startswith("License :: ")]
    named = meta.get("License-Expression") or next((one for one in classified if one != "OSI Approved"), meta.get("License", ""))
    licence = SPDX.get(named.strip(), named.strip())
    if not all(PERMITTED.fullmatch(one) for one in re.split(r" (?:AND|OR) ", licence)):
        raise SystemExit(f"notice: {package} is licensed as {named[:60]!r}. Add it to SPDX, or take another package.")
    return licence


def text() -> str:
    """Return what NOTICE has to say, by what requirements.txt pins."""
    packages = sorted(set(PINNED.findall((ROOT / "requirements.txt").read_text())), key=str.lower)
    width = max(map(len, packages)) + 2
    return HEAD + "".join(f"{package:<{width}}{licence_of(package)}\n" for package in packages)


def main() -> int:
    """Write or compare; 1 where they differ."""
    parser = argparse.ArgumentParser(prog="notice", description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare only")
    if not parser.parse_args().check:
        NOTICE.write_text(text())
        return 0
    if NOTICE.read_text() == text():
        return 0
    print("notice: NOTICE is not what is installed. Run: .venv/bin/python deploy/notice.py", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())

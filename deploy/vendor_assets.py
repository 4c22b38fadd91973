#!/usr/bin/env python3
"""Fetch the front-end libraries into static/vendor, so that running the tower needs neither Node nor a network.

    python deploy/vendor_assets.py           fetch the versions named below and write vendor.lock
    python deploy/vendor_assets.py --check   compare static/vendor with vendor.lock; status 1 where they differ

Needs ``npm`` (to fetch) and Chromium (once, to draw Plotly's style sheet out of its bundle; see ``plotly_css``).
"""

import argparse
import hashlib
import html
import json
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

VENDOR = Path(__file__).resolve().parent.parent / "static" / "vendor"
LOCK = VENDOR / "vendor.lock"
NOTICES = VENDOR / "LICENCES.txt"

# Package and version; then which of its files is taken under which name.
PACKAGES = {
    "htmx.org@4.0.1": {"dist/htmx.min.js": "htmx.min.js"},
    "plotly.js-basic-dist-min@4.1.1": {"plotly-basic.min.js": "plotly-basic.min.js"},
    "@github/relative-time-element@5.3.1": {"dist/bundle.js": "relative-time-element.js"},
}
# Maps are not vendored, and the static files' manifest refuses a reference to a file that is not there.
SOURCE_MAP = re.compile(rb"\n?(//[#@] ?sourceMappingURL=[^\n]*|/\*[#@] ?sourceMappingURL=[^*]*\*/)\s*")
STYLE_PAGE = """<!doctype html><meta charset="utf-8"><script src="{script}"></script><pre id="rules"></pre><script>
document.getElementById("rules").textContent =
  [...document.getElementById("plotly.js-style-global").sheet.cssRules].map(rule => rule.cssText).join("\\n");
</script>"""


def fetch(package: str, into: Path) -> Path:
    """The archive of ``package`` as npm's registry gives it."""
    packed = subprocess.run(
        ["npm", "pack", package, "--silent", "--ignore-scripts"], cwd=into, check=True, capture_output=True, text=True
    )
    return into / packed.stdout.strip().splitlines()[-1]


def read(archive: tarfile.TarFile, path: str) -> bytes:
    """The content of ``path`` in a package's archive."""
    member = archive.extractfile(f"package/{path}")
    if member is None:
        raise SystemExit(f"vendor_assets: a package has no file {path}. Correct PACKAGES.")
    return member.read()


def plotly_css(script: Path) -> bytes:
    """The style rules that Plotly's bundle adds to a page by itself.

    The policy ``style-src 'self'`` forbids a script to add a style element, and the release has no style sheet: so the
    rules are read out of a browser once. Pages name the sheet ``plotly.js-style-global``, which Plotly then leaves be.
    """
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not chromium:
        raise SystemExit("vendor_assets: needs Chromium to draw Plotly's style sheet. Install the package chromium.")
    with tempfile.TemporaryDirectory() as directory:
        page = Path(directory) / "page.html"
        page.write_text(STYLE_PAGE.format(script=script.as_uri()))
        dom = subprocess.run(
            [
                chromium,
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--allow-file-access-from-files",
                f"--user-data-dir={directory}/profile",
                "--dump-dom",
                page.as_uri(),
            ],
            check=True,
            capture_output=True,
            text=True,
            timeout=120,
        ).stdout
    rules = re.search(r'<pre id="rules">(.*?)</pre>', dom, re.DOTALL)
    if not rules or not rules[1].strip():
        raise SystemExit("vendor_assets: Plotly added no style rules; its bundle has changed.")
    # Heat maps are images scaled up: without this browsers blur them.
    return (html.unescape(rules[1]).strip() + "\n.heatmaplayer image { image-rendering: pixelated; }\n").encode()


def sha256(content: bytes) -> str:
    """The digest under which the lock names ``content``."""
    return hashlib.sha256(content).hexdigest()


def vendor() -> None:
    """Fetch all packages and write their files and the lock."""
    VENDOR.mkdir(parents=True, exist_ok=True)
    files: dict[str, dict[str, str]] = {}
    notices = ""
    with tempfile.TemporaryDirectory() as directory:
        for package, wanted in PACKAGES.items():
            print(f"fetching {package}", flush=True)
            path = fetch(package, Path(directory))
            name, _, version = package.rpartition("@")
            with tarfile.open(path) as archive:
                licence = json.loads(read(archive, "package.json"))["license"]
                notices += f"{package} ({licence})\n\n{read(archive, 'LICENSE').decode().strip()}\n\n\n"
                for source, target in wanted.items():
                    content = SOURCE_MAP.sub(b"\n", read(archive, source))
                    (VENDOR / target).write_bytes(content)
                    files[target] = {
                        "package": name,
                        "version": version,
                        "licence": licence,
                        "source": source,
                        "sha256": sha256(content),
                        "archive_sha256": sha256(path.read_bytes()),
                    }
    css = plotly_css(VENDOR / "plotly-basic.min.js")
    (VENDOR / "plotly.css").write_bytes(css)
    files["plotly.css"] = files["plotly-basic.min.js"] | {"source": "drawn from the bundle", "sha256": sha256(css)}
    NOTICES.write_text(notices.rstrip() + "\n")
    LOCK.write_text(json.dumps(files, indent=2, sort_keys=True) + "\n")


def differences() -> list[str]:
    """Sentences naming each file of static/vendor that is not as vendor.lock says."""
    locked: dict[str, dict[str, str]] = json.loads(LOCK.read_text())
    present = {path.name for path in VENDOR.iterdir() if path not in {LOCK, NOTICES}}
    found = [f"{name} is not in vendor.lock." for name in sorted(present - set(locked))]
    for name, entry in locked.items():
        if name not in present:
            found.append(f"{name} is in vendor.lock and missing.")
        elif sha256((VENDOR / name).read_bytes()) != entry["sha256"]:
            found.append(f"{name} differs from {entry['package']} {entry['version']} as vendor.lock has it.")
    named = {f"{entry['package']}@{entry['version']}" for entry in locked.values()}
    found += [f"{package} is to be vendored and is not in vendor.lock." for package in sorted(set(PACKAGES) - named)]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare only")
    if not parser.parse_args().check:
        vendor()
    for sentence in (found := differences()):
        print(sentence, file=sys.stderr)
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()

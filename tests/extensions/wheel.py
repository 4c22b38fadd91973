"""A wheel of a package's folder, made by what its pyproject.toml says: a build backend would have to come from the network."""

import base64
import hashlib
import tomllib
import zipfile
from pathlib import Path


def build(folder: Path) -> Path:
    """Return the wheel of the project in ``folder``, which has one package."""
    told = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    name = f"{told['name'].replace('-', '_')}-{told['version']}"
    points = [
        line
        for group, entries in told["entry-points"].items()
        for line in (f"[{group}]", *(f"{entry} = {value}" for entry, value in entries.items()))
    ]
    files = {str(path.relative_to(folder)): path.read_bytes() for path in sorted([*folder.rglob("*.py"), *folder.rglob("*.sql")])}
    about = f"Metadata-Version: 2.1\nName: {told['name']}\nVersion: {told['version']}\nSummary: {told['description']}\n"
    files |= {
        f"{name}.dist-info/METADATA": about.encode(),
        f"{name}.dist-info/WHEEL": b"Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{name}.dist-info/entry_points.txt": "\n".join(points).encode(),
    }
    record = f"{name}.dist-info/RECORD"
    rows = [f"{path},sha256={_digest(content)},{len(content)}" for path, content in files.items()]
    files[record] = "\n".join([*rows, f"{record},,"]).encode()
    wheel = folder / f"{name}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, content in files.items():
            archive.writestr(path, content)
    return wheel


def _digest(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()

"""Static files and addresses."""

import json
import subprocess
import sys
from pathlib import Path

from controltower.env import BASE_DIR


def test_static_files_are_collected_once_hashed_and_compressed(home: Path, tower_environment: dict[str, str]) -> None:
    collect = [sys.executable, "-m", "controltower.static"]
    subprocess.run(collect, cwd=BASE_DIR, env=tower_environment, check=True)
    manifest = home / "static" / "staticfiles.json"
    hashed = json.loads(manifest.read_text())["paths"]["vendor/htmx.min.js"]
    written = manifest.stat().st_mtime_ns

    subprocess.run(collect, cwd=BASE_DIR, env=tower_environment, check=True)

    assert (home / "static" / f"{hashed}.br").exists()
    assert manifest.stat().st_mtime_ns == written, "The second run collected again."


def test_a_command_beside_a_tower_names_the_towers_addresses(home: Path, tower_environment: dict[str, str]) -> None:
    home.mkdir()
    (home / "ports.json").write_text('{"web": 8123, "intake": 8124, "company": 8125}')
    code = "from controltower.env import env; print(env.public_url, env.intake_url)"
    bare = {name: value for name, value in tower_environment.items() if name not in {"PORT", "INTAKE_PORT"}}

    done = subprocess.run([sys.executable, "-c", code], cwd=BASE_DIR, env=bare, capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["http://127.0.0.1:8123", "http://127.0.0.1:8124"]

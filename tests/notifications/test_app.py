"""The installable app: what it is made of, and that it keeps nothing of anybody's work."""

import json
import re
import struct
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client


@pytest.fixture
def worker(db: None) -> str:
    answer = Client().get("/service-worker.js")
    assert (answer.status_code, answer["Content-Type"], answer["Cache-Control"]) == (200, "text/javascript", "no-cache")
    return answer.content.decode()


def test_the_manifest_names_icons_that_have_the_size_they_claim(db: None) -> None:
    manifest = json.loads(Client().get("/manifest.webmanifest").content)
    assert (manifest["start_url"], manifest["display"]) == ("/approvals/", "standalone")
    for icon in manifest["icons"]:
        found = Path(settings.BASE_DIR, "static", icon["src"].removeprefix("/static/"))
        width, height = struct.unpack(">II", found.read_bytes()[16:24])  # of a PNG's header
        assert icon["sizes"] == f"{width}x{height}"


def test_the_worker_keeps_the_offline_page_and_files_that_are_the_same_for_all(worker: str) -> None:
    shell = json.loads(json.loads(re.search(r'const SHELL = JSON\.parse\((".*")\);', worker)[1]))
    assert shell[0] == "/offline/"
    assert all(path.startswith(("/static/", "/words/")) for path in shell[1:])
    assert Client().get("/offline/").status_code == 200
    assert ".put(" not in worker


def test_the_workers_version_changes_with_what_it_is_made_of(worker: str, monkeypatch: pytest.MonkeyPatch) -> None:
    version = re.search(r'const VERSION = "(tower-\w{12})"', worker)[1]
    assert version in Client().get("/service-worker.js").content.decode()
    monkeypatch.setattr("apps.notifications.views.SHELL", ["css/tokens.css"])
    assert version not in Client().get("/service-worker.js").content.decode()

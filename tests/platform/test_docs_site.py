"""The documentation as a site (`make docs`): what a reader's browser loads of it, and which mistakes end the build."""

import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from controltower.env import BASE_DIR

# The attributes whose address a browser loads without being asked; of <a> it does not.
LOADED = {"src", "srcset", "poster", "data"}
ELSEWHERE = re.compile(r"(?:https?:)?//")
IN_STYLE = re.compile(r"""(?:url\(|@import)\s*["']?((?:https?:)?//[^"')\s]+)""")
IN_SCRIPT = re.compile(r"""["'`]((?:https?:)?//[\w-]+\.[^"'`]*)["'`]""")
# Names of XML vocabularies, which nobody loads.
NAMESPACES = "http://www.w3.org/"


class Loads(HTMLParser):
    """Collects what a page loads."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value or "" for name, value in attrs if name in LOADED or (name == "href" and tag == "link")]


def build(docs: Path, out: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", docs, out], capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("site")
    done = build(BASE_DIR / "docs", out)
    assert done.returncode == 0, done.stderr
    return out


def test_every_document_is_a_page_that_the_first_one_leads_to(site: Path) -> None:
    documents = {path.relative_to(BASE_DIR / "docs").with_suffix(".html") for path in (BASE_DIR / "docs").rglob("*.md")}
    assert len(documents) > 20
    first = (site / "index.html").read_text()
    assert [str(page) for page in sorted(documents) if str(page) != "index.html" and f'href="{page}"' not in first] == []


def test_no_page_loads_anything_from_elsewhere(site: Path) -> None:
    loaded = set()
    for page in site.rglob("*.html"):
        parser = Loads()
        parser.feed(page.read_text())
        assert parser.found
        loaded |= {f"{page.name}: {address}" for address in parser.found if ELSEWHERE.match(address)}
    for sheet in site.rglob("*.css"):
        loaded |= {f"{sheet.name}: {address}" for address in IN_STYLE.findall(sheet.read_text())}
    for script in site.rglob("*.js"):
        named = IN_SCRIPT.findall(script.read_text())
        loaded |= {f"{script.name}: {address}" for address in named if not address.startswith(NAMESPACES)}
    assert loaded == set()


def test_a_link_that_leads_nowhere_and_a_page_without_a_place_end_the_build(tmp_path: Path) -> None:
    docs = tmp_path / "docs"
    docs.mkdir()
    shutil.copy(BASE_DIR / "docs" / "conf.py", docs)
    shutil.copy(BASE_DIR / "pyproject.toml", tmp_path)
    shutil.copytree(BASE_DIR / "static" / "img", tmp_path / "static" / "img")
    (docs / "index.md").write_text(
        "# First\n\n```{toctree}\nplaced\n```\n\n[page](absent.md) [part](placed.md#absent)\n"
        "[file](../absent.py) [there](../pyproject.toml)\n"
    )
    (docs / "placed.md").write_text("# Placed\n\n## Part\n")
    (docs / "lost.md").write_text("# Lost\n")
    done = build(docs, tmp_path / "out")
    assert done.returncode != 0
    told = done.stderr.splitlines()
    for what in ("'absent.md'", "'absent'", "../absent.py", "lost.md"):
        assert any(what in line for line in told), f"{what}\n{done.stderr}"
    assert len(told) == 4, done.stderr

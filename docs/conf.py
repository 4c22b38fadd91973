"""Settings of Sphinx, which makes the site of the documentation: `make docs`."""

import re
import tomllib
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.util import logging

ROOT = Path(__file__).resolve().parent.parent
# A link to a file of the repository that is no page of the site.
OUTWARD = re.compile(r"\[(?P<text>[^\]]+)\]\((?P<path>\.\./[^)#]+)(?:#[^)]*)?\)")
log = logging.getLogger(__name__)

project = "Control Tower"
release = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
extensions = ["myst_parser"]
myst_heading_anchors = 3
# Queries stand with {seen} in the place of a condition; they are shown all the same.
suppress_warnings = ["misc.highlighting_failure"]
html_theme = "furo"
html_title = f"Control Tower {release}"
html_favicon = "../static/img/app-192.png"
html_show_copyright = False
html_show_sphinx = False
html_copy_source = False


def unlink_outward(app: Sphinx, page: str, source: list[str]) -> None:
    """Leave the text of links to files of the repository, which the site does not have; warn of those that do not exist."""

    def text_of(link: re.Match[str]) -> str:
        target = (Path(app.srcdir) / page).parent / link["path"]
        if target.resolve().is_relative_to(Path(app.srcdir).resolve()):
            return link[0]
        if not target.exists():
            log.warning("link to %s, which does not exist", link["path"], location=page)
        return link["text"]

    source[0] = OUTWARD.sub(text_of, source[0])


def setup(app: Sphinx) -> None:
    """Connect the above."""
    app.connect("source-read", unlink_outward)

"""What a first visit to a page sends over the line, compressed as it is sent, without the charts' library, which comes later."""

import gzip
import re
from functools import cache
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.test import Client

from apps.accounts.models import User
from tests.api.conftest import world as world  # the people that the pages are looked at as
from tests.browser.test_every_page import PAGES, places_of
from tests.exceptions.test_queue_pages import many
from tests.world import World

LARGEST = 200_000
# Loaded by static/js/chart.js once the page stands.
LATER = "vendor/plotly-basic.min.js"
STATIC = re.compile(rf'(?:href|src)="{settings.STATIC_URL}([^"?#]+)')
IMPORTS = re.compile(r"""(?:import|from)\s*\(?\s*["'](\.[^"']+)["']""")


@cache
def compressed(name: str) -> int:
    """How large a static file is on the line, with what it imports."""
    found = finders.find(name)
    assert found, f"there is no static file {name}"
    data = Path(found).read_bytes()
    size = len(gzip.compress(data, 9)) if Path(name).suffix in {".css", ".js", ".svg"} else len(data)
    imported = IMPORTS.findall(data.decode()) if name.endswith(".js") and "vendor/" not in name else []
    here = Path(name).parent
    return size + sum(compressed(str((here / one).as_posix()).replace("/./", "/")) for one in imported)


@pytest.mark.parametrize("is_busy", [False, True], ids=["few exceptions", "a full queue"])
def test_the_first_load_of_every_page_is_small(world: World, is_busy: bool) -> None:
    world.held_order()
    places = places_of(world)
    if is_busy:
        many(200)
    too_large = []
    for what, (name, path) in PAGES.items():
        client = Client(headers={"Accept-Encoding": "gzip"})
        if name:
            client.force_login(User.objects.get(username=name))
        answer = client.get(path.format(**places))
        body = answer.content
        if answer.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        assert len(body) < 1_000 or answer.get("Content-Encoding") == "gzip", f"{what} is sent as it is"
        files = {one for one in STATIC.findall(body.decode()) if one != LATER}
        assert files, what
        weight = len(answer.content) + sum(map(compressed, files))
        if weight >= LARGEST:
            too_large.append(f"{what}: {weight:,} bytes, of which the page {len(answer.content):,}")
    assert not too_large, "\n".join(too_large)

"""From a commit in the sandbox company to a changed board in Chromium, beside a page that is fetched anew every 5 s."""

import json
import os
import threading
import time
import urllib.request
from statistics import quantiles
from typing import TYPE_CHECKING

from bench.row import CannotMeasureError, Row

if TYPE_CHECKING:
    from tests.tower import Tower

CHROMIUM = "/usr/bin/chromium"
SECONDS, RATE, POLLED_EVERY_SECONDS = 40, 50, 5.0

# Notes when the board's markup last changed, by the browser's own clock, which is this machine's.
WATCH = """
() => {
  window.changes = [];
  const board = document.querySelector('ct-live[topic^="board:"]');
  new MutationObserver(() => window.changes.push(Date.now())).observe(
    board, {subtree: true, childList: true, characterData: true, attributes: true});
}
"""


def _post(url: str, body: dict[str, object]) -> dict[str, object]:
    request = urllib.request.Request(url, data=json.dumps(body).encode(), headers={"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return dict(json.loads(answer.read() or b"{}"))


def run() -> list[Row]:
    """Start a whole tower with its company, look at the board in a browser, and change orders at a steady rate."""
    if not os.access(CHROMIUM, os.X_OK):
        raise CannotMeasureError("there is no Chromium; make test-browser installs it where it can")
    from playwright.sync_api import sync_playwright

    from tests.tower import Tower

    tower = Tower("demo")
    try:
        control = f"{tower.company_url}/sandbox/control"
        _post(control, {"business": "pause"})
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            page = browser.new_page(base_url=tower.url)
            page.goto("/accounts/login/")
            page.fill("#id_login", "manager")
            page.fill("#id_password", tower.passwords["manager"])
            page.click("button[type=submit]")
            page.wait_for_url(lambda url: "login" not in url)
            page.goto("/boards/order_to_cash/")
            page.wait_for_timeout(2_000)
            page.evaluate(WATCH)
            commits: list[float] = []
            work = threading.Thread(target=_change, args=(tower, commits))
            work.start()
            page.wait_for_timeout(SECONDS * 1_000 + 3_000)
            work.join()
            seen = [stamp / 1000 for stamp in page.evaluate("() => window.changes")]
            browser.close()
    finally:
        tower.stop()
    live = [next((at for at in seen if at >= commit), commit + SECONDS) - commit for commit in commits]
    # What a page fetched every five seconds would have shown, for the very same commits.
    begun = commits[0]
    polled = [POLLED_EVERY_SECONDS - ((commit - begun) % POLLED_EVERY_SECONDS) for commit in commits]
    p95, peer = (quantiles(values, n=20)[-1] * 1000 for values in (live, polled))
    name = f"commit in Odoo to changed board, p95, {len(commits) / SECONDS:.0f} changes/s"
    return [Row(name=name, value=p95, peer=peer, ratio=p95 / peer, goal=0.1, unit="ms", lower_is_better=True)]


def _change(tower: "Tower", commits: list[float]) -> None:
    """Change the amounts of orders in the company, so that every change moves a figure on the board."""
    import odoorpc

    port = int(tower.company_url.rsplit(":", 1)[1])
    company = odoorpc.ODOO("127.0.0.1", port=port, timeout=30)
    company.login("sandbox", "tower", "sandbox-key")
    lines = company.execute_kw("sale.order.line", "search_read", [[["order_id.state", "=", "draft"]]],
                               {"fields": ["price_unit"], "limit": 200})  # fmt: skip
    end, turn = time.time() + SECONDS, 0
    while time.time() < end:
        line = lines[turn % len(lines)]
        line["price_unit"] += 1
        company.execute_kw("sale.order.line", "write", [[line["id"]], {"price_unit": line["price_unit"]}], {})
        commits.append(time.time())
        turn += 1
        time.sleep(max(0.0, (turn / RATE) - (time.time() - (end - SECONDS))))

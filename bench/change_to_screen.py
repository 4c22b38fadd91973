"""From a commit in the sandbox company to a changed board in Chromium, beside a page that is fetched anew every 5 s."""

import json
import os
import threading
import time
import urllib.request
from decimal import Decimal
from statistics import quantiles
from typing import TYPE_CHECKING

from bench.row import CannotMeasureError, Row

if TYPE_CHECKING:
    from tests.tower import Tower

CHROMIUM = "/usr/bin/chromium"
SECONDS, RATE, POLLED_EVERY_SECONDS = 40, 50, 5.0
# Odoo rounds each line's tax to the cent.
ROUNDING = Decimal("5")

# When it was done, and what it adds to the board's sum.
Commit = tuple[float, Decimal]

# Notes what the board says is on its way, exactly, and when, by the browser's own clock, which is this machine's.
TOTAL = """document.querySelector('ct-live[topic^="board:"] data.money').value"""
WATCH = f"""
() => {{
  window.seen = [];
  const look = () => window.seen.push([Date.now(), {TOTAL}]);
  const board = document.querySelector('ct-live[topic^="board:"]');
  new MutationObserver(look).observe(board, {{subtree: true, childList: true, characterData: true, attributes: true}});
}}
"""
POLLED = f"() => [Date.now(), {TOTAL}]"


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
            context = browser.new_context(base_url=tower.url)
            page = context.new_page()
            page.goto("/accounts/login/")
            page.fill("#id_login", "manager")
            page.fill("#id_password", tower.passwords["manager"])
            page.click("button[type=submit]")
            page.wait_for_url(lambda url: "login" not in url)
            page.goto("/boards/order_to_cash/")
            page.wait_for_timeout(2_000)
            before = Decimal(page.evaluate(POLLED)[1])
            page.evaluate(WATCH)
            commits: list[Commit] = []
            work = threading.Thread(target=_change, args=(tower, commits))
            work.start()
            peer_page, polled = context.new_page(), []
            while work.is_alive():
                begun = time.monotonic()
                peer_page.goto("/boards/order_to_cash/", wait_until="domcontentloaded")
                polled.append(peer_page.evaluate(POLLED))
                peer_page.wait_for_timeout(max(0.0, POLLED_EVERY_SECONDS - (time.monotonic() - begun)) * 1_000)
            work.join()
            page.wait_for_timeout(3_000)
            seen = page.evaluate("() => window.seen")
            browser.close()
    finally:
        tower.stop()
    p95, peer = (quantiles(_delays(commits, looks, before), n=20)[-1] * 1000 for looks in (seen, polled))
    name = f"commit in Odoo to changed board, p95, {len(commits) / SECONDS:.0f} changes/s"
    return [Row(name=name, value=p95, peer=peer, ratio=p95 / peer, goal=0.1, unit="ms", lower_is_better=True)]


def _delays(commits: list[Commit], looks: list[tuple[float, str]], before: Decimal) -> list[float]:
    """Seconds from each commit until a look shows a sum that has it in, for the commits that the last look covers."""
    delays, look, total = [], 0, before
    shown = [(at / 1000, Decimal(value)) for at, value in looks]
    for at, added in commits:
        total += added
        while look < len(shown) and shown[look][1] < total - ROUNDING:
            look += 1
        if look == len(shown):
            break
        delays.append(max(0.0, shown[look][0] - at))
    if len(delays) < len(commits) * 0.8:
        raise CannotMeasureError(f"the board showed {len(delays)} of {len(commits)} changes")
    return delays


def _change(tower: "Tower", commits: list[Commit]) -> None:
    """Change the amounts of orders in the company, so that every change moves a figure on the board."""
    import odoorpc

    port = int(tower.company_url.rsplit(":", 1)[1])
    company = odoorpc.ODOO("127.0.0.1", port=port, timeout=30)
    company.login("sandbox", "tower", "sandbox-key")
    lines = company.execute_kw(
        "sale.order.line",
        "search_read",
        [[["order_id.state", "=", "draft"]]],
        {"fields": ["price_unit", "product_uom_qty", "price_subtotal", "price_total", "discount"], "limit": 200},
    )
    lines = [line for line in lines if line["price_subtotal"] > 0 and not line["discount"]]
    end, turn = time.time() + SECONDS, 0
    while time.time() < end:
        line = lines[turn % len(lines)]
        line["price_unit"] += 1
        company.execute_kw("sale.order.line", "write", [[line["id"]], {"price_unit": line["price_unit"]}], {})
        with_tax = Decimal(str(line["price_total"])) / Decimal(str(line["price_subtotal"]))
        commits.append((time.time(), Decimal(str(line["product_uom_qty"])) * with_tax))
        turn += 1
        time.sleep(max(0.0, (turn / RATE) - (time.time() - (end - SECONDS))))

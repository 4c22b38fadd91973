#!/usr/bin/env python3
"""Draw the app's icons (static/img/app-*.png) from the mark, with Chromium. Run again when the mark changes."""

import shutil
from pathlib import Path

from playwright.sync_api import sync_playwright

IMG = Path(__file__).resolve().parent.parent / "static" / "img"
PAPER, BADGE = "#0f2a35", "transparent"
# Name, size, the mark's share of it, background, colour. A maskable icon keeps the mark inside the middle 80 %.
ICONS = [
    ("app-192.png", 192, 0.72, PAPER, "#6fc5d8"),
    ("app-512.png", 512, 0.72, PAPER, "#6fc5d8"),
    ("app-maskable-512.png", 512, 0.56, PAPER, "#6fc5d8"),
    ("app-touch-180.png", 180, 0.68, PAPER, "#6fc5d8"),
    ("badge.png", 96, 0.9, BADGE, "#ffffff"),
]


def main() -> None:
    """Draw them all."""
    mark = (IMG / "mark.svg").read_text()
    browser_path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=["--no-sandbox"])
        for name, size, share, paper, ink in ICONS:
            page = browser.new_page(viewport={"width": size, "height": size})
            drawn = mark.replace("#0a7f96", ink).replace("<svg ", f'<svg width="{size * share}" height="{size * share}" ')
            page.set_content(
                f'<body style="margin:0;height:100vh;display:grid;place-items:center;background:{paper}">{drawn}</body>'
            )
            page.screenshot(path=IMG / name, omit_background=True)
            page.close()
        browser.close()


if __name__ == "__main__":
    main()

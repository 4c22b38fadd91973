#!/usr/bin/env python3
"""Take the pictures of the README and the documents from a running `make demo`.

Signs in as the people whose passwords the demo keeps in CONTROLTOWER_HOME, and writes docs/img/<name>.png.
"""

import json
import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

BASE_DIR = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(BASE_DIR))

from controltower.env import env  # noqa: E402

DESKTOP, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
# Name of the picture: who looks, at what, how large the screen is.
PICTURES = {
    "board": ("manager", "/boards/order_to_cash/", DESKTOP),
    "queue": ("operator", "/exceptions/", DESKTOP),
    "inbox-phone": ("approver", "/approvals/", PHONE),
    "flow": ("manager", "/boards/order_to_cash/flow/", DESKTOP),
    "search": ("operator", "/search/?q=s0", DESKTOP),
    "health": ("admin", "/health/", DESKTOP),
    "record": ("manager", "/boards/order_to_cash/", DESKTOP),
}
# What is followed from there: the first order that waits for a decision about credit.
FOLLOWED = {"record": ("#stage-credit_review", ".table .row-link")}


def main() -> None:
    passwords = json.loads((env.controltower_home / "sign-ins.json").read_text())
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not chromium:
        sys.exit("screenshots: there is no Chromium. Install the package chromium.")
    images = BASE_DIR / "docs" / "img"
    images.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for name, (username, address, size) in PICTURES.items():
            page = browser.new_page(viewport=size, device_scale_factor=2)  # type: ignore[arg-type]
            page.goto(f"{env.public_url}/accounts/login/")
            page.get_by_label("User name").fill(username)
            page.get_by_label("Password").fill(passwords[username])
            page.get_by_role("button", name="Sign in").click()
            page.goto(f"{env.public_url}{address}")
            for link in FOLLOWED.get(name, ()):
                page.locator(link).first.click()
            page.wait_for_load_state("load")
            page.screenshot(path=images / f"{name}.png", animations="disabled")
            print(f"docs/img/{name}.png")
            page.close()
        browser.close()


if __name__ == "__main__":
    main()

"""Takes the pictures of the tour from a running page: `python -m documentation.pictures ADDRESS`.

`make demo KEEP=1` ends with such an address. Chromium has to be installed.
"""

from __future__ import annotations

import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

IMAGES = Path(__file__).parents[1] / "docs" / "images"
# Each picture by its name: the page, and how high it is in pixels.
PICTURES = {
    "packages": ("packages", 620),
    "package": ("package/caur-demo/x86_64/tide-clock", 700),
    "failed": ("build/5", 700),
    "builds": ("builds", 520),
}
_WIDTH = 1100


def main() -> None:
    """Write the pictures into `docs/images`."""
    address = sys.argv[1].rstrip("/")
    IMAGES.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium",
            args=["--no-sandbox", "--disable-background-networking"],
        )
        for name, (path, height) in PICTURES.items():
            page = browser.new_page(viewport={"width": _WIDTH, "height": height})
            page.goto(f"{address}/{path}", wait_until="load")
            page.wait_for_timeout(500)
            page.screenshot(path=IMAGES / f"{name}.png")
            page.close()
        browser.close()


if __name__ == "__main__":
    main()

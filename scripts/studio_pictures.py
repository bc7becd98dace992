"""Take the pictures of the studio that the READMEs show, in Chromium.

    python scripts/studio_pictures.py        (needs make wasm, selenium, chromium and its driver)

Each is a state of the page: what it is opened with, what is pressed, and how far it has learnt.
"""

from __future__ import annotations

import base64
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

from selenium import webdriver

from deltaprop.studio.page import studio_page

TO = Path(__file__).resolve().parent.parent / "docs" / "images"
PRESS = "document.getElementById(arguments[0])?.click()"
CLICK = """
document.querySelector(arguments[0]).dispatchEvent(new MouseEvent("click", { bubbles: true }));
"""
# name, address, epochs, what is clicked, dark, width and height
PICTURES = (
    ("studio", "", 60, (), False, (1280, 900)),
    ("studio-ask", "data=moons&layers=3-tanh&data-n=120", 20,
     ("#mode-gradients", "[data-neuron='n.1.1']"), True, (1280, 1380)),
)  # fmt: skip


def main() -> None:
    """Take them, in both languages."""
    TO.mkdir(parents=True, exist_ok=True)
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"):
        options.add_argument(argument)
    service = webdriver.ChromeService(executable_path=shutil.which("chromedriver"))
    with (
        webdriver.Chrome(options=options, service=service) as browser,
        tempfile.TemporaryDirectory() as folder,
    ):
        for language in ("en", "zh"):
            page = Path(folder) / f"{language}.html"
            page.write_text(studio_page(language), encoding="utf-8")
            for name, address, epochs, clicked, dark, size in PICTURES:
                _show(browser, f"{page.as_uri()}#{address}", dark, size)
                for _ in range(epochs):
                    browser.execute_script(PRESS, "one epoch")
                    time.sleep(0.05)
                for place in clicked:
                    browser.execute_script(CLICK, place)
                    time.sleep(0.5)
                time.sleep(1)
                suffix = "" if language == "en" else f".{language}"
                (TO / f"{name}{suffix}.webp").write_bytes(_picture(browser))


def _show(browser: Any, address: str, dark: bool, size: tuple[int, int]) -> None:
    width, height = size
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False},
    )
    scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
    browser.get("about:blank")
    browser.get(address)
    while not browser.execute_script("return document.getElementById('loss')?.textContent"):
        time.sleep(0.05)


def _picture(browser: Any) -> bytes:
    told = {"format": "webp", "quality": 82}
    return base64.b64decode(browser.execute_cdp_cmd("Page.captureScreenshot", told)["data"])


if __name__ == "__main__":
    main()

"""The studio's page, open in a browser."""

import time


class Studio:
    """A page that is open."""

    def __init__(self, browser, address):
        self.browser = browser
        browser.get("about:blank")
        browser.get_log("browser")
        # a page in one file has no network at all
        network = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
        network["offline"] = address.startswith("file:")
        browser.execute_cdp_cmd("Network.emulateNetworkConditions", network)
        browser.get(address)
        self.until(lambda: self.text("step") == "0" and self.text("loss"))

    def until(self, holds, seconds=60):
        from selenium.common.exceptions import WebDriverException

        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                if holds():
                    return
            except WebDriverException as error:  # the page is being drawn
                last = error
            else:
                last = None
            time.sleep(0.03)
        raise AssertionError(f"{holds} {last} {self.browser.get_log('browser')}")

    def text(self, name):
        return self.browser.execute_script(
            "return document.getElementById(arguments[0]).textContent", name
        )

    def press(self, name):
        self.browser.execute_script("document.getElementById(arguments[0]).click()", name)

    def choose(self, name, value):
        self.browser.execute_script(
            "const it = document.getElementById(arguments[0]); it.value = arguments[1];"
            "it.dispatchEvent(new Event('change', { bubbles: true }))",
            name, str(value),
        )  # fmt: skip

    def step_to(self, n):
        while int(self.text("step")) < n:
            before = int(self.text("step"))
            self.press("one step")
            self.until(lambda before=before: int(self.text("step")) == before + 1)

    def ask(self, what):
        self.browser.execute_script(
            "document.querySelector(arguments[0]).dispatchEvent("
            "new MouseEvent('click', { bubbles: true }))", what,
        )  # fmt: skip
        self.until(lambda: self.values())

    def values(self):
        return self.browser.execute_script(
            "return Object.fromEntries(Array.from(document.querySelectorAll('.ask li.line'),"
            "(line) => [line.dataset.id, line.dataset.value]))"
        )

    def complaints(self):
        return [e for e in self.browser.get_log("browser") if e["level"] in ("SEVERE", "WARNING")]

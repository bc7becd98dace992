"""The studio can be used by anybody: by keys, by screen readers, in any theme, on a phone."""

import pytest

from helpers.in_browser import press, what_keeps_people_out
from helpers.studio_page import Studio

SEEN = {"ask": "values", "flow": "deltas", "slope": "gradients", "sides": "updates"}
SHOWN = {"ask": ".line", "flow": "tbody", "slope": ".along-plot canvas", "sides": ".parameters"}


@pytest.fixture
def opened(browser, page_in_one_file):
    def visit(language, width, theme):
        metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        features = [{"name": "prefers-color-scheme", "value": theme}]
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        address = (page_in_one_file / f"{language}.html").as_uri()
        return Studio(browser, f"{address}#data=xor&data-n=40&layers=3-relu")

    yield visit
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    browser.get("about:blank")


@pytest.mark.parametrize(
    ("language", "width", "theme"),
    [("en", 1280, "light"), ("zh", 390, "dark"), ("en", 390, "light"), ("zh", 1280, "dark")],
)
@pytest.mark.slow
def test_nothing_keeps_anybody_from_using_it(opened, axe, language, width, theme):
    page = opened(language, width, theme)
    wide = "return document.documentElement.scrollWidth"
    page.ask(".edge[data-id='w.1.0.1']")
    page.press_first("#judged summary")
    for tab, mode in SEEN.items():
        page.press(f"mode-{mode}")
        page.press(f"tab-{tab}")
        there = f"#panel {SHOWN[tab]}"
        page.until(lambda there=there: page.browser.find_elements("css selector", there))
        assert what_keeps_people_out(page.browser, axe) == [], tab
        assert page.browser.execute_script(wide) <= width, tab


@pytest.mark.slow
def test_it_is_driven_by_keys_alone(opened):
    page = opened("en", 1280, "light")
    browser = page.browser
    press(browser, "SPACE")  # plays, and pauses
    page.until(lambda: int(page.text("step")) > 20)
    press(browser, "SPACE")
    page.until(lambda: browser.find_elements("id", "play"))
    for _ in range(80):
        press(browser, "TAB")
        if browser.switch_to.active_element.get_attribute("data-neuron") == "n.1.2":
            break
    press(browser, "ENTER")
    page.until(lambda: "z.1[0,2]" in page.values())

"""What is done with a page in a browser."""

CURRENT = "Array.from(document.querySelectorAll('li.line.current'), (e) => e.id)"


def current(browser):
    (only,) = browser.execute_script(f"return {CURRENT}")
    return only


def passed_by(browser, do):
    """Return what was current and what had the focus after each step of what is done."""
    browser.execute_script(
        f"window.seen = []; let before = String({CURRENT});"
        "window.looking = new MutationObserver(() => {"
        f"  const now = {CURRENT};"
        "  if (String(now) !== before) seen.push([...now, document.activeElement.id]);"
        "  before = String(now);"
        "});"
        "looking.observe(document.body, {subtree: true, attributeFilter: ['class']});"
    )
    do()
    return browser.execute_script("looking.disconnect(); return seen")


def press(browser, *keys):
    from selenium.webdriver.common.keys import Keys

    browser.switch_to.active_element.send_keys(*(getattr(Keys, key) for key in keys))


def go(browser, name):
    """Click the chip of a number in the panel."""
    browser.find_element("css selector", f'#inspector .links [data-line="{name}"]').click()


def operand(browser, line, name):
    return browser.find_element("css selector", f'li[id="{line}"] .numbers [data-id="{name}"]')


def in_view(browser, element):
    return browser.execute_script(
        "const r = arguments[0].getBoundingClientRect();"
        "const m = document.elementFromPoint(r.x + r.width / 2, r.y + r.height / 2);"
        "return m !== null && arguments[0].closest('li').contains(m);",
        element,
    )


def resize(browser, width, height):
    """Show the page on a screen of so many pixels; a narrow one is a telephone's."""
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600},
    )


def what_keeps_people_out(browser, axe):
    browser.execute_script(axe)
    found = browser.execute_async_script(
        "const done = arguments[0];"
        "axe.run(document, {resultTypes: ['violations']}).then((r) => done(r.violations"
        ".map((v) => [v.impact, v.id, v.nodes.slice(0, 3).map((n) => n.html.slice(0, 200))])));"
    )
    return [v for v in found if v[0] in ("serious", "critical")]

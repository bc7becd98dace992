"""What is done with a page in a browser."""


def current(browser):
    lines = browser.find_elements("css selector", "li.line.current")
    (only,) = [line.get_attribute("id") for line in lines]
    return only


def press(browser, *keys):
    from selenium.webdriver.common.keys import Keys

    for key in keys:
        browser.switch_to.active_element.send_keys(getattr(Keys, key))


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

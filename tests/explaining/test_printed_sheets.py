"""Sheets of exercises as a browser prints them: no page has but a row or two."""

import base64
import re
import zlib

import pytest

import deltaprop as dp

A4, LETTER = (29.7, 21.0), (27.94, 21.59)  # cm


def texts_of_pages(printed):
    """Return how many pieces of text each page of a PDF has."""
    found = []
    for stream in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", printed, re.DOTALL):
        try:
            drawn = zlib.decompress(stream)
        except zlib.error:
            continue
        if b"BT" in drawn and b"Tf" in drawn:
            found.append(drawn.count(b"BT"))
    return found


@pytest.mark.one_in(6)
@pytest.mark.parametrize("paper", [A4, LETTER])
@pytest.mark.parametrize("level", [2, 3, 5])
def test_no_page_has_but_a_row_or_two(browser, tmp_path, level, paper):
    options = pytest.importorskip("selenium.webdriver.common.print_page_options").PrintOptions()
    options.page_height, options.page_width = paper
    task = dp.exercise(level=level, seed=2)
    task.to_html(path := tmp_path / "sheet.html")
    browser.get(path.as_uri())
    pages = texts_of_pages(base64.b64decode(browser.print_page(options)))
    assert 1 <= len(pages) <= 2
    assert pages[-1] > 36  # four rows of blanks, and what makes the sheet again

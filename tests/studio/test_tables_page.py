"""Tables in the page, in Chromium: opened and chosen from in both doors, refused, found again."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from deltaprop.studio.page import studio_page
from deltaprop.studio.tables import opened_file
from helpers.studio_page import Studio, serving

PENGUINS = Path("examples/data/penguins.csv").resolve()


def give(page, path):
    """Choose a file."""
    page.browser.find_element("id", "own-file").send_keys(str(path))


def shows(page, words, selector="main"):
    found = page.browser.find_elements("css selector", selector)
    return any(words in each.text for each in found)


def columns(page):
    boxes = page.browser.find_elements("css selector", "[data-column]")
    return {box.get_attribute("data-column"): box.is_selected() for box in boxes}


def learns(page, least):
    page.press("play")
    page.until(lambda: float(page.text("right").rstrip(" %") or 0) >= least)
    page.press("pause")
    page.until(lambda: page.browser.find_elements("id", "play"))


@pytest.mark.rest
def test_a_table_is_opened_its_target_chosen_and_a_column_left_out(studio):
    page = studio()
    give(page, PENGUINS)
    page.until(lambda: columns(page).get("bill_depth_mm"))
    learns(page, 98)
    page.browser.execute_script("document.querySelector('[data-column=\"sex\"]').click()")
    page.until(lambda: columns(page)["sex"] is False)
    page.until(lambda: not shows(page, "sex (MALE", ".picture"))
    page.choose("target", "body_mass_g")
    page.until(lambda: page.text("right") == "–" and "species" in columns(page))
    assert "data-file=penguins.csv" in page.browser.current_url
    assert "data-target=body_mass_g" in page.browser.current_url
    page.press("undo")
    page.press("undo")
    page.until(lambda: columns(page).get("sex") is True)


@pytest.mark.rest
def test_what_is_asked_of_a_table_is_answered_with_the_same_numbers(
    browser, page_in_one_file, served
):
    found = []
    for base in ((page_in_one_file / "en.html").as_uri(), served):
        page = Studio(browser, f"{base}#data=penguins&layers=3-tanh&batchSize=8")
        page.step_to(2)
        page.ask("[data-id='w.1.3.1']")
        page.until(lambda page=page: "dW.1[3,1]" in page.values())
        given = browser.execute_script("return globalThis.deltapropStep()")
        found.append((page.values(), given["x"]))
    assert found[0][0].keys() == found[1][0].keys()
    np.testing.assert_allclose(found[0][1], found[1][1], rtol=1e-12, atol=1e-12)
    for name, value in found[0][0].items():
        assert float(value) == pytest.approx(float(found[1][0][name]), rel=1e-10), name


@pytest.mark.rest
def test_a_plane_lies_over_other_inputs_or_the_principal_axes(studio):
    page = studio("data=penguins")
    before = page.browser.execute_script(POINTS)
    page.choose("axis-across", page.browser.execute_script(LAST_AXIS))
    page.until(lambda: page.browser.execute_script(POINTS) != before)
    page.choose("plane", "principal")
    page.until(lambda: not page.browser.find_elements("id", "axis-up"))
    learns(page, 98)


POINTS = "return document.querySelector('.plane svg path').getAttribute('d')"
LAST_AXIS = "return [...document.getElementById('axis-across').options].at(-1).value"


@pytest.mark.rest
def test_digits_are_shown_as_pictures(studio):
    page = studio("data=digits&layers=12-relu")
    learns(page, 95)
    found = page.browser.find_elements("css selector", ".sample-picture canvas")
    assert len(found) == 1
    size = "return document.querySelector('[data-neuron=\"n.1.0\"] canvas').width"
    page.until(lambda: page.browser.execute_script(size) == 8)


MARKUP = '<img src=x onerror="document.title=1">,b&lt;,"<script>""&amp;"\n' + "".join(
    f"{i % 7},{i * 3 % 11},{['<b>bold</b>', '</script>', '&amp;'][i % 3]}\n" for i in range(60)
)


def test_names_with_markup_in_them_are_names(studio, tmp_path):
    path = tmp_path / "<i>t&amp;.csv"
    path.write_text(MARKUP.replace(",b&lt;,", ",b&lt;,"), encoding="utf-8")
    page = studio()
    give(page, path)
    page.until(lambda: shows(page, "<b>bold</b>", ".classes"))
    learns(page, 30)
    assert shows(page, "</script>", ".classes")
    assert '<img src=x onerror="document.title=1">' in columns(page)
    inside = "return document.querySelectorAll('main img, main b > b, main i > i').length"
    assert page.browser.execute_script(inside) == 0
    assert page.browser.title != "1"


BAD = {
    "binary": b"\x7fELF\x00\x00\x00\x01" * 50,
    "empty": b"",
    "one column": b"a\n1\n2\n3\n",
    "ragged": b"a,b,c\n1,2,3\n1,2\n1,2,3\n",
    "only a header": b"a,b,c\n",
    "nothing but missing words": b"a,b\nNaN,NaN\nNaN,NaN\n",
}


@pytest.mark.one_in(30)
@pytest.mark.parametrize("what", BAD)
def test_what_is_no_table_is_refused_in_a_sentence(studio, tmp_path, what):
    path = tmp_path / "bad.csv"
    path.write_bytes(BAD[what])
    page = studio("data=xor&data-n=40")
    give(page, path)
    page.until(lambda: shows(page, ".", ".trouble"))
    said = page.browser.find_element("css selector", ".trouble").text
    assert re.fullmatch(r"[^\n{}]{15,}[.?]", said), said
    give(page, PENGUINS)
    page.until(lambda: columns(page).get("bill_depth_mm"))
    assert not shows(page, ".", ".trouble")


@pytest.mark.slow
def test_ten_thousand_columns_are_taken_or_refused(studio, tmp_path):
    path = tmp_path / "wide.csv"
    rng = np.random.default_rng(1)
    rows = rng.normal(size=(30, 10_000)).round(3)
    head = ",".join(f"c{i}" for i in range(10_000)) + ",y\n"
    text = "".join(",".join(map(str, row)) + f",{i % 2}\n" for i, row in enumerate(rows))
    path.write_text(head + text, encoding="utf-8")
    page = studio("data=xor&data-n=40&layers=4-tanh")
    give(page, path)
    page.until(lambda: len(columns(page)) == 300)
    assert shows(page, "and 9,700 more") or shows(page, "and 9700 more")
    learns(page, 90)


def test_an_address_asks_for_its_table_again(studio):
    page = studio("data=xor&data-n=40")
    page.browser.execute_script(
        "location.hash = 'data=own&data-file=penguins.csv&data-without=sex'; location.reload()"
    )
    page.until(lambda: shows(page, "penguins.csv", ".trouble"))
    give(page, PENGUINS)
    page.until(lambda: columns(page).get("bill_depth_mm"))
    page.browser.get("about:blank")


def test_a_page_with_a_table_in_it_opens_it(browser, tmp_path):
    path = tmp_path / "own.html"
    path.write_text(studio_page("zh", table=opened_file(str(PENGUINS))), encoding="utf-8")
    page = Studio(browser, path.as_uri())
    learns(page, 98)
    assert page.complaints() == []
    browser.get("about:blank")


@pytest.mark.slow
def test_too_much_for_the_page_is_read_in_part(browser, page_in_one_file, tmp_path):
    path = tmp_path / "large.csv"
    with path.open("wb") as file:
        file.write(b"a,b,y\n")
        for start in range(0, 1_200_000, 1000):
            file.write(
                b"".join(
                    b"%d.5,%d,%d\n" % (i % 13, i % 7, i % 2) for i in range(start, start + 1000)
                )
            )
    page = Studio(browser, (page_in_one_file / "en.html").as_uri())
    give(page, path)
    page.until(lambda: shows(page, "this page reads the first", ".table"))
    page.press("one epoch")
    page.until(lambda: page.text("epoch") == "1")


@pytest.mark.rest
def test_a_server_that_is_back_is_found_again(browser):
    token = "a-token-for-the-tests"
    with serving(token=token) as address:
        page = Studio(browser, f"{address}#layers=5-tanh")
        give(page, PENGUINS)
        page.until(lambda: columns(page).get("bill_depth_mm"))
        page.press("play")
        page.until(lambda: int(page.text("step")) > 50)
    page.until(lambda: shows(page, "server has ended", ".trouble"))
    port = int(re.search(r":(\d+)/", address)[1])
    with serving(port, token=token) as again:
        assert again == address
        page.until(
            lambda: not shows(page, "server has ended", ".trouble") and page.text("step") == "0"
        )
        assert "layers=5-tanh" in browser.current_url
        learns(page, 95)
        browser.get("about:blank")


@pytest.mark.rest
def test_two_tabs_have_tables_of_their_own(browser):
    with serving(table=opened_file(str(PENGUINS))) as address:
        first = browser.current_window_handle
        page = Studio(browser, address)
        browser.switch_to.new_window("tab")
        other = Studio(browser, f"{address}#data=digits&layers=8-relu")
        other.press("play")
        browser.switch_to.window(first)
        learns(page, 98)
        assert "bill_depth_mm" in columns(page)
        browser.switch_to.window(browser.window_handles[-1])
        other.until(lambda: int(other.text("step")) > 50)
        assert shows(other, "8 × 8 pixels", ".columns")
        browser.close()
        browser.switch_to.window(first)
        browser.get("about:blank")


def test_a_chinese_page_is_refused_in_chinese(page_in_one_file, browser, tmp_path):
    path = tmp_path / "bad.csv"
    path.write_bytes(BAD["ragged"])
    page = Studio(browser, (page_in_one_file / "zh.html").as_uri())
    give(page, path)
    page.until(lambda: shows(page, "第 3 行有 2 个单元格", ".trouble"))


@pytest.mark.slow
def test_two_hundred_megabytes_come_through_the_server(browser, tmp_path):
    path = tmp_path / "huge.csv"
    rng = np.random.default_rng(1)
    block = rng.normal(size=(10_000, 8)).round(6)
    label = (block[:, 0] * block[:, 1] > 0).astype(int)
    lines = "".join(
        ",".join(map(str, row)) + f",{y}\n" for row, y in zip(block, label, strict=True)
    )
    with path.open("w", encoding="utf-8") as file:
        file.write(",".join(f"x{i}" for i in range(8)) + ",y\n")
        while file.tell() < 200e6:
            file.write(lines)
    with serving() as address:
        page = Studio(browser, address)
        give(page, path)
        page.until(lambda: columns(page).get("x7"), 300)
        learns(page, 90)
        browser.get("about:blank")
    assert json.dumps(page.complaints()) == "[]"

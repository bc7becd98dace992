"""Texts in columns: shortened and broken where they should be, in time that grows with them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deltaprop import widths
from deltaprop.widths import clip, table_lines, text_width, wrap

TEXTS = st.text(alphabet="ab é漢字、 \u0301\u200d", max_size=60)


@given(TEXTS, st.integers(2, 30))
def test_a_clipped_text_fits_and_as_much_as_fits_is_kept(text, most):
    shown = clip(text, most)
    assert text_width(shown) <= most
    if text_width(text) <= most:
        assert shown == text
    else:
        kept = shown.removesuffix("…")
        assert text.startswith(kept)
        assert text_width(text[: len(kept) + 1]) > most - 1


@given(TEXTS, st.integers(2, 30))
def test_wrapping_loses_nothing_but_blanks(text, width):
    lines = wrap(text, width)
    assert "".join("".join(lines).split()) == "".join(text.split())
    assert all(text_width(line.strip()) <= width for line in lines)


@pytest.mark.parametrize("call", [lambda text: clip(text, 40), lambda text: wrap(text, 40)])
def test_the_work_grows_with_the_text_and_not_with_its_square(call, monkeypatch):
    measured = 0
    width_of = widths._character_width

    def counted(character):
        nonlocal measured
        measured += 1
        return width_of(character)

    monkeypatch.setattr(widths, "_character_width", counted)
    work = {}
    for text in ("漢字a", "\u0301", "é"):
        for n in (1_000, 10_000):
            measured = 0
            call("漢" + text * n)
            work[n] = measured
        assert work[10_000] <= 11 * work[1_000]


CELLS = st.lists(st.lists(TEXTS, min_size=3, max_size=3), min_size=1, max_size=4)


@pytest.mark.rest
@given(CELLS, st.integers(50, 90), st.sets(st.integers(0, 2)))
def test_a_table_fits_and_loses_nothing(rows, width, right):
    header, *below = table_lines(["one", "two", "three"], rows, width, right=right)
    assert header.split() == ["one", "two", "three"]
    assert max(map(text_width, [header, *below])) <= width
    told = "".join("".join(below[1:]).split())
    assert sorted(told) == sorted("".join("".join(map("".join, rows)).split()))

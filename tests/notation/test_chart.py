"""Curves and bars: what is drawn is where the numbers are, in every medium."""

import re
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deltaprop.explaining.renderers.latex.chart import chart_picture
from deltaprop.notation.chart import Bars, Curve, chart_text
from deltaprop.notation.chart_svg import chart_svg
from deltaprop.widths import text_width

FALLING = Curve("Loss <&>", (0.0, 1.0, 2.0, 3.0), (4.0, 2.0, 1.0, 0.0), "step", (1.0, 2.0))
BARS = Bars("p", ("cat", "<dog>"), (0.25, 1.0), ("0.25", "1"))
NUMBERS = st.floats(-1e300, 1e300)


def test_a_falling_curve_in_characters():
    rows = list(chart_text(FALLING, 40))
    assert rows[0].startswith("4 ┤•")
    assert rows[-3].startswith("0 ┤")
    assert rows[-3].rstrip().endswith("•")
    assert rows[-1].split() == ["0", "step", "3"]
    assert sum(row.count("◆") for row in rows) == 1


@given(st.lists(NUMBERS, min_size=1, max_size=30), st.integers(20, 100))
def test_any_numbers_fit_into_the_room_there_is(ys, room):
    curve = Curve("t", tuple(map(float, range(len(ys)))), tuple(ys), "x")
    assert all(text_width(row) <= max(room, 24) for row in chart_text(curve, room))
    for x, y in curve.places():
        assert 0 <= x <= 1
        assert 0 <= y <= 1
    ElementTree.fromstring(chart_svg(curve))
    assert "nan" not in "".join(chart_picture(curve))


def test_what_falls_far_is_drawn_by_its_logarithm():
    steep = Curve("t", (0.0, 1.0, 2.0), (1.0, 1e-3, 1e-6), "x")
    assert steep.is_logarithmic
    np.testing.assert_allclose([y for _, y in steep.places()], [1, 0.5, 0])
    assert not FALLING.is_logarithmic


def test_the_points_of_the_picture_are_those_of_the_numbers():
    svg = chart_svg(FALLING)
    path = re.search(r'class="curve" d="M([^"]+)"', svg)[1]
    points = np.array([[float(n) for n in p.split()] for p in path.split("L")])
    along, height = (points - points[[0, -1], [0, 1]]).T
    np.testing.assert_allclose(along / along[-1], [0, 1 / 3, 2 / 3, 1], atol=1e-3)
    np.testing.assert_allclose(height / height[0], [1, 0.5, 0.25, 0], atol=1e-3)
    assert "Loss &lt;&amp;&gt;" in svg
    ElementTree.fromstring(svg)


def test_latex_draws_a_line_from_point_to_point():
    text = "\n".join(chart_picture(FALLING))
    assert text.count(r"\qbezier") == 3
    ends = [[float(n) for n in re.findall(r"[\d.]+", row)] for row in text.split("\n")
            if row.startswith(r"\qbezier")]  # fmt: skip
    assert [row[4:] for row in ends[:-1]] == [row[:2] for row in ends[1:]]
    assert text.count("{") == text.count("}")
    assert r"\textless{}\&\textgreater{}" in text


def test_bars_are_as_long_as_their_shares():
    rows = list(chart_text(BARS, 60))
    lengths = [row.count("█") for row in rows]
    assert lengths[1] == 4 * lengths[0]
    assert [row.split()[-1] for row in rows] == ["0.25", "1"]
    svg = chart_svg(BARS)
    widths = [float(w) for w in re.findall(r'class="bar"[^>]* width="([\d.]+)"', svg)]
    assert widths[0] == pytest.approx(widths[1] / 4, abs=0.1)
    ElementTree.fromstring(svg)
    rules = [float(w) for w in re.findall(r"\\rule\{([\d.]+)mm", "\n".join(chart_picture(BARS)))]
    assert rules[1] == 4 * rules[0]

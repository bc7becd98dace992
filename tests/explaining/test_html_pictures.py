"""Pictures of a page: inputs that are images, small and large."""

import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest

import deltaprop as dp
from deltaprop.explaining import Names
from deltaprop.explaining.document import outline
from deltaprop.explaining.document.style import Style
from deltaprop.notation.image import Image
from deltaprop.notation.image_svg import image_svg
from helpers.pages import Document, check_ids, check_line, render


def picture_of(svg):
    """Return the ink of a picture, read back from its strokes."""
    _, _, width, height = (float(v) for v in svg.get("viewBox").split())
    ink = np.zeros((int(height), int(width)))
    for path in svg.iter("{http://www.w3.org/2000/svg}path"):
        sign = -1 if path.get("class") == "negative" else 1
        for x, y, n in re.findall(r"M(\d+) (\d+)h(\d+)", path.get("d")):
            place = int(y), slice(int(x), int(x) + int(n))
            assert not ink[place].any(), "a pixel is drawn twice"
            ink[place] = sign * float(path.get("opacity"))
    return ink


@pytest.mark.parametrize("signed", [True, False])
def test_a_picture_has_the_ink_of_its_pixels(rng, signed):
    values = rng.uniform(-1 if signed else 0, 1, size=(9, 13))
    values[2] = 0
    text = image_svg(Image("ink <&>", values, signed))
    svg = ET.fromstring(text)
    assert np.abs(picture_of(svg) - values).max() <= 1 / 32 + 1e-12
    assert svg.get("aria-label") == "ink <&>"


def test_a_large_picture_is_drawn_coarser(rng):
    values = np.repeat(np.repeat(rng.random((32, 40)), 4, axis=0), 4, axis=1)
    ink = picture_of(ET.fromstring(image_svg(Image("large", values))))
    assert ink.shape == (43, 54)
    assert ink.mean() == pytest.approx(values.mean(), abs=0.02)


def test_a_row_that_is_an_image_is_drawn(rng):
    network = dp.Network([12, 4, 2], "tanh")
    explanation = dp.explain(
        network, network.init(rng), rng.random((2, 12)), [0, 1], names=Names(image=(3, 4))
    )
    text = render(explanation)
    drawn = re.findall(r'<svg[^>]*class="image".*?</svg>', text, re.DOTALL)
    inks = [picture_of(ET.fromstring(svg)) for svg in drawn]
    assert [ink.shape for ink in inks] == [(3, 4)] * 4
    for s in range(2):
        x, dx = explanation.trace.a[0][s], explanation.trace.dx[s]
        assert inks[2 * s].ravel() == pytest.approx(x / x.max(), abs=0.04)
        assert inks[2 * s + 1].ravel() == pytest.approx(dx / np.abs(dx).max(), abs=0.04)
    check_ids(Document(text))


@pytest.mark.rest
def test_a_network_of_images_takes_less_than_a_megabyte(rng):
    network = dp.Network([784, 128, 10], "relu")
    x = np.where(rng.random((1, 784)) < 0.2, rng.integers(1, 256, (1, 784)) / 255, 0)
    explanation = dp.explain(
        network, network.init(rng), x, [3], names=Names("A digit", image=(28, 28))
    )
    text = render(explanation)
    document = Document(text)
    check_ids(document)
    assert len(text.encode()) < 1_000_000
    told = outline.document(explanation, Style(), most=1000, shortened=True)
    items = document.with_class("step")
    by_id = {item.get("id"): item for item in items}
    assert sorted(by_id) == sorted(line.step.id for line in told.lines())
    for line in told.lines():  # the strongest path comes first
        check_line(document, by_id[line.step.id], line)
    gradients = [item for item in items if item.get("id").startswith(("dW", "db"))]
    assert gradients
    assert all(document.with_class("proof", item) for item in gradients)
    left_out = [e for e in document.with_class("rest") if e.tag == "mrow"]
    assert left_out
    assert all(re.search(r"\d+\smore", "".join(e.itertext())) for e in left_out)

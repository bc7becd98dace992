"""The picture of the network: well-formed, labelled, and its numbers are the trace's."""

import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest

import deltaprop as dp
from deltaprop.explaining import Names, built_in_example
from deltaprop.explaining.document.style import Style
from deltaprop.explaining.renderers.html import network as diagram

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = "</svg><script>alert(1)</script>\x00\x1b[31m\"'&"


def render_svg(explanation, *, sample=0, **style):
    return diagram.write_document(
        explanation.document(Style(detail="overview", **style)), sample=sample
    )


@pytest.fixture
def tutorial():
    worked = built_in_example("tutorial")
    return dp.explain(
        worked.network, worked.parameters, worked.x, worked.targets,
        optimizer=worked.optimizer, names=Names(worked.title),
    )  # fmt: skip


def by_class(root, name):
    return [e for e in root.iter() if name in e.get("class", "").split()]


def shown(element):
    return "".join(element.itertext()).replace("−", "-")


def test_the_tutorials_numbers_stand_at_their_nodes(tutorial):
    root = ET.fromstring(render_svg(tutorial))
    rows = {row.get("data-id"): shown(by_class(row, "number")[0]) for row in by_class(root, "row")}
    assert rows == {
        "x[0,0]": "1", "x[0,1]": "0.5", "a.1[0,0]": "1.25", "a.1[0,1]": "3.8",
        "delta.1[0,0]": "1.05", "delta.1[0,1]": "1.05", "a.2[0,0]": "5.05", "delta.2[0,0]": "1.05",
        "targets[0,0]": "4", "loss[0]": "0.55125",
    }  # fmt: skip


def test_the_tutorials_numbers_stand_at_their_edges(tutorial):
    root = ET.fromstring(render_svg(tutorial))
    labels = {}
    for label in by_class(root, "label"):
        assert "quiet" not in label.get("class")
        for text in label.iter(f"{SVG}text"):
            labels[text.get("data-id")] = shown(text)
    assert labels["W.1[1,0]"] == "1.5"
    assert labels["dW.1[1,0]"] == "∂ 0.525"
    assert labels["dW.2[1,0]"] == "∂ 3.99"
    assert len(labels) == 12


def test_every_id_is_a_number_of_the_step(draw):
    for n in (1, 3):
        explanation = draw("tanh", "cross_entropy", n=n, bias=True, l2=0.1).explanation
        known = {step.id for step in explanation.steps}
        known |= {name for step in explanation.steps for name in step.operands}
        for sample in range(n):
            root = ET.fromstring(render_svg(explanation, sample=sample))
            pointed = {e.get("data-id") for e in root.iter() if e.get("data-id")}
            assert pointed
            assert pointed <= known
            samples = {
                s for name in pointed for s in re.findall(r"^(?:a|delta)\.\d+\[(\d+),", name)
            }
            assert samples == {str(sample)}


def test_colour_is_not_the_only_sign(tutorial, rng):
    network = dp.Network([1, 2], loss="half_squared_error", bias=False)
    explanation = dp.explain(network, network.parameters([[[2.0, -1.0]]]), [[1.0]], [[0.0, 0.0]])
    text = render_svg(explanation)
    edges = {e.get("data-id"): e for e in by_class(ET.fromstring(text), "edge")}
    assert "positive" in edges["W.1[0,0]"].get("class")
    assert "negative" in edges["W.1[0,1]"].get("class")
    assert re.search(r"\.negative > \.line \{[^}]*stroke-dasharray", text)
    widths = {
        name: float(by_class(edge, "line")[0].get("stroke-width")) for name, edge in edges.items()
    }
    assert widths["W.1[0,0]"] > widths["W.1[0,1]"]


def test_it_is_told_in_words_too(tutorial):
    root = ET.fromstring(render_svg(tutorial))
    assert root.get("role") == "img"
    assert root.find(f"{SVG}title").text.startswith("The tutorial's example")
    assert "0.55125" in root.find(f"{SVG}desc").text
    told = ET.fromstring(render_svg(tutorial, language="zh")).find(f"{SVG}desc").text
    assert "损失" in told


def test_large_layers_show_their_strongest_neurons_and_how_many_more(rng):
    network = dp.Network([784, 128, 10], "relu")
    explanation = dp.explain(network, network.init(rng), rng.random((1, 784)), [3])
    root = ET.fromstring(render_svg(explanation))
    names = {row.get("data-id") for row in by_class(root, "row")}
    deltas = np.abs(explanation.trace.delta[0][0])
    drawn = {int(re.fullmatch(r"delta\.1\[0,(\d+)\]", n)[1]) for n in names if "delta.1" in n}
    assert drawn == set(np.argsort(-deltas)[: len(drawn)].tolist())
    rest = [shown(e) for e in by_class(root, "rest") if e.tag == f"{SVG}text"]
    assert rest == ["(775 more)", f"({128 - len(drawn)} more)"]
    assert sum("delta.2" in n for n in names) == 10


@pytest.mark.parametrize("sizes", [[2, 2, 1], [4, 8, 3], [3, 5, 4, 3, 2], [200, 30, 10], [1, 1]])
def test_no_card_covers_another_or_leaves_the_picture(rng, sizes):
    network = dp.Network(sizes, "tanh")
    explanation = dp.explain(network, network.init(rng), rng.normal(size=(1, sizes[0])), [0])
    root = ET.fromstring(render_svg(explanation))
    cards = [
        tuple(float(r.get(k)) for k in ("x", "y", "width", "height"))
        for r in root.iter(f"{SVG}rect")
    ]
    for k, (x, y, w, h) in enumerate(cards):
        assert x >= 0
        assert y >= 34
        assert x + w <= float(root.get("width"))
        assert y + h <= float(root.get("height"))
        for x2, y2, w2, h2 in cards[:k]:
            assert x + w <= x2 or x2 + w2 <= x or y + h <= y2 or y2 + h2 <= y


def test_names_are_text_and_nothing_else(rng):
    network = dp.Network([1, 2])
    names = Names(HOSTILE, (HOSTILE,), (HOSTILE, "b"))
    text = render_svg(dp.explain(network, network.init(rng), [[1.0]], [0], names=names))
    root = ET.fromstring(text)
    assert not list(root.iter(f"{SVG}script"))
    assert "alert(1)" in "".join(root.itertext())
    assert "\x1b" not in text


def test_a_sample_there_is_not_is_refused(tutorial):
    with pytest.raises(dp.errors.SettingError, match="sample 1"):
        render_svg(tutorial, sample=1)


@pytest.mark.parametrize("gap", [64, 92])
@pytest.mark.parametrize("sizes", [[2, 3, 3, 2], [4, 2, 2], [1, 8, 1], [3, 2]])
def test_labels_that_are_shown_cover_no_other(rng, sizes, gap):
    network = dp.Network(sizes, "tanh")
    explanation = dp.explain(network, network.init(rng), rng.normal(size=(1, sizes[0])), [0])
    root = ET.fromstring(diagram.picture(explanation, Style(), 560, least_gap=gap, css="a {}"))
    boxes = []
    for label in by_class(root, "label"):
        if "quiet" in label.get("class"):
            continue
        texts = list(label.iter(f"{SVG}text"))
        half = max(len(shown(text)) for text in texts) * 6.3 / 2
        x, y = float(texts[0].get("x")), float(texts[0].get("y")) + 2
        boxes.append((x - half, y - 12, x + half, y + 12))
    assert len(boxes) > 1
    for k, (left, top, right, bottom) in enumerate(boxes):
        for left2, top2, right2, bottom2 in boxes[:k]:
            assert right <= left2 or right2 <= left or bottom <= top2 or bottom2 <= top

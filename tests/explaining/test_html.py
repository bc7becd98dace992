"""The page: well-formed, offline, inert against hostile names, and it says what the lines say."""

import base64
import hashlib
import json
import math
import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

import deltaprop as dp
from deltaprop.explaining import Names, built_in_example
from deltaprop.explaining.document import outline
from deltaprop.explaining.document.style import Style
from deltaprop.explaining.renderers.html import page as html
from deltaprop.explaining.softmax import SoftmaxBesideSigmoid
from deltaprop.functional.expressions import Number, Operand, Rest, leaves
from deltaprop.notation.digits import number_text
from deltaprop.notation.ids import read_ref
from deltaprop.notation.image import Image
from deltaprop.notation.image_svg import image_svg

VOID = {"meta", "br", "hr", "img", "link", "input"}
HOSTILE = "</script></style><img src=x onerror=alert(1)>\"'&\x00\x1b[31m\u2028<svg onload=alert(2)>"
SPOKEN = {"+": "+", "−": "-", "×": "*", "\u2061": "", "\u2062": "*", "(": "(", ")": ")", ",": ","}
RELATIONS = {"=": "==", "≥": ">=", "≤": "<=", ">": ">", "<": "<", "[": "(", "]": ")"}


def render(explanation, **style):
    return explanation.to_html(**style)


class Document(HTMLParser):
    """Reads a page into elements; complains where tags are not closed in order."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.root = ET.Element("document")
        self.open = [self.root]
        self.scripts, self.styles = [], []
        self.feed(text)
        self.close()
        assert self.open == [self.root], "a tag is left open"

    def handle_starttag(self, tag, attributes):
        element = ET.SubElement(self.open[-1], tag, {k: v or "" for k, v in attributes})
        if tag not in VOID:
            self.open.append(element)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open[-1].tag == tag, f"</{tag}> closes <{self.open[-1].tag}>"
        self.open.pop()

    def handle_data(self, data):
        here = self.open[-1]
        if len(here):
            here[-1].tail = (here[-1].tail or "") + data
        else:
            here.text = (here.text or "") + data

    def with_class(self, name, root=None):
        found = (self.root if root is None else root).iter()
        return [element for element in found if name in element.get("class", "").split()]


def tutorial(**fixed):
    worked = built_in_example("tutorial")
    return dp.explain(
        worked.network, worked.parameters, worked.x, worked.targets,
        optimizer=worked.optimizer, names=Names(worked.title), **fixed,
    )  # fmt: skip


def spoken(element):
    """Return MathML as arithmetic that Python reads."""
    inner = [spoken(child) for child in element if child.tag != "mtext"]
    match element.tag:
        case "mn" | "mi":
            text = (element.text or "").replace("−", "-")
            return {"∞": "inf", "-∞": "-inf", "NaN": "nan", "ln": "log"}.get(text, text)
        case "mo":
            return SPOKEN.get(element.text, RELATIONS.get(element.text, element.text))
        case "msup":
            return f"({inner[0]})**({inner[1]})"
        case "mfrac":
            return f"(({inner[0]})/({inner[1]}))"
        case "msqrt":
            return f"sqrt({''.join(inner)})"
    if element.tag == "mrow" and inner[:1] == inner[-1:] == ["|"]:
        return f"abs({''.join(inner[1:-1])})"
    return "".join(inner)


def number_of(element):
    """Return the number an element shows, with or without a sign of equality before it."""
    return float(eval(spoken(element).lstrip("=≈"), {"inf": math.inf, "nan": math.nan}))


def formulas_of(text):
    """Return every formula of a page, read as XML."""
    return [ET.fromstring(f) for f in re.findall(r"<math\b.*?</math>", text, re.DOTALL)]


def evaluated(text):
    known = {
        name: getattr(math, name) for name in ("exp", "log", "tanh", "sqrt", "erf", "inf", "nan")
    }
    try:
        return eval(text, {**known, "max": max, "abs": abs})
    except OverflowError:
        return math.inf
    except (ValueError, ZeroDivisionError):
        return math.nan


def same(one, other):
    # a power of ten that is multiplied rounds differently from one that is read
    return math.isclose(one, other, rel_tol=1e-14) or (math.isnan(one) and math.isnan(other))


def check_lines(explanation, text):
    """Every number on the page is the one of the lines, in the same order, and holds."""
    document = Document(text)
    assert formulas_of(text)
    items = {item.get("id"): item for item in document.with_class("step")}
    data = json.loads(explanation.to_json())
    lines = explanation.lines()
    assert list(items) == [step["id"] for step in data["steps"]]
    for line, step in zip(lines, data["steps"], strict=True):
        item = items[step["id"]]
        assert step["shown"] == line.shown
        assert step["exact"] == line.exact
        assert bool(step["from"]) == bool(document.with_class("symbols", item))
        check_line(document, item, line)
    return document


def check_line(document, item, line):
    """A line of the page shows what the line says, and its right-hand side gives its result."""
    (result,) = document.with_class("result", item)
    assert same(number_of(result), float(line.shown))
    assert ("=" in "".join(result.itertext())) == line.exact
    symbols, numbers = (document.with_class(name, item) for name in ("symbols", "numbers"))
    if not symbols:
        return
    in_symbols, in_numbers = (
        [e for e in part.iter() if "data-id" in e.attrib] for part in (*symbols, *numbers)
    )
    operands = [leaf for leaf in leaves(line.step.expression) if isinstance(leaf, Operand)]
    assert [e.get("data-id") for e in in_symbols] == [o.id for o in operands]
    assert [e.get("data-id") for e in in_numbers] == [o.id for o in operands]
    for element, operand in zip(in_numbers, operands, strict=True):
        assert same(number_of(element), float(line.text(operand))), line.step.id
    rests = [leaf for leaf in leaves(line.step.expression) if isinstance(leaf, Rest)]
    assert len(document.with_class("rest", numbers[0])) == len(rests)
    constants = [leaf for leaf in leaves(line.step.expression) if isinstance(leaf, Number)]
    everything = "".join(spoken(m) for m in numbers[0].iter("math"))
    assert everything.startswith("==")
    written = (constant.text for constant in constants if "e" not in constant.text)
    assert all(text in everything for text in written)  # 1e-07 is written with a power of ten
    result_of_page = evaluated(everything[2:])
    expected = line.evaluated()
    assert same(result_of_page, expected) or result_of_page == pytest.approx(
        expected, rel=1e-9, abs=1e-300
    ), (line.step.id, everything)


def check_ids(document):
    """Every id that is pointed at belongs to exactly one line."""
    ids = [element.get("id") for element in document.root.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    lines = {item.get("id") for item in document.with_class("line")}
    for element in document.root.iter():
        if "data-id" in element.attrib:
            pointed = [element.get("data-id"), *element.get("data-also", "").split()]
            assert set(pointed) <= lines, pointed
        if element.tag == "a":
            assert element.get("href")[1:] in ids


class TestTheTutorial:
    def test_every_number_is_that_of_the_lines(self):
        explanation = tutorial()
        check_ids(check_lines(explanation, render(explanation)))

    def test_its_numbers_can_be_read(self):
        text = "".join(Document(render(tutorial())).root.itertext())
        for number in ("0.55125", "1.3125", "2.9475", "0.338802", "−2.0399", "−0.212448"):
            assert number in text

    def test_every_gradient_has_its_proof(self):
        document = Document(render(tutorial()))
        proofs = document.with_class("proof")
        assert len(proofs) == 6
        assert all("right" in proof.get("class") for proof in proofs)
        assert "6 of 6 gradients agree" in "".join(document.with_class("proved")[0].itertext())

    def test_a_wrong_gradient_gets_a_cross(self, wrong_slope):
        network = dp.Network([1, 1, 1], hidden=wrong_slope, loss="half_squared_error", bias=False)
        explanation = dp.explain(network, network.parameters([[[0.5]], [[2.0]]]), [[1.0]], [[0.3]])
        document = Document(render(explanation))
        (item,) = [
            item for item in document.with_class("step") if document.with_class("wrong", item)
        ]
        assert item.get("id") == "dW.1[0,0]"
        assert "✗" in "".join(item.itertext())
        assert not document.with_class("proved")
        assert "1 of 2" in "".join(document.with_class("failed")[0].itertext())

    def test_it_is_small(self):
        assert len(render(tutorial()).encode()) < 100_000

    @pytest.mark.parametrize(
        ("detail", "there", "missing"),
        [
            ("overview", ["overview"], ["layers", "neurons"]),
            ("layers", ["layers"], ["overview", "neurons"]),
            ("neurons", ["neurons", "given", "overview"], ["layers"]),
            (None, ["overview", "layers", "neurons", "promise"], []),
        ],
    )
    def test_the_altitudes(self, detail, there, missing):
        document = Document(render(tutorial(), detail=detail))
        ids = {element.get("id") for element in document.root.iter()}
        assert set(there) <= ids
        assert not set(missing) & ids
        check_ids(document)

    def test_the_tutorials_notation_names_both_layers(self):
        text = render(tutorial(), notation="tutorial")
        assert "<mtext>(0,1)</mtext>" in text
        assert "<mtext>(0,1)</mtext>" not in render(tutorial())

    def test_chinese_says_so(self):
        text = render(tutorial(), language="zh")
        assert '<html lang="zh-Hans">' in text
        assert "前向传播" in text
        check_lines(tutorial(), text)

    @pytest.mark.parametrize(
        "wrong", [{"detail": "all"}, {"digits": 0}, {"notation": "x"}, {"language": "xx"}]
    )
    def test_what_there_is_not_is_refused(self, wrong):
        with pytest.raises(dp.errors.DeltapropError):
            render(tutorial(), **wrong)


def test_every_number_of_every_kind_of_network(draw, activation, loss):
    explanation = draw(activation, loss, learning_rate=0.01).explanation
    check_ids(check_lines(explanation, render(explanation)))


@pytest.mark.parametrize("optimizer", tuple(dp.OPTIMIZERS))
def test_every_number_of_every_optimizer(draw, optimizer):
    explanation = draw(
        "tanh", "cross_entropy", optimizer=dp.OPTIMIZERS[optimizer](0.05)
    ).explanation
    check_ids(check_lines(explanation, render(explanation)))


@pytest.mark.parametrize("digits", [1, 3, 17])
def test_any_number_of_digits(draw, digits):
    explanation = draw("sigmoid", "cross_entropy", depth=1).explanation
    text = render(explanation, digits=digits)
    document = Document(text)
    for line in explanation.lines(digits):
        (item,) = [e for e in document.with_class("step") if e.get("id") == line.step.id]
        (result,) = document.with_class("result", item)
        assert same(number_of(result), float(line.shown))


def test_numbers_asked_for_bring_their_ancestry_and_nothing_else(draw):
    explanation = draw("tanh", "cross_entropy", depth=1).explanation.only("dW.1[0,0]")
    document = check_lines(explanation, render(explanation))
    check_ids(document)
    assert "phase-update" not in {element.get("id") for element in document.root.iter()}


def test_a_large_network_is_told_by_its_strongest_numbers(rng):
    network = dp.Network([200, 60, 10], "relu")
    explanation = dp.explain(network, network.init(rng), rng.normal(size=(1, 200)), [3])
    text = render(explanation)
    check_ids(Document(text))
    assert "strongest" in text
    assert len(text.encode()) < 1_000_000


def test_every_formula_is_well_formed_and_written_in_mathml_core(draw):
    core = {
        "math",
        "mrow",
        "mi",
        "mn",
        "mo",
        "mtext",
        "mfrac",
        "msqrt",
        "msub",
        "msup",
        "msubsup",
        "munder",
        "mtable",
        "mtr",
        "mtd",
        "mspace",
        "mover",
    }
    text = render(
        draw("gelu", "cross_entropy", depth=2, n=2, l2=0.1, l1=0.1, bias=True).explanation
    )
    formulas = formulas_of(text)
    assert len(formulas) > 100
    for formula in formulas:
        assert {element.tag for element in formula.iter()} <= core


@pytest.mark.parametrize("bias", [True, False])
def test_every_cell_of_a_matrix_is_the_number_it_points_at(draw, bias):
    setting = draw("tanh", "cross_entropy", depth=1, n=2, l2=0.1, l1=0.1, bias=bias)
    explanation = setting.explanation
    document = Document(render(explanation))
    seen = set()
    for equation in document.with_class("equation"):
        for cell in equation.iter():
            if "data-id" not in cell.attrib:
                continue
            name = cell.get("data-id")
            ref = read_ref(name)
            step = explanation.derivation.step(ref)
            if step is not None:
                value = step.value
            elif ref.quantity in ("x", "targets"):
                value = {"x": setting.x, "targets": setting.targets}[ref.quantity][ref.index]
            elif ref.quantity in ("W", "b"):
                value = setting.parameters.layers[ref.layer - 1][ref.quantity][ref.index]
            else:
                value = {"learning_rate": 0.1, "l2": 0.1, "l1": 0.1}[name]
            assert number_of(cell) == pytest.approx(value, rel=1e-5), name
            seen.add(ref.quantity)
    assert {"x", "W", "z", "a", "delta", "dW", "l2", "l1", "learning_rate"} <= seen
    assert ({"b", "db"} <= seen) == bias


def test_a_slope_is_not_the_number_it_is_taken_at(draw):
    document = Document(render(draw("tanh", "cross_entropy", depth=1, bias=True).explanation))
    backward = [
        equation
        for equation in document.with_class("equation")
        if "′" in "".join(equation.itertext()) and "⊙" in "".join(equation.itertext())
    ]
    assert backward
    for equation in backward:
        assert not [e for e in equation.iter() if e.get("data-id", "").startswith("z.")]


def test_the_shape_stands_under_every_matrix():
    (first, *_) = Document(render(tutorial())).with_class("equation")
    shapes = [e.text for e in first.iter("mtext")]
    assert shapes == ["1 × 2", "2 × 2", "1 × 2"]


def test_the_batch_and_the_promise_with_its_reasons_are_told(draw):
    explanation = draw("tanh", "cross_entropy", n=3, depth=1).explanation
    document = Document(render(explanation))
    told = {e.get("id"): " ".join(e.itertext()) for e in document.root.iter("section")}
    assert "cosine with g" in told["batch"]
    assert len(list(document.root.iter("tr"))) == 1 + 3 + 6
    assert "The gradient speaks for the start of the step only" in told["promise"]
    row = [e for e in document.root.iter("tr") if "change brought" in "".join(e.itertext())]
    (brought,) = row[0].iter("math")
    assert number_of(brought) == pytest.approx(explanation.actual_change, rel=1e-5)


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
    for item, line in zip(items, told.lines(), strict=True):
        assert item.get("id") == line.step.id
        check_line(document, item, line)
    gradients = [item for item in items if item.get("id").startswith(("dW", "db"))]
    assert gradients
    assert all(document.with_class("proof", item) for item in gradients)
    left_out = [e for e in document.with_class("rest") if e.tag == "mrow"]
    assert left_out
    assert all(re.search(r"\d+\smore", "".join(e.itertext())) for e in left_out)


def test_softmax_beside_sigmoid_is_a_page_too():
    beside = SoftmaxBesideSigmoid((2.0, 1.0, -0.5), (HOSTILE, "dog", "bird"), 0)
    document = Document(beside.to_html())
    check_ids(document)
    steps = {item.get("id"): item for item in document.with_class("step")}
    lines = tuple(beside.document(Style()).lines())
    assert list(steps) == [line.step.id for line in lines]
    for line in lines:
        (result,) = document.with_class("result", steps[line.step.id])
        assert same(number_of(result), float(line.shown))
    given = {item.get("id"): item for item in document.with_class("given")}
    assert list(given) == ["z[0]", "z[1]", "z[2]"]
    assert "← t" in "".join(document.root.itertext())
    assert "同一组得分" in beside.to_html(language="zh")


def test_a_document_by_itself_tells_the_network_as_tables(rng):
    network = dp.Network([30, 20, 3], "relu")
    explanation = dp.explain(network, network.init(rng), rng.normal(size=(2, 30)), [0, 1])
    document = outline.document(explanation, Style(), most=10)
    text = html.write_document(replace(document, step=None))
    document = Document(text)
    check_ids(document)
    assert "<svg" not in text
    assert "(23 more)" in "".join(document.root.itertext())
    assert number_text(explanation.trace.a[2][0, 1], 6) in "".join(document.root.itertext())


def hostile(rng):
    network = dp.Network([2, 3, 2], "tanh")
    names = Names(HOSTILE, (HOSTILE, "javascript:alert(3)"), (HOSTILE, "--><b>"))
    return dp.explain(network, network.init(rng), rng.normal(size=(2, 2)), [0, 1], names=names)


def test_names_are_text_and_nothing_else(rng):
    plain = dp.Network([2, 3, 2], "tanh")
    harmless = dp.explain(plain, plain.init(rng), rng.normal(size=(2, 2)), [0, 1])
    document, other = Document(render(hostile(rng))), Document(render(harmless))
    tags = {element.tag for element in document.root.iter()}
    assert "img" not in tags
    assert not [e for e in document.root.iter() if any(k.startswith("on") for k in e.attrib)]
    count = [sum(e.tag == "script" for e in d.root.iter()) for d in (document, other)]
    assert count == [1, 1]
    assert "alert(1)" in "".join(document.root.itertext())
    assert "\x00" not in render(hostile(rng))
    assert "\x1b" not in render(hostile(rng))


def test_nothing_outside_is_asked_for(rng):
    for text in (render(tutorial()), render(hostile(rng), language="zh")):
        document = Document(text)
        for element in document.root.iter():
            assert not {"src", "srcset", "action", "style", "poster", "data"} & set(element.attrib)
            assert element.get("href", "#").startswith("#")
        assert set(re.findall(r"https?://[^\"'\s<]+", text)) <= {"http://www.w3.org/2000/svg"}
        assert "url(" not in text
        assert "@import" not in text
        for call in ("fetch(", "XMLHttpRequest", "import(", "eval(", "innerHTML", "WebSocket"):
            assert call not in text


def test_only_the_own_script_and_style_may_run(rng):
    text = render(hostile(rng))
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text).group(1)
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    for tag, directive in (("style", "style-src"), ("script", "script-src")):
        (content,) = re.findall(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{directive} 'sha256-{digest}'" in policy


def luminance(color):
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return float(np.dot(linear, (0.2126, 0.7152, 0.0722)))


@pytest.mark.parametrize("theme", [0, 1])
@pytest.mark.parametrize("asset", ["page.css", "network.css"])
def test_text_stands_out_from_every_ground_it_stands_on(asset, theme):
    style = html._asset(asset)
    blocks = [dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", b)) for b in style.split("@media")]
    colors = [block for block in blocks if "ink" in block][theme]
    grounds = [colors[g] for g in ("paper", "sheet", "card", "lit", "current") if g in colors]
    texts = ("ink", "positive", "negative") + (
        ("muted", "gradient") if asset == "network.css" else ()
    )
    pairs = [(text, ground) for text in texts for ground in grounds]
    pairs += [(text, colors["paper"]) for text in ("muted", "gradient")]
    if asset == "page.css":
        pairs += [(t, colors[g]) for t in ("muted", "right", "wrong") for g in ("sheet", "current")]
        pairs += [("on-accent", colors["accent"]), ("accent", colors["sheet"])]
    for text, ground in pairs:
        light, dark = sorted((luminance(colors[text]), luminance(ground)), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5, (text, ground)

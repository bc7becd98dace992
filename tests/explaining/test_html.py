"""The page: well-formed, offline, inert against hostile names, and it says what the lines say."""

import base64
import hashlib
import json
import math
import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser

import numpy as np
import pytest

import deltaprop as dp
from deltaprop.explaining import Names, built_in_example
from deltaprop.explaining.html import render
from deltaprop.functional.arithmetic import Number, Operand, Rest, leaves

LOSSES = tuple(dp.LOSSES)
ACTIVATIONS = tuple(dp.ACTIVATIONS)
VOID = {"meta", "br", "hr", "img", "link", "input"}
HOSTILE = "</script></style><img src=x onerror=alert(1)>\"'&\x00\x1b[31m\u2028<svg onload=alert(2)>"
SPOKEN = {"+": "+", "−": "-", "×": "*", "\u2061": "", "\u2062": "*", "(": "(", ")": ")", ",": ","}
RELATIONS = {"=": "==", "≥": ">=", "≤": "<=", ">": ">", "<": "<", "[": "(", "]": ")"}


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
    """Return the number an element shows."""
    return float(eval(spoken(element), {"inf": math.inf, "nan": math.nan}))


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
    items = {item.get("id"): item for item in document.with_class("step")}
    data = json.loads(explanation.to_json())
    lines = explanation.lines()
    assert list(items) == [step["id"] for step in data["steps"]]
    for line, step in zip(lines, data["steps"], strict=True):
        item = items[step["id"]]
        (result,) = document.with_class("result", item)
        (shown,) = [e for e in result.iter() if "data-id" in e.attrib]
        assert shown.get("data-id") == step["id"]
        assert same(number_of(shown), float(step["shown"]))
        assert ("=" in "".join(result.itertext())) == step["exact"]
        symbols, numbers = (document.with_class(name, item) for name in ("symbols", "numbers"))
        if not symbols:
            assert step["from"] == []
            continue
        in_symbols, in_numbers = (
            [e for e in part.iter() if "data-id" in e.attrib] for part in (*symbols, *numbers)
        )
        operands = [leaf for leaf in leaves(line.step.expression) if isinstance(leaf, Operand)]
        assert [e.get("data-id") for e in in_symbols] == [o.id for o in operands]
        assert [e.get("data-id") for e in in_numbers] == [o.id for o in operands]
        for element, operand in zip(in_numbers, operands, strict=True):
            assert same(number_of(element), float(line.text(operand))), step["id"]
        rests = [leaf for leaf in leaves(line.step.expression) if isinstance(leaf, Rest)]
        assert len(document.with_class("rest", numbers[0])) == len(rests)
        constants = [leaf for leaf in leaves(line.step.expression) if isinstance(leaf, Number)]
        everything = "".join(spoken(m) for m in numbers[0].iter("math"))
        assert everything.startswith("==")
        assert all(constant.text in everything for constant in constants)
        result_of_page = evaluated(everything[2:])
        expected = line.evaluated()
        assert same(result_of_page, expected) or result_of_page == pytest.approx(
            expected, rel=1e-9, abs=1e-300
        ), (step["id"], everything)
    return document


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

    def test_a_wrong_gradient_gets_a_cross(self):
        import dataclasses

        explanation = tutorial()
        wrong = explanation.trace.gradients.copy()
        wrong.flat[1] += 0.01
        trace = dataclasses.replace(explanation.trace, gradients=wrong)
        document = Document(render(dataclasses.replace(explanation, trace=trace)))
        (item,) = [
            item for item in document.with_class("step") if document.with_class("wrong", item)
        ]
        assert item.get("id") == "dW.1[0,1]"
        assert "✗" in "".join(item.itertext())
        assert not document.with_class("proved")
        assert "5 of 6" in "".join(document.with_class("failed")[0].itertext())

    def test_what_cannot_be_proved_has_no_proof(self, monkeypatch):
        def refuse(self, tolerance=1e-6):
            raise dp.errors.SettingError("not this one")

        monkeypatch.setattr(dp.Explanation, "verify", refuse)
        assert not Document(render(tutorial())).with_class("proof")

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


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
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
        (shown,) = [
            e for e in document.with_class("result", item)[0].iter() if "data-id" in e.attrib
        ]
        assert same(number_of(shown), float(line.shown))


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
    }
    text = render(
        draw("gelu", "cross_entropy", depth=2, n=2, l2=0.1, l1=0.1, bias=True).explanation
    )
    formulas = re.findall(r"<math>.*?</math>", text, re.DOTALL)
    assert len(formulas) > 100
    for formula in formulas:
        assert {element.tag for element in ET.fromstring(formula).iter()} <= core


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
@pytest.mark.parametrize("asset", ["page.css", "diagram.css"])
def test_text_stands_out_from_every_ground_it_stands_on(asset, theme):
    from deltaprop.explaining.html import _asset

    style = _asset(asset)
    blocks = [dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", b)) for b in style.split("@media")]
    colors = [block for block in blocks if "ink" in block][theme]
    grounds = [colors[g] for g in ("paper", "sheet", "card", "lit", "current") if g in colors]
    texts = ("ink", "positive", "negative") + (
        ("muted", "gradient") if asset == "diagram.css" else ()
    )
    pairs = [(text, ground) for text in texts for ground in grounds]
    pairs += [(text, colors["paper"]) for text in ("muted", "gradient")]
    if asset == "page.css":
        pairs += [(t, colors[g]) for t in ("muted", "right", "wrong") for g in ("sheet", "current")]
        pairs += [("on-accent", colors["accent"]), ("accent", colors["sheet"])]
    for text, ground in pairs:
        light, dark = sorted((luminance(colors[text]), luminance(ground)), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5, (text, ground)

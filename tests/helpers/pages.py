"""A page read as a browser reads it: its elements, its lines and formulas, what they come to."""

import json
import math
import re
import xml.etree.ElementTree as ET
from collections import defaultdict
from html.parser import HTMLParser

import pytest

from deltaprop.functional.expressions import Number, Operand, Rest, leaves

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
        self.by_class = defaultdict(list)
        self.scripts, self.styles = [], []
        self.feed(text)
        self.close()
        assert self.open == [self.root], "a tag is left open"

    def handle_starttag(self, tag, attributes):
        element = ET.SubElement(self.open[-1], tag, {k: v or "" for k, v in attributes})
        for name in element.get("class", "").split():
            self.by_class[name].append(element)
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
        if root is None:
            return self.by_class[name]
        return [element for element in root.iter() if name in element.get("class", "").split()]


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


def without_scripts(text):
    """Return a page as it is read where no script runs."""
    return re.sub(r"<script\b.*?</script>", "", text, flags=re.DOTALL)


def formulas_of(text):
    """Return every formula of a page, read as XML."""
    text = without_scripts(text)
    return [ET.fromstring(f) for f in re.findall(r"<math\b.*?</math>", text, re.DOTALL)]


def evaluated(text):
    known = {
        name: getattr(math, name)
        for name in ("exp", "log", "tanh", "sqrt", "erf", "cos", "sin", "inf", "nan")
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

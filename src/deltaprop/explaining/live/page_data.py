"""What a page needs to work its step out again: its data, and the scripts as one."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from functools import cache
from importlib.resources import files
from typing import Any

from deltaprop.explaining.document.blocks import Document, Equations
from deltaprop.explaining.document.layout import laid_out
from deltaprop.explaining.document.tokens import MatrixEquation
from deltaprop.explaining.live.plain_trees import plain
from deltaprop.explaining.live.program import program, reason_against
from deltaprop.explaining.live.symbols import templates
from deltaprop.notation.html_page import json_in_html
from deltaprop.notation.ids import read_ref
from deltaprop.notation.page_script import one_script

__all__ = ["page_data", "page_script", "why_not"]

# and all that begin with "live "
_WORDS = (
    "terms left out", "right", "wrong", "kink", "undecided", "central difference",
    "relative error", "proved", "against", "more samples", "cancellation", "conflict",
    "no number", "promise overflows", "step overflows", "promise kept", "gap", "crossed kinks",
    "step too long", "best length", "further",
)  # fmt: skip


def why_not(document: Document) -> str | None:
    """Return in one sentence why the numbers of a page cannot be changed; None where they can."""
    if document.worked is None or not any(document.lines()):
        return ""
    found = reason_against(document.worked)
    if found is None:
        return None
    key, values = found
    return document.words[key].format(**values)


def page_data(document: Document) -> str:
    """Return the data of a page whose numbers can be changed, as JSON that may stand in HTML."""
    worked, words = document.worked, document.words
    assert worked is not None
    data = program(worked)
    equations = (block for block in document.blocks() if isinstance(block, Equations))
    turned = worked.written.turned
    told: dict[str, Any] = {
        "program": data,
        "symbols": templates(document, data),
        "digits": document.style.digits,
        "words": {
            key: text for key, text in words.items() if key in _WORDS or key.startswith("live ")
        },
        "rate": _rate_sentence(document),
        "joined": dict(_joined(document, data)),
        "equations": [
            dict(_equation(equation, turned)) for block in equations for equation in block.equations
        ],
    }
    return json_in_html(told)


def _equation(equation: MatrixEquation, turned: Collection[str]) -> Iterator[tuple[str, Any]]:
    """Yield what an equation gives, of what, and how that is laid out where it is turned."""
    assert equation.matrix is not None
    yield "left", plain(equation.matrix)
    yield "turned", equation.turned
    tree = equation.made_of
    if tree is not None:
        yield "tree", plain(tree)
        if turned:
            yield "laid", plain(laid_out(tree, turned, whole=equation.turned))


def _rate_sentence(document: Document) -> tuple[int, str]:
    """Return which sentence above the numbers has the learning rate, and itself with "{rate}"."""
    before, behind = document.words["step"].split("{rate}")
    form = re.compile(re.escape(before).replace(re.escape("{optimizer}"), ".*"))
    for place, sentence in enumerate(document.conventions):
        if found := form.match(sentence):
            return place, f"{found[0]}{{rate}}{behind}"
    return -1, ""


def _joined(document: Document, data: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the arrays that have the symbol of another one in the notation: a of a linear layer."""
    for name, *_ in (*data["forward"], [f"a.{data['layers']}"]):
        for each in (name, f"{name}.after"):
            ref = read_ref(each)
            if (other := document.naming.joined(ref)) != ref:
                yield each, other.id


@cache
def page_script() -> str:
    """Return the modules as one script that needs no other."""
    return one_script(files(__package__), "editing", "editing.start();")
